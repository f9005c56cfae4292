// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess

/// A connection as the kernel has it: two sockets.
final class ModelConnection {
    struct Socket {
        /// What has come for it, and how many writes those are at most.
        var bytes: [UInt8] = []
        var writes = 0
        var cannotReceive = false
        var cannotSend = false
        /// How many objects hold it.
        var holders = 1
        /// Whether the other one was closed with something unread in it, which Linux tells as an error, once.
        var mayBeReset = false

        mutating func take(_ count: Int) {
            bytes.removeFirst(count)
            if bytes.isEmpty { writes = 0 }
        }
    }

    var sockets = [Socket(), Socket()]
}

/// A stream with its halves, beside its model.
final class ModelStream {
    let name: String
    var stream: LocalSocketStream
    var halves: (receiver: LocalSocketReceiver, sender: LocalSocketSender)?
    let connection: ModelConnection
    let side: Int
    /// What it has read ahead.
    var ahead: [UInt8] = []
    var isReceivingClosed = false
    var isSendingClosed = false

    init(_ name: String, _ stream: LocalSocketStream, _ connection: ModelConnection, _ side: Int) {
        self.name = name
        self.stream = stream
        self.connection = connection
        self.side = side
    }

    var own: ModelConnection.Socket {
        get { connection.sockets[side] }
        set { connection.sockets[side] = newValue }
    }

    var peer: ModelConnection.Socket {
        get { connection.sockets[1 - side] }
        set { connection.sockets[1 - side] = newValue }
    }

    var isClosed: Bool { isReceivingClosed && isSendingClosed }
    /// Everything that can be read without waiting.
    var available: [UInt8] { ahead + own.bytes }
    /// Whether nothing comes behind what is available.
    var willEnd: Bool { own.cannotReceive || peer.cannotSend || peer.holders == 0 }
    var isBroken: Bool { own.cannotSend || peer.cannotReceive || peer.holders == 0 }
    /// Whether so little is under way to the other side that some more must fit.
    var hasRoom: Bool { peer.bytes.count < 16_000 && peer.writes < 40 }

    /// Takes the first bytes, of which those behind `left` more are read ahead from now on.
    func take(_ count: Int, leavingAhead left: Int = 0) {
        let all = available
        let received = max(0, count + left - ahead.count)
        ahead = Array(all[count..<max(count + left, count + max(0, ahead.count - count))])
        own.take(received)
    }

    /// Closes sides of it; the last one lets the socket go.
    func close(receiving: Bool, sending: Bool) {
        if isClosed { return }
        isReceivingClosed = isReceivingClosed || receiving
        isSendingClosed = isSendingClosed || sending
        if isClosed { Self.letGo(connection, side) }
    }

    static func letGo(_ connection: ModelConnection, _ side: Int) {
        connection.sockets[side].holders -= 1
        if connection.sockets[side].holders > 0 { return }
        if !connection.sockets[side].bytes.isEmpty { connection.sockets[1 - side].mayBeReset = true }
        connection.sockets[side].bytes = []
    }
}
