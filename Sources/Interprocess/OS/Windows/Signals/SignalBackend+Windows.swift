// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

/// Signals as the C runtime and the console tell of them.
///
/// Each system's backend has a type of this name with these members.
enum SignalBackend {
    static let label = "signals"

    /// Begins to watch signals that can be watched.
    ///
    /// - Returns: What is readable while there are some, and what stands for the watcher.
    static func watch(_ numbers: [Int32], capacity: Int) throws(IPCError) -> (core: DescriptorCore, handle: Int64) {
        let event = try OwnedDescriptor(result: System.call(.wake) { cip_event_create() }, .watch, name: label)
        let room = Int64(min(capacity, 1 << 24))
        let handle = System.call(.signal) { unsafe cip_signal_watch_by_event(numbers, numbers.count, event.raw, room) }
        if handle < 0 { throw IPCError(result: handle, .watch, name: label) }
        return (DescriptorCore(event, name: label, waker: .poll), handle)
    }

    /// Takes the next record, without waiting: its size, 0 when the watcher has ended, or a negated error code.
    static func take(_ core: DescriptorCore, _ record: inout cip_signal_record) -> Int64 {
        System.call(.signal) { unsafe cip_signal_take(core.descriptor, &record) }
    }
}
#endif
