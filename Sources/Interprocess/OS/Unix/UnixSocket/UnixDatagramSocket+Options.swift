// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
extension UnixDatagramSocket {
    /// How a socket for datagrams is bound.
    public struct BindOptions: Sendable {
        /// Who may send to it.
        ///
        /// A file's mode says so, as for a ``LocalSocketListener``. A name in the abstract namespace has none: there
        /// the socket receives credentials, and passes over what others have sent; only a sender's real group counts,
        /// not its supplementary ones.
        public var access: LocalSocketListener.Access = .currentUser

        /// The exact permission bits of the socket's file, whatever the umask; `nil` leaves them to ``access``.
        public var mode: UInt16?

        /// What to do when the name is taken.
        ///
        /// The file is not exchanged in one step, as a listener's is, but removed and made anew: only then do others
        /// see the name that answers go to.
        public var overwrite: LocalSocketListener.Overwrite = .ifStale

        /// Whether the socket's file is removed when the socket closes, as long as it still is its own.
        public var reclaimsName = true

        /// How long to wait for other programs that are just now starting or ending a listener in the same directory:
        /// see ``LocalSocketListener/Options/maxSpinTime``.
        public var maxSpinTime: Duration = .seconds(1)

        /// Creates the options that are right for most sockets.
        public init() {}
    }
}
#endif
