// SPDX-License-Identifier: MIT OR Apache-2.0

extension IPCConnection {
    /// Starts a program that makes its end of the connection by `toParent(options:)`, and waits until it has, suspending
    /// the task.
    ///
    /// It does otherwise what the blocking form does.
    ///
    /// - Parameters:
    ///   - program: Its path; without a slash, it is looked for where this process's `PATH` says.
    ///   - arguments: What it gets as arguments, behind its own name.
    ///   - options: What else it gets.
    ///   - connecting: What holds for this end of the connection.
    /// - Returns: The connection, and the process. The process's stream is the connection's.
    /// - Throws: As the blocking form does; ``IPCError/Code/cancelled`` when the task is cancelled. When it throws, the
    ///   process is ended.
    public static func spawn(
        _ program: String,
        arguments: [String] = [],
        options: IPCChild.Options = IPCChild.Options(),
        connecting: IPCConnectionOptions = IPCConnectionOptions()
    ) async throws(IPCError) -> (connection: IPCConnection, child: IPCChild) {
        let child = try IPCChild.spawn(program, arguments: arguments, options: options)
        do throws(IPCError) {
            return (try await IPCConnection(over: child.stream, options: connecting), child)
        } catch {
            try? child.kill()
            throw error
        }
    }

    /// In a program that was started by `spawn(_:arguments:options:connecting:)`: its end of the connection, suspending the
    /// task until both sides have introduced themselves.
    ///
    /// - Parameter options: What holds for this end.
    /// - Returns: The connection with the process that has started this one.
    /// - Throws: As the blocking form does; ``IPCError/Code/cancelled`` when the task is cancelled.
    public static func toParent(
        options: IPCConnectionOptions = IPCConnectionOptions()
    ) async throws(IPCError) -> IPCConnection {
        try await IPCConnection(over: IPCChild.inheritedStream(), options: options)
    }
}
