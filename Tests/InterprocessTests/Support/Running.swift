// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// A thread whose outcome can be waited for.
final class Running<Value: Sendable>: Sendable {
    private let outcome = Locked<Result<Value, any Error>?>(nil)
    private let ended = DispatchSemaphore(value: 0)
    private let thread = Locked<String>("")

    /// Starts `body` on a thread of its own.
    init(_ body: @escaping @Sendable () throws -> Value) {
        Thread { [self] in
            // Linux: "PID/task/TID".
            let thread = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")
            self.thread.withLock { $0 = thread ?? "" }
            let result = Result { try body() }
            outcome.withLock { $0 = result }
            ended.signal()
        }.start()
    }

    /// Whether it has ended.
    var hasEnded: Bool { outcome.withLock { $0 != nil } }

    /// Waits for the end, and returns what it returned or throws what it threw.
    @discardableResult
    func value() throws -> Value {
        ended.wait()
        ended.signal()
        return try outcome.withLock { $0! }.get()
    }

    /// Waits until the thread sleeps inside a system call that moves bytes, accepts, or polls, so that a test knows
    /// that a call is blocked without guessing a time.
    func waitUntilBlocked() {
        let end = Date(timeIntervalSinceNow: 10)
        while Date() < end {
            if hasEnded { return XCTFail("it has ended instead of waiting") }
            if isBlocked { return }
            usleep(200)
        }
        XCTFail("the thread did not come to wait")
    }

    private var isBlocked: Bool {
        #if os(Linux)
        let thread = thread.withLock { $0 }
        // The number of the system call that the thread sleeps in comes first; a thread that runs has the word
        // "running".
        guard !thread.isEmpty,
            let call = try? String(contentsOfFile: "/proc/\(thread)/syscall", encoding: .utf8),
            let number = call.split(separator: " ").first.flatMap({ Int($0) }),
            let wait = try? String(contentsOfFile: "/proc/\(thread)/wchan", encoding: .utf8)
        else { return false }
        return number >= 0 && wait != "0" && !wait.contains("futex") && !wait.isEmpty
        #else
        usleep(100_000)
        return true
        #endif
    }
}
