// SPDX-License-Identifier: MIT OR Apache-2.0

extension LocalSocketListener {
    /// The clients, one after another, for as long as the listener is open.
    ///
    /// The sequence ends when the listener is closed. Clients that may not connect are passed over; one that has left again
    /// already may be returned: reading from it tells. When the process has run out of descriptors, the waiting client is
    /// disconnected (so that it does not wait in vain), by means of a descriptor kept in reserve, and the sequence goes on.
    /// Where there is no reserve, and after want of memory, it goes on after 10 milliseconds.
    ///
    /// What the body of the loop does with one client keeps the next one waiting: see ``serve(options:_:)``.
    public var connections: Connections { Connections(listener: self) }

    /// A sequence of accepted clients.
    public struct Connections: AsyncSequence, AsyncIteratorProtocol, Sendable {
        let listener: LocalSocketListener

        /// Waits for the next client, suspending the task.
        ///
        /// - Parameter actor: Where the caller runs.
        /// - Returns: The connection; `nil` when the listener is closed.
        /// - Throws: ``IPCError/Code/cancelled``; what `LocalSocketListener.accept(timeout:)` throws, save that it
        ///   goes on where that is ``IPCError/Code/resourcesExhausted``.
        public func next(isolation actor: isolated (any Actor)?) async throws(IPCError) -> LocalSocketStream? {
            while true {
                listener.fillReserve()
                do throws(IPCError) {
                    return try await listener.accept()
                } catch {
                    if error.code == .closed { return nil }
                    if error.code != .resourcesExhausted { throw error }
                    if !listener.shedClient(after: error) { try await listener.pauseAfterError() }
                }
            }
        }

        /// Creates an iterator.
        public func makeAsyncIterator() -> Connections { self }
    }

    func pauseAfterError() async throws(IPCError) {
        try await EventLoop.pause(until: Deadline(after: Self.pauseAfterError), for: .accept, name: descriptorCore.name)
    }
}
