// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

/// A connection to a new process that carries out an order, for the time of a measurement.
struct Connection {
    let order: Order

    /// Connects in C.
    func inC<Value>(_ body: (cb_link) throws -> Value) throws -> Value {
        switch order.transport {
        case .socket, .packets, .channel:
            let made = order.transport == .socket ? cb_listen(order.path) : cb_listen_for_packets(order.path)
            let listener = try descriptor(made, "listening")
            defer {
                cb_close(listener)
                cb_scratch_clear()
            }
            let peer = try PeerProcess(order.arguments)
            let socket = try descriptor(cb_accept(listener), "accepting")
            let value = try closing([socket]) {
                try body(cb_link(input: socket, output: socket, is_socket: true))
            }
            try peer.finish()
            return value
        case .pipe:
            let there = try LentPipe(lending: .receiver)
            let back = try LentPipe(lending: .sender)
            let peer = try PeerProcess(order.arguments, input: there.lent, output: back.lent)
            let value = try closing([there.kept, back.kept]) {
                try body(cb_link(input: back.kept, output: there.kept, is_socket: false))
            }
            try peer.finish()
            return value
        }
    }

    private func closing<Value>(_ descriptors: [Int32], _ body: () throws -> Value) throws -> Value {
        defer { for descriptor in descriptors { cb_close(descriptor) } }
        return try body()
    }

    /// Connects by a local socket of the library's.
    @inline(__always)
    func bySocket<Value>(
        _ body: (LibraryLink<LocalSocketStream, LocalSocketStream>) throws -> Value
    ) throws -> Value {
        let listener = try LocalSocketListener(.path(order.path))
        defer { listener.close() }
        let peer = try PeerProcess(order.arguments)
        let stream = try listener.accept()
        stream.spinTime = .microseconds(order.spin)
        let value: Value
        do {
            defer { stream.close() }
            value = try body(LibraryLink(receiver: stream, sender: stream))
        }
        try peer.finish()
        return value
    }

    /// Connects by two unnamed pipes of the library's, of which the new process adopts one end each.
    @inline(__always)
    func byPipes<Value>(
        _ options: UnnamedPipe.Options,
        _ body: (LibraryLink<UnnamedPipeReceiver, UnnamedPipeSender>) throws -> Value
    ) throws -> Value {
        let there = try UnnamedPipe.create(options)
        let back = try UnnamedPipe.create(options)
        let input = try descriptor(there.receiver.withUnsafeDescriptor { cb_duplicate_high($0) }, "duplicating")
        let output = try descriptor(back.sender.withUnsafeDescriptor { cb_duplicate_high($0) }, "duplicating")
        there.receiver.close()
        back.sender.close()
        let peer = try PeerProcess(order.arguments, input: input, output: output)
        let value: Value
        do {
            defer {
                there.sender.close()
                back.receiver.close()
            }
            value = try body(LibraryLink(receiver: back.receiver, sender: there.sender))
        }
        try peer.finish()
        return value
    }
}
