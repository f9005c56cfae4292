// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Writing to nobody is an error, and never the signal that ends programs.
final class BrokenPipeTests: InterprocessTestCase {
    /// A sanitizer's search for leaks cannot run in a program that is traced.
    private static let traced = ["ASAN_OPTIONS": "detect_leaks=0"]

    /// The roles of the child: it blocks, or awaits.
    private static let forms = ["", "-awaited"]

    private func assertSurvives(_ child: ChildProcess, line: UInt = #line) {
        XCTAssertEqual(child.readLine(), "error brokenPipe", line: line)
        XCTAssertEqual(child.readLine(), "survived", line: line)
        XCTAssertEqual(child.wait(), 0, line: line)
    }

    /// In a child that leaves the signal as every program has it at first.
    func testChildSurvives() throws {
        try FIFOFile.create(at: path())
        for form in Self.forms {
            for kind in ["pipe", "socket", path()] {
                assertSurvives(try ChildProcess.helper("write-without-reader" + form, kind))
            }
        }
    }

    /// A signal that waits to be taken is somebody else's, and stays.
    func testASignalThatIsPendingStays() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        receiver.close()
        let isPending = Running {
            var (broken, before, pending) = (sigset_t(), sigset_t(), sigset_t())
            sigemptyset(&broken)
            sigaddset(&broken, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &broken, &before)
            pthread_kill(pthread_self(), SIGPIPE)
            let failure = Result { try sender.write([1]) }
            sigpending(&pending)
            let isPending = sigismember(&pending, SIGPIPE) == 1
            var taken: Int32 = 0
            if isPending { sigwait(&broken, &taken) }
            pthread_sigmask(SIG_SETMASK, &before, nil)
            guard case .failure(let error as IPCError) = failure, error.code == .brokenPipe else { return false }
            return isPending
        }
        XCTAssertTrue(try isPending.value())
    }

    /// What kernels before 6.18 answer, to one flag or to both, is put into the calls' mouths by strace.
    func testChildSurvivesOnOlderKernels() throws {
        try requireProgram("strace")
        try FIFOFile.create(at: path())
        let helper = try ChildProcess.path(ofBuilt: "test-helper")
        for inject in ["pwritev2:error=EOPNOTSUPP:when=1", "pwritev2:error=EOPNOTSUPP", "pwritev2:error=ENOSYS"] {
            for kind in ["pipe", path()] {
                for form in Self.forms {
                    let tracing = ["-f", "-qq", "-o", "/dev/null", "-e", "inject=\(inject)"]
                    let arguments = tracing + [helper, "write-without-reader" + form, kind]
                    let child = try ChildProcess("strace", arguments, environment: Self.traced)
                    assertSurvives(child)
                }
            }
        }
    }

    /// Bytes arrive by the calls of older kernels, too.
    func testBytesArriveOnOlderKernels() throws {
        try requireProgram("strace")
        for form in Self.forms { try assertBytesArriveOnOlderKernels(form) }
    }

    private func assertBytesArriveOnOlderKernels(_ form: String) throws {
        let helper = try ChildProcess.path(ofBuilt: "test-helper")
        let tracing = ["-f", "-qq", "-o", "/dev/null", "-e", "inject=pwritev2,preadv2:error=ENOSYS", helper]
        let (toChild, receiver) = try UnnamedPipe.create()
        let (sender, fromChild) = try UnnamedPipe.create()
        let receiving = try receiver.withUnsafeDescriptor { descriptor in
            let arguments = tracing + ["receive" + form, "5"]
            return Result {
                try ChildProcess("strace", arguments, keeping: [(descriptor, 5)], environment: Self.traced)
            }
        }.get()
        let sending = try sender.withUnsafeDescriptor { descriptor in
            let arguments = tracing + ["send" + form, "5"]
            return Result {
                try ChildProcess("strace", arguments, keeping: [(descriptor, 5)], environment: Self.traced)
            }
        }.get()
        receiver.close()
        sender.close()
        let long = String(repeating: "z", count: 300_000)
        try toChild.writeAll(long + "\n")
        XCTAssertEqual(receiving.readLine(), "got " + long)
        toChild.close()
        XCTAssertEqual(receiving.readLine(), "end")
        // Those made here, and not adopted, have no private description.
        let alone = try ChildProcess("strace", tracing + ["send-to-itself", "300000"], environment: Self.traced)
        XCTAssertEqual(alone.readLine(), "got 300000")
        XCTAssertEqual(alone.wait(), 0)
        XCTAssertEqual(try fromChild.readLine()?.hasPrefix("from the child"), true)
        XCTAssertNil(try fromChild.readLine())
        XCTAssertEqual(sending.wait(), 0)
    }

    /// A signal that waits already is none of our business.
    func testSignalPendingBeforeIsLeft() throws {
        let writing = Running { () -> Bool in
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &signals, nil)
            pthread_kill(pthread_self(), SIGPIPE)
            let (sender, receiver) = try UnnamedPipe.create()
            receiver.close()
            for _ in 0..<3 {
                do { try sender.writeAll("x") } catch { XCTAssertEqual((error as? IPCError)?.code, .brokenPipe) }
            }
            var pending = sigset_t()
            sigpending(&pending)
            let isPending = sigismember(&pending, SIGPIPE) == 1
            var taken: Int32 = 0
            if isPending { sigwait(&signals, &taken) }
            return isPending
        }
        XCTAssertTrue(try writing.value(), "the signal was taken away from the program")
    }

    /// Neither is it left behind where there was none, nor is it blocked afterwards.
    func testNothingIsLeftOfTheSignal() throws {
        let writing = Running { () -> [Bool] in
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &signals, nil)
            let (sender, receiver) = try UnnamedPipe.create()
            receiver.close()
            do { try sender.writeAll("x") } catch { XCTAssertEqual((error as? IPCError)?.code, .brokenPipe) }
            var pending = sigset_t()
            sigpending(&pending)
            var mask = sigset_t()
            pthread_sigmask(SIG_SETMASK, nil, &mask)
            return [sigismember(&pending, SIGPIPE) == 1, sigismember(&mask, SIGPIPE) == 1]
        }
        XCTAssertEqual(try writing.value(), [false, true])
    }
}
