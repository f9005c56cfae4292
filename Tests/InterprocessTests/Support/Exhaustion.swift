// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation

/// Runs `body` while this process can make no descriptor.
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

private struct Exhaustion {
    #if canImport(Darwin)
    private static let resource = RLIMIT_NOFILE
    #else
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #endif
    private var limit = rlimit()
    private var fillers: [Int32] = []

    init() {
        getrlimit(Self.resource, &limit)
        var tight = limit
        tight.rlim_cur = 256
        setrlimit(Self.resource, &tight)
        while case let filler = dup(0), filler >= 0 { fillers.append(filler) }
    }

    func end() {
        for filler in fillers { close(filler) }
        var limit = limit
        setrlimit(Self.resource, &limit)
    }
}
