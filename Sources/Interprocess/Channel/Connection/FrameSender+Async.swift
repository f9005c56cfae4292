// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

extension FrameSender {
    /// Sends a message, suspending the task while there is no room.
    ///
    /// - Throws: As the blocking form does, and `.cancelled`.
    func send(
        _ frames: ConnectionFrames,
        until deadline: Deadline,
        _ withBytes: ((UnsafeRawBufferPointer) -> Int64) -> Int64
    ) async throws(IPCError) {
        try check(frames)
        if frames.isWhole, frames.descriptors.numbers.isEmpty, let reactor = Reactor.current {
            return try await unsafe collect(frames, reactor, until: deadline, withBytes)
        }
        if !frames.isWhole { try await partTurn.take(core, until: deadline) }
        defer { if !frames.isWhole { partTurn.give() } }
        var frames = frames
        var end: UInt64 = 0
        repeat {
            do throws(IPCError) {
                try await wait(until: deadline) { unsafe withBytes { unsafe put(frames, $0, &end) } }
            } catch {
                if frames.hasBegun { abandon() }
                throw error
            }
            frames.advance()
        } while !frames.areSent
        withExtendedLifetime(frames.descriptors) {}
        if hasSent(upTo: end) { return }
        do throws(IPCError) {
            try await wait(until: deadline) { flush(upTo: end) }
        } catch {
            try keepOn(error)
        }
    }

    /// Lets a message go at the end of this turn of the loop, if this is a loop's thread, and there is room.
    func tryCollect(
        _ frames: ConnectionFrames,
        _ withBytes: ((UnsafeRawBufferPointer) -> Int64) -> Int64
    ) throws(IPCError) -> Bool {
        try check(frames)
        guard frames.isWhole, let reactor = Reactor.current else { return false }
        let result = unsafe withBytes { unsafe collect(frames, $0, reactor) }
        if result == -cip_codes.would_block { return false }
        if result < 0 { throw toldAsDisconnect(core.failure(result, .write)) }
        return true
    }

    private func collect(
        _ frames: ConnectionFrames,
        _ reactor: Reactor,
        until deadline: Deadline,
        _ withBytes: ((UnsafeRawBufferPointer) -> Int64) -> Int64
    ) async throws(IPCError) {
        while true {
            let result = unsafe withBytes { unsafe collect(frames, $0, reactor) }
            if result == 0 { return }
            if result != -cip_codes.would_block { throw toldAsDisconnect(core.failure(result, .write)) }
            try await flush(until: deadline)
        }
    }

    /// Sends what is collected.
    func flush(until deadline: Deadline) async throws(IPCError) {
        if mayHaveCollected { try await wait(until: deadline) { flush(upTo: nil) } }
    }

    private func wait(until deadline: Deadline, _ attempt: () -> Int64) async throws(IPCError) {
        beginWaiting()
        defer { endWaiting() }
        do throws(IPCError) {
            _ = try await side.send(until: deadline, attempt)
        } catch { throw toldAsDisconnect(error) }
    }
}
