// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

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
                default: if !listener.shedClient(after: error) { listener.pause() }
                }
                return .failure(error)
            }
        }
    }

    /// Sees to it that there is a reserve, as long as there may be clients.
    func fillReserve() {
        if !isClosed { reserve.fill(LocalSocketBackend.makeReserve) }
    }

    /// Where no descriptor is left: accepts a client by the reserve descriptor's number, and disconnects it.
    ///
    /// What else the system may be short of is none the less short for that.
    ///
    /// - Returns: Whether a client was disconnected.
    func shedClient(after error: IPCError) -> Bool {
        let core = descriptorCore
        let code = error.systemCode
        guard code == cip_codes.no_descriptors || code == cip_codes.no_descriptors_in_system,
            // Held throughout, for a number that has come to mean something else must not be accepted on.
            let lease = try? core.lease(.receive, for: .accept), reserve.give()
        else { return false }
        defer { withExtendedLifetime(lease) {} }
        let isShed = LocalSocketBackend.shedClient(core)
        fillReserve()
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
