// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

/// Messages: packets and datagrams, and descriptors and credentials beside the bytes.
final class ShimMessageTests: InterprocessTestCase {
    private struct Received {
        var result: Int64
        var bytes: [UInt8]
        var descriptors: [Int64]
        var message: cip_message
    }

    private func pair(_ type: Int) -> (Int64, Int64) {
        var ends: [Int64] = [-1, -1]
        XCTAssertEqual(cip_socket_pair(Int64(type), &ends), 0)
        return (ends[0], ends[1])
    }

    private func send(
        _ text: String,
        over socket: Int64,
        descriptors: [Int64] = [],
        credentials: cip_credentials? = nil
    ) -> Int64 {
        var bytes = Array(text.utf8)
        var descriptors = descriptors
        return bytes.withUnsafeMutableBytes { memory in
            descriptors.withUnsafeMutableBufferPointer { passed in
                var buffer = cip_buffer(base: memory.baseAddress, count: memory.count)
                return withUnsafeMutablePointer(to: &buffer) {
                    var message = cip_message()
                    message.buffers = $0
                    message.buffer_count = 1
                    message.descriptors = passed.baseAddress
                    message.descriptor_count = passed.count
                    message.has_credentials = credentials != nil
                    message.credentials = credentials ?? cip_credentials()
                    return cip_send_message(socket, &message, false)
                }
            }
        }
    }

    private func receive(
        _ socket: Int64,
        room: Int = 100,
        descriptors: Int = 0,
        credentials: Bool = false,
        process: Bool = false
    ) -> Received {
        var bytes = [UInt8](repeating: 0, count: room)
        var passed = [Int64](repeating: -1, count: descriptors)
        var message = cip_message()
        message.has_credentials = credentials
        message.has_process = process
        let result = bytes.withUnsafeMutableBytes { memory in
            passed.withUnsafeMutableBufferPointer { passed in
                var buffer = cip_buffer(base: memory.baseAddress, count: memory.count)
                return withUnsafeMutablePointer(to: &buffer) {
                    message.buffers = $0
                    message.buffer_count = 1
                    message.descriptors = passed.baseAddress
                    message.descriptor_count = passed.count
                    return cip_receive_message(socket, &message, false)
                }
            }
        }
        return Received(
            result: result,
            bytes: Array(bytes.prefix(Int(max(0, result)))),
            descriptors: result < 0 ? [] : Array(passed.prefix(message.descriptor_count)),
            message: message
        )
    }

    func testOneDescriptor() {
        let (one, other) = pair(CIP_STREAM)
        var ends: [Int64] = [-1, -1]
        XCTAssertEqual(cip_pipe(&ends), 0)
        XCTAssertEqual(send("x", over: one, descriptors: [ends[0]]), 1)
        let received = receive(other, descriptors: 4)
        XCTAssertEqual(received.bytes, Array("x".utf8))
        XCTAssertEqual(received.descriptors.count, 1)
        XCTAssertFalse(received.message.truncated || received.message.descriptors_truncated)
        XCTAssertEqual(fcntl(Int32(received.descriptors[0]), F_GETFD), FD_CLOEXEC)
        // It is the same pipe.
        var byte: UInt8 = 9
        XCTAssertEqual(cip_pipe_write(ends[1], &byte, 1, false), 1)
        byte = 0
        XCTAssertEqual(cip_read(received.descriptors[0], &byte, 1), 1)
        XCTAssertEqual(byte, 9)
        for descriptor in [one, other] + ends + received.descriptors { _ = cip_close(descriptor) }
    }

    func testAsManyDescriptorsAsFit() {
        let (one, other) = pair(CIP_SEQUENCED_PACKETS)
        XCTAssertEqual(CIP_MAXIMUM_DESCRIPTORS, 253)
        let before = OpenDescriptors.count
        XCTAssertEqual(send("x", over: one, descriptors: Array(repeating: one, count: 253)), 1)
        let received = receive(other, descriptors: 300)
        XCTAssertEqual(received.descriptors.count, 253)
        XCTAssertEqual(Set(received.descriptors).count, 253)
        XCTAssertFalse(received.message.descriptors_truncated)
        XCTAssertEqual(OpenDescriptors.count, before + 253)
        for descriptor in received.descriptors { XCTAssertEqual(cip_close(descriptor), 0) }

        XCTAssertEqual(send("y", over: one, descriptors: Array(repeating: one, count: 254)), -Int64(EINVAL))
        XCTAssertEqual(receive(other).result, -Int64(EAGAIN), "something was sent")
        for descriptor in [one, other] { _ = cip_close(descriptor) }
    }

