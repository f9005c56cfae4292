// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin)
import CBenchmark
import Interprocess

/// What a process has that reads what another one puts into a pool.
struct PoolReading: Codable, Sendable {
    let reader: SharedRegionPool.Reader
    let handles: IPCReceiver<SharedRegionPool.Handle>
    let done: IPCBytesSender

    func obey(_ memory: Memory, _ order: Order) throws {
        for count in [order.warmUp, order.count] {
            for _ in 0..<count {
                let content = try reader.open(handles.receive())
                content.withUnsafeBytes { memory.bytes.copyMemory(from: $0) }
                content.release()
            }
            try done.send([1])
        }
    }
}

/// What the other one has.
struct PoolEnds {
    let pool: SharedRegionPool
    let handles: IPCSender<SharedRegionPool.Handle>
    let done: IPCBytesReceiver

    /// Makes a pool, and gives the other process its reader.
    static func make(_ socket: Int32, _ size: Int) throws -> PoolEnds {
        let (pool, reader) = try SharedRegionPool.make(slotCount: 4, slotSize: size)
        let handles = try IPCChannel.make(of: SharedRegionPool.Handle.self)
        let done = try IPCChannel.makeBytes()
        try IPCSender<PoolReading>(adopting: IPCDescriptor(adopting: socket))
            .send(PoolReading(reader: reader, handles: handles.receiver, done: done.sender))
        return PoolEnds(pool: pool, handles: handles.sender, done: done.receiver)
    }

    static func receive(_ socket: Int32) throws -> PoolReading {
        try IPCReceiver<PoolReading>(adopting: IPCDescriptor(adopting: socket)).receive()
    }

    func time(_ memory: Memory, _ order: Order) throws -> Sample {
        try send(memory, order.warmUp)
        let start = cb_now()
        try send(memory, order.count)
        return Sample(order.count, sinceNanoseconds: start)
    }

    private func send(_ memory: Memory, _ count: Int) throws {
        for _ in 0..<count {
            var slot = try pool.take()
            slot.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(memory.bytes)) }
            try handles.send(slot.lend())
        }
        _ = try done.receive()
    }
}
#endif
