// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import CWindowsTests

// XCTest is not there in Embedded Swift, and what is needed of it is not much.

/// A test: a name, and what throws or has a failed check when something is wrong.
struct Test: Sendable {
    let name: String
    let body: @Sendable () throws(IPCError) -> Void

    init(_ name: String, _ body: @escaping @Sendable () throws(IPCError) -> Void) {
        self.name = name
        self.body = body
    }
}

/// What came of the test that runs.
struct Outcome: Sendable {
    var failures = 0
    var notExecuted = 0
}

let outcome = Locked(Outcome())

@main
struct Program {
    /// Runs all tests, or those whose names contain the argument.
    static func main() {
        let filter = unsafe String(cString: wt_argument(1))
        if filter.utf8.elementsEqual("write-and-end".utf8) {
            return writeAndEnd(unsafe String(cString: wt_argument(2)))
        }
        if filter.utf8.elementsEqual("echo-to-parent".utf8) {
            return echoToParent(unsafe String(cString: wt_argument(2)))
        }
        if playsChannelRole(filter, unsafe String(cString: wt_argument(2)), unsafe String(cString: wt_argument(3))) {
            return
        }
        var (passed, failed, notExecuted) = (0, 0, 0)
        warmUp()
        for test in pathTests + streamTests + messageTests + clientTests + closingTests + waitingTests + processTests
            + securityTests + optionTests + localSocketTests + unnamedPipeTests + pollerTests
            + awaitedMessageTests + signalTests + childTests + channelTests + channelHandleTests + exampleTests
        where contains(test.name, filter) {
            let result = run(test)
            if result.failures == 0 { passed += 1 } else { failed += 1 }
            notExecuted += result.notExecuted
        }
        if wt_is_wine() { say("\(notExecuted) written, not executed: Wine does it otherwise") }
        say("\(passed) passed, \(failed) failed")
        if failed > 0 || passed == 0 { wt_exit(1) }
    }

    private static func run(_ test: Test) -> Outcome {
        watch(test.name, seconds: 60)
        outcome.withLock { $0 = Outcome() }
        let before = wt_handle_count()
        let start = cip_now()
        do throws(IPCError) {
            try test.body()
        } catch {
            fail("threw: \(error.description)", "", 0)
        }
        checkHandles(before)
        let result = outcome.withLock { $0 }
        say("\(result.failures == 0 ? "ok" : "FAILED"): \(test.name) (\((cip_now() - start) / 1_000_000) ms)")
        return result
    }

    /// A test leaves as many handles as it found; those of threads that are ending go soon, and those of the thread pool,
    /// on which alarms go off, when they have had nothing to do for five seconds.
    private static func checkHandles(_ before: Int64) {
        let deadline = Deadline(after: .seconds(10))
        while wt_handle_count() > before && !deadline.hasPassed { rest() }
        let after = wt_handle_count()
        if after <= 0 { fail("handles cannot be counted", "", 0) }
        if after > before { fail("left \(after - before) handles open", "", 0) }
    }

    /// Has this thread and the system open what they keep.
    private static func warmUp() {
        guard let pair = try? connected() else { return }
        try? pair.server.writeAll(pattern(1 << 20), timeout: .milliseconds(1))
        pair.server.close()
        _ = try? pair.client.readToEnd()
    }
}

// MARK: - Checks

func say(_ text: String) {
    var text = text
    text.withUTF8 { unsafe wt_print($0.baseAddress.unsafelyUnwrapped, $0.count) }
}

func fail(_ what: String, _ file: StaticString, _ line: Int) {
    outcome.withLock { $0.failures += 1 }
    say("\(file.description):\(line): \(what)")
}

/// Notes that Wine does not do what this test is about, so that it proves nothing there.
///
/// On Windows it is a failure.
func isNotExecuted(_ what: String, file: StaticString = #fileID, line: Int = #line) {
    if !wt_is_wine() { return fail("Windows does otherwise: \(what)", file, line) }
    outcome.withLock { $0.notExecuted += 1 }
    say("written, not executed: \(what)")
}