    func testTooLittleRoomForDescriptors() {
        for (sent, room) in [(1, 0), (5, 2), (253, 252), (253, 0)] {
            let (one, other) = pair(CIP_SEQUENCED_PACKETS)
            let before = OpenDescriptors.count
            XCTAssertEqual(send("x", over: one, descriptors: Array(repeating: one, count: sent)), 1)
            let received = receive(other, descriptors: room)
            XCTAssertEqual(received.bytes, Array("x".utf8))
            XCTAssertEqual(received.descriptors.count, room)
            XCTAssertTrue(received.message.descriptors_truncated)
            XCTAssertFalse(received.message.truncated)
            XCTAssertEqual(OpenDescriptors.count, before + room, "descriptors for which there was no room stay open")
            for descriptor in received.descriptors + [one, other] { XCTAssertEqual(cip_close(descriptor), 0) }
        }
    }

    /// Part of them would be of no use, and stays with nobody.
    func testTooFewFreeNumbersForDescriptors() {
        let (one, other) = pair(CIP_STREAM)
        XCTAssertEqual(send("x", over: one, descriptors: [one, other]), 1)
        let (received, isFree) = withoutDescriptors { () -> (Received, Bool) in
            _ = cip_close(one)
            let received = receive(other, descriptors: 4)
            let free = dup(0)
            if free >= 0 { close(free) }
            return (received, free >= 0)
        }
        XCTAssertEqual(received.bytes, Array("x".utf8))
        XCTAssertEqual(received.descriptors, [])
        XCTAssertTrue(received.message.descriptors_lost)
        XCTAssertTrue(isFree)
        _ = cip_close(other)
    }

    func testBadDescriptorIsNotSent() {
        let (one, other) = pair(CIP_STREAM)
        XCTAssertEqual(send("x", over: one, descriptors: [one, 1 << 20]), -Int64(EBADF))
        XCTAssertEqual(receive(other).result, -Int64(EAGAIN))
        for descriptor in [one, other] { _ = cip_close(descriptor) }
    }

    #if os(Linux)
    func testCredentials() {
        let own = cip_credentials(process: cip_own_process(), user: cip_own_user(), group: cip_own_group())
        let (one, other) = pair(CIP_STREAM)
        XCTAssertEqual(cip_set_option(other, Int64(CIP_OPTION_CREDENTIALS), 1), 0)
        XCTAssertEqual(send("x", over: one, descriptors: Array(repeating: one, count: 253), credentials: own), 1)
        let received = receive(other, descriptors: 253, credentials: true)
        XCTAssertTrue(received.message.has_credentials)
        XCTAssertEqual(received.message.credentials.process, own.process)
        XCTAssertEqual(received.message.credentials.user, own.user)
        XCTAssertEqual(received.message.credentials.group, own.group)
        XCTAssertEqual(received.descriptors.count, 253, "there is room for both")
        // The kernel adds them where the sender says nothing.
        XCTAssertEqual(send("y", over: one), 1)
        XCTAssertEqual(receive(other, credentials: true).message.credentials.process, own.process)
        // Nobody else's can be presented: no process has this number.
        let wrong = cip_credentials(process: Int64(Int32.max), user: own.user, group: own.group)
        XCTAssertLessThan(send("z", over: one, credentials: wrong), 0)
        XCTAssertEqual(cip_set_option(other, Int64(CIP_OPTION_CREDENTIALS), 0), 0)
        XCTAssertEqual(send("w", over: one), 1)
        XCTAssertFalse(receive(other, credentials: true).message.has_credentials)
        for descriptor in [one, other] + received.descriptors { _ = cip_close(descriptor) }
    }

