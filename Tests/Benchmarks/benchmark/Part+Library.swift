// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

extension Part {
    func playWithLibrary() async throws {
        let loop = try await makeLoop()
        try pin()
        switch work {
        case .loopback: try report(await inTask(on: loop) { try await loopback(on: loop) })
        case .roundTrips: try report(await inTask(on: loop) { try await connected { try await timeRoundTrips($0) } })
        case .pour: try report(await inTask(on: loop) { try await connected { try await timePouring($0) } })
        case .echoServer, .drainServer, .idleServer:
            try await serving(on: loop) {
                try report(true)
                try waitForEnd()
            }
        case .load, .connections, .idle: throw Failure("the library has no part in \(work)")
        }
    }

    private var timeout: Duration? { manner == .timed ? .seconds(60) : nil }

    /// The loop that all is done on; none where it is done in the default pool.
    ///
    /// It is made before the process is pinned, and its thread is pinned from within: a process that may use one CPU
    /// alone must not spin, and these are two processes with one each.
    private func makeLoop() async throws -> EventLoop? {
        if manner == .pool { return nil }
        var options = EventLoop.Options()
        if manner == .spinning { options.spinTime = .microseconds(30) }
        let loop = EventLoop(options: options)
        try await inTask(on: loop) { try pin() }
        return loop
    }

    /// Runs the body off the main thread, on which the program started.
    private func inTask<Value: Sendable>(
        on loop: EventLoop?,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await Task(executorPreference: loop) { try await body() }.value
    }

    private func loopback(on loop: EventLoop?) async throws -> Sample {
        guard manner == .unscoped else {
            return try await serving(on: loop) { try await connected { try await timeRoundTrips($0) } }
        }
        let (near, far) = try LocalSocketStream.pair()
        let other = Task(executorPreference: loop) { try await handle(far) }
        let sample = try await timeRoundTrips(near)
        near.close()
        try await other.value
        return sample
    }

    private func connected(_ body: @Sendable (LocalSocketStream) async throws -> Sample) async throws -> Sample {
        let name = try LocalSocketName.path(path)
        if manner == .pool { return try await body(LocalSocketStream.connect(to: name)) }
        return try await LocalSocketStream.withConnection(to: name) { try await body($0) }
    }

    private func timeRoundTrips(_ stream: LocalSocketStream) async throws -> Sample {
        try await withMemory(2 * size) { memory in
            if countsAllocations {
                try await stream.roundTripsInAllForms(memory, size, Allocations.warmUp, timeout: timeout)
                cb_count_allocations(true)
                defer { cb_count_allocations(false) }
                try await stream.roundTripsInAllForms(memory, size, count, timeout: timeout)
                return Sample(value: Double(cb_allocations()))
            }
            let times = UnsafeMutableBufferPointer<Int64>.allocate(capacity: count)
            defer { times.deallocate() }
            times.initialize(repeating: 0)
            try await stream.roundTrips(memory, size, count / 10, nil, timeout: timeout)
            try await stream.roundTrips(memory, size, count, times.baseAddress, timeout: timeout)
            return Sample(nanoseconds: times)
        }
    }

    private func timePouring(_ stream: LocalSocketStream) async throws -> Sample {
        try await withMemory(size) { memory in
            try await stream.pour(memory, warmUp)
            let start = cb_now()
            try await stream.pour(memory, count)
            return Sample(size * count, sinceNanoseconds: start)
        }
    }
}

// The server.
extension Part {
    /// Serves while the body runs.
    private func serving<Value>(on loop: EventLoop?, _ body: () async throws -> Value) async throws -> Value {
        let listener = try LocalSocketListener(.path(path))
        let server = Task { try await serve(listener, on: loop) }
        let value = try await body()
        listener.close()
        try await server.value
        return value
    }

    private func serve(_ listener: LocalSocketListener, on loop: EventLoop?) async throws {
        guard let loop else { return try await handle(listener.accept()) }
        var options = LocalSocketListener.ServeOptions()
        options.eventLoops = [loop]
        options.maximumClients = 20_000
        if manner == .callback {
            try await listener.serve(
                options: options,
                eachPiece: { client in { (bytes: borrowing RawSpan) in client.send(bytes) } }
            )
        } else if work == .idleServer {
            try await listener.serve(options: options) { stream in
                while try await stream.read(into: oneByte) > 0 {
                    try await stream.writeAll(UnsafeRawBufferPointer(oneByte))
                }
            }
        } else {
            try await listener.serve(options: options) { try await handle($0) }
        }
    }

    /// What is done with one client.
    private func handle(_ stream: LocalSocketStream) async throws {
        if work == .drainServer {
            try await withMemory(size) { memory in
                try await stream.drain(memory, warmUp)
                try await stream.drain(memory, count)
            }
        } else {
            try await withMemory(2 * size) { try await stream.echo($0, timeout: timeout) }
        }
    }
}

/// Memory that idle handlers share: on their one thread, each is done with it before the next one begins.
nonisolated(unsafe) private let oneByte = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
