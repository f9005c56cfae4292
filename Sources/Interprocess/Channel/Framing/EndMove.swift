// SPDX-License-Identifier: MIT OR Apache-2.0

/// The move of an end to another process, during which nobody uses it: undone when this goes, unless it is finished.
protocol EndMove: AnyObject, Sendable {
    /// The end is somebody else's now.
    func finish()
}
