// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// The awaited forms of writing, on each kind of stream: what they say was sent has been sent, and no more.
final class WriteFormsAsyncTests: InterprocessTestCase {
    private static let much = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)

    private func eachForm(_ body: (AwaitedWrite, Ends) async throws -> Void) async throws {
        try await onEachExecutor {
            for form in AwaitedWrite.all {
                for ends in try everyKind() { try await body(form, ends) }
            }
        }
    }

    /// Sends until nothing fits any more; returns how much did.
    private func fill(_ sender: any ByteSender) async -> Int {
        let error = await assertThrows(.timedOut, .write) { try await sender.writeAll(Self.much, timeout: .zero) }
        let sent = error?.bytesTransferred ?? 0
        XCTAssertGreaterThan(sent, 0)
        return sent
    }

    /// Expects a call that waits for room, and is ended, to have sent nothing.
    private func assertSentNothing(
        _ code: IPCError.Code,
        _ form: AwaitedWrite,
        _ ends: Ends,
        _ call: () async throws -> Int
    ) async throws {
        let sent = await fill(ends.sender)
        let error = await assertThrows(code, .write) { try await call() }
        XCTAssertEqual(error?.bytesTransferred, 0, form.name)
        ends.sender.descriptorCore.close()
        try await assertEqual(sent, form.name) { try await ends.receiver.readToEnd().count }
    }

    func testBytesArrive() async throws {
        try await eachForm { form, ends in
            for message in ["ä message\n", "x", String(repeating: "long ", count: 5000)] {
                let bytes = Array(message.utf8)
                try await assertEqual(bytes.count, form.name) { try await form.call(ends.sender, bytes, nil) }
                try await assertEqual(bytes) { try await ends.receiver.readExactly(bytes.count) }
            }
        }
    }

    /// Writing nothing is no call: it neither waits for room, nor finds out that nobody is there.
    func testNothingIsWrittenAtOnce() async throws {
        try await eachForm { form, ends in
            _ = await fill(ends.sender)
            try await assertEqual(0, form.name) { try await form.call(ends.sender, [], nil) }
            ends.receiver.descriptorCore.close()
            try await assertEqual(0, form.name) { try await form.call(ends.sender, [], nil) }
        }
    }

    func testTimeout() async throws {
        try await eachForm { form, ends in
            let start = ContinuousClock.now
            try await assertSentNothing(.timedOut, form, ends) {
                try await form.call(ends.sender, [1, 2], .milliseconds(3))
            }
            XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(3), form.name)
        }
    }

    func testTimeoutOfTheStream() async throws {
        try await eachForm { form, ends in
            ends.sender.sendTimeout = .milliseconds(1)
            try await assertSentNothing(.timedOut, form, ends) { try await form.call(ends.sender, [1, 2], nil) }
        }
    }

    func testCancelledBefore() async throws {
        try await eachForm { form, ends in
            try await assertSentNothing(.cancelled, form, ends) {
                try await start {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return try await form.call(ends.sender, [1, 2], nil)
                }.value
            }
        }
    }

    /// Also where there is room, a task that is cancelled sends nothing.
    func testCancelledBeforeWithRoom() async throws {
        try await eachForm { form, ends in
            let writing = start {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await form.call(ends.sender, [1, 2], nil)
            }
            await assertThrows(.cancelled, .write) { try await writing.value }
            ends.sender.descriptorCore.close()
            try await assertEqual([], form.name) { try await ends.receiver.readToEnd() }
        }
    }

    func testCancelledWhileWaiting() async throws {
        try await eachForm { form, ends in
            try await assertSentNothing(.cancelled, form, ends) {
                let writing = start { try await form.call(ends.sender, [1, 2], .seconds(60)) }
                await waitUntilAwaited(ends.sender)
                writing.cancel()
                return try await writing.value
            }
        }
    }

    func testClosedWhileWaiting() async throws {
        try await eachForm { form, ends in
            try await assertSentNothing(.closed, form, ends) {
                let writing = start { try await form.call(ends.sender, [1, 2], nil) }
                await waitUntilAwaited(ends.sender)
                ends.sender.descriptorCore.close()
                return try await writing.value
            }
            await assertThrows(.closed, .write) { try await form.call(ends.sender, [1, 2], nil) }
        }
    }

    func testReceiverLeavesWhileWaiting() async throws {
        try await eachForm { form, ends in
            _ = await fill(ends.sender)
            let writing = start { try await form.call(ends.sender, [1, 2], nil) }
            await waitUntilAwaited(ends.sender)
            ends.receiver.descriptorCore.close()
            await assertThrows(.brokenPipe, .write) { try await writing.value }
            await assertThrows(.brokenPipe, .write) { try await form.call(ends.sender, [1, 2], nil) }
        }
    }

    func testRoomWhileWaiting() async throws {
        try await eachForm { form, ends in
            let sent = await fill(ends.sender)
            let writing = start { try await form.call(ends.sender, Array("ab".utf8), nil) }
            await waitUntilAwaited(ends.sender)
            _ = try await ends.receiver.readExactly(sent)
            try await assertEqual(2, form.name) { try await writing.value }
            try await assertEqual("ab", form.name) { text(try await ends.receiver.readExactly(2)) }
        }
    }

    /// A call that is ended in the middle tells how much the receiver will get.
    func testEndedInTheMiddle() async throws {
        for form in AwaitedWrite.all where form.name.hasPrefix("writeAll") {
            try await onEachExecutor {
                for (sender, receiver) in try everyKind() {
                    let writing = start { try await form.call(sender, Self.much, nil) }
                    await waitUntilAwaited(sender)
                    writing.cancel()
                    let error = await assertThrows(.cancelled, .write) { try await writing.value }
                    sender.descriptorCore.close()
                    try await assertEqual(error?.bytesTransferred, form.name) {
                        try await receiver.readToEnd().count
                    }
                }
            }
        }
    }
}
