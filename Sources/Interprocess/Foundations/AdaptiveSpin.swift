// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// Trying again and again for a while before going to sleep, where that has recently paid.
///
/// To be woken takes a thread longer than many an answer takes to come, on virtual machines ten times as long. But
/// where nothing comes in time, trying only keeps the processor from somebody else, who may be the one that is waited
/// for. So each spin has to earn the next ones, and when it stops paying, one is tried now and then.
///
/// It serves any number of threads. What they note at the same time may get lost, which costs a spin too many or too
/// few.
struct AdaptiveSpin: ~Copyable, Sendable {
    /// On how many processors this process may run, as of when it was first asked.
    static let processors = cip_usable_processors()

    /// How many spins that paid make up for one that did not.
    private static let price = 8
    private static let mostCredit = 8 * price
    private static let leastPause = 4
    private static let mostPause = 4096

    private let limit: Atomic<Int64>
    /// What the spins that paid have earned.
    private let credit = Atomic<Int>(0)
    /// How many waits are still to go by without a spin.
    private let skips = Atomic<Int>(0)
    /// How many waits the next failure without credit makes go by.
    private let pause = Atomic<Int>(leastPause)

    init(_ time: Duration = .zero) { limit = Atomic(time.wholeNanoseconds) }

    /// How long one spin may last; zero is not at all.
    var time: Duration {
        get { .nanoseconds(limit.load(ordering: .relaxed)) }
        nonmutating set { limit.store(newValue.wholeNanoseconds, ordering: .relaxed) }
    }

    /// Whether there is anything to ask `run` for: all that it costs where it is off.
    @inline(__always)
    var isOn: Bool { limit.load(ordering: .relaxed) != 0 }

    /// Makes attempts until one has a result, if a spin is likely to be worth it.
    ///
    /// - Parameters:
    ///   - deadline: When to stop trying, if the spin's own time is not over before.
    ///   - processors: How many the process may use.
    ///   - attempt: Tries without waiting, and returns `nil` when it would have to wait.
    /// - Returns: The result of the last attempt; `nil` when there is nothing for it but to wait.
    func run<Value>(
        until deadline: Deadline = .never,
        processors: @autoclosure () -> Int64 = Self.processors,
        _ attempt: () -> Value?
    ) -> Value? {
        let limit = limit.load(ordering: .relaxed)
        if limit == 0 || deadline.hasPassed || !shouldSpin(processors()) { return nil }
        // What is there already has not been waited for, which says nothing about waits.
        if let value = attempt() { return value }
        let end = deadline.atMost(nanosecondsFromNow: limit)
        while !end.hasPassed {
            guard let value = attempt() else { continue }
            // One that comes too late came while somebody else had the processor, and perhaps because of that.
            finish(paid: !end.hasPassed)
            return value
        }
        finish(paid: false)
        return nil
    }

    /// Whether a wait that comes now should begin with a spin.
    func shouldSpin(_ processors: Int64) -> Bool {
        // Alone on its processor, a thread that spins keeps out the one that it waits for.
        if processors < 2 { return false }
        let left = skips.load(ordering: .relaxed)
        if left > 0 { skips.store(left - 1, ordering: .relaxed) }
        return left == 0
    }

    /// Notes what came of a spin.
    func finish(paid: Bool) {
        let credit = credit.load(ordering: .relaxed) + (paid ? 1 : -Self.price)
        self.credit.store(max(0, min(credit, Self.mostCredit)), ordering: .relaxed)
        if credit > Self.price {
            pause.store(Self.leastPause, ordering: .relaxed)
        } else if credit < 0 {
            let pause = pause.load(ordering: .relaxed)
            skips.store(pause, ordering: .relaxed)
            self.pause.store(min(2 * pause, Self.mostPause), ordering: .relaxed)
        }
    }
}
