// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import Synchronization

/// A descriptor that is held for later, such as to be given up when none is left.
final class ReserveDescriptor: Sendable {
    private let held = Atomic<Int64>(-1)

    deinit { _ = give() }

    var raw: Int64 { held.load(ordering: .relaxed) }

    var isHeld: Bool { raw >= 0 }

    /// Sees to it that there is a reserve, and returns whether there is one.
    @discardableResult
    func fill(_ make: () -> Int64) -> Bool {
        if isHeld { return true }
        let made = make()
        if made < 0 { return false }
        let (done, _) = held.compareExchange(expected: -1, desired: made, ordering: .acquiringAndReleasing)
        if !done { _ = cip_close(made) }
        return true
    }

    /// Gives the reserve up; returns whether there was one.
    func give() -> Bool {
        let descriptor = held.exchange(-1, ordering: .acquiringAndReleasing)
        if descriptor >= 0 { _ = cip_close(descriptor) }
        return descriptor >= 0
    }
}
