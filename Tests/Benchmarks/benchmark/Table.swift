// SPDX-License-Identifier: MIT OR Apache-2.0

/// Text in columns, each as wide as its widest cell.
struct Table {
    private var lines: [[String]] = []
    /// How many of the first columns are words, and stand on the left.
    private let words: Int

    init(_ heads: [String], words: Int) {
        lines = [heads]
        self.words = words
    }

    mutating func add(_ cells: [String]) { lines.append(cells) }

    var text: String {
        let widths = (lines.first ?? []).indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        let rule = widths.map { String(repeating: "-", count: $0) }
        return ([lines[0], rule] + lines.dropFirst())
            .map { cells in
                let padded = zip(cells, widths).enumerated()
                    .map { column, cell in
                        let blank = String(repeating: " ", count: cell.1 - cell.0.count)
                        return column < words ? cell.0 + blank : blank + cell.0
                    }
                return padded.joined(separator: "  ")
            }
            .joined(separator: "\n")
    }
}

extension Table {
    /// The table of what was timed.
    static func timed(_ results: [Outcome]) -> Table {
        var table = Table(
            ["work", "on", "C", "library", "C p99", "lib. p99", "ratio", "of single pairs", "aim", "gate", "reached"],
            words: 2
        )
        for result in results {
            let row = result.row
            let single = result.ratios
            table.add([
                row.title,
                row.placement.rawValue,
                row.unit.text(result.median(.c)),
                row.unit.text(result.median(.library)),
                result.medianTail(.c).map(row.unit.text) ?? "",
                result.medianTail(.library).map(row.unit.text) ?? "",
                fixed(result.ratio, 3),
                "\(fixed(single.min() ?? .nan, 2)) to \(fixed(single.max() ?? .nan, 2))",
                row.target.map { row.unit.limit($0.aim) } ?? "",
                row.target?.gate.map(row.unit.limit) ?? "",
                result.verdict,
            ])
        }
        return table
    }

    /// What the numbers in brackets in the rows' titles stand for.
    static func notes(to results: [Outcome]) -> String {
        let notes = [
            """
            [1] In this process the library waits in read(2), for its receiver was made here; in the other one, which
                adopted its receiver, by poll. C waits in read(2) in both.
            """,
            "[2] Both receivers were made here, so that the library waits in read(2) on both sides, as C does.",
            "[3] The size of the library's pipe; C's has the system's default, 64 KiB on Linux.",
            """
            [4] Written and read in one thread, so that nothing waits and no scheduler is in it: what the library's own
                code adds to two system calls, and the figure with the least noise.
            """,
            "[5] C waits by epoll, level-triggered and always before it receives.",
            "[6] The library with a timeout on every read; under C stands the library without.",
            "[7] C waits in recv(2); the library's loops try for 30 µs before they sleep, if that has been worth it.",
            "[8] The client is the same program in C for both.",
            "[9] C waits in send(2) and recv(2).",
            """
            [10] The library's reads spin on both sides, C's sleep. It pays where the scheduler has put the processes on
                 two CPUs, which C's time tells; where it has put them on one, reads stop spinning. Pinned processes do
                 not spin at all.
            """,
            """
            [11] By sendmmsg and recvmmsg. How many fit into the receiver's queue, net.unix.max_dgram_qlen says.
            """,
            """
            [12] C sends packets of 64 bytes; numbers have 8, and the ten fields some 200, coded.
            """,
            """
            [13] A task sends on a loop's thread, from which messages go when the loop has nothing else to do, or 64 KiB
                 of them are there. C sends each by a call.
            """,
            """
            [14] What stands in C's column is the library, too: a channel for bytes, with arrays of as many.
            """,
            """
            [15] Copied into a slot and out of it; in C, sent by a stream socket.
            """,
        ]
        let used = notes.filter { note in results.contains { $0.row.title.contains(note.prefix(3)) } }
        return used.isEmpty ? "" : "\n" + used.joined(separator: "\n")
    }

    /// The table of what was counted.
    static func counted(_ figures: [Figure]) -> Table {
        var table = Table(["figure", "value", "has to be", ""], words: 1)
        for figure in figures {
            table.add([figure.title, "\(figure.value)", "\(figure.limit)", figure.verdict])
        }
        return table
    }
}

extension Outcome {
    fileprivate var verdict: String {
        guard let target = row.target else { return "" }
        if meets(target.aim) { return "aim" }
        guard let gate = target.gate else { return "not the aim" }
        return meets(gate) ? "gate" : "MISSED"
    }
}

extension Unit {
    func text(_ value: Double) -> String {
        switch self {
        case .nanoseconds: fixed(value / 1e3, 2) + " µs"
        case .bytesPerSecond: fixed(value / Double(1 << 30), 2) + " GiB/s"
        case .perSecond: fixed(value / 1e3, 1) + " k/s"
        }
    }

    func limit(_ ratio: Double) -> String { (moreIsBetter ? "≥ " : "≤ ") + fixed(ratio, 2) }
}

/// A number with that many digits behind the point.
func fixed(_ value: Double, _ digits: Int) -> String {
    if !value.isFinite { return "?" }
    let scale = (0..<digits).reduce(1) { power, _ in power * 10 }
    let whole = Int((value * Double(scale)).rounded())
    let sign = whole < 0 ? "-" : ""
    let (integer, fraction) = whole.magnitude.quotientAndRemainder(dividingBy: UInt(scale))
    if digits == 0 { return "\(sign)\(integer)" }
    let tail = String(fraction)
    return "\(sign)\(integer)." + String(repeating: "0", count: digits - tail.count) + tail
}
