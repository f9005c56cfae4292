// SPDX-License-Identifier: MIT OR Apache-2.0

/// Awaited calls.
struct Awaited {
    let scratch: String
    let isQuick: Bool

    func rows() -> [Row] {
        (loopbacks + roundTrips + echoes + throughputs + connections).map { $0.row(scratch) }
    }

    private func count(_ full: Int) -> Int { isQuick ? full / 4 : full }

    private var loopbacks: [Contest] {
        [
            Contest(
                name: "awaited-loopback-64",
                title: "awaited round trip, 64 B, one thread [5]",
                placement: .oneCPU,
                target: Target(aim: 1.20, gate: 1.32),
                library: .loop,
                c: .epoll,
                client: .loopback,
                count: count(40_000)
            ),
            Contest(
                name: "awaited-loopback-64-unscoped",
                title: "awaited round trip, 64 B, one thread, no scope [5]",
                placement: .oneCPU,
                library: .unscoped,
                c: .epoll,
                client: .loopback,
                count: count(40_000)
            ),
            Contest(
                name: "awaited-loopback-64-timeout",
                title: "awaited round trip, 64 B, one thread, timeout [6]",
                placement: .oneCPU,
                target: Target(aim: 1.01, gate: 1.03),
                library: .timed,
                c: .loop,
                client: .loopback,
                count: count(40_000)
            ),
        ]
    }

    private var roundTrips: [Contest] {
        [
            Contest(
                name: "awaited-round-trip-64",
                title: "awaited round trip, 64 B [5]",
                placement: .oneCPU,
                target: Target(aim: 1.10, gate: 1.25),
                library: .loop,
                c: .epoll,
                server: .echoServer,
                client: .roundTrips,
                count: count(20_000)
            ),
            Contest(
                name: "awaited-round-trip-64-pool",
                title: "awaited round trip, 64 B, default pool [5]",
                placement: .oneCPU,
                target: Target(aim: 2.4, gate: 3.0),
                library: .pool,
                c: .epoll,
                server: .echoServer,
                client: .roundTrips,
                count: count(20_000)
            ),
            Contest(
                name: "awaited-round-trip-64-spinning",
                title: "awaited round trip, 64 B, spinning [7]",
                placement: .twoCPUs,
                target: Target(aim: 0.15, gate: 0.25),
                library: .spinning,
                c: .blocking,
                server: .echoServer,
                client: .roundTrips,
                count: count(20_000)
            ),
        ]
    }

    private var echoes: [Contest] {
        [(100, 0.70), (1_000, 0.65)].flatMap { connections, gate in
            [
                Contest(
                    name: "echo-\(connections)",
                    title: "echo, \(connections) connections [5] [8]",
                    placement: .twoCPUs,
                    target: Target(aim: 0.90, gate: gate),
                    library: .loop,
                    c: .epoll,
                    server: .echoServer,
                    client: .load,
                    count: count(100_000),
                    connections: connections
                ),
                Contest(
                    name: "echo-\(connections)-callback",
                    title: "echo, \(connections) connections, callbacks [5] [8]",
                    placement: .twoCPUs,
                    target: Target(aim: 1.0, gate: 0.88),
                    library: .callback,
                    c: .epoll,
                    server: .echoServer,
                    client: .load,
                    count: count(100_000),
                    connections: connections
                ),
            ]
        }
    }

    private var throughputs: [Contest] {
        [(Placement.oneCPU, Target(aim: 0.90, gate: 0.78)), (.twoCPUs, Target(aim: 1.0, gate: 0.93))]
            .flatMap { placement, target in
                [(64 << 10, "64 KiB"), (1 << 20, "1 MiB")]
                    .map { size, title in
                        Contest(
                            name: "awaited-throughput-\(size)",
                            title: "awaited throughput, writes of \(title) [9]",
                            placement: placement,
                            target: target,
                            library: .loop,
                            c: .blocking,
                            server: .drainServer,
                            client: .pour,
                            size: size,
                            count: count(1 << 29) / size
                        )
                    }
            }
    }

    private var connections: [Contest] {
        [
            Contest(
                name: "connect-echo-close",
                title: "connect, echo of 1 B and close [5] [8]",
                placement: .oneCPU,
                target: Target(aim: 0.95, gate: 0.80),
                library: .loop,
                c: .epoll,
                server: .echoServer,
                client: .connections,
                count: count(10_000)
            )
        ]
    }
}
