// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// Options for a connection, with some of them changed.
func connectionOptions(_ change: (inout IPCConnectionOptions) -> Void) -> IPCConnectionOptions {
    var options = IPCConnectionOptions()
    change(&options)
    return options
}

extension IPCConnection {
    /// A connection whose introduction is over, and the stream that its other side is.
    static func withRawPeer(
        _ options: IPCConnectionOptions = IPCConnectionOptions()
    ) throws -> (connection: IPCConnection, peer: LocalSocketStream) {
        let (one, other) = try LocalSocketStream.pair()
        let (frames, reader) = try begin(one, options)
        return (IPCConnection(one, frames, reader, options), other)
    }

    /// Both sides of a connection, made as between processes, each with options of its own.
    static func introduced(
        _ options: IPCConnectionOptions,
        _ others: IPCConnectionOptions
    ) throws -> (Running<IPCConnection>, Running<IPCConnection<Outgoing, Incoming>>)
    where Incoming: Encodable, Outgoing: Decodable {
        let (one, other) = try LocalSocketStream.pair()
        return (
            Running { try IPCConnection(over: one, options: options, timeout: .seconds(20)) },
            Running { try IPCConnection<Outgoing, Incoming>(over: other, options: others, timeout: .seconds(20)) }
        )
    }
}

/// A message as the coder makes it.
func encoded(_ value: some Encodable) throws -> [UInt8] { try IPCEncoder().encode(value) }
