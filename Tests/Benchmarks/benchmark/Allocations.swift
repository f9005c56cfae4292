// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

/// The number of allocations in steady operation: 100,000 operations after 1,000.
struct Allocations {
    static let warmUp = 1_000
    static let operations = 100_000

    let scratch: String

    func figures() throws -> [Figure] {
        guard cb_can_count_allocations() else { return [] }
        return try withMemory(64) { try [counterCheck()] + within($0) + messages($0) + refused($0) + waiting($0) }
    }

    /// A count that is known, to see that the counter counts.
    private func counterCheck() throws -> Figure {
        var kept: [[UInt8]] = []
        kept.reserveCapacity(2 * Self.warmUp)
        cb_count_allocations(true)
        for byte in 0..<Self.warmUp { kept.append([UInt8](repeating: UInt8(truncatingIfNeeded: byte), count: 64)) }
        cb_count_allocations(false)
        return Figure(
            name: "allocations-control",
            title: "allocations of \(kept.count) arrays (does the counter count?)",
            value: cb_allocations(),
            limit: .exactly(Int64(Self.warmUp))
        )
    }

    /// Both ends in this thread, so that nothing waits.
    private func within(_ memory: Memory) throws -> [Figure] {
        let (near, far) = try LocalSocketStream.pair()
        let pipe = try UnnamedPipe.create()
        let socketLink = LibraryLink(receiver: far, sender: near)
        let pipeLink = LibraryLink(receiver: pipe.receiver, sender: pipe.sender)
        return try [
            count("socket-write", "write and read(into:), socket") { try socketLink.writeAndRead(memory) },
            count("socket-write-all", "writeAll and readExactly(into:), socket") {
                try socketLink.writeAllAndRead(memory)
            },
            count("pipe-write", "write and read(into:), pipe") { try pipeLink.writeAndRead(memory) },
            count("pipe-write-all", "writeAll and readExactly(into:), pipe") { try pipeLink.writeAllAndRead(memory) },
        ]
    }

    /// Messages from sockets that have no name, both ends in this thread.
    private func messages(_ memory: Memory) throws -> [Figure] {
        let datagrams = try UnixDatagramSocket.pair()
        let batch = UnixDatagramBatch(capacity: 8, maximumSize: memory.bytes.count)
        var figures = try [
            count("datagram", "send and receive(into:), datagram") {
                try datagrams.0.send(UnsafeRawBufferPointer(memory.bytes))
                let received = try datagrams.1.receive(into: memory.bytes)
                if received.byteCount != memory.bytes.count { throw Failure("another datagram came") }
            },
            count("datagrams-many", "sendMany and receiveMany(into:), 8 datagrams") {
                try datagrams.0.send(memory, batch, batch.capacity)
                _ = try datagrams.1.receive(batch, batch.capacity)
            },
        ]
        #if !canImport(Darwin)
        let bytes = try IPCChannel.makeBytes()
        let numbers = try IPCChannel.make(of: UInt64.self)
        figures += try [
            count("channel-bytes", "send and withMessage, channel of bytes") {
                try bytes.sender.send(UnsafeRawBufferPointer(memory.bytes))
                if try bytes.receiver.withMessage({ $0.byteCount }) != memory.bytes.count {
                    throw Failure("another message came")
                }
            },
            count("channel-numbers", "send and receive, channel of numbers") {
                try numbers.sender.send(7)
                if try numbers.receiver.receive() != 7 { throw Failure("another number came") }
            },
        ]
        let packets = try UnixPacketSocket.pair()
        figures.append(
            try count("packet", "send and receive(into:), packet") {
                try packets.0.send(UnsafeRawBufferPointer(memory.bytes))
                let received = try packets.1.receive(into: memory.bytes)
                if received.byteCount != memory.bytes.count { throw Failure("another packet came") }
            }
        )
        let connection = Connection(order: order(.packets))
        figures.append(
            try connection.byPackets { socket in
                try count("packet-waiting", "round trip to a process, packet") {
                    try socket.roundTrips(memory, 1, nil)
                }
            }
        )
        #endif
        return figures
    }

    /// Reads that find nothing, in nonblocking mode, and throw.
    private func refused(_ memory: Memory) throws -> [Figure] {
        let (near, far) = try LocalSocketStream.pair()
        defer { far.close() }
        near.setNonblocking(true)
        return try [
            count("socket-refused", "read(into:) that throws .wouldBlock, socket") {
                do throws(IPCError) {
                    _ = try near.read(into: memory.bytes)
                } catch {
                    if error.code == .wouldBlock { return }
                    throw error
                }
                throw Failure("a read of nothing returned")
            }
        ]
    }

    /// Reads that wait for another process.
    private func waiting(_ memory: Memory) throws -> [Figure] {
        var figures: [Figure] = []
        for (limit, title) in [(nil, ""), (.seconds(60), " with a timeout")] as [(Duration?, String)] {
            let suffix = limit == nil ? "" : "-timeout"
            let socket = Connection(order: order(.socket))
            figures.append(
                try socket.bySocket { link in
                    link.receiver.receiveTimeout = limit
                    link.sender.sendTimeout = limit
                    return try count("socket-waiting\(suffix)", "round trip to a process, socket\(title)") {
                        try link.roundTrips(memory, 1, nil)
                    }
                }
            )
            let pipe = Connection(order: order(.pipe))
            figures.append(
                try pipe.byPipes(UnnamedPipe.Options()) { link in
                    link.receiver.receiveTimeout = limit
                    link.sender.sendTimeout = limit
                    return try count("pipe-waiting\(suffix)", "round trip to a process, pipe\(title)") {
                        try link.roundTrips(memory, 1, nil)
                    }
                }
            )
        }
        return figures
    }

    private func order(_ transport: Order.Transport) -> Order {
        Order(side: .library, work: .echo, transport: transport, size: 64, path: scratch)
    }

    private func count(_ name: String, _ title: String, _ operation: () throws -> Void) throws -> Figure {
        // Many times what it takes.
        cb_watch(120)
        defer { cb_watch(0) }
        for _ in 0..<Self.warmUp { try operation() }
        cb_count_allocations(true)
        defer { cb_count_allocations(false) }
        for _ in 0..<Self.operations { try operation() }
        cb_count_allocations(false)
        return Figure(
            name: "allocations-\(name)",
            title: "allocations, \(Self.operations) times: \(title)",
            value: cb_allocations(),
            limit: .exactly(0)
        )
    }
}

extension LibraryLink {
    /// Sends and receives what fits into the kernel's buffer.
    @inline(__always)
    fileprivate func writeAndRead(_ memory: Memory) throws {
        let sent = try sender.write(UnsafeRawBufferPointer(memory.bytes))
        let received = try receiver.read(into: memory.bytes)
        if received != sent { throw Failure("\(sent) bytes were sent, \(received) came") }
    }

    @inline(__always)
    fileprivate func writeAllAndRead(_ memory: Memory) throws {
        var target = memory.bytes.mutableBytes
        try sender.writeAll(UnsafeRawBufferPointer(memory.bytes))
        try receiver.readExactly(into: &target)
    }
}
