// SPDX-License-Identifier: MIT OR Apache-2.0

import XCTest

@testable import Interprocess

/// Whatever ends an awaited form of reading, on whatever kind of stream, no byte is lost.
final class ReadFailuresAsyncTests: InterprocessTestCase {
    /// Lets each form fail, patient ones with bytes that have come; what comes after must stand behind these.
    private func eachForm(_ body: (AwaitedRead, Ends) async throws -> Void) async throws {
        try await onEachExecutor {
            for form in AwaitedRead.all {
                let isPatient = AwaitedRead.patient.contains { $0.name == form.name }
                for ends in try everyKind() {
                    if isPatient { try await ends.sender.writeAll("ab") }
                    try await body(form, ends)
                    XCTAssertLessThanOrEqual(ends.receiver.bufferedByteCount, isPatient ? 2 : 0, form.name)
                    try await ends.sender.writeAll("c\nd")
                    ends.sender.descriptorCore.close()
                    let expected = isPatient ? "abc\nd" : "c\nd"
                    try await assertEqual(expected, form.name) { text(try await ends.receiver.readToEnd()) }
                }
            }
        }
    }

    func testTimeout() async throws {
        try await eachForm { form, ends in
            let start = ContinuousClock.now
            await assertThrows(.timedOut, .read) { try await form.call(ends.receiver, .milliseconds(3)) }
            XCTAssertGreaterThanOrEqual(ContinuousClock.now - start, .milliseconds(3), form.name)
        }
    }

    func testTimeoutOfTheStream() async throws {
        try await eachForm { form, ends in
            ends.receiver.receiveTimeout = .milliseconds(1)
            await assertThrows(.timedOut, .read) { try await form.call(ends.receiver, nil) }
            ends.receiver.receiveTimeout = nil
        }
    }

    func testTimeoutOfZero() async throws {
        try await eachForm { form, ends in
            for limit: Duration in [.zero, .seconds(-1), .zero] {
                await assertThrows(.timedOut, .read) { try await form.call(ends.receiver, limit) }
            }
        }
    }

    func testCancelledBefore() async throws {
        try await eachForm { form, ends in
            let reading = start {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await form.call(ends.receiver, nil)
            }
            await assertThrows(.cancelled, .read) { try await reading.value }
        }
    }

    func testCancelledWhileWaiting() async throws {
        try await eachForm { form, ends in
            for timeout: Duration? in [nil, .seconds(60)] {
                let reading = start { try await form.call(ends.receiver, timeout) }
                await waitUntilAwaited(ends.receiver)
                reading.cancel()
                await assertThrows(.cancelled, .read) { try await reading.value }
            }
        }
    }

    func testClosedWhileWaiting() async throws {
        try await onEachExecutor {
            for form in AwaitedRead.all {
                for (sender, receiver) in try everyKind() {
                    let reading = start { try await form.call(receiver, nil) }
                    await waitUntilAwaited(receiver)
                    receiver.descriptorCore.close()
                    await assertThrows(.closed, .read) { try await reading.value }
                    await assertThrows(.closed, .read) { try await form.call(receiver, nil) }
                    sender.descriptorCore.close()
                }
            }
        }
    }

    func testTheEndWhileWaiting() async throws {
        try await onEachExecutor {
            for form in AwaitedRead.all {
                for (sender, receiver) in try everyKind() {
                    let reading = start { try await form.call(receiver, nil) }
                    await waitUntilAwaited(receiver)
                    sender.descriptorCore.close()
                    if form.name.hasPrefix("readExactly") {
                        await assertThrows(.endOfStream, .read) { try await reading.value }
                    } else {
                        try await assertEqual("", form.name) { try await reading.value }
                        try await assertEqual("", form.name) { try await form.call(receiver, nil) }
                    }
                }
            }
        }
    }

    func testBytesWhileWaiting() async throws {
        try await onEachExecutor {
            for form in AwaitedRead.all {
                for (sender, receiver) in try everyKind() {
                    let reading = start { try await form.call(receiver, .seconds(60)) }
                    await waitUntilAwaited(receiver)
                    try await sender.writeAll("abc\n")
                    sender.descriptorCore.close()
                    let got = try await reading.value
                    XCTAssertTrue(["abc\n", "abc"].contains(got), "\(form.name): \(got)")
                }
            }
        }
    }
}
