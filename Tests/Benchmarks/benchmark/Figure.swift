// SPDX-License-Identifier: MIT OR Apache-2.0

/// A number that is not a time.
struct Figure {
    /// What it has to be.
    enum Limit {
        /// The same in every run, however busy the machine is: it decides how the program ends.
        case exactly(Int64)
        /// At most the gate, and what we are after.
        case atMost(gate: Int64, aim: Int64)
        /// Anything: it is told, no more.
        case none
    }

    let name: String
    let title: String
    let value: Int64
    let limit: Limit

    /// Whether the program may end well.
    var isRight: Bool {
        if case .exactly(let expected) = limit { return value == expected }
        return true
    }

    var verdict: String {
        switch limit {
        case .exactly: isRight ? "right" : "WRONG"
        case .atMost(let gate, let aim): value <= aim ? "aim" : value <= gate ? "gate" : "MISSED"
        case .none: ""
        }
    }
}

extension Figure.Limit: CustomStringConvertible {
    var description: String {
        switch self {
        case .exactly(let expected): "\(expected)"
        case .atMost(let gate, let aim): "≤ \(gate), aim ≤ \(aim)"
        case .none: ""
        }
    }
}
