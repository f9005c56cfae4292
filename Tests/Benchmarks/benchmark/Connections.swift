// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

/// Connections that one process makes and closes, and the other accepts and closes.
struct Connections {
    let scratch: String
    let isQuick: Bool

    func rows() -> [Row] {
        [Placement.oneCPU, .unpinned].map { placement in
            Row(
                name: "connections",
                title: "connect, accept and close",
                placement: placement,
                unit: .perSecond
            ) { try sample($0, placement) }
        }
    }

    private func sample(_ side: Side, _ placement: Placement) throws -> Sample {
        let order = Order(
            side: side,
            work: .connect,
            transport: .socket,
            count: isQuick ? 5_000 : 20_000,
            path: scratch,
            cpu: placement.peerCPU
        )
        let sample: Sample
        let peer: PeerProcess
        switch side {
        case .c:
            let listener = try descriptor(cb_listen(scratch), "listening")
            defer {
                cb_close(listener)
                cb_scratch_clear()
            }
            peer = try PeerProcess(order.arguments)
            try check(cb_accept_and_close(listener, Int64(order.warmUp)), "accepting")
            let start = cb_now()
            try check(cb_accept_and_close(listener, Int64(order.count)), "accepting")
            sample = Sample(order.count, sinceNanoseconds: start)
        case .library:
            let listener = try LocalSocketListener(.path(scratch))
            defer { listener.close() }
            peer = try PeerProcess(order.arguments)
            for _ in 0..<order.warmUp { try listener.accept().close() }
            let start = cb_now()
            for _ in 0..<order.count { try listener.accept().close() }
            sample = Sample(order.count, sinceNanoseconds: start)
        }
        try peer.finish()
        return sample
    }
}