func check(_ condition: Bool, _ what: @autoclosure () -> String, file: StaticString = #fileID, line: Int = #line) {
    if !condition { fail(what(), file, line) }
}

func checkEqual<Value: Equatable & CustomStringConvertible>(
    _ found: Value,
    _ expected: Value,
    file: StaticString = #fileID,
    line: Int = #line
) {
    if found != expected { fail("found \(found.description), expected \(expected.description)", file, line) }
}

func checkEqual(_ found: String?, _ expected: String, file: StaticString = #fileID, line: Int = #line) {
    checkEqual(found.map { Array($0.utf8) }, Array(expected.utf8), file: file, line: line)
}

func checkEqual(_ found: [UInt8]?, _ expected: [UInt8], file: StaticString = #fileID, line: Int = #line) {
    guard let found else { return fail("found nothing, expected \(expected.count) bytes", file, line) }
    if found == expected { return }
    fail("found \(found.count) bytes: '\(start(found))', expected \(expected.count): '\(start(expected))'", file, line)
}

private func start(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.prefix(60).map { (32...126).contains($0) ? $0 : UInt8(ascii: ".") }, as: UTF8.self)
}

@discardableResult
func checkThrows<Value>(
    _ code: IPCError.Code,
    file: StaticString = #fileID,
    line: Int = #line,
    _ body: () throws(IPCError) -> Value
) -> IPCError? {
    do throws(IPCError) {
        _ = try body()
        fail("nothing was thrown", file, line)
        return nil
    } catch {
        if error.code != code { fail("another error: \(error.description)", file, line) }
        return error
    }
}

func contains(_ text: String, _ part: String) -> Bool {
    let (text, part) = (Array(text.utf8), Array(part.utf8))
    if part.count > text.count { return false }
    return (0...text.count - part.count).contains { text[$0...].starts(with: part) }
}

// MARK: - Time and threads

/// Ends the program, and tells the name of what hangs, when it takes longer.
func watch(_ name: String, seconds: Int64) {
    var name = name
    name.withUTF8 { unsafe wt_watch($0.baseAddress.unsafelyUnwrapped, $0.count, seconds) }
}

/// How many milliseconds something takes.
func milliseconds(_ body: () throws(IPCError) -> Void) throws(IPCError) -> Int64 {
    let start = cip_now()
    try body()
    return (cip_now() - start) / 1_000_000
}

/// Lets others run for a moment.
func rest() { _ = cip_poll(-1, Int64(CIP_READABLE), -1, 1_000_000) }

/// Waits until something is so; the watchdog ends it if it never is.
func waitUntil(_ condition: () -> Bool) { while !condition() { rest() } }

/// Something that runs in a thread of its own.
final class Background<Value: Sendable>: Sendable {
    private let result = Locked<Result<Value, IPCError>?>(nil)

    init(_ body: @escaping @Sendable () throws(IPCError) -> Value) {
        let thread = ThreadBody { [self] in
            let result: Result<Value, IPCError>
            do throws(IPCError) { result = .success(try body()) } catch { result = .failure(error) }
            self.result.withLock { $0 = result }
        }
        thread.start()
    }

    var isDone: Bool { result.withLock { $0 != nil } }

    /// What the body returned or threw, once it has.
    @discardableResult
    func value() throws(IPCError) -> Value {
        waitUntil { self.isDone }
        return try result.withLock { unsafe $0.unsafelyUnwrapped }.get()
    }
}

/// What a thread does, which is kept until it has begun.
private final class ThreadBody: Sendable {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func start() {
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        let started = unsafe cip_thread_start(
            "test",
            { unsafe Unmanaged<ThreadBody>.fromOpaque($0).takeRetainedValue().body() },
            context
        )
        precondition(started >= 0, "no thread could be started")
    }
}
