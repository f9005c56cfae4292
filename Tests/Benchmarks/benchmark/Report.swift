// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark

/// What a run found, as JSON.
struct Report {
    let machine: Machine
    let rounds: Int
    let results: [Outcome]
    let figures: [Figure]

    func write(to path: String) throws {
        let text = Array((json + "\n").utf8)
        try check(cb_write_file(path, text, text.count), "writing \(path)")
    }

    private var json: String {
        object([
            ("cpus", "\(machine.cpuCount)"), ("kernel", quoted(machine.kernel)), ("pinned", "\(machine.canPin)"),
            ("pinnedApart", "\(machine.canPinApart)"), ("repetitions", "\(rounds)"),
            ("timed", array(results.map(json(of:)))), ("counted", array(figures.map(json(of:)))),
        ])
    }

    private func json(of result: Outcome) -> String {
        let row = result.row
        return object([
            ("name", quoted(row.name)), ("placement", quoted(row.placement.rawValue)),
            ("unit", quoted(row.unit.rawValue)), ("ratio", number(result.ratio)),
            ("aim", number(row.target?.aim)), ("gate", number(row.target?.gate)),
            ("library", json(of: result, .library)), ("c", json(of: result, .c)),
        ])
    }

    /// The medians, and the value of each repetition in the order in which they were taken.
    private func json(of result: Outcome, _ side: Side) -> String {
        let samples = result.samples[side] ?? []
        return object([
            ("median", number(result.median(side))), ("medianP99", number(result.medianTail(side))),
            ("values", array(samples.map { number($0.value) })),
            ("p99", array(samples.compactMap(\.tail).map { number($0) })),
        ])
    }

    private func json(of figure: Figure) -> String {
        let limits: [(String, String)] =
            switch figure.limit {
            case .exactly(let expected): [("expected", "\(expected)")]
            case .atMost(let gate, let aim): [("aim", "\(aim)"), ("gate", "\(gate)")]
            case .none: []
            }
        return object([("name", quoted(figure.name)), ("value", "\(figure.value)")] + limits)
    }
}

private func object(_ members: [(String, String)]) -> String {
    "{" + members.map { quoted($0.0) + ": " + $0.1 }.joined(separator: ", ") + "}"
}

private func array(_ elements: [String]) -> String { "[" + elements.joined(separator: ",\n  ") + "]" }

/// JSON has no number for what is not one.
private func number(_ value: Double?) -> String { value.flatMap { $0.isFinite ? "\($0)" : nil } ?? "null" }

private func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
        switch scalar {
        case "\"", "\\": "\\\(scalar)"
        case _ where scalar.value < 0x20: " "
        default: String(scalar)
        }
    }
    return "\"" + escaped.joined() + "\""
}
