// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// A child process, from its start until its end has been asked for.
final class ChildHandle: Sendable {
    let number: Int64
    /// What is readable once it has ended.
    let core: DescriptorCore
    private let status = Locked<IPCChild.ExitStatus?>(nil)

    init(_ number: Int64, _ core: DescriptorCore) {
        self.number = number
        self.core = core
    }

    /// How it has ended, as far as that was asked for.
    var knownStatus: IPCChild.ExitStatus? { status.withLock { $0 } }

    /// How it has ended; `nil` while it runs.
    var currentStatus: IPCChild.ExitStatus? {
        let descriptor = core.descriptor
        let isOver = System.call(.poll) { cip_poll(descriptor, Int64(CIP_READABLE), -1, 0) } > 0
        return isOver ? try? takeStatus() : knownStatus
    }

    /// Asks how it has ended, once that has been told.
    ///
    /// - Returns: `nil` if it has not.
    /// - Throws: What the system says when it cannot be asked, which can be tried again.
    func takeStatus() throws(IPCError) -> IPCChild.ExitStatus? {
        let (found, result) = status.withLock { status -> (IPCChild.ExitStatus?, Int64) in
            if let status { return (status, 0) }
            let result = System.call(.process) { cip_child_reap(core.descriptor, number) }
            status = Self.status(result)
            return (status, result)
        }
        if found == nil && result != -cip_codes.would_block { throw core.error(result: result, .wait) }
        return found
    }

    private static func status(_ result: Int64) -> IPCChild.ExitStatus? {
        // Somebody else has asked.
        if result == -cip_codes.no_child { return .unknown }
        if result < 0 { return nil }
        let isKilled = result >= cip_ended_by_signal
        if isKilled { return .killed(Signal(rawValue: Int32(result - cip_ended_by_signal))) }
        return .exited(Int32(truncatingIfNeeded: result))
    }

    func wait(until deadline: Deadline) throws(IPCError) -> IPCChild.ExitStatus {
        if let status = knownStatus { return status }
        let lease = try core.lease(.receive, for: .wait)
        while true {
            try core.wait(.receive, for: .wait, lease, until: deadline)
            if let status = try takeStatus() { return status }
        }
    }

    /// Ends it, unless its number may be another process's by now.
    func end(atOnce: Bool) throws(IPCError) {
        let result = status.withLock { status in
            status != nil ? 0 : System.call(.process) { cip_child_end(core.descriptor, number, atOnce) }
        }
        if result < 0 && result != -cip_codes.no_process { throw core.error(result: result, .signal) }
    }

    /// Sees to it that its end is asked for though nobody will wait for it.
    func abandon() {
        if currentStatus == nil { Task(executorPreference: EventLoop.shared) { try await self.wait(until: .never) } }
    }
}
