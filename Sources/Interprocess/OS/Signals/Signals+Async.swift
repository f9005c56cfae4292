// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

extension Signals {
    /// Waits for the next signal, suspending the task.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit, zero takes what is there.
    /// - Returns: The signal, and what the system tells of it.
    /// - Throws: ``IPCError/Code/cancelled`` when the task is cancelled; ``IPCError/Code/timedOut``;
    ///   ``IPCError/Code/closed`` when the watcher is closed, also during the call;
    ///   ``IPCError/Code/resourcesExhausted``. No signal is lost when it throws.
    public func next(timeout: Duration? = nil) async throws(IPCError) -> SignalInfo {
        let core = descriptorCore
        var record = cip_signal_record()
        let result = await core.awaiting(.receive, until: Deadline(after: timeout), waitsFirst: false) {
            SignalBackend.take(core, &record)
        }
        if try core.checked(result, .wait) == 0 { throw core.error(.closed, .wait) }
        return describe(record)
    }
}

extension Signals: AsyncSequence {
    /// The signals as they come, until the watcher is closed.
    ///
    /// Leaving the loop loses none: the next call goes on behind the last one.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        let signals: Signals

        /// Waits for the next signal, suspending the task.
        ///
        /// - Parameter actor: Where the caller runs.
        /// - Returns: The signal; `nil` when the watcher is closed.
        /// - Throws: ``IPCError/Code/cancelled``; ``IPCError/Code/resourcesExhausted``.
        public func next(isolation actor: isolated (any Actor)?) async throws(IPCError) -> SignalInfo? {
            do throws(IPCError) {
                return try await signals.next()
            } catch {
                if error.code == .closed { return nil }
                throw error
            }
        }
    }

    /// Creates an iterator, which takes the next signal wherever others have got to.
    public func makeAsyncIterator() -> Iterator { Iterator(signals: self) }
}
