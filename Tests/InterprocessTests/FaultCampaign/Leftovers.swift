// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

/// What an operation could leave behind in this process.
struct Leftovers {
    enum Kind {
        case mappings, children
    }

    private let kinds: Set<Kind>
    private let descriptors: Int
    private let others: [Kind: Int]

    init(of kinds: Set<Kind>) {
        self.kinds = kinds
        descriptors = Self.descriptorCount
        others = Self.count(kinds)
    }

    private var isAll: Bool {
        Self.descriptorCount <= descriptors && Self.count(kinds).allSatisfy { $1 <= others[$0, default: 0] }
    }

    /// Threads and tasks that have ended may be on their way out.
    func assertNoneAdded(_ what: String) {
        let end = Date(timeIntervalSinceNow: 5)
        while !isAll {
            if Date() > end {
                return XCTFail("\(what) leaves something: \(OpenDescriptors.all()), \(Self.count(kinds))")
            }
            usleep(200)
        }
    }

    private static func count(_ kinds: Set<Kind>) -> [Kind: Int] {
        Dictionary(uniqueKeysWithValues: kinds.map { ($0, $0 == .mappings ? mappingCount : childCount) })
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
