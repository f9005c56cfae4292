// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

/// Messages that one thread writes and reads itself.
struct LoneThread {
    let isQuick: Bool

    private static let size = 64

    func rows() -> [Row] {
        [
            Row(
                name: "lone-thread-socket",
                title: "socket write and read, 64 B, one thread [4]",
                placement: .oneCPU,
                unit: .nanoseconds
            ) { try bySocket($0) },
            Row(
                name: "lone-thread-pipe",
                title: "pipe write and read, 64 B, one thread [4]",
                placement: .oneCPU,
                unit: .nanoseconds
            ) { try byPipe($0) },
        ]
    }

    private var count: Int { isQuick ? 25_000 : 100_000 }

    private func bySocket(_ side: Side) throws -> Sample {
        switch side {
        case .c: return try inC(cb_socket_pair, isSocket: true)
        case .library:
            let (near, far) = try LocalSocketStream.pair()
            return try timeWithLibrary(LibraryLink(receiver: far, sender: near), Self.size, count)
        }
    }

    private func byPipe(_ side: Side) throws -> Sample {
        switch side {
        case .c: return try inC(cb_pipe, isSocket: false)
        case .library:
            let pipe = try UnnamedPipe.create()
            return try timeWithLibrary(LibraryLink(receiver: pipe.receiver, sender: pipe.sender), Self.size, count)
        }
    }

    private func inC(_ make: (UnsafeMutablePointer<Int32>?) -> Int64, isSocket: Bool) throws -> Sample {
        var ends: [Int32] = [-1, -1]
        try check(make(&ends), "making a pair")
        defer { for end in ends { cb_close(end) } }
        return try timeInC(cb_link(input: ends[0], output: ends[1], is_socket: isSocket), Self.size, count)
    }
}
