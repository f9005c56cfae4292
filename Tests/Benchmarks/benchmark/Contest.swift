// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark

/// A row that is measured between processes of their own: who plays which part for each side.
struct Contest {
    let name: String
    let title: String
    let placement: Placement
    var target: Target?
    /// How the library's side waits, and the one that stands in C's column.
    let library: Part.Manner
    let c: Part.Manner
    var server: Part.Work?
    let client: Part.Work
    var size = 64
    let count: Int
    var connections = 1

    func row(_ scratch: String) -> Row {
        Row(name: name, title: title, placement: placement, unit: client.unit, target: target) { side in
            // The processes inherit where this one may run, and have to be free to choose.
            try check(cb_pin(-1), "unpinning")
            let part = { (work: Part.Work, cpu: Int64) in
                Part(
                    work: work,
                    manner: side == .c ? c : library,
                    size: size,
                    count: count,
                    connections: connections,
                    path: scratch,
                    cpu: cpu
                )
            }
            return try part(client, placement.peerCPU).measure(servedBy: server.map { part($0, placement.ownCPU) })
        }
    }
}

extension Part.Work {
    /// What a client's sample is.
    fileprivate var unit: Unit {
        switch self {
        case .pour: .bytesPerSecond
        case .load, .connections: .perSecond
        default: .nanoseconds
        }
    }
}
