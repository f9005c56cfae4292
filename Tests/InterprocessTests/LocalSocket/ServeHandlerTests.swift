// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// What handlers may do, and what clients may do to them.
final class ServeHandlerTests: InterprocessTestCase {
    func testChildTasksAndOtherStreams() async throws {
        try await withServer { stream in
            let (near, far) = try LocalSocketStream.pair()
            async let relay: Void = far.sendBack()
            while let line = try await stream.readLine() {
                try await withThrowingTaskGroup { group in
                    for word in line.split(separator: " ") { group.addTask { try await near.writeAll("\(word);\n") } }
                    try await group.waitForAll()
                }
                var words: [String] = []
                for _ in line.split(separator: " ") { words.append(try await near.readLine() ?? "") }
                try await stream.writeAll(words.sorted().joined() + "\n")
            }
            near.close()
            try await relay
        } during: { listener in
            let client = try await listener.newClient()
            for _ in 0..<50 {
                try await client.writeAll("c a b\n")
                let answer = try await client.readLine()
                XCTAssertEqual(answer, "a;b;c;")
            }
        }
    }

    /// A server between a client and another server, both on the same loop.
    func testHandlersThatAreClients() async throws {
        @Sendable func forward(_ from: LocalSocketStream, _ to: LocalSocketStream) async throws {
            for try await bytes in from.chunks { try await to.writeAll(bytes) }
            try await to.shutdown(.send)
        }
        let bytes = pattern(600_000)
        try await withServer {
            try await $0.sendBack()
        } during: { upstream in
            try await withServer { client in
                let server = try await upstream.newClient()
                async let answers: Void = forward(server, client)
                try await forward(client, server)
                try await answers
            } during: { listener in
                let clients = [try await listener.newClient(), try await listener.newClient()]
                for client in clients {
                    async let sending: Void = {
                        try await client.writeAll(bytes)
                        try await client.shutdown(.send)
                    }()
                    let received = try await client.readToEnd()
                    XCTAssertEqual(received, bytes)
                    try await sending
                }
            }
        }
    }

    func testSlowClientDelaysNobody() async throws {
        let megabytes = [UInt8](repeating: 5, count: 4 << 20)
        try await withServer { stream in
            if try await stream.readLine() == "much" { return try await stream.writeAll(megabytes) }
            try await stream.sendBack()
        } during: { listener in
            let silent = try await listener.newClient()
            let slow = try await listener.newClient()
            try await slow.writeAll("much\n")
            let quick = try await listener.newClient()
            try await quick.writeAll("echo\n")
            for number in 0..<100 { try await quick.assertEcho("\(number)") }
            let received = try await slow.readToEnd()
            XCTAssertEqual(received, megabytes)
            silent.close()
        }
    }

    func testClientsThatLeaveAtEachStep() async throws {
        let attendance = Attendance()
        let failures = Seen<IPCError.Code?>()
        let options = serveOptions { $0.onFailure = { failures.append(($0.error as? IPCError)?.code) } }
        try await withServer(options) { stream in
            attendance.come()
            defer { attendance.leave() }
            try await stream.writeAll(stream.readExactly(4))
            try await stream.writeAll([UInt8](repeating: 3, count: 1 << 20))
        } during: { listener in
            for round in 0..<120 {
                let client = try await listener.newClient()
                if round % 6 >= 1 { try await client.writeAll([1, 2]) }
                if round % 6 >= 2 { try await client.writeAll([3, 4]) }
                if round % 6 >= 3 { _ = try await client.readExactly(4) }
                if round % 6 >= 4 { _ = try await client.readExactly(10) }
                if round % 6 == 5 { _ = try await client.readToEnd() }
                client.close()
            }
            let last = try await listener.newClient()
            try await last.writeAll([9, 9, 9, 9])
            let received = try await last.readToEnd()
            XCTAssertEqual(received.count, 4 + 1 << 20)
        }
        XCTAssertEqual(attendance.ever, 121)
        // Those who have read everything, and the last one, were no failures.
        XCTAssertEqual(failures.count, 100)
        XCTAssert(Set(failures.values).isSubset(of: [.endOfStream, .brokenPipe, .connectionReset]))
    }

    func testProcessesThatAreKilled() async throws {
        let attendance = Attendance()
        try await withServer { stream in
            attendance.come()
            defer { attendance.leave() }
            try await stream.sendBack()
        } during: { listener in
            let name = try XCTUnwrap(listener.name).description
            let bystander = try await listener.newClient()
            for _ in 0..<5 {
                let child = try ChildProcess.helper("hold", name)
                try await onThread { child.expect("connected") }
                await eventually("it is served") { attendance.now == 2 }
                try await onThread { child.crash() }
                await eventually("its handler has ended") { attendance.now == 1 }
                try await bystander.assertEcho("still here")
            }
        }
    }

    /// More tasks than one handler accept on the same listener.
    func testHandlersThatAccept() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        async let serving: Void = listener.serve { first in
            // Whoever comes next, this handler or the serving task may get it.
            let second = try? await listener.accept(timeout: .milliseconds(1))
            async let echo: Void? = second?.sendBack()
            try await first.sendBack()
            try await echo
        }
        try await withThrowingTaskGroup { group in
            for number in 0..<50 {
                group.addTask {
                    let client = try await listener.newClient()
                    try await client.assertEcho("\(number)")
                }
            }
            try await group.waitForAll()
        }
        listener.close()
        try await serving
    }
}
