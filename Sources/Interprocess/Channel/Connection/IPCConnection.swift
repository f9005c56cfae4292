// SPDX-License-Identifier: MIT OR Apache-2.0

/// A connection with one peer, for values in both directions, and for requests with replies.
///
/// ```swift
/// let connection = try IPCConnection<String, Int>.connect(to: .namespaced("com.example.spell"))
/// print(try connection.request(12))   // the server answers "twelve"
/// ```
///
/// Any thread may call any method at any time. Values go in the order in which they are sent, each whole; replies come
/// in the order in which they are given. One call at a time reads from the stream, for all others, too: what comes for
/// them meanwhile is kept for them, up to the limits of ``IPCConnectionOptions``, and no more is read then.
///
/// Endpoints, regions and descriptors may be anywhere in a value, as with ``IPCChannel``, on systems that have that.
///
/// A peer that does not keep to the protocol loses the connection; one that sends a value that cannot be decoded has
/// just that value refused.
public final class IPCConnection<Incoming: Decodable & Sendable, Outgoing: Encodable & Sendable>: Sendable,
    DescriptorOwner
{
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore
    let stream: LocalSocketStream
    let frames: FrameSender
    let receiver: ConnectionReceiver<Incoming>
    private let encoders = EncoderPool()

    /// Makes a connection of a stream, whose other side does the same.
    ///
    /// Both sides introduce themselves: they compare the types of their messages, and prove that they know the secret if
    /// there is one. This blocks until they have.
    ///
    /// - Parameters:
    ///   - stream: The stream, which belongs to the connection from then on; it is closed when the introduction fails.
    ///   - options: What holds for this side.
    ///   - timeout: How long to wait at most, a deferred connection included; `nil` means
    ///     ``IPCConnectionOptions/handshakeTimeout``.
    /// - Throws: ``IPCError/Code/permissionDenied`` when the secrets are not the same, or the server does not let this
    ///   process in; ``IPCError/Code/protocolViolation`` when the other side is something else, or has other types;
    ///   ``IPCError/Code/disconnected`` when it leaves; ``IPCError/Code/timedOut``; ``IPCError/Code/wouldBlock`` when the
    ///   stream has no room for an introduction; ``IPCError/Code/closed``; of a deferred connection, what
    ///   `LocalSocketStream.connect(to:options:)` throws. ``IPCError/Code/busy`` when bytes have been read ahead from the
    ///   stream, and ``IPCError/Code/invalidArgument`` for an empty secret: these leave it as it is.
    public convenience init(
        over stream: LocalSocketStream,
        options: IPCConnectionOptions = IPCConnectionOptions(),
        timeout: Duration? = nil
    ) throws(IPCError) {
        try self.init(stream, .peer, options, timeout)
    }

    convenience init(
        _ stream: LocalSocketStream,
        _ role: Hello.Role,
        _ options: IPCConnectionOptions,
        _ timeout: Duration?
    ) throws(IPCError) {
        let deadline = Deadline(after: timeout ?? options.handshakeTimeout)
        let (frames, reader) = try Self.begin(stream, options)
        var handshake = try Self.handshake(role, options, frames, reader)
        try handshake.perform(until: deadline)
        self.init(stream, frames, reader, options)
    }

    static func begin(
        _ stream: LocalSocketStream,
        _ options: IPCConnectionOptions
    ) throws(IPCError) -> (FrameSender, FrameReader) {
        try stream.receivingSide.checkNothingBuffered()
        return (
            FrameSender(stream.sendingSide, limit: options.maximumMessageSize), FrameReader(stream.receivingSide)
        )
    }

    static func handshake(
        _ role: Hello.Role,
        _ options: IPCConnectionOptions,
        _ frames: FrameSender,
        _ reader: FrameReader
    ) throws(IPCError) -> Handshake {
        let own = Hello(
            role,
            options,
            receives: Hello.fingerprint(Incoming.self, options),
            sends: Hello.fingerprint(Outgoing.self, options)
        )
        return try Handshake(own, options.secret, frames, reader)
    }

    init(_ stream: LocalSocketStream, _ frames: FrameSender, _ reader: FrameReader, _ options: IPCConnectionOptions) {
        self.stream = stream
        self.frames = frames
        descriptorCore = stream.descriptorCore
        receiver = ConnectionReceiver(reader, frames, options)
    }

    deinit { frames.close() }

    /// How long receiving waits at most, requests included, unless a call says otherwise; `nil`, as it is at first, is
    /// without limit.
    public var receiveTimeout: Duration? {
        get { stream.receivingSide.settings.timeout }
        set { stream.receivingSide.settings.timeout = newValue }
    }

    /// How long sending waits at most, unless a call says otherwise; `nil`, as it is at first, is without limit.
    public var sendTimeout: Duration? {
        get { stream.sendingSide.settings.timeout }
        set { stream.sendingSide.settings.timeout = newValue }
    }

    /// Asks the system who the peer is.
    ///
    /// The corresponding system call is `getsockopt` (`SO_PEERCRED`) or its like.
    ///
    /// - Returns: What the system tells.
    /// - Throws: As ``LocalSocketStream`` does.
    public func peerCredentials() throws(IPCError) -> PeerCredentials { try PeerCredentials(descriptorCore) }

    /// Closes the connection.
    ///
    /// Every waiting call on it ends with ``IPCError/Code/closed``. What was sent reaches the other side, unless there is
    /// no room for it for five seconds, or a thread is blocked in a call meanwhile; then the other side is told.
    public func close() { receiver.close() }
}

