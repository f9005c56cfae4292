// SPDX-License-Identifier: MIT OR Apache-2.0

internal import Synchronization

extension IPCChild {
    private static let isTaken = Atomic<Bool>(false)

    /// In a program that was started by ``spawn(_:arguments:options:)``: its end of the connection.
    ///
    /// It can be taken once. Programs that this one starts do not inherit it from then on; the variable of the environment
    /// that tells of it (`INTERPROCESS_CHANNEL`) may reach them, and means nothing to them. A program in between, such as a
    /// shell that was given the command, hands both on.
    ///
    /// - Returns: The connection to the process that has started this one.
    /// - Throws: ``IPCError/Code/notFound`` when this program was not started that way, or the connection was closed by
    ///   somebody who did not know of it; ``IPCError/Code/endpointMoved`` when it was taken before;
    ///   ``IPCError/Code/invalidArgument`` when the variable is not what it should be.
    public static func inheritedStream() throws(IPCError) -> LocalSocketStream {
        guard let text = Environment["INTERPROCESS_CHANNEL"] else {
            throw refusal(.notFound, "this program was not started by a process that has a connection to it")
        }
        let numbers = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map {
            UInt64(String(decoding: $0, as: UTF8.self))
        }
        guard numbers.count == 2, let number = numbers[0], let descriptor = RawDescriptor(exactly: number),
            let identity = numbers[1]
        else { throw refusal(.invalidArgument, "the variable INTERPROCESS_CHANNEL is not what it should be") }
        if isTaken.exchange(true, ordering: .relaxed) { throw refusal(.endpointMoved, "it was taken before") }
        do throws(IPCError) {
            guard ChildBackend.identity(of: Int64(descriptor)) == identity else {
                throw refusal(.notFound, "it was meant for the process that has started this one, or it was closed")
            }
            return try LocalSocketStream(adopting: descriptor)
        } catch {
            isTaken.store(false, ordering: .relaxed)
            throw error
        }
    }

    private static func refusal(_ code: IPCError.Code, _ detail: String) -> IPCError {
        IPCError(code, .adopt, name: "the inherited connection", detail: detail)
    }
}
