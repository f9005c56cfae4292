// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Programs that find their sockets open when they start, for another program has bound them, as systemd does.
final class SocketActivationTests: InterprocessTestCase {
    func testPythonPassesAListener() throws {
        for address in try uniquePlainAddresses() {
            let parent = try activate("SOCK_STREAM", address, ["activated"])
            parent.expect("listeners 1")
            parent.expect("name \(address)")
            let client = try UnixStream.connect(toAddress: address)
            XCTAssertEqual(try client.readLine(), "activated")
            XCTAssertNil(try client.readLine())
            XCTAssertEqual(parent.wait(), 0)
        }
    }

    func testPythonPassesDatagrams() throws {
        for address in try uniqueAddresses() {
            let parent = try activate("SOCK_DGRAM", address, ["receive-datagram", "3"])
            let own = try UnixDatagramSocket(address: .path(path("\(UInt32.random(in: 0...UInt32.max))")))
            try own.send(Array("a datagram".utf8), to: address)
            parent.expect("got a datagram from \(try own.localAddress())")
            XCTAssertEqual(parent.wait(), 0)
        }
    }

    /// Lets Python bind a socket, and start the helper with it.
    private func activate(
        _ kind: String,
        _ address: UnixSocketAddress,
        _ arguments: [String]
    ) throws -> ChildProcess {
        let helper = try ChildProcess.path(ofBuilt: "test-helper")
        let parent = try python(
            """
            import os, sys
            s = socket.socket(socket.AF_UNIX, socket.\(kind))
            s.bind(\(inPython(address)))
            if s.type == socket.SOCK_STREAM: s.listen()
            print("bound", flush=True)
            child = os.fork()
            if child == 0:
                if s.fileno() != 3: os.dup2(s.fileno(), 3)
                os.set_inheritable(3, True)
                os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
                os.execv("\(helper)", \([helper] + arguments))
            s.close()
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            """
        )
        parent.expect("bound")
        return parent
    }
}
