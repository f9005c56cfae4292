// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// Whether there is likely nothing to receive: then a call that may wait asks for readiness first, instead of trying in
/// vain.
///
/// After a read that got less than it asked for, that is as good as certain. After one that got all, it depends on what
/// the peer does: it is tried, and where that is in vain again and again, tried ever more seldom.
///
/// Threads that change it at the same time spoil a guess at worst.
struct EmptinessGuess: ~Copyable, Sendable {
    private let isEmpty = Atomic<Bool>(false)
    /// For how many full reads to come nothing is tried.
    private let rest = Atomic<UInt8>(0)
    /// How many that were after the last attempt in vain.
    private let step = Atomic<UInt8>(0)
    private static let mostSteps: UInt8 = 64

    @inline(__always)
    var isLikelyEmpty: Bool { isEmpty.load(ordering: .relaxed) }

    /// Learns from an attempt to receive `count` bytes.
    @inline(__always)
    func learn(_ result: Int64, of count: Int) {
        if result == count {
            // It was tried, and not in vain: so try on.
            if !isEmpty.load(ordering: .relaxed) { step.store(0, ordering: .relaxed) }
            let left = rest.load(ordering: .relaxed)
            if left > 0 { rest.store(left - 1, ordering: .relaxed) }
            isEmpty.store(left > 0, ordering: .relaxed)
        } else {
            if result == -cip_codes.would_block && !isEmpty.load(ordering: .relaxed) { triedInVain() }
            isEmpty.store(result != 0, ordering: .relaxed)
        }
    }

    private func triedInVain() {
        let next = min(Self.mostSteps, 2 * step.load(ordering: .relaxed) + 1)
        step.store(next, ordering: .relaxed)
        rest.store(next, ordering: .relaxed)
    }
}
