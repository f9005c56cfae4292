// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess
import Synchronization

/// Those who take part in a chat: each line that one of them says goes to all others.
final class Room: Sendable {
    private struct Member {
        let client: LocalSocketStream
        /// What it is still to be told.
        let lines: AsyncStream<String>.Continuation
    }

    /// A client that so many lines wait for has stopped listening.
    private static let patience = 1000
    private let members = Mutex<[ObjectIdentifier: Member]>([:])

    /// Serves until the listener is closed.
    func serve(_ listener: LocalSocketListener) async throws {
        try await listener.serve { [self] client in
            // Told by the system, so nobody can take part as somebody else.
            let who = try await client.peerCredentials().processID.map { "\($0)" } ?? "somebody"
            let (lines, continuation) = AsyncStream.makeStream(
                of: String.self,
                bufferingPolicy: .bufferingOldest(Self.patience)
            )
            members.withLock { $0[ObjectIdentifier(client)] = Member(client: client, lines: continuation) }
            defer {
                _ = members.withLock { $0.removeValue(forKey: ObjectIdentifier(client)) }
                tell("\(who) has left")
            }
            tell("\(who) has come")
            // Beside what it says, and beside all others: a client that does not read keeps nobody waiting.
            async let _: Void = { for await line in lines { try await client.writeAll(line + "\n") } }()
            for try await line in client.lines { tell("\(who): \(line)", except: client) }
        }
    }

    /// Leaves a line for everybody, or everybody else, and waits for nobody to take it.
    private func tell(_ line: String, except speaker: LocalSocketStream? = nil) {
        for member in members.withLock({ Array($0.values) }) where member.client !== speaker {
            if case .dropped = member.lines.yield(line) { member.client.close() }
        }
    }
}
