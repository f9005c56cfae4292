// SPDX-License-Identifier: MIT OR Apache-2.0

internal import Synchronization

/// A value that has come over a connection, and the means to reply to it.
///
/// ```swift
/// let connection = try IPCConnection<Int, String>(over: LocalSocketStream.connect(to: .namespaced("com.example.spell")))
/// let message = try connection.receiveMessage()
/// if message.expectsReply { try message.reply("number \(message.value)") }
/// ```
///
/// A request that is dropped without a reply is told to whoever made it: ``IPCError/Code/noReply``.
public final class IPCIncomingMessage<Incoming: Decodable & Sendable, Outgoing: Encodable & Sendable>: Sendable {
    /// The value.
    public let value: Incoming
    /// The connection over which it has come.
    public let connection: IPCConnection<Incoming, Outgoing>
    private let request: UInt64?
    private let isAnswered: Atomic<Bool>

    init(
        _ arrival: Arrival<Incoming>,
        _ connection: IPCConnection<Incoming, Outgoing>
    ) throws(IPCError) {
        value = try arrival.value.get()
        request = arrival.request
        isAnswered = Atomic(arrival.request == nil)
        self.connection = connection
    }

    deinit { refuse() }

    /// Whether the other side waits for a reply, which it has not had yet.
    public var expectsReply: Bool { !isAnswered.load(ordering: .acquiring) }

    /// Replies to it, once.
    ///
    /// When this throws, there has been no reply, and another one can be given, unless the connection has ended.
    ///
    /// - Parameters:
    ///   - value: The reply.
    ///   - timeout: How long the whole call may wait; `nil` means ``IPCConnection/sendTimeout``.
    /// - Throws: ``IPCError/Code/invalidArgument`` when no reply is wanted, or one was given; otherwise as
    ///   `IPCConnection.send(_:timeout:)` does.
    public func reply(_ value: Outgoing, timeout: Duration? = nil) throws(IPCError) {
        let number = try begin()
        do throws(IPCError) {
            try connection.send(value, .reply, number, connection.frames.side.settings.patience(timeout))
        } catch {
            undo()
            throw error
        }
        connection.receiver.didAnswer()
    }

    /// Tells the other side that there will be no reply, if it waits for one.
    ///
    /// It never waits.
    public func refuse() {
        guard let request, !isAnswered.exchange(true, ordering: .acquiringAndReleasing) else { return }
        connection.receiver.decline(request)
    }

    /// Takes it upon itself to answer.
    func begin() throws(IPCError) -> UInt64 {
        if let request, !isAnswered.exchange(true, ordering: .acquiringAndReleasing) { return request }
        let detail = "it wants no reply, or has had one"
        throw connection.descriptorCore.error(.invalidArgument, .write, detail: detail)
    }

    /// It has not been answered after all.
    func undo() { isAnswered.store(false, ordering: .releasing) }
}
