// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark

/// What awaited calls allocate, and what connections that wait take.
struct AwaitedFigures {
    let scratch: String
    let machine: Machine

    func figures() throws -> [Figure] { try allocations() + memory() }

    private func allocations() throws -> [Figure] {
        guard cb_can_count_allocations() else { return [] }
        return try [
            allocations("loopback", "in one thread", .loopback, .loop),
            allocations("loopback-timeout", "in one thread, with a timeout", .loopback, .timed),
            allocations("loopback-unscoped", "in one thread, streams in no scope", .loopback, .unscoped),
            allocations("process", "to a process", .roundTrips, .loop),
            allocations("process-timeout", "to a process, with a timeout", .roundTrips, .timed),
            // Those of the library can not be told from those of Swift's runtime.
            allocations("process-pool", "to a process, from the default pool", .roundTrips, .pool, .none),
        ]
    }

    private func allocations(
        _ name: String,
        _ title: String,
        _ work: Part.Work,
        _ manner: Part.Manner,
        _ limit: Figure.Limit = .exactly(0)
    ) throws -> Figure {
        cb_watch(120)
        defer { cb_watch(0) }
        var part = part(work, manner)
        part.countsAllocations = true
        part.count = Allocations.operations
        // A thread of Dispatch's that begins meanwhile allocates, too, though not in three processes one after another:
        // what the operations themselves allocate is there each time.
        var sample: Sample
        var tries = 0
        repeat {
            sample = try part.measure(servedBy: work == .loopback ? nil : self.part(.echoServer, manner))
            tries += 1
        } while sample.value > 0 && sample.value < 10 && tries < 3
        return Figure(
            name: "allocations-awaited-\(name)",
            title: "allocations, \(part.count) times: awaited round trip \(title)",
            value: Int64(sample.value),
            limit: limit
        )
    }

    private func memory() throws -> [Figure] {
        guard cb_resident_bytes(cb_process_id()) >= 0 else { return [] }
        cb_watch(120)
        defer { cb_watch(0) }
        var idle = part(.idle, .epoll)
        // Some descriptors are needed for other things.
        idle.connections = min(10_000, Int(machine.descriptorLimit) - 100)
        let bytes = try withServer(part(.idleServer, .loop)) { server in
            let before = try server.residentBytes
            let clients = try PartProcess(idle)
            _ = try clients.report(as: Bool.self)
            let after = try server.residentBytes
            try clients.end()
            return after - before
        }
        return [
            Figure(
                name: "memory-idle",
                title: "bytes of memory for each of \(idle.connections) connections that wait",
                value: bytes / Int64(idle.connections),
                limit: .atMost(gate: 4096, aim: 1024)
            )
        ]
    }

    private func part(_ work: Part.Work, _ manner: Part.Manner) -> Part {
        Part(work: work, manner: manner, path: scratch, cpu: machine.canPin ? Placement.oneCPU.ownCPU : -1)
    }
}
