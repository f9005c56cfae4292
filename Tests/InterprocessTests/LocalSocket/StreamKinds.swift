// SPDX-License-Identifier: MIT OR Apache-2.0

import Interprocess

extension InterprocessTestCase {
    /// The ways in which a stream can come to be, each with what keeps its other side open.
    func eachKindOfStream() -> [(
        kind: String, make: () throws -> (stream: LocalSocketStream, peer: LocalSocketStream)
    )] {
        [
            ("pair", { try LocalSocketStream.pair() }),
            (
                "accepted",
                {
                    let (server, client) = try self.connected(try self.pathName("a"))
                    return (server, client)
                }
            ),
            (
                "connected",
                {
                    let (server, client) = try self.connected(try self.namespacedName())
                    return (client, server)
                }
            ),
            (
                "duplicate",
                {
                    let (one, other) = try LocalSocketStream.pair()
                    return (try one.duplicate(), other)
                }
            ),
            (
                "duplicated",
                {
                    let (one, other) = try LocalSocketStream.pair()
                    try one.duplicate().close()
                    return (one, other)
                }
            ),
            (
                "adopted",
                {
                    let (one, other) = try LocalSocketStream.pair()
                    return (try LocalSocketStream(adopting: try one.detach()), other)
                }
            ),
            (
                "lent",
                {
                    let (one, other) = try LocalSocketStream.pair()
                    try one.withUnsafeDescriptor { _ in }
                    return (one, other)
                }
            ),
        ]
    }
}
