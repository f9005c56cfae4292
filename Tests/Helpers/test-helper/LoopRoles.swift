// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// Awaits where the event loop cannot start for want of descriptors, and again where it can.
func awaitWithoutDescriptors() throws {
    let (near, far) = try LocalSocketStream.pair()
    // The default pool needs descriptors of its own at first, or crashes.
    inTask { try? await Task.sleep(for: .milliseconds(1)) }
    #if canImport(Darwin)
    let resource = RLIMIT_NOFILE
    #else
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #endif
    var limit = rlimit()
    getrlimit(resource, &limit)
    limit.rlim_cur = 64
    setrlimit(resource, &limit)
    var fillers: [Int32] = []
    while case let filler = dup(0), filler >= 0 { fillers.append(filler) }
    sayWhatIsRead(from: near)
    sayWhatIsRead(from: near)
    for filler in fillers { close(filler) }
    try far.writeAll("now")
    sayWhatIsRead(from: near)
}

private func sayWhatIsRead(from stream: LocalSocketStream) {
    inTask { do { say("read \(try await stream.read(upTo: 100).count)") } catch { report(error) } }
}

/// Runs a body in a task, and waits for it.
private func inTask(_ body: @escaping @Sendable () async -> Void) {
    let ended = DispatchSemaphore(value: 0)
    Task {
        await body()
        ended.signal()
    }
    ended.wait()
}
