// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// The most clients at a time, and several calls on one listener.
final class ServeLimitsTests: InterprocessTestCase {
    func testNeverMoreThanTheMost() async throws {
        for executor in [LocalSocketListener.HandlerExecutor.eventLoop, .defaultPool] {
            let options = serveOptions {
                $0.maximumClients = 3
                $0.handlerExecutor = executor
            }
            let attendance = Attendance()
            try await withServer(options) { stream in
                attendance.come()
                defer { attendance.leave() }
                try await stream.sendBack()
            } during: { listener in
                // Three that stay, so that there are so many in any case.
                var first: [LocalSocketStream] = []
                for number in 0..<3 {
                    first.append(try await listener.newClient())
                    try await first[number].assertEcho("first")
                }
                try await withThrowingTaskGroup { group in
                    for number in 0..<60 {
                        group.addTask {
                            let client = try await listener.newClient()
                            try await client.assertEcho("\(number)")
                        }
                    }
                    for client in first { client.close() }
                    try await group.waitForAll()
                }
            }
            XCTAssertEqual(attendance.ever, 63)
            XCTAssertEqual(attendance.most, 3)
        }
    }

    func testFurtherClientsWait() async throws {
        let attendance = Attendance()
        try await withServer(serveOptions { $0.maximumClients = 1 }) { stream in
            attendance.come()
            try await stream.sendBack()
            attendance.leave()
        } during: { listener in
            let first = try await listener.newClient()
            try await first.assertEcho("first")
            let second = try await listener.newClient()
            try await second.writeAll("second\n")
            for number in 0..<20 { try await first.assertEcho("\(number)") }
            XCTAssertEqual(attendance.ever, 1)
            // It has not been accepted: another call finds it.
            let accepted = try await listener.accept(timeout: .seconds(10))
            async let echo: Void = accepted.sendBack()
            let answer = try await second.readLine()
            XCTAssertEqual(answer, "second")
            second.close()
            try await echo

            let third = try await listener.newClient()
            try await third.writeAll("third\n")
            first.close()
            let welcome = try await third.readLine()
            XCTAssertEqual(welcome, "third")
            XCTAssertEqual(attendance.most, 1)
        }
        XCTAssertEqual(attendance.ever, 2)
    }

    func testOneAfterAnother() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        for loop in [EventLoop.shared, EventLoop(), EventLoop.shared] {
            let serving = Task {
                try await listener.serve(options: serveOptions { $0.eventLoops = [loop] }) { try await $0.sendBack() }
            }
            let client = try await listener.newClient()
            try await client.assertEcho("x")
            serving.cancel()
            client.close()
            try await serving.value
        }
        // And one that is ended by closing.
        async let last: Void = listener.serve { try await $0.sendBack() }
        try await listener.newClient().assertEcho("last")
        listener.close()
        try await last
    }

    func testTwoAtOnce() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let attendances = [Attendance(), Attendance()]
        let servings = attendances.map { attendance in
            Task {
                try await listener.serve(options: serveOptions { $0.maximumClients = 10 }) { stream in
                    attendance.come()
                    try await stream.sendBack()
                    attendance.leave()
                }
            }
        }
        // More than one of them serves: both have to.
        var clients: [LocalSocketStream] = []
        for _ in 0..<20 { clients.append(try await listener.newClient()) }
        for (number, client) in clients.enumerated() { try await client.assertEcho("\(number)") }
        XCTAssertEqual(attendances.map { $0.ever }, [10, 10])
        for client in clients { client.close() }

        // The end of one is none for the other.
        servings[0].cancel()
        try await servings[0].value
        for number in 0..<5 { try await listener.newClient().assertEcho("\(number)") }
        XCTAssertEqual(attendances.map { $0.ever }, [10, 15])
        listener.close()
        try await servings[1].value
    }

    /// Both are cancelled at the same time, over and over: neither goes on.
    func testTwoThatEndAtOnce() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        for _ in 0..<2000 {
            let servings = (0..<2).map { _ in Task { try await listener.serve { _ in } } }
            if Bool.random() { await Task.yield() }
            for serving in servings { serving.cancel() }
            for serving in servings { try await serving.value }
        }
        let client = try await listener.newClient()
        try await client.writeAll("x")
        let bytes = try await listener.accept(timeout: .seconds(10)).readExactly(1)
        XCTAssertEqual(bytes, Array("x".utf8))
    }
}
