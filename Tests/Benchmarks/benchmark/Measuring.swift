// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark

/// One measurement by one side.
struct Sample {
    /// The median time in nanoseconds, or the rate.
    var value: Double
    /// The 99th percentile of the time.
    var tail: Double?
}

/// What a row counts.
enum Unit: String {
    case nanoseconds
    case bytesPerSecond
    case perSecond

    var moreIsBetter: Bool { self != .nanoseconds }
}

/// What the ratio of library to C is meant to be.
struct Target {
    /// What we are after.
    let aim: Double
    /// The least that counts as done.
    var gate: Double?
}

/// One line of the table: work that the library and C both do.
struct Row {
    let name: String
    let title: String
    let placement: Placement
    let unit: Unit
    var target: Target?
    let measure: (Side) throws -> Sample
}

/// A row and what came of it.
struct Outcome {
    let row: Row
    fileprivate(set) var samples: [Side: [Sample]] = [:]

    func median(_ side: Side) -> Double { middle((samples[side] ?? []).map(\.value)) }

    func medianTail(_ side: Side) -> Double? {
        let tails = (samples[side] ?? []).compactMap(\.tail)
        return tails.isEmpty ? nil : middle(tails)
    }

    /// Of the medians.
    var ratio: Double { median(.library) / median(.c) }

    /// The ratios of the single repetitions, in which the two sides ran one right after the other.
    var ratios: [Double] { zip(samples[.library] ?? [], samples[.c] ?? []).map { $0.value / $1.value } }

    func meets(_ limit: Double) -> Bool { row.unit.moreIsBetter ? ratio >= limit : ratio <= limit }
}

/// Measures all rows, round by round, in a new order each time, so that a noisy minute of the machine does not fall on
/// one row or one side alone.
func measure(_ rows: [Row], rounds: Int) throws -> [Outcome] {
    var results = rows.map { Outcome(row: $0) }
    for round in 1...max(1, rounds) {
        cb_complain("round \(round) of \(rounds)")
        for place in results.indices.shuffled() {
            for side in Side.allCases.shuffled() {
                let row = results[place].row
                // Many times what the slowest row takes.
                cb_watch(120)
                defer { cb_watch(0) }
                do {
                    let sample = try row.placement.during { try row.measure(side) }
                    results[place].samples[side, default: []].append(sample)
                } catch {
                    throw Failure("\(row.name), \(side.rawValue): \(error)")
                }
            }
        }
    }
    return results
}

/// The median.
func middle(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard let last = sorted.last else { return .nan }
    let place = sorted.count / 2
    if sorted.count == 1 { return last }
    return sorted.count % 2 == 1 ? sorted[place] : (sorted[place - 1] + sorted[place]) / 2
}

extension Sample {
    /// The median and the 99th percentile of single times.
    init(nanoseconds: UnsafeMutableBufferPointer<Int64>) {
        let sorted = nanoseconds.sorted()
        value = Double(sorted[sorted.count / 2])
        tail = Double(sorted[sorted.count * 99 / 100])
    }

    /// How much was done in a second.
    init(_ amount: Int, sinceNanoseconds start: Int64) {
        value = Double(amount) * 1e9 / Double(max(1, cb_now() - start))
    }
}
