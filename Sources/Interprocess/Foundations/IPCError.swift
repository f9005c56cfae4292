// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// The error that every operation of this library throws.
///
/// Switch on ``code`` to decide what to do; print the error to learn what happened, to what, and what helps.
public struct IPCError: Error, Sendable {
    /// What went wrong, in terms that are the same on every system.
    public let code: Code

    /// What was being done.
    public let operation: Operation

    /// The system's own error code (`errno` on Unix, `GetLastError` on Windows), or `nil` when no system call failed.
    public let systemCode: Int64?

    /// The name of the socket, pipe or file involved, as its object describes it, or `nil` when there is none.
    public let name: String?

    /// How many bytes the call had moved before it failed.
    ///
    /// Bytes that were sent are gone. Bytes that were received are returned by the next read, unless the method says
    /// otherwise.
    public let bytesTransferred: Int

    /// What the code alone does not say.
    let detail: String?

    /// Creates an error, for code that stands in for this library in tests.
    ///
    /// - Parameters:
    ///   - code: What went wrong.
    ///   - operation: What was being done.
    ///   - systemCode: The system's own error code, if a system call failed.
    ///   - name: The name of the socket, pipe or file involved.
    ///   - bytesTransferred: How many bytes had been moved.
    public init(
        _ code: Code,
        operation: Operation,
        systemCode: Int64? = nil,
        name: String? = nil,
        bytesTransferred: Int = 0
    ) {
        self.init(
            code,
            operation,
            systemCode: systemCode,
            name: name,
            bytesTransferred: bytesTransferred,
            detail: nil
        )
    }

    init(
        _ code: Code,
        _ operation: Operation,
        systemCode: Int64? = nil,
        name: String? = nil,
        bytesTransferred: Int = 0,
        detail: String?
    ) {
        self.code = code
        self.operation = operation
        self.systemCode = systemCode
        self.name = name
        self.bytesTransferred = bytesTransferred
        self.detail = detail
    }

    /// The error for a failed system call.
    init(
        result: Int64,
        _ operation: Operation,
        name: String?,
        bytesTransferred: Int = 0,
        detail: String? = nil
    ) {
        self.init(
            Code(systemCode: -result),
            operation,
            systemCode: -result,
            name: name,
            bytesTransferred: bytesTransferred,
            detail: detail
        )
    }

    /// The same error, after bytes had been moved by the calls before the one that failed.
    func adding(bytesTransferred more: Int) -> IPCError {
        IPCError(
            code,
            operation,
            systemCode: systemCode,
            name: name,
            bytesTransferred: bytesTransferred + more,
            detail: detail
        )
    }
}

extension IPCError {
    /// What went wrong, whatever the system calls it.
    ///
    /// More cases may come.
    @nonexhaustive
    public enum Code: Sendable, Hashable {
        /// The object was closed here: before the call, or by another thread during it.
        case closed
        /// The other side is gone for good.
        case disconnected
        /// The stream ended before all the bytes that were asked for had come.
        case endOfStream
        /// The call would have had to wait, and the object is in nonblocking mode.
        case wouldBlock
        /// The time was over before the call could finish.
        case timedOut
        /// The task that made the call was cancelled.
        case cancelled
        /// Somebody else has the name, or a file that may not be replaced is in its place.
        case addressInUse
        /// Nothing has that name.
        case notFound
        /// Something has that name already.
        case alreadyExists
        /// The system, or the check of who the peer is, does not allow it.
        case permissionDenied
        /// The name exists, and nobody listens there.
        case connectionRefused
        /// The peer ended the connection while data was under way.
        case connectionReset
        /// The stream is not connected.
        case notConnected
        /// Nobody is left to receive what was to be sent.
        case brokenPipe
        /// The name cannot be used: it is empty, or has a character in it that may not be there.
        case invalidName
        /// The name is longer than the system allows.
        case nameTooLong
        /// An argument, or the descriptor that was handed in, does not fit the call.
        case invalidArgument
        /// What came, or was to be sent, is longer than the limit.
        case messageTooLarge
        /// The system cannot do it.
        case unsupported
        /// The process or the system has run out of descriptors, memory or space.
        case resourcesExhausted
        /// Another call, on this object or in another program, is in the way; it may work later.
        case busy
        /// A value could not be encoded.
        case encodingFailed
        /// What came could not be decoded.
        case decodingFailed
        /// The object was given away, by splitting it or sending it to another process.
        case endpointMoved
        /// The peer does not keep to the protocol.
        case protocolViolation
        /// The other side has the request, and will not reply to it.
        case noReply
        /// Any other error of the system: see ``IPCError/systemCode``.
        case system

        init(systemCode: Int64) {
            let meaning = Int(cip_meaning(systemCode))
            self =
                switch meaning {
                case CIP_MEANS_WOULD_BLOCK: .wouldBlock
                case CIP_MEANS_TIMED_OUT: .timedOut
                case CIP_MEANS_ADDRESS_IN_USE: .addressInUse
                case CIP_MEANS_NOT_FOUND: .notFound
                case CIP_MEANS_ALREADY_EXISTS: .alreadyExists
                case CIP_MEANS_PERMISSION_DENIED: .permissionDenied
                case CIP_MEANS_CONNECTION_REFUSED: .connectionRefused
                case CIP_MEANS_CONNECTION_RESET: .connectionReset
                case CIP_MEANS_NOT_CONNECTED: .notConnected
                case CIP_MEANS_BROKEN_PIPE: .brokenPipe
                case CIP_MEANS_NAME_TOO_LONG: .nameTooLong
                case CIP_MEANS_INVALID_ARGUMENT: .invalidArgument
                case CIP_MEANS_MESSAGE_TOO_LARGE: .messageTooLarge
                case CIP_MEANS_UNSUPPORTED: .unsupported
                case CIP_MEANS_RESOURCES_EXHAUSTED: .resourcesExhausted
                case CIP_MEANS_BUSY: .busy
                default: .system
                }
        }
    }

    /// What was being done when the error arose.
    ///
    /// More cases may come.
    @nonexhaustive
    public enum Operation: Sendable, Hashable {
        /// Building a name.
        case name
        /// Creating a socket, pipe or file.
        case create
        /// Opening an end of a FIFO file.
        case open
        /// Making a listener: binding its name and listening there.
        case listen
        /// Accepting a client.
        case accept
        /// Connecting to a server.
        case connect
        /// Receiving bytes.
        case read
        /// Sending bytes.
        case write
        /// Ending one direction of a stream.
        case shutdown
        /// Splitting a stream into its halves, or joining them again.
        case split
        /// Duplicating a descriptor.
        case duplicate
        /// Taking over a descriptor from outside.
        case adopt
        /// Giving a descriptor away.
        case detach
        /// Reading or changing a setting.
        case configure
        /// Asking who the peer is.
        case identify
        /// Waiting for something to happen.
        case wait
        /// Removing a file.
        case remove
        /// Turning a value into bytes.
        case encode
        /// Making a value from bytes.
        case decode
        /// Beginning to watch signals.
        case watch
        /// Sending a signal.
        case signal
        /// Starting a program.
        case spawn
    }
}
