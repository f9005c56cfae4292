// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

extension InterprocessTestCase {
    /// Starts Python with a script for which the module `socket` is imported.
    func python(_ script: String) throws -> ChildProcess {
        try requireProgram("python3")
        return try ChildProcess("python3", ["-c", "import socket\n" + script])
    }

    /// An address as Python's sockets take it.
    func inPython(_ address: UnixSocketAddress) -> String { "bytes(\(bytes(of: address)))" }

    /// An address as socat takes it, without the kind; its bytes have to be plain ones.
    func inSocat(_ address: UnixSocketAddress, _ role: String) -> String {
        if let path = address.path { return "UNIX-\(role):\(path)" }
        return "ABSTRACT-\(role):\(address.description.dropFirst())"
    }

    /// The bytes of an address as the system has them.
    func bytes(of address: UnixSocketAddress) -> [UInt8] {
        #if os(Linux)
        if let name = address.abstractBytes { return [0] + name }
        #endif
        return address.pathBytes ?? []
    }

    /// A new address of each kind: the abstract one has bytes that are not text, and NULs at both ends.
    func uniqueAddresses() throws -> [UnixSocketAddress] {
        var addresses = [try uniquePathAddress()]
        #if os(Linux)
        let unique = (0..<16).map { _ in UInt8.random(in: 0...255) }
        addresses.append(try .abstract(bytes: [0] + unique + [0, 0]))
        #endif
        return addresses
    }

    /// A new address of each kind, of plain characters.
    func uniquePlainAddresses() throws -> [UnixSocketAddress] {
        var addresses = [try uniquePathAddress()]
        #if os(Linux)
        addresses.append(try .abstract("interprocess-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"))
        #endif
        return addresses
    }

    private func uniquePathAddress() throws -> UnixSocketAddress {
        try .path(path("\(UInt32.random(in: 0...UInt32.max))"))
    }
}

extension UnixDatagramSocket {
    /// Sends a datagram as soon as there is a receiver.
    func send(_ bytes: [UInt8], toSoonBoundAt address: UnixSocketAddress) throws {
        while true {
            do throws(IPCError) {
                try send(bytes, to: address)
                return
            } catch {
                if error.code != .notFound && error.code != .connectionRefused { throw error }
            }
            usleep(1000)
        }
    }
}