    /// A time stamp, which somebody else has asked for, comes first, and leaves too little room for credentials.
    func testCredentialsThatAreCutOffAreNone() {
        let (one, other) = pair(CIP_DATAGRAM)
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout.size(ofValue: on))
        XCTAssertEqual(setsockopt(Int32(other), SOL_SOCKET, SO_TIMESTAMP, &on, size), 0)
        XCTAssertEqual(cip_set_option(other, Int64(CIP_OPTION_CREDENTIALS), 1), 0)
        for process in [false, true] {
            XCTAssertEqual(send("x", over: one), 1)
            let received = receive(other, credentials: true, process: process)
            XCTAssertEqual(received.bytes, Array("x".utf8))
            XCTAssertFalse(received.message.has_credentials)
            XCTAssertFalse(received.message.has_process)
        }
        for descriptor in [one, other] { _ = cip_close(descriptor) }
    }

    /// Who has made a socket may have set it to tell of processes.
    func testProcessesThatNobodyWantsAreClosed() throws {
        let (one, other) = pair(CIP_SEQUENCED_PACKETS)
        if cip_set_option(other, Int64(CIP_OPTION_PROCESS), 1) < 0 {
            for descriptor in [one, other] { _ = cip_close(descriptor) }
            try skip("the system is too old")
        }
        let before = OpenDescriptors.count
        for _ in 0..<3 {
            XCTAssertEqual(send("x", over: one), 1)
            let received = receive(other, descriptors: 2)
            XCTAssertEqual(received.bytes, Array("x".utf8))
            XCTAssertEqual(received.descriptors, [])
            XCTAssertFalse(received.message.has_process)
        }
        XCTAssertEqual(OpenDescriptors.count, before)
        XCTAssertEqual(send("y", over: one), 1)
        let wanted = receive(other, descriptors: 2, process: true)
        XCTAssertTrue(wanted.message.has_process)
        for descriptor in [one, other, wanted.message.process] { XCTAssertEqual(cip_close(descriptor), 0) }
    }
    #endif

    func testBoundariesAndTruncation() {
        for type in [CIP_SEQUENCED_PACKETS, CIP_DATAGRAM] {
            let (one, other) = pair(type)
            for text in ["first", "", "third"] { XCTAssertEqual(send(text, over: one), Int64(text.utf8.count)) }
            XCTAssertEqual(receive(other).bytes, Array("first".utf8))
            XCTAssertEqual(receive(other).result, 0)
            let cut = receive(other, room: 2)
            XCTAssertEqual(cut.bytes, Array("th".utf8))
            XCTAssertTrue(cut.message.truncated)
            XCTAssertFalse(cut.message.descriptors_truncated)
            XCTAssertEqual(receive(other).result, -Int64(EAGAIN), "what was cut off comes later")
            // Just enough room cuts nothing.
            XCTAssertEqual(send("exact", over: one), 5)
            XCTAssertFalse(receive(other, room: 5).message.truncated)
            for descriptor in [one, other] { _ = cip_close(descriptor) }
        }
    }

    func testStreamsHaveNoBoundaries() {
        let (one, other) = pair(CIP_STREAM)
        XCTAssertEqual(send("ab", over: one), 2)
        XCTAssertEqual(send("cd", over: one), 2)
        let some = receive(other, room: 3)
        XCTAssertEqual(some.bytes, Array("abc".utf8))
        XCTAssertFalse(some.message.truncated)
        XCTAssertEqual(receive(other).bytes, Array("d".utf8))
        _ = cip_close(one)
        XCTAssertEqual(receive(other).result, 0)
        _ = cip_close(other)
    }

    func testSocketTypes() {
        for type in [CIP_STREAM, CIP_DATAGRAM, CIP_SEQUENCED_PACKETS] {
            let (one, other) = pair(type)
            XCTAssertEqual(cip_socket_type(one), Int64(type))
            XCTAssertEqual(cip_socket_listens(one), 0)
            XCTAssertEqual(cip_socket_error(one), 0)
            for descriptor in [one, other] { _ = cip_close(descriptor) }
        }
        let internet = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        XCTAssertEqual(cip_socket_type(Int64(internet)), -Int64(EAFNOSUPPORT))
        close(internet)
    }
}
