// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess

/// How long round trips took: counted in classes of which each is a twentieth wider than the one before.
struct Latencies {
    private var counts = [Int](repeating: 0, count: 512)
    private(set) var count = 0
    private(set) var most = 0.0

    mutating func add(_ duration: Duration) {
        let microseconds = max(
            0.1,
            Double(duration.components.attoseconds) / 1e12 + Double(duration.components.seconds) * 1e6
        )
        counts[min(511, Int(log(microseconds / 0.1) / log(1.05)))] += 1
        count += 1
        most = max(most, microseconds)
    }

    /// In microseconds: so long took that part of them at most.
    func quantile(_ part: Double) -> Double {
        var left = Int(Double(count) * part)
        for (index, number) in counts.enumerated() {
            left -= number
            if left < 0 { return min(most, 0.1 * pow(1.05, Double(index + 1))) }
        }
        return most
    }
}

/// Is one client of each kind that behaves well all the time, and tells once a second how long its round trips take.
func beSteady(_ names: Names, seed: UInt64) throws {
    let starter = try IPCChild.inheritedStream()
    var dice = Dice(seed: seed)
    let stream = try LocalSocketStream.connect(to: names.echo)
    let connection = try IPCConnection<Delivery, Order>.connect(to: names.orders)
    var (echoes, replies) = (Latencies(), Latencies())
    var lastTold = ContinuousClock.now
    while true {
        let bytes = dice.bytes(64)
        let start = ContinuousClock.now
        try stream.writeAll(bytes)
        guard try stream.readExactly(64, timeout: .seconds(60)) == bytes else { throw Failure("other bytes came back") }
        let middle = ContinuousClock.now
        guard try connection.request(Order(bytes: bytes), timeout: .seconds(60)).bytes == bytes else {
            throw Failure("another reply came")
        }
        let end = ContinuousClock.now
        echoes.add(middle - start)
        replies.add(end - middle)
        if end - lastTold > .seconds(1) {
            lastTold = end
            let figures = [echoes, replies].map { "\($0.count) \($0.quantile(0.5)) \($0.quantile(0.99)) \($0.most)" }
            try starter.writeAll(figures.joined(separator: " ") + "\n")
        }
        // A pause; the starter leaves when it is all over.
        do {
            if try starter.read(upTo: 1, timeout: .milliseconds(2)).isEmpty { return }
        } catch { if error.code != .timedOut { throw error } }
    }
}
