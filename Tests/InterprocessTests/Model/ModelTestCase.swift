// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

/// Tests that put a system to random operations, round after round.
///
/// Two environment variables change what is done:
///
///     INTERPROCESS_MODEL_SEED    the seed of the first round, as a failure tells it; another one each time, else
///     INTERPROCESS_MODEL_ROUNDS  how many rounds of each kind
///
/// When a round fails, operations are left out as long as it still fails; what remains is told in words.
class ModelTestCase: InterprocessTestCase {
    override var timeLimit: TimeInterval { 600 }

    private static let stepCount = 120
    /// How long to look for a shorter sequence.
    private static let shrinkingTime: Duration = .seconds(60)

    private var seed: UInt64 = 0

    /// Puts a system to random operations.
    func check<System: ModelledSystem>(_ system: System.Type, rounds: Int) async throws {
        let environment = ProcessInfo.processInfo.environment
        let first = environment["INTERPROCESS_MODEL_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
        let rounds = environment["INTERPROCESS_MODEL_ROUNDS"].flatMap { Int($0) } ?? rounds
        for round in 0..<rounds {
            seed = first &+ UInt64(round)
            var generator = SplitMix64(seed: seed)
            let steps = (0..<Self.stepCount).map { _ in Step(System.kinds, &generator) }
            guard let failure = await run(system, steps) else { continue }
            return XCTFail(told(await shrunk(system, steps, failure)))
        }
    }

    /// What happened in a run that failed.
    private struct Failure {
        let journal: [String]
        let reason: String
    }

    private func run<System: ModelledSystem>(_ system: System.Type, _ steps: [Step<System.Kind>]) async -> Failure? {
        let journal = Journal()
        let hang = Hang("seed \(seed)", journal)
        defer { hang.end() }
        let before = OpenDescriptors.all()
        let folder = path("\(UInt64.random(in: 0...UInt64.max))")
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            try await perform(system, steps, journal, folder)
            try? FileManager.default.removeItem(atPath: folder)
            journal.note("everything is dropped")
            let end = ContinuousClock.now + .seconds(2)
            while true {
                let left = OpenDescriptors.all().subtracting(before)
                if left.isEmpty { return nil }
                if ContinuousClock.now > end { throw Mismatch("descriptors are left open: \(left)") }
                try await Task.sleep(for: .milliseconds(1))
            }
        } catch { return Failure(journal: journal.lines, reason: "\(error)") }
    }

    private func perform<System: ModelledSystem>(
        _ system: System.Type,
        _ steps: [Step<System.Kind>],
        _ journal: Journal,
        _ folder: String
    ) async throws {
        let system = try System(journal, in: folder)
        for step in steps { try await system.perform(step) }
        try await system.end()
    }

    /// Leaves out whatever is not needed for a failure, first much at a time; then makes what is left simpler.
    private func shrunk<System: ModelledSystem>(
        _ system: System.Type,
        _ steps: [Step<System.Kind>],
        _ failure: Failure
    ) async -> Failure {
        let end = ContinuousClock.now + Self.shrinkingTime
        var (steps, failure) = (steps, failure)
        func fails(_ changed: [Step<System.Kind>]) async -> Bool {
            guard let found = await run(system, changed) else { return false }
            (steps, failure) = (changed, found)
            return true
        }
        var count = steps.count / 2
        while count > 0 {
            var start = 0
            while start < steps.count && ContinuousClock.now < end {
                var fewer = steps
                fewer.removeSubrange(start..<min(start + count, steps.count))
                if await !fails(fewer) { start += count }
            }
            count /= 2
        }
        let simpler: [(inout Step<System.Kind>) -> Void] = [{ $0.form = 0 }, { $0.size = 1 }, { $0.size /= 4 }]
        for index in steps.indices {
            for change in simpler where ContinuousClock.now < end {
                var changed = steps
                change(&changed[index])
                _ = await fails(changed)
            }
        }
        return failure
    }

    private func told(_ failure: Failure) -> String {
        """
        \(failure.reason)
        in the last of these operations, the fewest that were seen to fail:
        \(failure.journal.map { "    " + $0 }.joined(separator: "\n"))
        again: INTERPROCESS_MODEL_SEED=\(seed) INTERPROCESS_MODEL_ROUNDS=1 swift test --filter \(Self.self)
        """
    }
}

/// Ends the tests, with the journal, when an operation does not end.
private final class Hang {
    private let timer: any DispatchSourceTimer

    init(_ text: String, _ journal: Journal) {
        let timer = DispatchSource.makeTimerSource(queue: .global())
        timer.schedule(deadline: .now() + (Sanitizer.isPresent ? 200 : 40))
        timer.setEventHandler {
            let lines = ["the last operation does not end (\(text)):"] + journal.lines
            FileHandle.standardError.write(Data((lines.joined(separator: "\n    ") + "\n").utf8))
            abort()
        }
        timer.resume()
        self.timer = timer
    }

    func end() { timer.cancel() }
}
