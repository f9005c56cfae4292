// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// A pipe with a name: a special file that any program can open to send or to receive.
///
/// Bytes go from all of its senders to whichever of its receivers reads first. Writes of up to 4096 bytes (512 on
/// some systems) by several senders are not mixed.
public enum FIFOFile {
    /// Makes a FIFO.
    ///
    /// The corresponding system call is `mkfifo`.
    ///
    /// - Parameters:
    ///   - path: Where.
    ///   - mode: Its exact permission bits, whatever the umask. By default only this user can open it.
    /// - Throws: ``IPCError/Code/alreadyExists``, ``IPCError/Code/notFound`` when the directory does not exist,
    ///   ``IPCError/Code/permissionDenied``, ``IPCError/Code/nameTooLong``, ``IPCError/Code/invalidName``.
    public static func create(at path: String, mode: UInt16 = 0o600) throws(IPCError) {
        let file = try checked(path)
        do throws(SystemFailure) {
            let result = try Directory(file.directory).makeFIFO(file.name, UInt32(mode) & 0o7777)
            if result < 0 { throw SystemFailure(result: result) }
        } catch {
            throw IPCError(result: error.result, .create, name: path)
        }
    }

    /// Opens a FIFO to receive, and waits until somebody has opened it to send.
    ///
    /// Senders find the receiver from the start of the call. The corresponding system call is `open`, without waiting;
    /// closing from another thread is not possible before the call returns, so give a time limit if nobody may come.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - waitsForSender: Whether to wait. If not, reads return 0 bytes as long as nobody sends.
    ///   - timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: The receiving end.
    /// - Throws: ``IPCError/Code/timedOut``; ``IPCError/Code/notFound``; ``IPCError/Code/permissionDenied``;
    ///   ``IPCError/Code/invalidArgument`` for a file that is no FIFO, which is not touched;
    ///   ``IPCError/Code/invalidName`` for a path that is empty or has a NUL in it; ``IPCError/Code/resourcesExhausted``.
    public static func openReceiver(
        at path: String,
        waitsForSender: Bool = true,
        timeout: Duration? = nil
    ) throws(IPCError) -> FIFOReceiver {
        let deadline = Deadline(after: timeout)
        let side = try makeReceivingSide(path)
        if waitsForSender { try waitForSender(side, until: deadline) }
        return FIFOReceiver(side)
    }

    /// Opens a FIFO to send, waiting until somebody has opened it to receive.
    ///
    /// The corresponding system call is `open`, repeated at growing intervals of up to 20 ms.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - timeout: How long to wait at most; `nil` is without limit, zero tries once.
    /// - Returns: The sending end.
    /// - Throws: As `openReceiver(at:waitsForSender:timeout:)` does.
    public static func openSender(at path: String, timeout: Duration? = nil) throws(IPCError) -> FIFOSender {
        let deadline = Deadline(after: timeout)
        var backoff = Backoff()
        while true {
            if let sender = try openSenderNow(path, isLastAttempt: deadline.hasPassed) { return sender }
            backoff.sleep(until: deadline)
        }
    }

    /// Removes a FIFO, and nothing else.
    ///
    /// The corresponding system calls are `lstat` and `unlink`. Programs that have it open go on.
    ///
    /// - Parameter path: Where it is.
    /// - Throws: ``IPCError/Code/invalidArgument`` for a file that is no FIFO, which stays; ``IPCError/Code/notFound``;
    ///   ``IPCError/Code/permissionDenied``; ``IPCError/Code/invalidName`` for a path that is empty or has a NUL in it.
    public static func remove(at path: String) throws(IPCError) {
        let file = try checked(path)
        do throws(SystemFailure) {
            let directory = try Directory(file.directory)
            if try directory.status(of: file.name).kind != Int64(CIP_KIND_FIFO) {
                throw SystemFailure(result: -cip_codes.invalid_argument)
            }
            let result = directory.remove(file.name)
            if result < 0 { throw SystemFailure(result: result) }
        } catch {
            throw failure(error.result, .remove, path)
        }
    }

    static func makeReceivingSide(_ path: String) throws(IPCError) -> ReceivingSide {
        ReceivingSide(DescriptorCore(try open(path, toReceive: true), name: path, waker: .poll), .fifo)
    }

    /// Opens a FIFO to send if somebody has it open to receive.
    static func openSenderNow(_ path: String, isLastAttempt: Bool) throws(IPCError) -> FIFOSender? {
        do throws(IPCError) {
            let core = DescriptorCore(try open(path, toReceive: false), name: path, waker: .poll)
            return FIFOSender(SendingSide(core, .fifo))
        } catch {
            if error.systemCode != cip_codes.no_reader { throw error }
            if !isLastAttempt { return nil }
            throw IPCError(.timedOut, .open, name: path, detail: "nobody has opened it to receive")
        }
    }

    private static func open(_ path: String, toReceive: Bool) throws(IPCError) -> OwnedDescriptor {
        let file = try checked(path)
        let result = System.call(.file) { file.with { unsafe cip_open_fifo($0, toReceive) } }
        if result < 0 { throw failure(result, .open, path) }
        return OwnedDescriptor(result)
    }

