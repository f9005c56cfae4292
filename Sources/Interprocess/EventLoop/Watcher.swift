// SPDX-License-Identifier: MIT OR Apache-2.0

/// Somebody who is called on the loop's thread when a descriptor is ready, without any task.
protocol Watcher: AnyObject {
    /// The descriptor is ready: bits of CIP_READABLE and CIP_WRITABLE.
    ///
    /// The memory is the loop's, and may be used during the call.
    func call(_ ready: Int64, _ memory: UnsafeMutableRawBufferPointer)
}

/// Somebody who does at the end of a turn of the loop, once for all, what came up in it again and again.
protocol TurnEnd: AnyObject, Sendable {
    func turnDidEnd()
}

/// A watcher that is to be called, on the loop's thread like everything else that concerns it.
struct WatcherCall: @unchecked Sendable {
    let watcher: any Watcher
    let ready: Int64
}
