// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// What clients ask for.
enum Order: Codable, Sendable {
    case store(item: String, count: Int)
    case take(item: String, count: Int)
    case inventory
}

/// What they get.
enum Delivery: Codable, Sendable {
    case left(item: String, count: Int)
    case missing(item: String, count: Int)
    case inventory([String: Int])
}

/// The state that all clients share.
actor Depot {
    private var items: [String: Int] = [:]
    private(set) var orderCount = 0

    /// Serves at a name until the server is closed.
    func serve(_ name: LocalSocketName, ready: @Sendable (IPCServer<Order, Delivery>) -> Void = { _ in }) async throws {
        var options = IPCServerOptions()
        options.maximumClients = 100
        options.onFailure = { say("server: \($0)") }
        let server = try IPCServer<Order, Delivery>(name, options: options)
        say("server: listening at \(name)")
        ready(server)
        try await server.serve { order, client in
            let peer = try client.peerCredentials()
            say("server: process \(peer.processID.map { "\($0)" } ?? "unknown") orders \(order)")
            return await self.carryOut(order)
        }
    }

    private func carryOut(_ order: Order) -> Delivery {
        orderCount += 1
        switch order {
        case .store(let item, let count):
            items[item, default: 0] += count
            return .left(item: item, count: items[item, default: 0])
        case .take(let item, let count):
            let present = items[item, default: 0]
            if present < count { return .missing(item: item, count: count - present) }
            items[item] = present - count
            return .left(item: item, count: present - count)
        case .inventory: return .inventory(items)
        }
    }
}

/// Prints a line at once, also into a pipe or a file.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
