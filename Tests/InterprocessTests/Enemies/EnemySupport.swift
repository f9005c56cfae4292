// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

// What is said of enemies in the article "Enemies" of the documentation is tested in this folder, by processes of their own.

extension Sequence<UInt8> {
    /// As the helper takes bytes: two digits each.
    var hex: String { map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }
}

/// What a client of an `IPCServer<String, String>` says first.
func introduction() -> [UInt8] {
    let options = IPCConnectionOptions()
    let text = Hello.fingerprint(String.self, options)
    return frame(.hello, Hello(.client, options, receives: text, sends: text).bytes)
}

extension InterprocessTestCase {
    /// Serves texts in capitals while the body runs; then closes the server, and waits until serving has ended.
    func withTextServer(
        _ options: IPCServerOptions,
        at name: LocalSocketName? = nil,
        during body: (LocalSocketName) async throws -> Void
    ) async throws {
        let server = try IPCServer<String, String>(try name ?? namespacedName(), options: options)
        async let serving: Void = server.serve { text, _ in text.uppercased() }
        try await body(try XCTUnwrap(server.name))
        server.close()
        try await serving
    }

    /// Expects the server to serve who behaves well.
    func assertServed(
        _ name: LocalSocketName,
        file: StaticString = #filePath,
        line: UInt = #line
    ) async throws {
        let client = try await IPCConnection<String, String>.connect(to: name)
        let reply = try await client.request("text", timeout: .seconds(30))
        XCTAssertEqual(reply, "TEXT", file: file, line: line)
    }
}

extension ChildProcess {
    /// Starts an enemy, and waits until it has connected.
    static func enemy(_ arguments: String..., keeping: [(from: Int32, to: Int32)] = []) throws -> ChildProcess {
        let enemy = try built("test-helper", arguments, keeping: keeping)
        enemy.expect("connected")
        return enemy
    }
}
