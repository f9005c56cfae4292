// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

#if os(Linux)
/// A loop that has nothing to do does nothing: what the system tells of, and nobody wants, wakes it once at most.
final class IdleTests: InterprocessTestCase {
    func testPeerHungUpWhileNobodyWaits() async throws {
        try await inScenes { scene in
            scene.far.close()
            scene.assertSleeps("hung up")
            let bytes = try await scene.reading().value
            XCTAssertEqual(bytes, [])
            scene.assertSleeps("at the end of the stream")
            await assertThrows(.brokenPipe) { try await scene.writing(1).value }
            scene.assertSleeps("after an error")
        }
    }

    func testEventsWhileTheReaderIsBusy() async throws {
        try await inScenes { scene in
            try send(2, over: scene.far)
            scene.assertSleeps("one byte that nobody reads")
            let used = scene.thread.processorTime
            for _ in 0..<100 { try send(3, over: scene.far) }
            XCTAssertEqual(scene.thread.processorTime, used, "more bytes woke it")
            let bytes = try await scene.reading().value
            XCTAssertEqual(bytes, [2])
            scene.assertSleeps("a read left bytes")
        }
    }

    func testHalfClosed() async throws {
        try await inScenes { scene in
            let sender = scene.far.sendingSide
            try LocalSocketSender(sender).shutdown()
            scene.assertSleeps("the peer sends no more")
            let bytes = try await scene.reading().value
            XCTAssertEqual(bytes, [])
            scene.assertSleeps("the end was read")
            // This side goes on sending, and waits for room.
            let writing = scene.writing(4 << 20)
            await waitUntilAwaited(scene.near)
            scene.assertSleeps("half-closed, and a writer waits")
            scene.near.close()
            await assertThrows(.closed) { try await writing.value }
        }
        try await inScenes { scene in
            try LocalSocketSender(scene.near.sendingSide).shutdown()
            let reading = scene.reading()
            await waitUntilAwaited(scene.near)
            scene.assertSleeps("this side sends no more, and waits for an answer")
            try send(4, over: scene.far)
            let bytes = try await reading.value
            XCTAssertEqual(bytes, [4])
        }
    }

    func testAFullBufferAndAPeerThatNeverReads() async throws {
        try await inScenes { scene in
            let writing = scene.writing(4 << 20)
            await waitUntilAwaited(scene.near)
            scene.assertSleeps("a writer waits")
            // Something to read changes nothing for the writer.
            try send(5, over: scene.far)
            scene.assertSleeps("a writer waits, and a byte has come")
            writing.cancel()
            await assertThrows(.cancelled) { try await writing.value }
            scene.assertSleeps("the writer is gone")
        }
    }

    func testAfterCancel() async throws {
        try await inScenes { scene in
            let reading = scene.reading()
            await waitUntilAwaited(scene.near)
            reading.cancel()
            await assertThrows(.cancelled) { try await reading.value }
            scene.assertSleeps("cancelled")
            try send(6, over: scene.far)
            scene.assertSleeps("cancelled, and then a byte came")
            scene.far.close()
            scene.assertSleeps("cancelled, and then hung up")
        }
    }

    func testAfterTimeout() async throws {
        try await inScenes { scene in
            await assertThrows(.timedOut) { try await scene.reading(timeout: .milliseconds(2)).value }
            scene.assertSleeps("timed out")
            try send(7, over: scene.far)
            scene.assertSleeps("timed out, and then a byte came")
            scene.far.close()
            scene.assertSleeps("timed out, and then hung up")
        }
        try await inScenes { scene in
            let reading = scene.reading(timeout: .seconds(6_000_000_000))
            await waitUntilAwaited(scene.near)
            scene.assertSleeps("centuries before a deadline")
            reading.cancel()
            await assertThrows(.cancelled) { try await reading.value }
        }
    }

    func testAHalfThatIsClosedHere() async throws {
        try await inScenes { scene in
            let (receiver, _) = try scene.near.split()
            receiver.close()
            try send(8, over: scene.far)
            scene.assertSleeps("closed for receiving, and a byte came")
            let writing = scene.writing(4 << 20)
            await waitUntilAwaited(scene.near)
            scene.assertSleeps("closed for receiving, and a writer waits")
            scene.far.close()
            await assertThrows(.brokenPipe) { try await writing.value }
            scene.assertSleeps("closed for receiving, and hung up")
        }
    }

    func testAFIFOWhoseWriterLeft() async throws {
        try FIFOFile.create(at: path("f"))
        try await inScenes { scene in
            let receiver = try await FIFOFile.openReceiver(at: path("f"), waitsForSender: false)
            let sender = try await FIFOFile.openSender(at: path("f"))
            try receiver.join(scene.loop)
            let reading = Task(executorPreference: scene.executor) { try await receiver.read(upTo: 1) }
            await waitUntilAwaited(receiver)
            scene.assertSleeps("a reader waits at the FIFO")
            sender.close()
            let bytes = try await reading.value
            XCTAssertEqual(bytes, [])
            scene.assertSleeps("the writer left")
            receiver.close()
        }
    }

    func testAPipeWhoseReaderLeft() async throws {
        try await inScenes { scene in
            let (sender, receiver) = try UnnamedPipe.create()
            try sender.join(scene.loop)
            let writing = Task(executorPreference: scene.executor) {
                try await sender.writeAll([UInt8](repeating: 0, count: 1 << 20))
            }
            await waitUntilAwaited(sender)
            scene.assertSleeps("a writer waits at the pipe")
            receiver.close()
            await assertThrows(.brokenPipe) { try await writing.value }
            scene.assertSleeps("the reader left")
        }
    }

    func testAClientThatNobodyAccepts() async throws {
        let name = try pathName()
        try await inScenes { scene in
            let listener = try LocalSocketListener(name)
            try listener.join(scene.loop)
            let accepting = Task(executorPreference: scene.executor) { try await listener.accept() }
            await waitUntilAwaited(listener)
            let first = try await LocalSocketStream.connect(to: name)
            let accepted = try await accepting.value
            let second = try await LocalSocketStream.connect(to: name)
            scene.assertSleeps("a client waits")
            listener.close()
            withExtendedLifetime((first, accepted, second)) {}
        }
    }
}
#endif
