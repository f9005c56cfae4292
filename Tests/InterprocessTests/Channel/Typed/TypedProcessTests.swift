// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Channels of values between processes.
final class TypedProcessTests: InterprocessTestCase {
    /// As in the helper.
    private struct Introduction: Codable, Sendable {
        var name: String
        var words: IPCReceiver<String>
        var back: IPCSender<IPCSender<String>>
    }

    private func start(_ end: IPCReceiver<Introduction>) throws -> ChildProcess {
        let number = try end.withUnsafeDescriptor { $0 }
        defer { end.close() }
        return try ChildProcess.helper("introduce", "5", keeping: [(number, 5)])
    }

    /// Endpoints go there, and others come back; one of them had something in it.
    func testEndpointsGoBothWays() throws {
        let (sender, end) = try IPCChannel.make(of: Introduction.self)
        let child = try start(end)
        let (back, answers) = try IPCChannel.make(of: IPCSender<String>.self)
        let (words, cookie) = try IPCChannel.make(of: String.self)
        try words.send("a cookie")
        try sender.send(Introduction(name: "test", words: cookie, back: back))
        back.close()
        let answer = try answers.receive(timeout: .seconds(10))
        try answer.send("a word")
        XCTAssertEqual(child.readLine(), "told a word and a cookie")
        answer.close()
        XCTAssertEqual(child.readLine(), "disconnected")
        XCTAssertEqual(child.wait(), 0)
        assertThrows(.disconnected, .read) { try answers.receive(timeout: .seconds(10)) }
        assertThrows(.disconnected, .write) { try words.send("more") }
    }

    /// Two steps, with nobody there yet: what waits in a receiver inside a receiver arrives with it.
    func testAReceiverInsideAReceiver() throws {
        let (inner, innerEnd) = try IPCChannel.make(of: String.self)
        let (outer, outerEnd) = try IPCChannel.make(of: Introduction.self)
        let (back, answers) = try IPCChannel.make(of: IPCSender<String>.self)
        try inner.send("a cookie")
        try outer.send(Introduction(name: "test", words: innerEnd, back: back))
        let child = try start(outerEnd)
        try answers.receive(timeout: .seconds(10)).send("a word")
        XCTAssertEqual(child.readLine(), "told a word and a cookie")
        XCTAssertEqual(child.wait(), 0)
    }

    func testNothingIsInherited() throws {
        let baseline = try XCTUnwrap(try ChildProcess.helper("descriptors").readLine())
        let bytes = try IPCChannel.makeBytes()
        let values = try IPCChannel.make(of: [IPCDescriptor].self)
        let memory = try IPCChannel.makeInProcess(of: Int.self)
        let pool = try SharedRegionPool.make(slotCount: 1, slotSize: 1)
        let group = try IPCReceiverGroup()
        try group.add(bytes.receiver)
        let shared = try UnsafeSharedMemory(byteCount: 1)
        let region = try SharedRegion(byteCount: 1) { _ in }
        // What has arrived is no exception, nor is what waking takes.
        try values.sender.send([IPCDescriptor(adopting: dup(0))])
        let arrived = try values.receiver.receive()
        assertThrows(.timedOut) { try memory.receiver.receive(timeout: .milliseconds(1)) }
        assertThrows(.timedOut) { try group.next(timeout: .milliseconds(1)) }
        XCTAssertEqual(try ChildProcess.helper("descriptors").readLine(), baseline)
        withExtendedLifetime((pool, shared, region, arrived)) {}
    }
}
