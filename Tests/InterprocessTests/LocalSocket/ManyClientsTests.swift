// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

final class ManyClientsTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 120 }

    /// A message that no other client sends. (Lines are slow in debug builds.)
    private static func message(_ number: Int) -> [UInt8] {
        [1, UInt8(number >> 8), UInt8(number & 0xff), 2]
    }

    /// A thousand connections at once, each with its own conversation.
    func testThousandClientsAtOnce() throws {
        let limit = DescriptorLimit(4096)
        defer { limit.restore() }
        if limit.count < 2200 { try skip("too few descriptors are allowed") }

        for name in try bothNames() {
            let listener = try LocalSocketListener(name)
            let server = Running { try listener.incoming.prefix(1000).map { try $0.get() } }
            let clients = try (0..<1000).map { _ in try LocalSocketStream.connect(to: name) }
            let accepted = try server.value()
            XCTAssertEqual(accepted.count, 1000)
            for (number, client) in clients.enumerated() { try client.writeAll(Self.message(number)) }
            for stream in accepted { try stream.writeAll(stream.readExactly(4).reversed()) }
            for (number, client) in clients.enumerated() {
                XCTAssertEqual(try client.readExactly(4), Self.message(number).reversed())
            }
            listener.close()
        }
    }

    /// The same number from eight threads, one after another, with threads that accept at the same time.
    func testThousandClientsOneAfterAnother() throws {
        let name = try namespacedName()
        let listener = try LocalSocketListener(name)
        let servers = (0..<2).map { _ in
            Running {
                for result in listener.incoming {
                    let stream = try result.get()
                    try stream.writeAll(stream.readExactly(4).reversed())
                }
            }
        }
        let clients = (0..<8).map { thread in
            Running {
                for number in 0..<125 {
                    let stream = try LocalSocketStream.connect(to: name)
                    try stream.writeAll(Self.message(1000 * thread + number))
                    XCTAssertEqual(try stream.readExactly(4), Self.message(1000 * thread + number).reversed())
                }
            }
        }
        for client in clients { try client.value() }
        listener.close()
        for server in servers { try server.value() }
    }

    func testProcesses() throws {
        for name in try bothNames() {
            let server = try ChildProcess.helper("serve", name.description, "8")
            server.expect("ready")
            let clients = try (0..<8).map { _ in try ChildProcess.helper("echo", name.description, "300") }
            for client in clients {
                client.expect("echoed 300")
                XCTAssertEqual(client.wait(), 0)
            }
            XCTAssertEqual(server.wait(), 0)
        }
    }
}
