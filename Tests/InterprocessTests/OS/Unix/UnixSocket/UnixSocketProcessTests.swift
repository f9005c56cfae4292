// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Between processes that share nothing but an address.
final class UnixSocketProcessTests: InterprocessTestCase {
    private func bothAddresses(_ name: String = "s") -> [String] {
        #if os(Linux)
        [path(name), "@interprocess-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"]
        #else
        [path(name)]
        #endif
    }

    #if !canImport(Darwin)
    func testPackets() throws {
        for address in bothAddresses() {
            let server = try ChildProcess.helper("serve-packets", address, "20")
            server.expect("ready")
            let clients = try (0..<20).map { _ in try ChildProcess.helper("echo-packets", address, "200") }
            for client in clients { client.expect("echoed 200") }
            XCTAssertEqual(server.wait(), 0)
        }
    }
    #endif

    func testDatagrams() throws {
        for address in bothAddresses() {
            let server = try ChildProcess.helper("serve-datagrams", address)
            server.expect("ready")
            let clients = try (0..<20).map { number in
                try ChildProcess.helper("echo-datagrams", address, address + "-\(number)", "200")
            }
            for client in clients { client.expect("echoed 200") }
            try ChildProcess.helper("send-datagram", address, "end").expect("sent")
            server.expect("ended")
            XCTAssertEqual(server.wait(), 0)
        }
    }

    /// What a child passes on: its contents are there, whatever becomes of the child.
    func testReceivingFromAProcess() throws {
        try Data("by file\n".utf8).write(to: URL(fileURLWithPath: path("f")))
        let listener = try UnixListener(try pathName())
        let child = try ChildProcess.helper("pass-descriptors", path(), path("f"))
        let stream = try listener.accept()
        var arrived: [String: IPCDescriptor] = [:]
        for _ in 0..<3 {
            let (bytes, message) = try stream.receive(upTo: 99, maximumDescriptors: 9)
            let name = String(decoding: bytes, as: UTF8.self)
            XCTAssertEqual(message.descriptors.count, 1)
            arrived[name] = message.descriptors.first
        }
        let socket = try UnixStream(adopting: XCTUnwrap(arrived["socket\n"]))
        XCTAssertEqual(try socket.readLine(), "by socket from \(child.pid)")
        try socket.writeAll("and back\n")
        child.expect("answer and back")
        XCTAssertEqual(child.wait(), 0)
        let pipe = try UnnamedPipeReceiver(adopting: XCTUnwrap(arrived["pipe\n"]))
        XCTAssertEqual(try pipe.readToEnd(), Array("by pipe from \(child.pid)\n".utf8))
        let file = FileHandle(fileDescriptor: try XCTUnwrap(arrived["file\n"]).detach(), closeOnDealloc: true)
        XCTAssertEqual(try file.readToEnd(), Data("by file\n".utf8))
        XCTAssertNil(try socket.readLine())
    }

    /// Many at once, each the right one.
    func testSendingToAProcess() throws {
        let listener = try UnixListener(try pathName())
        let child = try ChildProcess.helper("read-passed-pipes", path())
        let stream = try listener.accept()
        var attachments = UnixAttachments()
        for number in 0..<100 {
            let (sender, receiver) = try UnnamedPipe.create()
            try sender.writeAll("line \(number)\n")
            attachments.add(receiver)
        }
        try stream.send(Array("pipes".utf8), with: attachments)
        child.expect("message pipes 100")
        for number in 0..<100 { child.expect("line line \(number)") }
        XCTAssertEqual(child.wait(), 0)
    }
}
