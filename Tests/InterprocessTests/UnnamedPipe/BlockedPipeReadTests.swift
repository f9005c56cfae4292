// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// A read that waits inside the kernel is ended, when the pipe is closed, by a byte sent into it.
///
/// These are the moments at which that is hard.
final class BlockedPipeReadTests: InterprocessTestCase {
    func testCloseWakesSeveralReaders() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let readers = (0..<5).map { _ in Running { try receiver.read(upTo: 10) } }
        for reader in readers { reader.waitUntilBlocked() }
        receiver.close()
        for reader in readers { assertThrows(.closed, .read) { try reader.value() } }
        assertThrows(.brokenPipe) { try sender.writeAll("x") }
    }

    func testCloseWakesReaderWhenNoDescriptorIsLeft() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        let reader = Running { try receiver.read(upTo: 10) }
        reader.waitUntilBlocked()
        withoutDescriptors { receiver.close() }
        assertThrows(.closed, .read) { try reader.value() }
        sender.close()
    }

    func testFirstReadWhenNoDescriptorIsLeft() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        withoutDescriptors {
            // It could not be ended by closing, so it does not begin.
            _ = assertThrows(.resourcesExhausted, .read) { try receiver.read(upTo: 10) }
        }
        let reader = Running { try receiver.read(upTo: 10) }
        reader.waitUntilBlocked()
        try sender.writeAll("x")
        XCTAssertEqual(try reader.value(), Array("x".utf8))
    }

    #if os(Linux)
    func testCloseWakesReaderAfterTheUserHasChanged() throws {
        if getuid() != 0 { try skip("only the superuser can become somebody else") }
        let (sender, receiver) = try UnnamedPipe.create()
        let reader = Running { try receiver.read(upTo: 10) }
        reader.waitUntilBlocked()
        try Running {
            // It concerns files, and this thread alone, which is why the header is not among those that Swift sees.
            typealias SetUser = @convention(c) (UInt32) -> Int32
            for function in ["setfsgid", "setfsuid"] {
                _ = unsafeBitCast(try XCTUnwrap(dlsym(nil, function)), to: SetUser.self)(65534)
            }
            receiver.close()
        }.value()
        assertThrows(.closed, .read) { try reader.value() }
        sender.close()
    }
    #endif

    #if os(Linux)
    /// While reads wait inside the kernel, the pipe can be opened again to wake them.
    ///
    /// Whoever it is handed to must not be able to.
    func testHandingOnTakesBackWhatWakingNeeds() throws {
        let (sender, receiver) = try UnnamedPipe.create()
        try sender.writeAll("x")
        XCTAssertEqual(try receiver.read(upTo: 1).count, 1)
        var status = stat()
        try receiver.withUnsafeDescriptor { XCTAssertEqual(fstat($0, &status), 0) }
        XCTAssertEqual(status.st_mode & 0o777, 0o600)

        let other = try UnnamedPipe.create()
        try other.sender.writeAll("x")
        XCTAssertEqual(try other.receiver.read(upTo: 1).count, 1)
        let descriptor = try other.receiver.detach()
        XCTAssertEqual(fstat(descriptor, &status), 0)
        XCTAssertEqual(status.st_mode & 0o777, 0o600)
        close(descriptor)
        other.sender.close()
    }
    #endif
}
