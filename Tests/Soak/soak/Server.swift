// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess

/// What clients of the server of values send.
struct Order: Codable, Sendable {
    var bytes: [UInt8]
    /// The sending end of a pipe, into which the bytes go too.
    var pipe: IPCDescriptor?
    /// Where the bytes go too, as often as there are words.
    var answers: IPCSender<[UInt8]>?
    /// From where as many words are received as the order says.
    var words: IPCReceiver<[UInt8]>?
    var wordCount = 0
}

/// What they get.
struct Delivery: Codable, Sendable {
    var bytes: [UInt8]
    /// How many bytes the words had.
    var byteCount = 0
}

/// Where the server is found.
struct Names: Sendable {
    let echo: LocalSocketName
    let orders: LocalSocketName

    init(_ name: String) throws {
        echo = try .namespaced(name + ".echo")
        orders = try .namespaced(name + ".orders")
    }
}

/// How long a client may be silent, or not take what is sent to it.
private let patience = Duration.seconds(4)

/// Serves until the process that has started this one closes the connection.
func serve(_ name: String) async throws {
    let starter = try IPCChild.inheritedStream()
    let names = try Names(name)
    let listener = try LocalSocketListener(names.echo)
    var options = IPCServerOptions()
    options.maximumClients = 256
    options.idleTimeout = patience
    options.connection.handshakeTimeout = patience
    let server = try IPCServer<Order, Delivery>(names.orders, options: options)
    var serving = LocalSocketListener.ServeOptions()
    serving.maximumClients = 256
    try await starter.writeAll("ready\n")
    try await withThrowingTaskGroup(of: Void.self) { [serving] group in
        group.addTask {
            try await listener.serve(options: serving) { stream in
                stream.receiveTimeout = patience
                stream.sendTimeout = patience
                for try await bytes in stream.chunks { try await stream.writeAll(bytes) }
            }
        }
        group.addTask { try await server.serve { order, _ in try await carryOut(order) } }
        _ = try? await starter.read(upTo: 1)
        listener.close()
        server.close()
        try await group.waitForAll()
    }
}

private func carryOut(_ order: Order) async throws -> Delivery {
    var delivery = Delivery(bytes: order.bytes)
    if let pipe = order.pipe {
        try await UnnamedPipeSender(adopting: pipe).writeAll(order.bytes, timeout: patience)
    }
    for _ in 0..<order.wordCount {
        if let words = order.words { delivery.byteCount += try await words.receive(timeout: patience).count }
        try await order.answers?.send(order.bytes, timeout: patience)
    }
    return delivery
}
