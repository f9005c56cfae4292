// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

/// Packets that go to another process and back, one at a time, and datagrams that come from another process, many at
/// once.
struct Messages {
    let scratch: String
    let isQuick: Bool

    private static let size = 64

    func rows() -> [Row] {
        #if canImport(Darwin)
        []
        #else
        let roundTrip = Row(
            name: "packet-round-trip-64",
            title: "packet round trip, 64 B",
            placement: .oneCPU,
            unit: .nanoseconds,
            target: Target(aim: 1.03, gate: 1.06)
        ) { try packets($0) }
        return [roundTrip]
            + [Placement.oneCPU, .twoCPUs].map { placement in
                Row(
                    name: "datagrams-64",
                    title: "datagrams of 64 B, 32 a call [11]",
                    placement: placement,
                    unit: .perSecond,
                    target: Target(aim: 1.0, gate: 0.9)
                ) { try datagrams($0, placement) }
            }
        #endif
    }

    #if !canImport(Darwin)
    private func packets(_ side: Side) throws -> Sample {
        let order = Order(
            side: side,
            work: .echo,
            transport: .packets,
            size: Self.size,
            count: 20_000 / (isQuick ? 4 : 1),
            path: scratch,
            cpu: Placement.oneCPU.peerCPU
        )
        let connection = Connection(order: order)
        if side == .c { return try connection.inC { try timeInC($0, order.size, order.count) } }
        return try connection.byPackets { socket in
            try withMemory(order.size) { memory in
                try withTimes(order.count) { times in
                    try socket.roundTrips(memory, order.count / 10, nil)
                    try socket.roundTrips(memory, order.count, times)
                }
            }
        }
    }
    #endif

    private func datagrams(_ side: Side, _ placement: Placement) throws -> Sample {
        let order = Order(
            side: side,
            work: .pourDatagrams,
            transport: .socket,
            size: Self.size,
            count: 1_000_000 / (isQuick ? 4 : 1),
            path: scratch,
            cpu: placement.peerCPU
        )
        let sample: Sample
        let peer: PeerProcess
        switch side {
        case .c:
            let socket = try descriptor(cb_bind_for_datagrams(scratch), "binding")
            defer {
                cb_close(socket)
                cb_scratch_clear()
            }
            peer = try PeerProcess(order.arguments)
            sample = try withMemory(order.size * CB_DATAGRAMS) { memory in
                let receive = { (count: Int) in
                    try check(cb_receive_datagrams(socket, memory.base, order.size, Int64(count)), "receiving")
                }
                _ = try receive(order.warmUp)
                let start = cb_now()
                _ = try receive(order.count)
                return Sample(order.count, sinceNanoseconds: start)
            }
        case .library:
            let socket = try UnixDatagramSocket(address: .path(scratch))
            defer { socket.close() }
            peer = try PeerProcess(order.arguments)
            let batch = UnixDatagramBatch(capacity: CB_DATAGRAMS, maximumSize: order.size, tellsSenders: false)
            // The last call may have received some more.
            let early = try socket.receive(batch, order.warmUp)
            let start = cb_now()
            _ = try socket.receive(batch, order.count - early)
            sample = Sample(order.count - early, sinceNanoseconds: start)
        }
        try peer.finish()
        return sample
    }
}

// The other process.
extension Order {
    func echoPackets() throws {
        #if canImport(Darwin)
        throw Failure("Darwin has no packets")
        #else
        let socket = try UnixPacketSocket.connect(to: .path(path))
        try withMemory(size) { try socket.echo($0) }
        #endif
    }

    func pourDatagrams() throws {
        let socket = try UnixDatagramSocket()
        try socket.connect(to: .path(path))
        let batch = UnixDatagramBatch(capacity: CB_DATAGRAMS, maximumSize: size)
        try withMemory(size) { try socket.send($0, batch, warmUp + count) }
    }
}

extension UnixDatagramSocket {
    /// Sends the memory so many times.
    func send(_ memory: Memory, _ batch: UnixDatagramBatch, _ count: Int) throws(IPCError) {
        var left = count
        while left > 0 {
            batch.removeAll()
            for _ in 0..<min(left, batch.capacity) { try batch.add(UnsafeRawBufferPointer(memory.bytes)) }
            var sent = 0
            while sent < batch.count { sent += try sendMany(batch, startingAt: sent) }
            left -= sent
        }
    }

    /// Receives at least so many; returns how many more there were.
    func receive(_ batch: UnixDatagramBatch, _ count: Int) throws -> Int {
        var left = count
        while left > 0 {
            let received = try receiveMany(into: batch)
            for index in 0..<received where batch.withBytes(at: index, \.count) != batch.maximumSize {
                throw Failure("a datagram of another size came")
            }
            left -= received
        }
        return -left
    }
}

#if !canImport(Darwin)
extension Connection {
    /// Connects by packets of the library's.
    func byPackets<Value>(_ body: (UnixPacketSocket) throws -> Value) throws -> Value {
        let listener = try UnixPacketListener(address: .path(order.path))
        defer { listener.close() }
        let peer = try PeerProcess(order.arguments)
        let socket = try listener.accept()
        let value: Value
        do {
            defer { socket.close() }
            value = try body(socket)
        }
        try peer.finish()
        return value
    }
}

extension UnixPacketSocket {
    func roundTrips(_ memory: Memory, _ count: Int, _ nanoseconds: UnsafeMutablePointer<Int64>?) throws {
        for done in 0..<count {
            let start = cb_now()
            try send(UnsafeRawBufferPointer(memory.bytes))
            let received = try receive(into: memory.bytes).byteCount
            if received < memory.bytes.count { throw Failure("a packet of \(received) bytes came back") }
            if let nanoseconds { nanoseconds[done] = cb_now() - start }
        }
    }

    func echo(_ memory: Memory) throws(IPCError) {
        while true {
            if try receive(into: memory.bytes).isEnd { return }
            try send(UnsafeRawBufferPointer(memory.bytes))
        }
    }
}
#endif
