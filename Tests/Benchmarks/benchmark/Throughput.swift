// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

/// Bytes that go one way, as fast as they will, until the other process says that all have come.
struct Throughput {
    let scratch: String
    let isQuick: Bool

    private static let writes = [(64 << 10, "64 KiB"), (1 << 20, "1 MiB")]

    func rows() -> [Row] {
        var rows: [Row] = []
        for placement in [Placement.oneCPU, .unpinned] {
            for (size, title) in Self.writes {
                rows.append(
                    Row(
                        name: "socket-throughput-\(size)",
                        title: "socket throughput, writes of \(title)",
                        placement: placement,
                        unit: .bytesPerSecond,
                        target: placement == .oneCPU ? Target(aim: 0.97, gate: 0.93) : nil
                    ) { try sample($0, .socket, size, placement) }
                )
            }
        }
        for placement in [Placement.twoCPUs, .unpinned] {
            for (size, title) in Self.writes {
                for (buffer, name) in [(nil, "256 KiB"), (1 << 20, "1 MiB")] as [(Int?, String)] {
                    rows.append(
                        Row(
                            name: "pipe-throughput-\(size)-\(buffer == nil ? "default" : "1MiB")",
                            title: "pipe of \(name) [3], writes of \(title)",
                            placement: placement,
                            unit: .bytesPerSecond,
                            target: placement == .twoCPUs && buffer != nil ? Target(aim: 2.4, gate: 1.8) : nil
                        ) { try sample($0, .pipe, size, placement, buffer: buffer) }
                    )
                }
            }
        }
        return rows
    }

    private func sample(
        _ side: Side,
        _ transport: Order.Transport,
        _ size: Int,
        _ placement: Placement,
        buffer: Int? = nil
    ) throws -> Sample {
        let total = (transport == .socket ? 1 << 30 : 1 << 29) / (isQuick ? 4 : 1)
        let order = Order(
            side: side,
            work: .drain,
            transport: transport,
            size: size,
            count: total / size,
            path: scratch,
            cpu: placement.peerCPU
        )
        let connection = Connection(order: order)
        switch (side, transport) {
        case (.c, _):
            return try connection.inC { link in
                try withMemory(size) { try timePouringInC(link, $0, order.count, warmUp: order.warmUp) }
            }
        case (.library, .socket): return try connection.bySocket { try timeWithLibrary($0, order) }
        case (.library, .pipe):
            var options = UnnamedPipe.Options()
            if let buffer { options.bufferSize = buffer }
            return try connection.byPipes(options) { try timeWithLibrary($0, order) }
        case (.library, .packets), (.library, .channel): throw Failure("these are no streams")
        }
    }

    @inline(__always)
    private func timeWithLibrary(
        _ link: LibraryLink<some ByteReceiver, some ByteSender>,
        _ order: Order
    ) throws -> Sample {
        try withMemory(order.size) { memory in
            try link.pour(memory, order.warmUp)
            let start = cb_now()
            try link.pour(memory, order.count)
            return Sample(order.size * order.count, sinceNanoseconds: start)
        }
    }
}

/// Times what goes one way in C.
func timePouringInC(_ link: cb_link, _ memory: Memory, _ count: Int, warmUp: Int) throws -> Sample {
    let size = memory.bytes.count
    try check(cb_pour(link, memory.base, size, Int64(warmUp)), "sending")
    let start = cb_now()
    try check(cb_pour(link, memory.base, size, Int64(count)), "sending")
    return Sample(size * count, sinceNanoseconds: start)
}
