// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

extension IPCError: CustomStringConvertible {
    /// What was being done, to what, what happened, and what to do about it.
    ///
    /// For example: `cannot connect to @com.example.echo: nobody listens there (ECONNREFUSED, 111): start the server,
    /// …`.
    public var description: String {
        var text = "cannot "
        text += operation.verb
        if let name {
            text += operation.preposition
            text += name
        }
        text += ": "
        if let detail { text += detail } else { text += code.meaning }
        if let systemCode {
            text += " ("
            let symbol = unsafe String(cString: cip_code_name(systemCode))
            if !symbol.isEmpty {
                text += symbol
                text += ", "
            }
            text += systemCode.description
            text += ")"
        }
        if bytesTransferred > 0 {
            text += ", after "
            text += bytesTransferred.description
            text += " bytes"
        }
        if detail == nil, let advice = code.advice {
            text += ": "
            text += advice
        }
        return text
    }
}

extension IPCError.Operation {
    fileprivate var verb: String {
        switch self {
        case .name: "use the name"
        case .create: "create"
        case .open: "open"
        case .listen: "listen"
        case .accept: "accept a client"
        case .connect: "connect"
        case .read: "read"
        case .write: "write"
        case .shutdown: "shut down"
        case .split: "split or reunite"
        case .duplicate: "duplicate"
        case .adopt: "adopt"
        case .detach: "detach the descriptor"
        case .configure: "configure"
        case .identify: "identify the peer"
        case .wait: "wait"
        case .remove: "remove"
        case .encode: "encode"
        case .decode: "decode"
        case .watch: "watch"
        case .signal: "signal"
        case .spawn: "start"
        }
    }

    fileprivate var preposition: String {
        switch self {
        case .listen, .accept: " at "
        case .connect, .write: " to "
        case .read: " from "
        case .identify, .detach: " of "
        case .wait: " for "
        default: " "
        }
    }
}

extension IPCError.Code {
    fileprivate var meaning: String {
        switch self {
        case .closed: "it was closed here"
        case .disconnected: "the other side is gone"
        case .endOfStream: "the stream ended too early"
        case .wouldBlock: "the call would have to wait"
        case .timedOut: "the time is over"
        case .cancelled: "the task was cancelled"
        case .addressInUse: "somebody else has that name"
        case .notFound: "nothing has that name"
        case .alreadyExists: "something has that name already"
        case .permissionDenied: "it is not allowed"
        case .connectionRefused: "nobody listens there"
        case .connectionReset: "the peer ended the connection"
        case .notConnected: "it is not connected"
        case .brokenPipe: "nobody is left to receive"
        case .invalidName: "the name cannot be used"
        case .nameTooLong: "the name is too long"
        case .invalidArgument: "the system does not accept the argument"
        case .messageTooLarge: "it is longer than the limit"
        case .unsupported: "this system cannot do it"
        case .resourcesExhausted: "descriptors, memory or space have run out"
        case .busy: "another call is in the way"
        case .encodingFailed: "the value could not be encoded"
        case .decodingFailed: "what came could not be decoded"
        case .endpointMoved: "it was given away"
        case .protocolViolation: "the peer does not keep to the protocol"
        case .noReply: "the other side will not reply to the request"
        case .system: "the system reports an error"
        }
    }

    fileprivate var advice: String? {
        switch self {
        case .closed: "make a new one, or close it later"
        case .disconnected, .connectionReset, .brokenPipe: "connect again if there is more to say"
        case .endOfStream: "the other side left or ended its sending"
        case .wouldBlock: "try again later, or use blocking mode"
        case .timedOut: "allow more time, or see whether the other side is stuck"
        case .addressInUse: "end the program that listens there, or choose another name"
        case .notFound: "check the name, and that the server has started (the option waitsForServer waits for it)"
        case .alreadyExists: "remove it first, or choose another name"
        case .permissionDenied: "check the owner and the mode of the file, and the option access of the listener"
        case .connectionRefused: "start the server (the option waitsForServer waits for it)"
        case .notConnected: "connect first"
        case .nameTooLong: "choose a shorter name, or a directory nearer to the root"
        case .messageTooLarge: "raise the limit, or send less"
        case .resourcesExhausted: "close what is not needed, or raise the limit (ulimit -n for descriptors)"
        case .busy: "try again when it has ended"
        case .endpointMoved: "use the object that it was given to"
        case .cancelled, .invalidName, .invalidArgument, .unsupported, .encodingFailed, .decodingFailed,
            .protocolViolation, .noReply, .system:
            nil
        }
    }
}
