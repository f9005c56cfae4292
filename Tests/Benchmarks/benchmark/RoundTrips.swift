// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

/// Messages that go to another process and back, one at a time.
struct RoundTrips {
    let scratch: String
    let isQuick: Bool

    func rows() -> [Row] {
        var rows: [Row] = []
        for placement in [Placement.oneCPU, .unpinned] {
            for (size, title) in [(1, "1 B"), (64, "64 B"), (1 << 10, "1 KiB"), (64 << 10, "64 KiB")] {
                rows.append(
                    Row(
                        name: "socket-round-trip-\(size)",
                        title: "socket round trip, \(title)",
                        placement: placement,
                        unit: .nanoseconds,
                        target: placement == .oneCPU ? Target(aim: 1.03, gate: 1.06) : nil
                    ) { try sample($0, .socket, size, placement) }
                )
            }
            rows.append(
                Row(
                    name: "pipe-round-trip-64",
                    title: "pipe round trip, 64 B, processes [1]",
                    placement: placement,
                    unit: .nanoseconds,
                    target: placement == .oneCPU ? Target(aim: 1.06) : nil
                ) { try sample($0, .pipe, 64, placement) }
            )
            rows.append(
                Row(
                    name: "pipe-round-trip-64-threads",
                    title: "pipe round trip, 64 B, threads [2]",
                    placement: placement,
                    unit: .nanoseconds,
                    target: placement == .oneCPU ? Target(aim: 1.06) : nil
                ) { try ThreadRoundTrips(size: 64, count: count(64)).sample($0) }
            )
        }
        rows.append(
            Row(
                name: "socket-round-trip-64-spinning",
                title: "socket round trip, 64 B, 30 µs of spinTime [10]",
                placement: .unpinned,
                unit: .nanoseconds
            ) { try sample($0, .socket, 64, .unpinned, spin: 30) }
        )
        return rows
    }

    private func count(_ size: Int) -> Int { (size > 4096 ? 8_000 : 20_000) / (isQuick ? 4 : 1) }

    private func sample(
        _ side: Side,
        _ transport: Order.Transport,
        _ size: Int,
        _ placement: Placement,
        spin: Int = 0
    ) throws -> Sample {
        let order = Order(
            side: side,
            work: .echo,
            transport: transport,
            size: size,
            path: scratch,
            cpu: placement.peerCPU,
            spin: spin
        )
        let connection = Connection(order: order)
        let count = count(size)
        switch (side, transport) {
        case (.c, _): return try connection.inC { try timeInC($0, size, count) }
        case (.library, .socket): return try connection.bySocket { try timeWithLibrary($0, size, count) }
        case (.library, .pipe):
            return try connection.byPipes(UnnamedPipe.Options()) { try timeWithLibrary($0, size, count) }
        case (.library, .packets), (.library, .channel): throw Failure("these are no streams")
        }
    }
}

/// Times round trips in C, after a tenth as many untimed ones.
func timeInC(_ link: cb_link, _ size: Int, _ count: Int) throws -> Sample {
    try timeInC(size, count) { cb_round_trips(link, $0, size, $1, $2) }
}

/// The same for a function that makes a number of round trips, and stores the time of each.
func timeInC(
    _ size: Int,
    _ count: Int,
    _ roundTrips: (UnsafeMutablePointer<UInt8>, Int64, UnsafeMutablePointer<Int64>?) -> Int64
) throws -> Sample {
    try withMemory(size) { memory in
        try withTimes(count) { times in
            try check(roundTrips(memory.base, Int64(count / 10), nil), "a round trip")
            try check(roundTrips(memory.base, Int64(count), times), "a round trip")
        }
    }
}

/// Times round trips through the library, after a tenth as many untimed ones.
@inline(__always)
func timeWithLibrary(
    _ link: LibraryLink<some ByteReceiver, some ByteSender>,
    _ size: Int,
    _ count: Int
) throws -> Sample {
    try withMemory(size) { memory in
        try withTimes(count) { times in
            try link.roundTrips(memory, count / 10, nil)
            try link.roundTrips(memory, count, times)
        }
    }
}

@inline(__always)
func withTimes(_ count: Int, _ body: (UnsafeMutablePointer<Int64>) throws -> Void) throws -> Sample {
    let times = UnsafeMutableBufferPointer<Int64>.allocate(capacity: count)
    defer { times.deallocate() }
    times.initialize(repeating: 0)
    try body(times.baseAddress.unsafelyUnwrapped)
    return Sample(nanoseconds: times)
}
