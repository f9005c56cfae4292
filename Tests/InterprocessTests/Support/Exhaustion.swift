// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation

/// Runs `body` while this process can make no descriptor.
func withoutDescriptors<Value>(_ body: () throws -> Value) rethrows -> Value {
    #if canImport(Darwin)
    let resource = RLIMIT_NOFILE
    #else
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #endif
    var limit = rlimit()
    getrlimit(resource, &limit)
    var tight = limit
    tight.rlim_cur = 256
    setrlimit(resource, &tight)
    var fillers: [Int32] = []
    while case let filler = dup(0), filler >= 0 { fillers.append(filler) }
    defer {
        for filler in fillers { close(filler) }
        setrlimit(resource, &limit)
    }
    return try body()
}
