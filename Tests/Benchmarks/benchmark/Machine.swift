// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark

/// Why a run ends without a result.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Throws when a C function failed.
@discardableResult
func check(_ result: Int64, _ what: String) throws -> Int64 {
    if result < 0 { throw Failure("\(what) failed, errno \(-result)") }
    return result
}

/// The same for descriptors, which C functions take as Int32.
func descriptor(_ result: Int64, _ what: String) throws -> Int32 { Int32(try check(result, what)) }

/// Whose code does the work.
enum Side: String, CaseIterable {
    case library
    case c
}

/// Which CPUs the two processes run on.
enum Placement: String {
    case oneCPU = "one CPU"
    case twoCPUs = "two CPUs"
    case unpinned

    /// The CPU of the process that measures; -1 is any.
    var ownCPU: Int64 { self == .unpinned ? -1 : cb_allowed_cpu(0) }

    /// The CPU of the other process.
    var peerCPU: Int64 {
        switch self {
        case .oneCPU: cb_allowed_cpu(0)
        case .twoCPUs: cb_allowed_cpu(1)
        case .unpinned: -1
        }
    }

    /// Whether this machine lets processes be placed so.
    var isPossible: Bool {
        if self == .unpinned { return true }
        if ownCPU < 0 || peerCPU < 0 { return false }
        defer { cb_pin(-1) }
        return cb_pin(peerCPU) >= 0 && cb_pin(ownCPU) >= 0
    }

    /// Pins this thread while the body runs.
    func during<Value>(_ body: () throws -> Value) throws -> Value {
        try check(cb_pin(ownCPU), "pinning")
        defer { cb_pin(-1) }
        return try body()
    }
}

/// What a run is made on.
struct Machine {
    let cpuCount = cb_cpu_count()
    let canPin = Placement.oneCPU.isPossible
    let canPinApart = Placement.twoCPUs.isPossible
    let descriptorLimit = cb_raise_descriptor_limit()

    var kernel: String {
        var text = [CChar](repeating: 0, count: 256)
        guard cb_kernel(&text, text.count) >= 0 else { return "unknown" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
