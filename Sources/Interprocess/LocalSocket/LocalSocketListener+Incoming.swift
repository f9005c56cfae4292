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
    public var incoming: Incoming { Incoming(listener: self) }

    /// A sequence of accepted clients.
    public struct Incoming: Sequence, IteratorProtocol, Sendable {
        let listener: LocalSocketListener

        /// Waits for the next client.
        ///
        /// - Returns: The connection, or the error of accepting it; `nil` when the listener is closed.
        public func next() -> Result<LocalSocketStream, IPCError>? {
            listener.reserve.fill(LocalSocketBackend.makeReserve)
            do throws(IPCError) {
                return .success(try listener.accept())
            } catch {
                switch error.code {
                case .closed: return nil
                case .resourcesExhausted:
                    listener.shedClient()
                    return .failure(error)
                default: return .failure(error)
                }
            }
        }
    }

    /// Accepts a client by the reserve descriptor's number, and disconnects it.
    ///
    /// Where there is no reserve either, pauses, so that accepting over and over does not keep the processor busy.
    private func shedClient() {
        let core = descriptorCore
        if reserve.give() {
            let result = System.call(.accept) { cip_accept(core.descriptor) }
            if result >= 0 { _ = cip_close(result) }
            reserve.fill(LocalSocketBackend.makeReserve)
        } else if let lease = try? core.lease(.receive, for: .accept) {
            try? core.pause(.receive, for: .accept, lease, until: Deadline(after: .milliseconds(10)))
        }
    }
}