    private static func checked(_ path: String) throws(IPCError) -> CPath {
        let bytes = Array(path.utf8)
        if bytes.isEmpty { throw IPCError(.invalidName, .name, detail: "a path cannot be empty") }
        if bytes.contains(0) { throw IPCError(.invalidName, .name, detail: "a path cannot have a NUL byte in it") }
        return CPath(bytes)
    }

    private static func failure(_ result: Int64, _ operation: IPCError.Operation, _ path: String) -> IPCError {
        IPCError(
            result: result,
            operation,
            name: path,
            detail: result == -cip_codes.invalid_argument ? "the file at that path is no FIFO" : nil
        )
    }

    /// Whether somebody has the FIFO open to send and is silent, or has sent something.
    ///
    /// Only reading tells ("would block" instead of the end of the stream). Bytes that come by it are kept for the first
    /// read.
    static func hasSender(_ side: ReceivingSide) throws(IPCError) -> Bool {
        let core = side.core
        let lease = try core.lease(.receive, for: .open)
        let result = side.readAhead.fill { memory, count in
            System.call(.receive) { unsafe side.transport.read(core, memory, count, wait: false) }
        }
        withExtendedLifetime(lease) {}
        if result < 0 && result != -cip_codes.would_block { throw core.error(result: result, .open) }
        return result != 0
    }

    /// Waits until somebody has the FIFO open to send, or had.
    ///
    /// Poll tells of bytes, and of senders that came and went; that one is there and silent is tried for from time to
    /// time.
    private static func waitForSender(_ side: ReceivingSide, until deadline: Deadline) throws(IPCError) {
        let core = side.core
        let lease = try core.lease(.receive, for: .open)
        var backoff = Backoff()
        while try !hasSender(side) {
            do throws(IPCError) {
                // Ready: there are bytes, or a sender was here and has left.
                return try core.wait(.receive, for: .open, lease, until: backoff.next(until: deadline))
            } catch {
                if error.code != .timedOut { throw error }
                if deadline.hasPassed {
                    throw core.error(.timedOut, .open, detail: "nobody has opened it to send")
                }
            }
        }
    }
}

/// The receiving end of a FIFO.
///
/// A read returns 0 bytes when the FIFO is empty and nobody has it open to send; a sender may come later.
///
/// The descriptor is in nonblocking mode, and has to stay so. A program that does not expect that should not be handed
/// it, but open the FIFO by itself.
public final class FIFOReceiver: Sendable, DescriptorOwner, ByteReceiver {
    /// The receiving direction, which has no public members.
    public let receivingSide: ReceivingSide
    /// The descriptor's owner, which has no public members.
    public var descriptorCore: DescriptorCore { receivingSide.core }

    init(_ side: ReceivingSide) { receivingSide = side }

    /// Sets whether reads return at once with ``IPCError/Code/wouldBlock`` instead of waiting.
    ///
    /// - Parameter nonblocking: Whether they do.
    public func setNonblocking(_ nonblocking: Bool) { receivingSide.settings.isNonblocking = nonblocking }

    /// Closes this end.
    ///
    /// Blocked reads end with ``IPCError/Code/closed``. The file stays.
    public func close() { descriptorCore.close() }

    /// Gives the descriptor away, open, and in nonblocking mode.
    ///
    /// - Returns: The descriptor, which is the caller's to close.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/busy`` while another call is under way, or while bytes were
    ///   read ahead that nobody has asked for: take them first (``ByteReceiver/takeBuffered()``).
    public func detach() throws(IPCError) -> RawDescriptor {
        try receivingSide.checkNothingBuffered()
        return RawDescriptor(try descriptorCore.detach())
    }
}

/// The sending end of a FIFO.
///
/// Writing when nobody has the FIFO open to receive is an error, ``IPCError/Code/brokenPipe``, and never the signal
/// SIGPIPE.
///
/// The descriptor is in nonblocking mode, and has to stay so. A program that does not expect that should not be handed
/// it, but open the FIFO by itself.
public final class FIFOSender: Sendable, DescriptorOwner, ByteSender {
    /// The sending direction, which has no public members.
    public let sendingSide: SendingSide
    /// The descriptor's owner, which has no public members.
    public var descriptorCore: DescriptorCore { sendingSide.core }

    init(_ side: SendingSide) { sendingSide = side }

    /// Sets whether writes return at once with ``IPCError/Code/wouldBlock`` instead of waiting.
    ///
    /// - Parameter nonblocking: Whether they do.
    public func setNonblocking(_ nonblocking: Bool) { sendingSide.settings.isNonblocking = nonblocking }

    /// Closes this end.
    ///
    /// Blocked writes end with ``IPCError/Code/closed``. The file stays.
    public func close() { descriptorCore.close() }

    /// Gives the descriptor away, open, and in nonblocking mode.
    ///
    /// - Returns: The descriptor, which is the caller's to close.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/busy`` while another call is under way.
    public func detach() throws(IPCError) -> RawDescriptor { RawDescriptor(try descriptorCore.detach()) }
}
#endif
