// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// A program that this process has started, and a connection to it that is there from the start.
///
/// ```swift
/// func start() throws -> String? {
///     let child = try IPCChild.spawn("/usr/libexec/example-worker", arguments: ["--quiet"])
///     try child.stream.writeAll("hello\n")
///     let answer = try child.stream.readLine()
///     child.stream.close()
///     print(try child.wait(timeout: .seconds(5)))
///     return answer
/// }
/// ```
///
/// The program calls ``inheritedStream()`` for its end. No name is involved, and nobody else can get in between. When either
/// process ends, however it does, the other one reads the end of the stream at once.
///
/// The program inherits the connection, and its standard input, output and errors; nothing else that is open here, whether
/// it is close-on-exec or not. (On OpenBSD, NetBSD, and Linux without glibc, what is not close-on-exec is inherited too;
/// all that this library makes is.) Signals are as they are by default in it, none is blocked, and it is in the same group
/// of processes, so that Ctrl-C in a terminal reaches both.
///
/// The process goes on when the object goes: the last reference to ``stream`` tells it. Once it has ended, it leaves nothing
/// behind (no "zombie"), whether or not `wait(timeout:)` is called. Only this one child's end is ever asked
/// for, and no signal handler is installed.
public final class IPCChild: Sendable {
    /// The number of the process.
    public let processIdentifier: Int32
    /// This process's end of the connection.
    public let stream: LocalSocketStream
    let handle: ChildHandle

    private init(_ stream: LocalSocketStream, _ handle: ChildHandle) {
        processIdentifier = Int32(truncatingIfNeeded: handle.number)
        self.stream = stream
        self.handle = handle
    }

    deinit { handle.abandon() }

    /// The variable that tells a program of its end of the connection: `INTERPROCESS_CHANNEL`.
    static let variable = Array("INTERPROCESS_CHANNEL".utf8)

    /// Starts a program.
    ///
    /// The corresponding system calls are `socketpair`, `posix_spawn` and `pidfd_open` or `kqueue`; on Windows
    /// `CreateProcessW`. It takes about a millisecond.
    ///
    /// - Parameters:
    ///   - program: Its path; without a slash, it is looked for where this process's `PATH` says. To start another one of
    ///     the program that runs, use `CommandLine.arguments[0]`.
    ///   - arguments: What it gets as arguments, behind its own name.
    ///   - options: What else it gets.
    /// - Returns: The process.
    /// - Throws: ``IPCError/Code/notFound`` when there is no such program; ``IPCError/Code/permissionDenied`` when it may not
    ///   be run; ``IPCError/Code/invalidArgument`` when it is no program, or a text has a zero in it;
    ///   ``IPCError/Code/messageTooLarge`` when there are more arguments and variables than the system takes;
    ///   ``IPCError/Code/busy`` while a thread is blocked in a call on a descriptor that it is to have;
    ///   ``IPCError/Code/closed`` when that is closed; ``IPCError/Code/unsupported`` on Linux before 5.3;
    ///   ``IPCError/Code/resourcesExhausted``. Nothing runs then.
    public static func spawn(
        _ program: String,
        arguments: [String] = [],
        options: Options = Options()
    ) throws(IPCError) -> IPCChild {
        let variables = options.variables(beside: [variable])
        let given = [program] + arguments + options.environment.flatMap { [$0, $1] }
        if given.contains(where: { $0.utf8.contains(0) }) || options.environment.keys.contains(where: isNoName) {
            throw IPCError(
                .invalidArgument,
                .spawn,
                name: program,
                detail: "a text has a zero in it, or a variable's name has an equals sign in it or is empty"
            )
        }
        let standard = try [options.input, options.output, options.errors].map(StandardDescriptor.init)
        let (stream, theirs) = try LocalSocketStream.pair()
        let (number, core) = try ChildBackend.start(
            Array(program.utf8),
            arguments.map { Array($0.utf8) },
            variables,
            standard: standard.map(\.raw),
            channel: theirs.descriptorCore.lent,
            named: variable
        )
        withExtendedLifetime(standard) {}
        // Only the child has it now, so that its end is the end of the stream.
        theirs.close()
        return IPCChild(stream, ChildHandle(number, core))
    }

    private static func isNoName(_ name: String) -> Bool {
        name.isEmpty || name.utf8.contains(UInt8(ascii: "="))
    }

    /// Waits until the process has ended.
    ///
    /// It blocks the thread while it waits. Any number of threads and tasks may wait, and all of them are told.
    ///
    /// The corresponding system calls are `poll` and `waitid`.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: How it has ended.
    /// - Throws: ``IPCError/Code/timedOut`` while it runs; ``IPCError/Code/resourcesExhausted``, and other codes of the
    ///   system's when it cannot be asked, which can be tried again.
    @discardableResult
    public func wait(timeout: Duration? = nil) throws(IPCError) -> ExitStatus {
        try handle.wait(until: Deadline(after: timeout))
    }

    /// Whether it has not ended yet.
    public var isRunning: Bool { handle.currentStatus == nil }

    /// Asks the process to end, which it does as it sees fit; on Windows, ends it.
    ///
    /// If it has ended, nothing happens.
    ///
    /// The corresponding system calls are `pidfd_send_signal` or `kill` (`SIGTERM`), and `TerminateProcess`.
    ///
    /// - Throws: ``IPCError/Code/permissionDenied`` when it has become another user's.
    public func terminate() throws(IPCError) { try handle.end(atOnce: false) }

    /// Ends the process at once.
    ///
    /// If it has ended, nothing happens.
    ///
    /// The corresponding system calls are `pidfd_send_signal` or `kill` (`SIGKILL`), and `TerminateProcess`.
    ///
    /// - Throws: ``IPCError/Code/permissionDenied`` when it has become another user's.
    public func kill() throws(IPCError) { try handle.end(atOnce: true) }
}
