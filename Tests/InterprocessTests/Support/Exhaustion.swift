// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation

/// Runs `body` while this process can make no descriptor.
///
/// It has to be short: once a second Dispatch looks at the default pool's threads by way of files in /proc, and ends the
/// process when it cannot open them. What takes longer is to be tested by `FaultInjection`.
func withoutDescriptors<Value>(_ body: () throws -> Value) rethrows -> Value {
    let exhaustion = Exhaustion()
    defer { exhaustion.end() }
    return try body()
}

/// The same for a body that awaits.
func withoutDescriptors<Value>(_ body: () async throws -> Value) async rethrows -> Value {
    let exhaustion = Exhaustion()
    defer { exhaustion.end() }
    return try await body()
}

/// Runs `body` while this process may have that many descriptors; skips the test where the system does not allow it.
func withDescriptors(_ count: Int, _ body: () async throws -> Void) async throws {
    let limit = DescriptorLimit(count)
    defer { limit.restore() }
    if limit.count < count { try skip("only \(limit.count) descriptors are allowed") }
    try await body()
}

/// The process's descriptors, all in use.
private struct Exhaustion {
    private let limit = DescriptorLimit(256)
    private var fillers: [Int32] = []

    init() { while case let filler = dup(0), filler >= 0 { fillers.append(filler) } }

    func end() {
        for filler in fillers { close(filler) }
        limit.restore()
    }
}

/// Another limit than usual to how many descriptors this process may have, as far as the system allows it.
struct DescriptorLimit {
    #if canImport(Darwin)
    private static let resource = RLIMIT_NOFILE
    #else
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #endif

    private var before = rlimit()
    /// How many it may have.
    let count: Int

    init(_ wanted: Int) {
        getrlimit(Self.resource, &before)
        var limit = before
        limit.rlim_cur = min(limit.rlim_max, rlim_t(wanted))
        setrlimit(Self.resource, &limit)
        count = Int(limit.rlim_cur)
    }

    func restore() {
        var limit = before
        setrlimit(Self.resource, &limit)
    }
}
