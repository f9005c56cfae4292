// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCConnection {
    /// Starts a program that makes its end of the connection by `toParent(options:)`, and waits until it has.
    ///
    /// ```swift
    /// func ask() throws {
    ///     let (connection, child) = try IPCConnection<Int, String>.spawn("/usr/libexec/example-counter")
    ///     print(try connection.request("how many letters?"))
    ///     connection.close()
    ///     try child.wait()
    /// }
    /// ```
    ///
    /// To start many at the same time, start them by `IPCChild.spawn`, and make the connections of their streams
    /// (`init(over:options:timeout:)`) then.
    ///
    /// - Parameters:
    ///   - program: Its path; without a slash, it is looked for where this process's `PATH` says.
    ///   - arguments: What it gets as arguments, behind its own name.
    ///   - options: What else it gets.
    ///   - connecting: What holds for this end of the connection.
    /// - Returns: The connection, and the process. The process's stream is the connection's.
    /// - Throws: As `IPCChild.spawn(_:arguments:options:)` and `init(over:options:timeout:)` do; with
    ///   ``IPCError/Code/disconnected`` the program has ended before. When it throws, the process is ended.
    public static func spawn(
        _ program: String,
        arguments: [String] = [],
        options: IPCChild.Options = IPCChild.Options(),
        connecting: IPCConnectionOptions = IPCConnectionOptions()
    ) throws(IPCError) -> (connection: IPCConnection, child: IPCChild) {
        let child = try IPCChild.spawn(program, arguments: arguments, options: options)
        do throws(IPCError) {
            return (try IPCConnection(over: child.stream, options: connecting), child)
        } catch {
            try? child.kill()
            throw error
        }
    }

    /// In a program that was started by `spawn(_:arguments:options:connecting:)`: its end of the connection.
    ///
    /// Blocks until both sides have introduced themselves.
    ///
    /// - Parameter options: What holds for this end.
    /// - Returns: The connection with the process that has started this one.
    /// - Throws: As ``IPCChild/inheritedStream()`` and `init(over:options:timeout:)` do.
    public static func toParent(
        options: IPCConnectionOptions = IPCConnectionOptions()
    ) throws(IPCError) -> IPCConnection {
        try IPCConnection(over: IPCChild.inheritedStream(), options: options)
    }
}
