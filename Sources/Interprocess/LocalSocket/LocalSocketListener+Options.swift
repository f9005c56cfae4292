// SPDX-License-Identifier: MIT OR Apache-2.0

extension LocalSocketListener {
    /// How a listener is made, and how it behaves.
    public struct Options: Sendable {
        /// Which calls return at once with ``IPCError/Code/wouldBlock`` instead of waiting.
        public var nonblocking: Nonblocking = .neither

        /// Whether the socket's file is removed when the listener closes, as long as it still is the listener's own.
        ///
        /// A program that crashes or is killed leaves it behind, which ``overwrite`` takes care of. Windows' names go
        /// with their listeners, and nothing is ever overwritten there.
        public var reclaimsName = true

        /// What to do when the name is taken.
        public var overwrite: Overwrite = .ifStale

        /// Who may connect.
        public var access: Access = .currentUser

        /// How long to wait for other programs that are just now starting or ending a listener in the same directory.
        ///
        /// They lock the directory (`flock`), which anybody who may read it can do. Where it stays locked, a free name
        /// is taken all the same; replacing a socket's file fails with ``IPCError/Code/busy``.
        public var maxSpinTime: Duration = .seconds(1)

        /// How long accepting, and reading from the accepted streams, tries before it goes to sleep: see
        /// ``ByteReceiver/spinTime``, which is what the streams start with.
        ///
        /// It has nothing to do with ``maxSpinTime``.
        public var spinTime: Duration = .zero

        /// How many clients may wait to be accepted; `nil` is the system's maximum, which it never exceeds.
        ///
        /// On Windows so many instances of the pipe wait for clients: 32 at most, and 8 for `nil`.
        public var backlog: Int?

        #if !os(Windows)
        /// The exact permission bits of the socket's file, whatever the umask; `nil` leaves them to ``access``.
        ///
        /// The write bits say who may connect. For an abstract name, which has no file, they are what is checked when a
        /// client is accepted.
        public var mode: UInt16?
        #endif

        #if os(Windows)
        /// Who may do what with the pipe; `nil` leaves it to ``access``.
        public var securityDescriptor: SecurityDescriptor?
        #endif

        /// Creates the options that are right for most servers.
        public init() {}
    }

    /// Which of a listener's calls, and of its clients' streams' calls, never wait.
    public enum Nonblocking: Sendable, Hashable {
        /// All of them wait.
        case neither
        /// Accepting does not wait.
        case accept
        /// Reading from accepted streams and writing to them does not wait.
        case stream
        /// Nothing waits.
        case both

        var accept: Bool { self == .accept || self == .both }
        var stream: Bool { self == .stream || self == .both }
    }

    /// What a listener may do to the file of another socket that has its name.
    ///
    /// A file that is no socket is never replaced. Names in the abstract namespace have no files, and are free again as
    /// soon as their listener is gone.
    public enum Overwrite: Sendable, Hashable {
        /// Nothing: the error is ``IPCError/Code/addressInUse``.
        case never
        /// Replace it when its server has died: it has refused a connection twice.
        case ifStale
        /// Replace it even while its server lives, which then is not found any more, and is not told.
        case always
    }

    /// Who may connect to a listener.
    ///
    /// The superuser always may. On Windows the pipe's rights (DACL) say the same: for the user, also for its primary
    /// group, for everyone, or as the system has it when nobody says anything.
    public enum Access: Sendable, Hashable {
        /// Only processes of the listener's own user: mode 0600.
        case currentUser
        /// Also processes of the listener's group: mode 0660.
        case group
        /// Every process of the system: mode 0666.
        case everyone
        /// As the system has it when nobody says anything: on Unix, mode 0777 less the umask; the option `mode` says it
        /// exactly.
        case custom
    }
}
