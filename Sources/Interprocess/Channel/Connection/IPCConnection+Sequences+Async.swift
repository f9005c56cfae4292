// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCConnection: AsyncSequence {
    /// Iterates over the values, until the other side is gone.
    ///
    /// The other side is told that there will be no replies; to give some, iterate over ``IPCConnection/messages``.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var messages: Messages

        /// Waits for the next value, suspending the task.
        ///
        /// - Parameter actor: Where the caller runs.
        /// - Returns: The value; `nil` when the other side is gone.
        /// - Throws: As `IPCConnection.receive(timeout:)` does otherwise.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(IPCError) -> Incoming? {
            do throws(IPCError) {
                return try await messages.connection.receive()
            } catch {
                if error.code == .disconnected { return nil }
                throw error
            }
        }
    }

    /// Makes an iterator; several of them share the values.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(messages: messages) }

    /// The values that come, with the means to reply to them, until the other side is gone.
    public var messages: Messages { Messages(connection: self) }

    /// Iterates over the values that come, with the means to reply to them; several iterators share them.
    public struct Messages: AsyncSequence, AsyncIteratorProtocol, Sendable {
        let connection: IPCConnection

        /// Waits for the next value, suspending the task.
        ///
        /// - Parameter actor: Where the caller runs.
        /// - Returns: The value, and the means to reply to it; `nil` when the other side is gone.
        /// - Throws: As `IPCConnection.receiveMessage(timeout:)` does otherwise.
        public func next(
            isolation actor: isolated (any Actor)?
        ) async throws(IPCError) -> IPCIncomingMessage<Incoming, Outgoing>? {
            do throws(IPCError) {
                return try await connection.receiveMessage()
            } catch {
                if error.code == .disconnected { return nil }
                throw error
            }
        }

        /// Makes an iterator.
        public func makeAsyncIterator() -> Messages { self }
    }
}
