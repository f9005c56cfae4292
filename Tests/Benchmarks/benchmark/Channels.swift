// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

/// What the messages of a measured channel are.
enum Payload: String {
    /// Bytes, in a channel for them.
    case bytes
    /// The same, as arrays.
    case byteArray
    /// A number.
    case number
    /// A struct of ten fields of the usual kinds.
    case fields
    /// `[UInt8]`, in a channel for values.
    case array
    /// `[Float]`, in a channel for values.
    case floats
    /// Bytes that a task on a loop's thread sends, and so many in a packet.
    case collected
    /// Bytes that a call sends, as many as it gets.
    case batch
    /// Bytes in a pool of shared memory, copied into it and out of it.
    case pool
}

/// Messages through channels, whose other end another process has; in C, packets of as many bytes.
struct Channels {
    let scratch: String
    let isQuick: Bool

    func rows() -> [Row] {
        #if canImport(Darwin)
        []
        #else
        roundTrips() + oneWay() + [pool()]
        #endif
    }

    #if !canImport(Darwin)
    private func roundTrips() -> [Row] {
        let small: [(Payload, String, Double, Double)] = [
            (.bytes, "bytes", 1.15, 1.3), (.number, "numbers", 1.15, 1.4),
            (.fields, "structs of ten fields", 1.15, 1.4),
        ]
        let large: [(Payload, Int, String)] = [
            (.bytes, 4 << 10, "bytes, 4 KiB"), (.bytes, 64 << 10, "bytes, 64 KiB"),
            (.byteArray, 64 << 10, "bytes, 64 KiB, as arrays"),
        ]
        let arrays: [(Payload, String)] = [(.array, "[UInt8]"), (.floats, "[Float]")]
        return small.map { payload, title, aim, gate in
            row(
                "round-trip-\(payload)",
                "\(title), 64 B, there and back [12]",
                payload,
                64,
                .oneCPU,
                Target(aim: aim, gate: gate)
            )
        } + [row("round-trip-bytes", "bytes, 64 B, there and back [12]", .bytes, 64, .twoCPUs, nil)]
            + large.map { payload, size, title in
                row(
                    "round-trip-\(payload)-\(size)",
                    "\(title), there and back",
                    payload,
                    size,
                    .oneCPU,
                    Target(aim: 1.15, gate: 1.3)
                )
            }
            + arrays.map { payload, title in
                row(
                    "round-trip-\(payload)",
                    "\(title), 64 KiB, there and back [14]",
                    payload,
                    64 << 10,
                    .oneCPU,
                    Target(aim: 1.1, gate: 1.2)
                )
            }
    }

    private func oneWay() -> [Row] {
        [Placement.oneCPU, .twoCPUs].flatMap { placement in
            [
                row(
                    "one-way-bytes",
                    "bytes, 64 B, one way, singly",
                    .bytes,
                    64,
                    placement,
                    Target(aim: 1, gate: 0.95),
                    .drain
                ),
                row(
                    "one-way-collected",
                    "bytes, 64 B, one way, collected [13]",
                    .collected,
                    64,
                    placement,
                    nil,
                    .drain
                ),
                row(
                    "one-way-batch",
                    "bytes, 64 B, one way, 1,000 by a call",
                    .batch,
                    64,
                    placement,
                    nil,
                    .drain
                ),
            ]
        }
    }

    private func pool() -> Row {
        Row(
            name: "channel-pool",
            title: "pool of shared memory, 4 MiB, one way [15]",
            placement: .twoCPUs,
            unit: .bytesPerSecond,
            target: Target(aim: 3, gate: 2)
        ) { side in
            let order = Order(
                side: side,
                work: .drain,
                transport: side == .c ? .socket : .channel,
                size: 4 << 20,
                count: 400 / (isQuick ? 4 : 1),
                path: scratch,
                cpu: Placement.twoCPUs.peerCPU,
                payload: .pool
            )
            let sample = try side == .c ? order.measureInC() : order.measureByChannel()
            return Sample(value: sample.value * Double(order.size))
        }
    }

    private func row(
        _ name: String,
        _ title: String,
        _ payload: Payload,
        _ size: Int,
        _ placement: Placement,
        _ target: Target?,
        _ work: Order.Work = .echo
    ) -> Row {
        Row(
            name: "channel-\(name)",
            title: "channel of \(title)",
            placement: placement,
            unit: work == .echo ? .nanoseconds : .perSecond,
            target: target
        ) { side in
            var count = work == .echo ? (size > 4096 ? 8_000 : 20_000) : 400_000
            if payload == .collected || payload == .batch, side == .library { count *= 10 }
            let isAmongChannels = payload == .array || payload == .floats
            let order = Order(
                side: isAmongChannels ? .library : side,
                work: work,
                transport: .channel,
                size: size,
                count: count / (isQuick ? 4 : 1),
                path: scratch,
                cpu: placement.peerCPU,
                payload: isAmongChannels && side == .c ? .byteArray : payload
            )
            return try order.side == .c ? order.measureInC() : order.measureByChannel()
        }
    }
    #endif
}

#if !canImport(Darwin)
extension Order {
    fileprivate func measureInC() throws -> Sample {
        try Connection(order: self).inC { link in
            if work == .echo { return try timeInC(link, size, count) }
            return try withMemory(size) { memory in
                let sample = try timePouringInC(link, memory, count, warmUp: warmUp)
                return Sample(value: sample.value / Double(size))
            }
        }
    }

    fileprivate func measureByChannel() throws -> Sample {
        let listener = try UnixPacketListener(address: .path(path))
        defer { listener.close() }
        let peer = try PeerProcess(arguments)
        let socket = try listener.accept().detach()
        let sample = try withMemory(size) { memory in
            switch payload {
            case .bytes, .collected, .batch:
                let ends = try BytesEnds.make(socket)
                if payload != .bytes { return try ends.timeReceiving(self) }
                return try ends.time(self) { try ends.sender.send(UnsafeRawBufferPointer(memory.bytes)) }
            case .byteArray: return try ArrayEnds.make(socket).time(array, self)
            case .pool: return try PoolEnds.make(socket, size).time(memory, self)
            case .number: return try Ends.make(socket).time(UInt64.max, self)
            case .fields: return try Ends.make(socket).time(TenFields(), self)
            case .array: return try Ends.make(socket).time(array, self)
            case .floats: return try Ends.make(socket).time(floats, self)
            }
        }
        try peer.finish()
        return sample
    }

    /// The same in the other process.
    func obeyByChannel() throws {
        let socket = try UnixPacketSocket.connect(to: .path(path)).detach()
        try withMemory(size) { memory in
            switch payload {
            case .bytes, .collected, .batch:
                let ends = try BytesEnds.receive(socket)
                if payload == .collected { return try ends.sendCollected(memory, self) }
                if payload == .batch { return try ends.sendBatches(array, self) }
                try ends.obey(self) { try ends.sender.send(UnsafeRawBufferPointer(memory.bytes)) }
            case .byteArray: try ArrayEnds.receive(socket).obey(array, self)
            case .pool: try PoolEnds.receive(socket).obey(memory, self)
            case .number: try Ends.receive(socket).obey(UInt64.max, self)
            case .fields: try Ends.receive(socket).obey(TenFields(), self)
            case .array: try Ends.receive(socket).obey(array, self)
            case .floats: try Ends.receive(socket).obey(floats, self)
            }
        }
    }

    private var array: [UInt8] { [UInt8](repeating: 7, count: size) }
    private var floats: [Float] { [Float](repeating: 7, count: size / MemoryLayout<Float>.size) }
}
#endif
