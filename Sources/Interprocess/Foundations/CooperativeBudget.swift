// SPDX-License-Identifier: MIT OR Apache-2.0

internal import Synchronization

/// How many awaited calls may succeed at once, one after the other, before one gives way to other tasks.
///
/// A task whose peer is always faster than itself would else never leave its thread, which others are waiting for.
///
/// Threads that spend from it at the same time spoil the number at worst.
struct CooperativeBudget: ~Copyable, Sendable {
    private static let most: UInt8 = 64
    private let left = Atomic<UInt8>(Self.most)

    /// Spends one; returns whether none was left, and begins anew then.
    @inline(__always)
    func spend() -> Bool {
        let left = left.load(ordering: .relaxed)
        self.left.store(left == 0 ? Self.most : left - 1, ordering: .relaxed)
        return left == 0
    }

    /// To be called when a task waits, which gives way by itself.
    @inline(__always)
    func renew() { left.store(Self.most, ordering: .relaxed) }
}
