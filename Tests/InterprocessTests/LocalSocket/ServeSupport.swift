// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

typealias ServeOptions = LocalSocketListener.ServeOptions

/// Options for serving, with some of them changed.
func serveOptions(_ change: (inout ServeOptions) -> Void) -> ServeOptions {
    var options = ServeOptions()
    change(&options)
    return options
}

extension InterprocessTestCase {
    /// Serves while the body runs; then closes the listener, and waits until serving has ended.
    func withServer(
        _ options: ServeOptions = ServeOptions(),
        _ handler: @escaping @Sendable (LocalSocketStream) async throws -> Void,
        during body: (LocalSocketListener) async throws -> Void
    ) async throws {
        let listener = try LocalSocketListener(try namespacedName())
        async let serving: Void = listener.serve(options: options, handler)
        try await body(listener)
        listener.close()
        try await serving
    }

    /// The same, where a function is called with what comes.
    func withCallbackServer(
        _ options: ServeOptions = ServeOptions(),
        _ makeHandler: @escaping @Sendable (ServedConnection) -> (RawSpan) -> Void,
        during body: (LocalSocketListener) async throws -> Void
    ) async throws {
        let listener = try LocalSocketListener(try namespacedName())
        async let serving: Void = listener.serve(options: options, eachPiece: makeHandler)
        try await body(listener)
        listener.close()
        try await serving
    }

    /// Expects the other side to be gone, whether or not it had read everything.
    func assertEnds(_ stream: LocalSocketStream, file: StaticString = #filePath, line: UInt = #line) async {
        do {
            let rest = try await stream.read(upTo: 1, timeout: .seconds(10))
            XCTAssertEqual(rest, [], "bytes instead of the end", file: file, line: line)
        } catch {
            XCTAssertEqual(error.code, .connectionReset, "\(error)", file: file, line: line)
        }
    }
}

extension LocalSocketListener {
    /// A new client of this listener.
    func newClient() throws -> LocalSocketStream { try .connect(to: XCTUnwrap(name)) }

    /// The same, suspending the task.
    func newClient() async throws -> LocalSocketStream { try await .connect(to: XCTUnwrap(name)) }
}

extension LocalSocketStream {
    /// Sends back what comes, until the other side ends.
    func sendBack() async throws {
        for try await bytes in chunks { try await writeAll(bytes) }
    }

    /// Says something, and expects it to come back.
    func assertEcho(_ text: String, file: StaticString = #filePath, line: UInt = #line) throws {
        try writeAll(text + "\n")
        XCTAssertEqual(try readLine(timeout: .seconds(20)), text, file: file, line: line)
    }

    /// The same, suspending the task.
    func assertEcho(_ text: String, file: StaticString = #filePath, line: UInt = #line) async throws {
        try await writeAll(text + "\n")
        let answer = try await readLine(timeout: .seconds(20))
        XCTAssertEqual(answer, text, file: file, line: line)
    }
}

/// What was seen by whatever thread, in order.
final class Seen<Value: Sendable>: Sendable {
    private let stored = Locked<[Value]>([])

    var values: [Value] { stored.withLock { $0 } }
    var count: Int { stored.withLock { $0.count } }

    func append(_ value: Value) { stored.withLock { $0.append(value) } }
}

/// How many are there at a time, and how many there were at most.
final class Attendance: Sendable {
    private let counts = Locked((now: 0, most: 0, ever: 0))

    var now: Int { counts.withLock { $0.now } }
    var most: Int { counts.withLock { $0.most } }
    var ever: Int { counts.withLock { $0.ever } }

    func come() {
        counts.withLock {
            $0.now += 1
            $0.ever += 1
            $0.most = max($0.most, $0.now)
        }
    }

    func leave() { counts.withLock { $0.now -= 1 } }
}

/// Runs what blocks on a thread of its own.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result { try body() }) }.start()
    }
}

/// Bytes of which a part that is missing or out of place shows; made in few steps, for debug builds are slow.
func pattern(_ count: Int) -> [UInt8] {
    var bytes = (0..<251).map { UInt8($0) }
    while bytes.count < count { bytes += bytes }
    return Array(bytes.prefix(count))
}

/// Something that a handler throws, and no other code.
struct HandlerError: Error {}
