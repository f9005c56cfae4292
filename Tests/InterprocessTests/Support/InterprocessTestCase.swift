// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// What every test here is held to: it ends in time, leaves as many descriptors open as it found, and shares no name
/// with any other test or run.
class InterprocessTestCase: XCTestCase {
    /// How long a test may take (several times as long with a sanitizer); override it in a class whose tests take
    /// longer.
    var timeLimit: TimeInterval { 60 }

    private var watchdog: Watchdog?
    private var descriptorsBefore: Set<String> = []
    private(set) var directory = ""

    /// Foundation, Dispatch and the shared event loop keep descriptors of their own from first use on: let them, before
    /// any are counted.
    override class func setUp() {
        super.setUp()
        Sanitizer.startSymbolizer
        let ran = DispatchSemaphore(value: 0)
        Task(executorPreference: EventLoop.shared) { ran.signal() }
        ran.wait()
        // Tests that are asynchronous sleep by a timer, and wait in a run loop: which a waiter does not enter if it need
        // not wait.
        let slept = XCTestExpectation()
        Task {
            try? await Task.sleep(for: .milliseconds(1))
            slept.fulfill()
        }
        _ = XCTWaiter().wait(for: [slept], timeout: 10)
        RunLoop.current.run(until: Date(timeIntervalSinceNow: 0.001))
        let fired = DispatchSemaphore(value: 0)
        let timer = DispatchSource.makeTimerSource(queue: .global())
        timer.setEventHandler { fired.signal() }
        timer.schedule(deadline: .now())
        timer.resume()
        fired.wait()
    }

    override func setUpWithError() throws {
        try super.setUpWithError()
        continueAfterFailure = false
        watchdog = Watchdog(name, seconds: Sanitizer.isPresent ? 5 * timeLimit : timeLimit)
        directory = "/tmp/ip-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        descriptorsBefore = OpenDescriptors.all()
    }

    override func tearDownWithError() throws {
        // Threads that a test started may be on their way out.
        let end = Date(timeIntervalSinceNow: 5)
        var leaked = OpenDescriptors.all().subtracting(descriptorsBefore)
        while !leaked.isEmpty && Date() < end {
            usleep(2000)
            leaked = OpenDescriptors.all().subtracting(descriptorsBefore)
        }
        XCTAssertEqual(leaked, [], "descriptors left open")
        try? FileManager.default.removeItem(atPath: directory)
        watchdog?.end()
        watchdog = nil
        try super.tearDownWithError()
    }

    /// A path in the test's own directory.
    func path(_ name: String = "s") -> String { directory + "/" + name }

    /// A name for a socket's file, in the test's own directory.
    func pathName(_ name: String = "s") throws -> LocalSocketName { try .path(path(name)) }

    /// A name in the namespace that nobody else uses.
    func namespacedName() throws -> LocalSocketName {
        try .namespaced("interprocess-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))")
    }

    /// Both kinds of names.
    func bothNames() throws -> [LocalSocketName] { [try pathName(), try namespacedName()] }

    /// Expects an error of the library with a code, and returns it.
    @discardableResult
    func assertThrows<Value>(
        _ code: IPCError.Code,
        _ operation: IPCError.Operation? = nil,
        file: StaticString = #filePath,
        line: UInt = #line,
        _ body: () throws -> Value
    ) -> IPCError? {
        do {
            let value = try body()
            XCTFail("no error, but \(value)", file: file, line: line)
        } catch let error as IPCError {
            XCTAssertEqual(error.code, code, "\(error)", file: file, line: line)
            if let operation { XCTAssertEqual(error.operation, operation, "\(error)", file: file, line: line) }
            return error
        } catch {
            XCTFail("another error: \(error)", file: file, line: line)
        }
        return nil
    }
}

/// Ends the whole run, with a message, when a test takes too long: a test that hangs must not hang the run.
final class Watchdog {
    private let timer: any DispatchSourceTimer

    init(_ test: String, seconds: TimeInterval) {
        let timer = DispatchSource.makeTimerSource(queue: .global())
        timer.schedule(deadline: .now() + seconds)
        timer.setEventHandler {
            FileHandle.standardError.write(Data("\(test) did not end within \(seconds) s\n".utf8))
            abort()
        }
        timer.resume()
        self.timer = timer
    }

    func end() { timer.cancel() }
}

/// The descriptors of this process, each with what it is open on, so that a number used anew does not hide a leak.
enum OpenDescriptors {
    static func all() -> Set<String> {
        #if os(Linux)
        let folder = "/proc/self/fd"
        #else
        let folder = "/dev/fd"
        #endif
        var found: Set<String> = []
        for number in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(number)")) ?? ""
            // The look itself opens the folder; timers are Dispatch's, and none of this library's.
            let isForeign = ["/fd", "[timerfd]"].contains { target.hasSuffix($0) }
            if target.isEmpty || isForeign { continue }
            found.insert("\(number) \(target)")
        }
        return found
    }

    static var count: Int { all().count }
}
