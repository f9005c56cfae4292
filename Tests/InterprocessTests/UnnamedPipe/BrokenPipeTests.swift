// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Writing to nobody is an error, and never the signal that ends programs.
final class BrokenPipeTests: InterprocessTestCase {
    /// The roles of the child: it blocks, or awaits.
    private static let forms = ["", "-awaited"]

    /// The helper, on a kernel that answers some calls as older ones do: strace puts that into their mouths.
    private func onOlderKernel(
        _ inject: String,
        _ arguments: String...,
        keeping: [(from: Int32, to: Int32)] = []
    ) throws -> ChildProcess {
        let tracing = ["-f", "-qq", "-o", "/dev/null", "-e", "inject=\(inject)"]
        let helper = try ChildProcess.path(ofBuilt: "test-helper")
        // A sanitizer's search for leaks cannot run in a program that is traced.
        let environment = ["ASAN_OPTIONS": "detect_leaks=0"]
        return try ChildProcess("strace", tracing + [helper] + arguments, keeping: keeping, environment: environment)
    }

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

    /// What kernels before 6.18 answer, to one flag or to both.
    private static let olderAnswers = [
        "pwritev2:error=EOPNOTSUPP:when=1", "pwritev2:error=EOPNOTSUPP", "pwritev2:error=ENOSYS",
    ]

    func testChildSurvivesOnOlderKernels() throws {
        try requireProgram("strace")
        try FIFOFile.create(at: path())
        for inject in Self.olderAnswers {
            for kind in ["pipe", path()] {
                for form in Self.forms {
                    assertSurvives(try onOlderKernel(inject, "write-without-reader" + form, kind))
                }
            }
        }
    }

    /// A signal that waits to be taken is somebody else's, and stays.
    func testASignalThatIsPendingStays() throws {
        try requireProgram("strace")
        let here = try ChildProcess.helper("keep-pending-signal")
        for child in try [here] + Self.olderAnswers.map({ try onOlderKernel($0, "keep-pending-signal") }) {
            for _ in 0..<3 { XCTAssertEqual(child.readLine(), "error brokenPipe") }
            XCTAssertEqual(child.readLine(), "still pending")
            XCTAssertEqual(child.wait(), 0)
        }
    }

    /// Bytes arrive by the calls of older kernels, too.
    func testBytesArriveOnOlderKernels() throws {
        try requireProgram("strace")
        for form in Self.forms { try assertBytesArriveOnOlderKernels(form) }
    }

    private func assertBytesArriveOnOlderKernels(_ form: String) throws {
        let inject = "pwritev2,preadv2:error=ENOSYS"
        let (toChild, receiver) = try UnnamedPipe.create()
        let (sender, fromChild) = try UnnamedPipe.create()
        let receiving = try receiver.withUnsafeDescriptor { descriptor in
            Result { try onOlderKernel(inject, "receive" + form, "5", keeping: [(descriptor, 5)]) }
        }.get()
        let sending = try sender.withUnsafeDescriptor { descriptor in
            Result { try onOlderKernel(inject, "send" + form, "5", keeping: [(descriptor, 5)]) }
        }.get()
        receiver.close()
        sender.close()
        let long = String(repeating: "z", count: 300_000)
        try toChild.writeAll(long + "\n")
        XCTAssertEqual(receiving.readLine(), "got " + long)
        toChild.close()
        XCTAssertEqual(receiving.readLine(), "end")
        // Those made here, and not adopted, have no private description.
        let alone = try onOlderKernel(inject, "send-to-itself", "300000")
        XCTAssertEqual(alone.readLine(), "got 300000")
        XCTAssertEqual(alone.wait(), 0)
        XCTAssertEqual(try fromChild.readLine()?.hasPrefix("from the child"), true)
        XCTAssertNil(try fromChild.readLine())
        XCTAssertEqual(sending.wait(), 0)
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
