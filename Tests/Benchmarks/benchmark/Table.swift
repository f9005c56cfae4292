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

    /// The table of exact figures.
    static func exact(_ figures: [ExactFigure]) -> Table {
        var table = Table(["exact figure", "value", "has to be", ""], words: 1)
        for figure in figures {
            table.add([figure.title, "\(figure.value)", "\(figure.expected)", figure.isRight ? "right" : "WRONG"])
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
