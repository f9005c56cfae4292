// SPDX-License-Identifier: MIT OR Apache-2.0

@testable import Interprocess

/// What awaited calls are made on that are to get stuck.
final class StuckObjects {
    /// Receivers to which nothing comes.
    let receivers: [any ByteReceiver & DescriptorOwner]
    /// Senders that have no room.
    let senders: [any ByteSender & DescriptorOwner]
    /// A stream whose connection cannot be made.
    let deferred: LocalSocketStream
    /// Listeners to which nobody connects.
    let listeners: [LocalSocketListener]
    /// Connections that cannot be made.
    let connections: [(name: LocalSocketName, options: LocalSocketStream.ConnectOptions)]
    /// FIFOs that nobody has opened.
    let fifo: String

    typealias Call = (name: String, call: @Sendable () async throws -> Void)

    /// The other sides, which do nothing.
    private let peers: [any DescriptorOwner]

    init(_ test: InterprocessTestCase) throws {
        let silent = (stream: try LocalSocketStream.pair(), half: try LocalSocketStream.pair())
        let full = (stream: try LocalSocketStream.pair(), half: try LocalSocketStream.pair())
        let (silentPipe, fullPipe) = (try UnnamedPipe.create(), try UnnamedPipe.create())
        let (silentFIFO, fullFIFO) = (try Self.openFIFO(test.path("silent")), try Self.openFIFO(test.path("full")))
        let fullName = try test.pathName("backlog")
        let (listener, waiting) = try test.fullListener(fullName)
        deferred = try LocalSocketStream.connect(to: fullName, options: test.waiting(.deferred))

        receivers = [
            silent.stream.0, try silent.half.0.split().receiver, silentPipe.receiver, silentFIFO.receiver, deferred,
        ]
        senders = [full.stream.0, try full.half.0.split().sender, fullPipe.sender, fullFIFO.sender, deferred]
        for sender in senders.dropLast() { _ = try test.fill(sender) }
        listeners = [try LocalSocketListener(try test.pathName()), try LocalSocketListener(try test.namespacedName())]
        var absent = test.waiting(.unbounded)
        absent.waitsForServer = true
        connections = [
            (fullName, test.waiting(.unbounded)), (fullName, test.waiting(.timeout(.seconds(3600)))),
            (try test.pathName("absent"), absent),
        ]
        fifo = test.path("unopened")
        try FIFOFile.create(at: fifo)
        peers = [
            silent.stream.1, silent.half.1, silentPipe.sender, silentFIFO.sender,
            full.stream.1, full.half.1, fullPipe.receiver, fullFIFO.receiver, listener, waiting,
        ]
    }

    private static func openFIFO(_ path: String) throws -> (receiver: FIFOReceiver, sender: FIFOSender) {
        try FIFOFile.create(at: path)
        let receiver = try FIFOFile.openReceiver(at: path, waitsForSender: false)
        return (receiver, try FIFOFile.openSender(at: path))
    }

    /// Every awaited method of the library, on each kind of object that has it.
    var calls: [Call] {
        var calls: [Call] = []
        for receiver in receivers {
            for (name, read) in StuckCalls.reads {
                calls.append(("\(type(of: receiver)).\(name)", { try await read(receiver) }))
            }
        }
        for sender in senders {
            for (name, write) in StuckCalls.writes {
                calls.append(("\(type(of: sender)).\(name)", { try await write(sender) }))
            }
        }
        for (name, call) in StuckCalls.needingConnection {
            calls.append(("\(name) of a deferred connection", { [deferred] in try await call(deferred) }))
        }
        for listener in listeners {
            for (name, accept) in StuckCalls.accepts { calls.append((name, { try await accept(listener) })) }
        }
        for (server, options) in connections {
            for (name, connect) in StuckCalls.connects {
                calls.append(("\(name), \(options.wait)", { try await connect(server, options) }))
            }
        }
        for (name, open) in StuckCalls.opens { calls.append((name, { [fifo] in try await open(fifo) })) }
        return calls
    }

    /// Lets calls end that block a thread, where one does.
    func close() {
        deferred.close()
        for listener in listeners { listener.close() }
        for receiver in receivers { receiver.descriptorCore.close() }
        for sender in senders { sender.descriptorCore.close() }
    }
}
