// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

@testable import Interprocess

/// What hangs loops that take a short read for an empty socket, or are told of each change only once.
final class ReadinessHazardTests: InterprocessTestCase {
    /// Reads until the end, by pieces of up to `size`, as soon as it may.
    private static func reading(
        _ stream: LocalSocketStream,
        by size: Int,
        onLoop: Bool,
        from start: Flag? = nil
    ) -> Task<[UInt8], any Error> {
        Task(executorPreference: onLoop ? EventLoop.shared : nil) {
            while let start, !start.isSet { try await Task.sleep(for: .microseconds(100)) }
            var all: [UInt8] = []
            while case let bytes = try await stream.read(upTo: size, timeout: .seconds(10)), !bytes.isEmpty {
                all += bytes
            }
            return all
        }
    }

    /// Runs a body on both executors, for a reader that waits already and for one that comes later.
    private func inAllWays(
        by sizes: [Int] = [1, 3, 100],
        expecting expected: [UInt8],
        _ body: @Sendable (_ far: LocalSocketStream) async throws -> Void
    ) async throws {
        for (onLoop, waitsFirst) in [(false, false), (false, true), (true, false), (true, true)] {
            for size in sizes {
                let (near, far) = try LocalSocketStream.pair()
                // One read before, so that the next one has learnt that the socket is empty.
                try send(0, over: far)
                let first = try await near.read(upTo: 2)
                XCTAssertEqual(first, [0])
                let start = Flag()
                let reading = Self.reading(near, by: size, onLoop: onLoop, from: waitsFirst ? nil : start)
                if waitsFirst { await waitUntilAwaited(near) }
                try await body(far)
                start.set()
                let all = try await reading.value
                XCTAssertEqual(all, expected, "loop \(onLoop), waits first \(waitsFirst), by \(size)")
            }
        }
    }

    func testDataAndCloseInOneEvent() async throws {
        try await inAllWays(expecting: Array("the last words".utf8)) { far in
            try far.writeAllNow("the last words")
            far.close()
        }
    }

    func testDataAndHalfCloseInOneEvent() async throws {
        try await inAllWays(expecting: Array("the last words".utf8)) { far in
            try far.writeAllNow("the last words")
            try LocalSocketSender(far.sendingSide).shutdown()
        }
    }

    func testCloseWithoutData() async throws {
        try await inAllWays(by: [1], expecting: []) { far in far.close() }
    }

    /// A read stops before or behind a message that carries a descriptor, however much room it has.
    func testDescriptorsAmongTheData() async throws {
        try await inAllWays(by: [1, 4, 100], expecting: Array("beforewithbehind".utf8)) { far in
            try far.writeAllNow("before")
            try far.sendMessage("with", descriptors: [0])
            try far.writeAllNow("behind")
            far.close()
        }
        // The same, where nothing comes behind it for now: a second event must tell of what was left.
        try await inAllWays(by: [100], expecting: Array("beforewithbehind".utf8)) { far in
            try far.writeAllNow("before")
            try far.sendMessage("with", descriptors: [0, 1, 2])
            for _ in 0..<3 { await Task.yield() }
            try far.sendMessage("behind", descriptors: [0])
            far.close()
        }
        try await inAllWays(by: [2, 100], expecting: Array("firstsecond".utf8)) { far in
            try far.sendMessage("first", descriptors: [0])
            try far.sendMessage("second", descriptors: [1])
            far.close()
        }
    }

    #if os(Linux)
    /// Bytes of different writers are not returned by one read where the receiver asks for credentials.
    func testCredentialsOfTwoWriters() async throws {
        for (onLoop, waitsFirst) in [(false, false), (false, true), (true, false), (true, true)] {
            let (near, far) = try LocalSocketStream.pair()
            XCTAssertEqual(cip_set_option(near.descriptorCore.descriptor, Int64(CIP_OPTION_CREDENTIALS), 1), 0)
            let start = Flag()
            let reading = Self.reading(near, by: 100, onLoop: onLoop, from: waitsFirst ? nil : start)
            if waitsFirst { await waitUntilAwaited(near) }
            let descriptor = try await far.duplicate().detach()
            let child = try ChildProcess.helper("talk-over", "3", keeping: [(descriptor, 3)])
            close(descriptor)
            try far.writeAllNow("from here\n")
            try near.writeAllNow("from there\n")
            try LocalSocketSender(near.sendingSide).shutdown()
            XCTAssertEqual(child.wait(), 0)
            try far.writeAllNow("again from here\n")
            far.close()
            start.set()
            let all = String(decoding: try await reading.value, as: UTF8.self)
            XCTAssertEqual(all, "from here\nchild: from there\nagain from here\n")
        }
    }

    /// A byte out of band is nothing that anybody here asks for: it neither ends a read nor keeps the loop busy.
    func testBytesOutOfBand() async throws {
        try await inAllWays(by: [1, 100], expecting: Array("in band".utf8)) { far in
            var byte: UInt8 = 1
            let sent = Foundation.send(Int32(far.descriptorCore.descriptor), &byte, 1, Int32(MSG_OOB))
            // Kernels before 5.15 have none.
            XCTAssert(sent == 1 || errno == EOPNOTSUPP)
            for _ in 0..<3 { await Task.yield() }
            try far.writeAllNow("in band")
            far.close()
        }
    }
    #endif
}

extension LocalSocketStream {
    /// The blocking form, for asynchronous functions.
    fileprivate func writeAllNow(_ text: String) throws { try writeAll(text) }

    /// Sends bytes with descriptors beside them.
    fileprivate func sendMessage(_ text: String, descriptors: [Int64]) throws {
        var bytes = Array(text.utf8)
        var descriptors = descriptors
        let sent = bytes.withUnsafeMutableBytes { memory in
            descriptors.withUnsafeMutableBufferPointer { passed in
                var buffer = cip_buffer(base: memory.baseAddress, count: memory.count)
                return withUnsafeMutablePointer(to: &buffer) {
                    var message = cip_message()
                    message.buffers = $0
                    message.buffer_count = 1
                    message.descriptors = passed.baseAddress
                    message.descriptor_count = passed.count
                    return cip_send_message(descriptorCore.descriptor, &message, false)
                }
            }
        }
        XCTAssertEqual(sent, Int64(text.utf8.count))
    }
}
