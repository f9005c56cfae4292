// SPDX-License-Identifier: MIT OR Apache-2.0

extension LocalSocketListener {
    /// The clients, one after another, for as long as the listener is open.
    ///
    /// Each element is a connection or the error of accepting one; the sequence ends when the listener is closed. In
    /// nonblocking mode an element is ``IPCError/Code/wouldBlock`` when no client waits.
    ///
    /// When the process has run out of descriptors, the waiting client is disconnected (so that it does not wait in
    /// vain), by means of a descriptor kept in reserve, and the element is ``IPCError/Code/resourcesExhausted``.
    /// After another error, which may stay, the sequence waits for 10 milliseconds.
    public var incoming: Incoming { Incoming(listener: self) }

    /// A sequence of accepted clients.
    public struct Incoming: Sequence, IteratorProtocol, Sendable {
        let listener: LocalSocketListener

        /// Waits for the next client.
        ///
        /// - Returns: The connection, or the error of accepting it; `nil` when the listener is closed.
        public func next() -> Result<LocalSocketStream, IPCError>? {
            listener.fillReserve()
            do throws(IPCError) {
                return .success(try listener.accept())
            } catch {
                switch error.code {
                case .closed: return nil
                case .wouldBlock: break
                case .resourcesExhausted: if !listener.shedClient() { listener.pause() }
                default: listener.pause()
                }
                return .failure(error)
            }
        }
    }

    /// Sees to it that there is a reserve, as long as there may be clients.
    func fillReserve() {
        if !isClosed { reserve.fill(LocalSocketBackend.makeReserve) }
    }

    /// Accepts a client by the reserve descriptor's number, and disconnects it.
    ///
    /// - Returns: Whether there was a reserve, and it has helped.
    func shedClient() -> Bool {
        let core = descriptorCore
        // Held throughout, for a number that has come to mean something else must not be accepted on.
        guard let lease = try? core.lease(.receive, for: .accept), reserve.give() else { return false }
        let isShed = LocalSocketBackend.shedClient(core)
        fillReserve()
        withExtendedLifetime(lease) {}
        return isShed
    }

    /// How long to wait after an error that may stay, so that it does not keep the processor busy.
    static var pauseAfterError: Duration { .milliseconds(10) }

    /// Waits a little, or until the listener is closed: an error that stays must not keep the processor busy.
    private func pause() {
        guard let lease = try? descriptorCore.lease(.receive, for: .accept) else { return }
        try? descriptorCore.pause(.receive, for: .accept, lease, until: Deadline(after: Self.pauseAfterError))
    }
}
