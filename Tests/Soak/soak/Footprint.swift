// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation

/// What a process holds, as the system tells it.
struct Footprint: Sendable {
    /// In KiB, resident.
    var memory = 0
    /// `nil` where the system does not tell.
    var descriptors: Int?
    var threads: Int?

    /// - Returns: `nil` when there is no such process.
    static func of(_ process: Int32) -> Footprint? {
        #if os(Linux)
        guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else { return nil }
        func number(_ key: String) -> Int? {
            status.split(separator: "\n").first { $0.hasPrefix(key) }?.split { !$0.isNumber }.first.flatMap { Int($0) }
        }
        guard let memory = number("VmRSS:") else { return nil }
        let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
        return Footprint(memory: memory, descriptors: descriptors, threads: number("Threads:"))
        #else
        let ps = Process()
        let output = Pipe()
        ps.executableURL = URL(fileURLWithPath: "/bin/ps")
        ps.arguments = ["-o", "rss=", "-p", "\(process)"]
        ps.standardOutput = output
        guard (try? ps.run()) != nil else { return nil }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)).map { Footprint(memory: $0) }
        #endif
    }
}

/// What a process held over time, and whether that stayed the same.
struct Growth {
    private var samples: [(time: Duration, footprint: Footprint)] = []

    mutating func add(_ footprint: Footprint, at time: Duration) { samples.append((time, footprint)) }

    /// What has grown, in words; each is told by a line anyway.
    func judge(_ duration: Duration) -> [String] {
        // Buffers and pools reach their size, and as many clients meet as do now and then.
        let warmUp = min(duration / 5, .seconds(120))
        let counted = samples.filter { $0.time >= warmUp }.map(\.footprint)
        return [
            grown("memory (KiB)", counted.map(\.memory)) { $0 / 20 + 4096 },
            grown("descriptors", counted.compactMap(\.descriptors)) { $0 / 10 + 8 },
            grown("threads", counted.compactMap(\.threads)) { _ in 2 },
        ].compactMap { $0 }
    }

    private func grown(_ what: String, _ values: [Int], _ tolerance: (Int) -> Int) -> String? {
        if values.count < 6 { return nil }
        let third = values.count / 3
        let (first, last) = (median(values.prefix(third)), median(values.suffix(third)))
        say("\(what): median of the first third \(first), of the last third \(last), at most \(values.max() ?? 0)")
        return last > first + tolerance(first) ? "\(what) grew from \(first) to \(last)" : nil
    }

    private func median(_ values: some Collection<Int>) -> Int { values.sorted()[values.count / 2] }
}
