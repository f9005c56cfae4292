// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// The example of a chat does what it says.
final class ChatTests: InterprocessTestCase {
    private let room = "interprocess-test-chat-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"

    /// Starts clients, each of which has heard of itself, and of all that have come after it.
    private func startClients(_ count: Int) throws -> [ChildProcess] {
        var clients: [ChildProcess] = []
        for _ in 0..<count {
            let newest = try ChildProcess.built("chat", ["join", room])
            clients.append(newest)
            for client in clients { client.expect("\(newest.pid) has come") }
        }
        return clients
    }

    func testDemonstration() throws {
        let program = try ChildProcess.built("chat", [])
        let lines = program.readToEnd().split(separator: "\n").map(String.init)
        XCTAssertEqual(program.wait(), 0, "\(lines)")
        XCTAssertEqual(lines.last, "4 clients know each other")
        // Each of the four has heard of the three others.
        let heard = lines.filter { $0.contains(" hears: ") }.map { Array($0.split { !$0.isNumber }.prefix(2)) }
        XCTAssertEqual(Set(heard).count, 12, "\(lines)")
    }

    func testAllOthersHearWhatOneSays() throws {
        let server = try ChildProcess.built("chat", ["serve", room])
        var clients = try startClients(8)
        for speaker in clients {
            speaker.write("hello from \(speaker.pid)\n")
            for client in clients where client !== speaker {
                client.expect("\(speaker.pid): hello from \(speaker.pid)")
            }
        }
        let leaving = clients.removeFirst()
        leaving.closeInput()
        XCTAssertEqual(leaving.wait(), 0)
        for client in clients { client.expect("\(leaving.pid) has left") }
        let crashing = clients.removeFirst()
        crashing.crash()
        for client in clients { client.expect("\(crashing.pid) has left") }
        server.crash()
        for client in clients {
            XCTAssertNil(client.readLine())
            XCTAssertEqual(client.wait(), 0)
        }
    }

    func testClientThatDoesNotReadKeepsNobodyWaiting() throws {
        let server = try ChildProcess.built("chat", ["serve", room])
        let clients = try startClients(2)
        let silent = try LocalSocketStream.connect(to: .namespaced(room))
        for client in clients { client.expect("\(getpid()) has come") }
        let text = String(repeating: "x", count: 1000)
        // It is let go when as many lines wait for it as the room allows, beside those that the kernel has for it.
        var (count, isGone) = (0, false)
        while !isGone && count < 5000 {
            clients[0].write(text + "\n")
            var heard = clients[1].readLine()
            if heard == "\(getpid()) has left" {
                isGone = true
                heard = clients[1].readLine()
            }
            XCTAssertEqual(heard, "\(clients[0].pid): \(text)")
            count += 1
        }
        XCTAssertTrue(isGone)
        XCTAssertGreaterThan(count, 1000)
        let lines = try silent.readToEnd(limit: 16 << 20).split(separator: UInt8(ascii: "\n"))
        XCTAssertLessThan(lines.count, count)
        clients[0].write("nobody is missing\n")
        clients[1].expect("\(clients[0].pid): nobody is missing")
        server.crash()
    }
}
