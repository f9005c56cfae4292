// SPDX-License-Identifier: MIT OR Apache-2.0

/// A pipe without a name: bytes go from its sender to its receiver, within a process or between a process and its
/// children.
public enum UnnamedPipe {
    /// How a pipe is made.
    public struct Options: Sendable {
        /// How many bytes the pipe holds before writing waits; `nil` leaves it to the system.
        ///
        /// Linux rounds it up to a power of two, and does not let an unprivileged process pass
        /// `/proc/sys/fs/pipe-max-size`; then the pipe keeps the size that it has. Other systems choose by themselves.
        /// The default, 256 KiB, moves data between two processors about three times as fast as the usual 64 KiB.
        public var bufferSize: Int? = 256 << 10

        /// Whether reads and writes return at once with ``IPCError/Code/wouldBlock`` instead of waiting.
        public var nonblocking = false

        /// Creates the options that are right for most pipes.
        public init() {}
    }

    /// Makes a pipe.
    ///
    /// Neither end is inherited by programs that this process starts, unless it is handed to them: see
    /// ``DescriptorOwner/withUnsafeDescriptor(_:)`` and ``DescriptorOwner/setInheritable(_:)``. Close an end here once
    /// it has been handed on: the receiver sees the end of the stream only when every copy of the sender is closed.
    ///
    /// The corresponding system call is `pipe2`. On Windows it is a named pipe whose name nobody knows, for those of
    /// `CreatePipe` know no time limits; both handles are made for overlapped operations.
    ///
    /// - Parameter options: How.
    /// - Returns: Both ends.
    /// - Throws: ``IPCError/Code/resourcesExhausted``; ``IPCError/Code/invalidArgument`` for a buffer without room.
    public static func create(
        _ options: Options = Options()
    ) throws(IPCError) -> (sender: UnnamedPipeSender, receiver: UnnamedPipeReceiver) {
        let (sender, receiver) = try UnnamedPipeBackend.create(options)
        return (
            UnnamedPipeSender(SendingSide(sender, .pipe, nonblocking: options.nonblocking)),
            UnnamedPipeReceiver(ReceivingSide(receiver, .pipe, nonblocking: options.nonblocking))
        )
    }
}

/// The receiving end of an unnamed pipe.
///
/// A read returns 0 bytes once every copy of the sending end is closed and the pipe is empty.
public final class UnnamedPipeReceiver: Sendable, DescriptorOwner, ByteReceiver {
    /// The receiving direction, which has no public members.
    public let receivingSide: ReceivingSide
    /// The descriptor's owner, which has no public members.
    public var descriptorCore: DescriptorCore { receivingSide.core }

    init(_ side: ReceivingSide) { receivingSide = side }

    /// Takes over the receiving end of a pipe or FIFO, such as one inherited from the program that started this one.
    ///
    /// Its open file description, which others may share, stays in the mode that it is in, and is what is lent and
    /// given away. Linux opens the end once more, through `/proc`, so that reads have a description of their own, which
    /// takes a second descriptor. On other systems, and where the end cannot be opened (it belongs to another user, or
    /// there is no `/proc`), reads ask by `poll` first, unless it is a pipe that `preadv2` can be told not to wait on:
    /// should another process take the bytes in between, a read waits for the next ones, past its time limit and
    /// ``close()``.
    ///
    /// - Parameter descriptor: The end, which belongs to the object from then on, and is made close-on-exec. When the
    ///   call throws, it stays the caller's.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not the receiving end of a pipe; on Windows, where the
    ///   direction is not told, the first use throws ``IPCError/Code/permissionDenied`` instead.
    public convenience init(adopting descriptor: RawDescriptor) throws(IPCError) {
        let end = try UnnamedPipeBackend.adopt(descriptor, toReceive: true)
        self.init(ReceivingSide(end.core, end.transport))
    }

    /// Sets whether reads return at once with ``IPCError/Code/wouldBlock`` instead of waiting.
    ///
    /// It is a setting of this object alone.
    ///
    /// - Parameter nonblocking: Whether they do.
    public func setNonblocking(_ nonblocking: Bool) { receivingSide.settings.isNonblocking = nonblocking }

    /// Closes this end.
    ///
    /// Blocked reads end with ``IPCError/Code/closed``; once no copy of it is open, writing fails.
    public func close() { descriptorCore.close() }

    /// Gives the descriptor away, open.
    ///
    /// - Returns: The descriptor, which is the caller's to close.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/busy`` while another call is under way, or while bytes were
    ///   read ahead that nobody has asked for: take them first (``ByteReceiver/takeBuffered()``).
    public func detach() throws(IPCError) -> RawDescriptor {
        try receivingSide.checkNothingBuffered()
        return RawDescriptor(try descriptorCore.detach())
    }
}

/// The sending end of an unnamed pipe.
///
/// Writing when no receiver is left is an error, ``IPCError/Code/brokenPipe``, and never the signal SIGPIPE.
public final class UnnamedPipeSender: Sendable, DescriptorOwner, ByteSender {
    /// The sending direction, which has no public members.
    public let sendingSide: SendingSide
    /// The descriptor's owner, which has no public members.
    public var descriptorCore: DescriptorCore { sendingSide.core }

    init(_ side: SendingSide) { sendingSide = side }

    /// Takes over the sending end of a pipe or FIFO, such as one inherited from the program that started this one.
    ///
    /// Its open file description, which others may share, stays in the mode that it is in, and is what is lent and
    /// given away. Linux opens the end once more, through `/proc`, so that writes have a description of their own,
    /// which takes a second descriptor. On other systems, and where the end cannot be opened (it belongs to another
    /// user, it is a FIFO that nobody has open to receive, or there is no `/proc`), writes ask by `poll` first, unless
    /// it is a pipe that `pwritev2` can be told not to wait on: should another process fill the pipe in between, a
    /// write waits for room, past its time limit and ``close()``.
    ///
    /// - Parameter descriptor: The end, which belongs to the object from then on, and is made close-on-exec. When the
    ///   call throws, it stays the caller's.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not the sending end of a pipe; on Windows, where the
    ///   direction is not told, the first use throws ``IPCError/Code/permissionDenied`` instead.
    public convenience init(adopting descriptor: RawDescriptor) throws(IPCError) {
        let end = try UnnamedPipeBackend.adopt(descriptor, toReceive: false)
        self.init(SendingSide(end.core, end.transport))
    }

    /// Sets whether writes return at once with ``IPCError/Code/wouldBlock`` instead of waiting.
    ///
    /// It is a setting of this object alone.
    ///
    /// - Parameter nonblocking: Whether they do.
    public func setNonblocking(_ nonblocking: Bool) { sendingSide.settings.isNonblocking = nonblocking }

    /// How many bytes the pipe holds before writing waits.
    ///
    /// The corresponding system call is `fcntl` (`F_GETPIPE_SZ`).
    ///
    /// - Throws: ``IPCError/Code/unsupported`` on systems that do not tell, ``IPCError/Code/closed``.
    public var bufferSize: Int {
        get throws(IPCError) { try UnnamedPipeBackend.bufferSize(descriptorCore) }
    }

    /// Closes this end.
    ///
    /// Blocked writes end with ``IPCError/Code/closed``; what was written can still be read.
    public func close() { descriptorCore.close() }

    /// Gives the descriptor away, open.
    ///
    /// - Returns: The descriptor, which is the caller's to close.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/busy`` while another call is under way.
    public func detach() throws(IPCError) -> RawDescriptor { RawDescriptor(try descriptorCore.detach()) }
}
