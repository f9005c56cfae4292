// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

/// What an operation could leave behind in this process.
struct Leftovers {
    private let descriptors: Int
    private let mappings: Int
    private let children: Int

    init() {
        descriptors = Self.descriptorCount
        mappings = Self.mappingCount
        children = Self.childCount
    }

    private var isNow: Bool {
        Self.descriptorCount <= descriptors && Self.childCount <= children && Self.mappingCount <= mappings
    }

    /// Threads and tasks that have ended may be on their way out.
    func assertNoneAdded(_ what: String) {
        let end = Date(timeIntervalSinceNow: 5)
        while !isNow && Date() < end { usleep(200) }
        XCTAssertLessThanOrEqual(Self.descriptorCount, descriptors, "descriptors left by \(what)")
        XCTAssertLessThanOrEqual(Self.mappingCount, mappings, "mappings left by \(what)")
        XCTAssertLessThanOrEqual(Self.childCount, children, "children left by \(what)")
    }

    private static var descriptorCount: Int { count(in: "/proc/self/fd") }

    private static var childCount: Int {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return threads.reduce(0) { count, thread in
            count + read("/proc/self/task/\(thread)/children").split(separator: UInt8(ascii: " ")).count
        }
    }

    /// Regions of shared memory that are mapped.
    private static var mappingCount: Int {
        let name = Array("/memfd:interprocess".utf8)
        return read("/proc/self/maps").split(separator: UInt8(ascii: "\n")).count { $0.contains(name) }
    }

    private static func read(_ path: String) -> [UInt8] {
        FileManager.default.contents(atPath: path).map { Array($0) } ?? []
    }

    private static func count(in directory: String) -> Int {
        guard let stream = opendir(directory) else { return 0 }
        defer { closedir(stream) }
        var count = 0
        while readdir(stream) != nil { count += 1 }
        return count
    }
}
#endif
