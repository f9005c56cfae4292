// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

struct Finding: Codable {
    let subject: String
    let result: String
}

/// What is found out with the library's public members alone.
struct Inspection {
    func system() -> [Finding] {
        #if arch(x86_64)
        let processor = "x86-64"
        #elseif arch(arm64)
        let processor = "arm64"
        #else
        let processor = "another processor"
        #endif
        let information = ProcessInfo.processInfo
        return [
            Finding(subject: "system", result: information.operatingSystemVersionString),
            Finding(
                subject: "processors",
                result: "\(information.activeProcessorCount) of \(information.processorCount), \(processor)"
            ),
        ]
    }

    func everywhere() -> [Finding] {
        [
            look(at: "longest path of a socket, bytes") { longest { try .path($0) } },
            look(at: "longest namespaced name, bytes") { longest { try .namespaced($0) } },
            look(at: "a namespaced name") { "\(try LocalSocketName.namespaced("com.example.inspect"))" },
            look(at: "a name in the runtime directory") {
                "\(try LocalSocketName.runtimeDirectory("com.example.inspect"))"
            },
            look(at: "what a peer's credentials have") {
                try withConnection(try uniqueName()) { credentials(try $0.peerCredentials()) }
            },
            look(at: "the peer's process can be held") {
                try withConnection(try uniqueName()) { stream in
                    _ = try stream.peerProcess()
                    return "yes"
                }
            },
            look(at: "channels for bytes") {
                let (sender, receiver) = try IPCChannel.makeBytes()
                try sender.send([1])
                return try receiver.receive() == [1] ? "yes" : "wrong bytes"
            },
            look(at: "receivers waited for together") {
                _ = try IPCReceiverGroup()
                return "yes"
            },
            look(at: "shared memory that nobody can change any more") {
                let region = try SharedRegion(byteCount: 4096) { $0.storeBytes(of: 1, as: UInt8.self) }
                return isSealed(region)
            },
        ]
    }

    /// What a probe says, or why it fails.
    func look(at subject: String, _ probe: () throws -> String) -> Finding {
        do {
            return Finding(subject: subject, result: try probe())
        } catch {
            return Finding(subject: subject, result: "no: \(error)")
        }
    }

    private func longest(_ name: (String) throws -> LocalSocketName) -> String {
        let count = (1...4096).first { (try? name("/" + String(repeating: "a", count: $0))) == nil }
        return count.map(String.init) ?? "more than 4096"
    }

    func uniqueName() throws -> LocalSocketName {
        try .namespaced("com.example.inspect.\(UInt64.random(in: 0...UInt64.max))")
    }

    /// Has a server and a client of it, and lends what the server has of the client.
    func withConnection(
        _ name: LocalSocketName,
        _ body: (LocalSocketStream) throws -> String
    ) throws -> String {
        let listener = try LocalSocketListener(name)
        let client = try LocalSocketStream.connect(to: name)
        defer { client.close() }
        return try body(try listener.accept(timeout: .seconds(5)))
    }

    private func credentials(_ credentials: PeerCredentials) -> String {
        let known: [(String, Bool)] = [
            ("process", credentials.processID != nil), ("user", credentials.userID != nil),
            ("group", credentials.groupID != nil), ("groups", credentials.groups != nil),
            ("security label", credentials.securityLabel != nil),
        ]
        return known.filter(\.1).map(\.0).joined(separator: ", ")
    }

    private func isSealed(_ region: SharedRegion) -> String {
        #if os(Linux)
        // F_GET_SEALS and the four seals of the first kernel that had them, which the C library's module does not have.
        let seals = try? region.withUnsafeDescriptor { fcntl($0, 1034) }
        guard let seals, seals >= 0 else { return "only by not giving write access away" }
        return seals & 0xf == 0xf ? "yes, sealed" : "sealed in part: \(seals)"
        #else
        return "only by not giving write access away"
        #endif
    }
}
