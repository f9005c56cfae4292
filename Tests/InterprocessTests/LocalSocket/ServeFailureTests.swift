// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Handlers that throw, streams that are kept, and calls that are refused.
final class ServeFailureTests: InterprocessTestCase {
    func testHandlersThatThrow() async throws {
        let errors = Seen<any Error>()
        let streams = Seen<LocalSocketStream?>()
        let options = serveOptions {
            $0.onFailure = { failure in
                errors.append(failure.error)
                streams.append(failure.stream)
                XCTAssertEqual(failure.stream?.isClosed, false)
                do { try failure.stream?.writeAll("sorry\n") } catch { XCTFail("\(error)") }
            }
        }
        try await withServer(options) { stream in
            while let line = try await stream.readLine() {
                switch line {
                case "own error": throw HandlerError()
                case "library's error": _ = try await stream.readExactly(1, timeout: .zero)
                // Nobody has cancelled the handler.
                case "cancelled": throw CancellationError()
                default: try await stream.writeAll(line + "\n")
                }
            }
        } during: { listener in
            let bystander = try await listener.newClient()
            for (number, text) in ["own error", "library's error", "cancelled"].enumerated() {
                let client = try await listener.newClient()
                try await client.writeAll(text + "\n")
                let lastWords = try await client.readLine()
                XCTAssertEqual(lastWords, "sorry")
                await assertEnds(client)
                XCTAssertEqual(streams.values[number]?.isClosed, true)
                try await bystander.assertEcho(text + "?")
            }
        }
        XCTAssertEqual(errors.count, 3)
        XCTAssert(errors.values[0] is HandlerError)
        XCTAssertEqual((errors.values[1] as? IPCError)?.code, .timedOut)
        XCTAssert(errors.values[2] is CancellationError)
    }

    func testErrorsMayBeIgnored() async throws {
        try await withServer { stream in
            throw HandlerError()
        } during: { listener in
            for _ in 0..<3 {
                let client = try await listener.newClient()
                await assertEnds(client)
            }
        }
    }

    /// A reference that somebody has kept does not keep the connection.
    func testStreamsAreClosed() async throws {
        let kept = Seen<LocalSocketStream>()
        let halves = Seen<(receiver: LocalSocketReceiver, sender: LocalSocketSender)>()
        try await withServer { stream in
            kept.append(stream)
            halves.append(try stream.split())
        } during: { listener in
            let client = try await listener.newClient()
            await assertEnds(client)
            let stream = try XCTUnwrap(kept.values.first)
            XCTAssert(stream.isClosed)
            await assertThrows(.closed, .write) { try await stream.writeAll("x") }
            await assertThrows(.closed, .read) { try await halves.values[0].receiver.read(upTo: 1) }
            await assertThrows(.closed, .write) { try await halves.values[0].sender.write([1]) }
        }
    }

    /// A task that the handler has left behind finds its stream closed.
    func testTasksThatAreLeftBehind() async throws {
        let tasks = Seen<Task<[UInt8], any Error>>()
        try await withServer { stream in
            tasks.append(Task { try await stream.read(upTo: 1) })
            _ = try await stream.readLine()
        } during: { listener in
            let client = try await listener.newClient()
            await eventually("the task has started") { tasks.count == 1 }
            try await client.writeAll("two\nlines\n")
            await assertEnds(client)
            // It got what was there before, or nothing.
            let result = await tasks.values[0].result
            if case .failure(let error) = result { XCTAssertEqual((error as? IPCError)?.code, .closed) }
        }
    }

    /// A handler may also close the stream itself, or take it away.
    func testStreamsThatAreGoneAlready() async throws {
        let taken = Seen<RawDescriptor>()
        let failures = Seen<any Error>()
        let options = serveOptions { $0.onFailure = { failures.append($0.error) } }
        try await withServer(options) { stream in
            if try await stream.read(upTo: 1) == [1] { return stream.close() }
            taken.append(try await stream.detach())
        } during: { listener in
            let closed = try await listener.newClient()
            try await closed.writeAll([1])
            await assertEnds(closed)
            let handed = try await listener.newClient()
            try await handed.writeAll([2])
            await eventually("it is taken") { taken.count == 1 }
            let stream = try LocalSocketStream(adopting: taken.values[0])
            async let echo: Void = stream.sendBack()
            try await handed.assertEcho("without a handler")
            handed.close()
            try await echo
        }
        XCTAssertEqual(failures.count, 0)
    }

    func testClosedListener() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        listener.close()
        await assertThrows(.closed, .accept) { try await listener.serve { _ in } }
        await assertThrows(.closed, .accept) { try await listener.serve(eachPiece: { _ in { _ in } }) }
    }

    func testOptionsThatMakeNoSense() async throws {
        let listener = try LocalSocketListener(try namespacedName())
        let senseless = [
            serveOptions { $0.eventLoops = [] }, serveOptions { $0.maximumClients = 0 },
            serveOptions { $0.maximumClients = -1 },
        ]
        for options in senseless {
            await assertThrows(.invalidArgument, .accept) { try await listener.serve(options: options) { _ in } }
        }
    }
}