// MARK: - Sending

extension IPCConnection {
    /// Sends a value that wants no reply.
    ///
    /// It waits while the kernel's buffer is full, which is how a receiver slows its senders down. Once some of the value
    /// is on its way, all of it goes, also when the time is over then; a value larger than 64 KiB can be given up between
    /// its parts.
    ///
    /// The corresponding system call is `sendmsg`.
    ///
    /// - Parameters:
    ///   - value: The value. Receivers in it move to the other side, once it is sent.
    ///   - timeout: How long the whole call may wait; `nil` means ``sendTimeout``.
    /// - Throws: ``IPCError/Code/encodingFailed``; ``IPCError/Code/disconnected`` when the other side is gone;
    ///   ``IPCError/Code/messageTooLarge``, also for more than 253 descriptors; ``IPCError/Code/timedOut``;
    ///   ``IPCError/Code/closed``, also for an endpoint in the value; ``IPCError/Code/busy`` while a thread is blocked in a
    ///   call on one; ``IPCError/Code/endpointMoved`` for a receiver that was sent before;
    ///   ``IPCError/Code/resourcesExhausted``; ``IPCError/Code/unsupported`` for descriptors where the system cannot send
    ///   them. The value does not arrive then, and nothing in it is changed.
    public func send(_ value: Outgoing, timeout: Duration? = nil) throws(IPCError) {
        try send(value, .message, 0, frames.side.settings.patience(timeout))
    }

    /// Sends a value if that takes no waiting.
    ///
    /// - Parameter value: The value.
    /// - Throws: ``IPCError/Code/wouldBlock`` when it would take waiting; otherwise as `send(_:timeout:)` does.
    public func trySend(_ value: Outgoing) throws(IPCError) {
        try send(value, .message, 0, Patience(isNonblocking: true, deadline: .never))
    }

    /// Sends a value, and waits for its reply.
    ///
    /// Any number of requests can be under way at the same time, from any threads and tasks. A reply that comes when its
    /// time is over is dropped.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - timeout: How long the whole call may wait; `nil` means ``receiveTimeout``.
    /// - Returns: The reply.
    /// - Throws: ``IPCError/Code/noReply`` when the other side has the request, and will not reply;
    ///   ``IPCError/Code/timedOut``, ``IPCError/Code/disconnected`` and ``IPCError/Code/closed``, after which it is not
    ///   known whether it has it; ``IPCError/Code/decodingFailed`` when the reply cannot be decoded;
    ///   ``IPCError/Code/protocolViolation``; otherwise as `send(_:timeout:)` does. Of another error whose
    ///   ``IPCError/operation`` is to read, the other side has the request, and its reply is dropped when it comes.
    public func request(_ value: Outgoing, timeout: Duration? = nil) throws(IPCError) -> Incoming {
        let patience = receiver.settings.patience(timeout)
        let number = receiver.beginRequest()
        defer { receiver.endRequest(number) }
        try send(value, .request, number, patience)
        return try receiver.receive(.reply(number), patience).value.get()
    }

    func send(
        _ value: Outgoing,
        _ kind: ConnectionFrame.Kind,
        _ number: UInt64,
        _ patience: Patience
    ) throws(IPCError) {
        do throws(IPCError) {
            try encoders.withEncoder(limit: frames.limit) { (encoder) throws(IPCError) in
                try encoder.withMessage(of: value) { (bytes, attachments) throws(IPCError) in
                    let passed = try OutgoingDescriptors(attachments)
                    let message = ConnectionFrames(kind, request: number, count: bytes.byteCount, passed)
                    try unsafe frames.send(message, patience) { body in
                        unsafe bytes.withUnsafeBytes { unsafe body($0) }
                    }
                    passed.areSent()
                }
            }
        } catch { throw told(error) }
    }

    /// Encodes a value, and sends it if that takes no waiting.
    ///
    /// - Returns: What remains to be sent; `nil` if it is.
    func begin(
        _ value: Outgoing,
        _ kind: ConnectionFrame.Kind,
        _ number: UInt64
    ) throws(IPCError) -> EncodedMessage? {
        try encoders.withEncoder(limit: frames.limit) { (encoder) throws(IPCError) -> EncodedMessage? in
            try encoder.withMessage(of: value) { (bytes, attachments) throws(IPCError) -> EncodedMessage? in
                if attachments.isEmpty {
                    let message = ConnectionFrames(kind, request: number, count: bytes.byteCount)
                    let isCollected = try unsafe frames.tryCollect(message) { body in
                        unsafe bytes.withUnsafeBytes { unsafe body($0) }
                    }
                    if isCollected { return nil }
                }
                return EncodedMessage(
                    bytes: unsafe bytes.withUnsafeBytes { unsafe Array($0) },
                    descriptors: try OutgoingDescriptors(attachments)
                )
            }
        }
    }

    /// What a call that was ended by closing is told, if the connection had an end of its own.
    func told(_ error: IPCError) -> IPCError { error.code == .closed ? receiver.end ?? error : error }

    /// Waits until the kernel has everything that was sent.
    ///
    /// It has it when a call that sends returns, save what tasks on an event loop's thread have sent in this turn of the
    /// loop, and the rest of what was on its way when its time was over.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` means ``sendTimeout``.
    /// - Throws: As `send(_:timeout:)` does.
    public func flush(timeout: Duration? = nil) throws(IPCError) {
        try frames.flush(frames.side.settings.patience(timeout))
    }
}
