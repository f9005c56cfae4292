// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Ends in the hands of children.
final class UnnamedPipeChildTests: InterprocessTestCase {
    private func descriptors() throws -> Set<String> {
        let child = try ChildProcess.helper("descriptors")
        return Set((child.readLine() ?? "").split(separator: " ").dropFirst().map(String.init))
    }

    private func number(_ end: some DescriptorOwner) throws -> Int32 { try end.withUnsafeDescriptor { $0 } }

    func testNothingIsInheritedUnasked() throws {
        let before = try descriptors()
        let (sender, receiver) = try UnnamedPipe.create()
        // Waiting makes descriptors of its own.
        assertThrows(.timedOut) { try receiver.readLine(timeout: .zero) }
        XCTAssertEqual(try descriptors().subtracting(before), [])
        try sender.setInheritable(true)
        XCTAssertEqual(try descriptors().subtracting(before), ["\(try number(sender))"])
        try sender.setInheritable(false)
        XCTAssertEqual(try descriptors().subtracting(before), [])
        receiver.close()
    }

    func testAdoptingEndsInheritance() throws {
        let before = try descriptors()
        let (sender, receiver) = try UnnamedPipe.create()
        try sender.setInheritable(true)
        let again = try UnnamedPipeSender(adopting: sender.detach())
        XCTAssertEqual(try descriptors().subtracting(before), [])
        try again.writeAll("x")
        XCTAssertEqual(try receiver.read(upTo: 9), [UInt8(ascii: "x")])
    }

    func testChildSends() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let child = try sender.withUnsafeDescriptor { descriptor in
            Result { try ChildProcess.helper("send", "5", keeping: [(descriptor, 5)]) }
        }.get()
        sender.close()
        XCTAssertEqual(try receiver.readLine(), "from the child \(child.pid)")
        // The end of the child is the end of the stream: nobody else has the sender.
        XCTAssertNil(try receiver.readLine())
        XCTAssertEqual(child.wait(), 0)
    }

    func testChildReceives() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let child = try receiver.withUnsafeDescriptor { descriptor in
            Result { try ChildProcess.helper("receive", "5", keeping: [(descriptor, 5)]) }
        }.get()
        receiver.close()
        for line in ["one", "two"] {
            try sender.writeAll(line + "\n")
            XCTAssertEqual(child.readLine(), "got \(line)")
        }
        sender.close()
        XCTAssertEqual(child.readLine(), "end")
        XCTAssertEqual(child.wait(), 0)
    }

    func testChildInherits() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        try sender.setInheritable(true)
        let child = try ChildProcess.helper("send", "\(number(sender))")
        sender.close()
        XCTAssertEqual(try receiver.readLine(), "from the child \(child.pid)")
        XCTAssertNil(try receiver.readLine())
        XCTAssertEqual(child.wait(), 0)
    }

    /// A program that shares the open file description, such as one that has it as its standard input, must not find it
    /// in nonblocking mode, whatever is done here.
    func testSharedEndsStayInBlockingMode() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        func checkModes(_ moment: String) throws {
            for end in [try number(sender), try number(receiver)] {
                XCTAssertEqual(fcntl(end, F_GETFL) & O_NONBLOCK, 0, "nonblocking \(moment)")
            }
        }
        try checkModes("from birth")
        sender.setNonblocking(true)
        receiver.setNonblocking(true)
        assertThrows(.wouldBlock) { try receiver.read(upTo: 1) }
        try sender.writeAll("ab\n")
        try checkModes("after nonblocking calls")
        sender.setNonblocking(false)
        receiver.setNonblocking(false)
        XCTAssertEqual(try receiver.readLine(timeout: .seconds(5)), "ab")
        assertThrows(.timedOut) { try receiver.read(upTo: 1, timeout: .milliseconds(1)) }
        try checkModes("after calls with a time limit")

        let child = try receiver.withUnsafeDescriptor { descriptor in
            Result { try ChildProcess.helper("receive", "0", keeping: [(descriptor, 0)]) }
        }.get()
        try sender.writeAll("to standard input\n")
        XCTAssertEqual(child.readLine(), "got to standard input")
        try checkModes("after a child adopted it")
        receiver.close()
        sender.close()
        XCTAssertEqual(child.readLine(), "end")
    }

    func testPlainToolsAtTheEnds() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let child = try receiver.withUnsafeDescriptor { descriptor in
            Result { try ChildProcess("/bin/sh", ["-c", "cat <&9"], keeping: [(descriptor, 9)]) }
        }.get()
        receiver.close()
        try sender.writeAll("through cat\n")
        sender.close()
        XCTAssertEqual(child.readToEnd(), "through cat\n")
        XCTAssertEqual(child.wait(), 0)
    }
}
