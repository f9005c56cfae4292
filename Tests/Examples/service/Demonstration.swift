// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// Serves, and starts three client processes, which order at the same time.
func demonstrate() async throws {
    let name = "com.example.depot.\(getpid())"
    let depot = Depot()
    let (servers, started) = AsyncStream.makeStream(of: IPCServer<Order, Delivery>.self)
    async let serving: Void = depot.serve(.namespaced(name)) { server in
        started.yield(server)
        started.finish()
    }
    for await server in servers {
        let succeeded = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 1...3 { group.addTask { try await runClient(name) } }
            return try await group.reduce(true) { $0 && $1 }
        }
        server.close()
        try await serving
        guard succeeded else { exit(1) }
    }
    say("3 clients were served, with \(await depot.orderCount) orders")
}

/// A client: orders one thing after the other, and then several at once.
func ask(_ name: LocalSocketName) async throws {
    var connecting = LocalSocketStream.ConnectOptions()
    connecting.wait = .timeout(.seconds(10))
    connecting.waitsForServer = true
    let depot = try await IPCConnection<Delivery, Order>.connect(to: name, connecting: connecting)
    let item = "bolts of \(getpid())"
    for order in [Order.store(item: item, count: 12), .take(item: item, count: 5), .take(item: item, count: 10)] {
        say("client \(getpid()): \(try await depot.request(order, timeout: .seconds(10)))")
    }
    // Replies find their requests, whatever the order in which they come.
    async let first = depot.request(.store(item: item, count: 3), timeout: .seconds(10))
    async let second = depot.request(.inventory, timeout: .seconds(10))
    _ = try await first
    guard case .inventory(let items) = try await second, items.keys.contains(item) else { exit(1) }
    guard case .left(_, 0) = try await depot.request(.take(item: item, count: 10), timeout: .seconds(10)) else {
        exit(1)
    }
}

/// Runs this program as a client, in a process of its own; returns whether all went well there.
private func runClient(_ name: String) async throws -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: ownPath)
    process.arguments = ["ask", name]
    return try await withCheckedThrowingContinuation { continuation in
        process.terminationHandler = { continuation.resume(returning: $0.terminationStatus == 0) }
        do { try process.run() } catch { continuation.resume(throwing: error) }
    }
}

private var ownPath: String {
    #if os(Linux)
    "/proc/self/exe"
    #else
    Bundle.main.executablePath ?? CommandLine.arguments[0]
    #endif
}
