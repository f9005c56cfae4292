// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// Signals as a handler writes them into a pipe.
///
/// Each system's backend has a type of this name with these members.
enum SignalBackend {
    static let label = "signals"

    /// Begins to watch signals that can be watched.
    ///
    /// - Returns: What is readable while there are some, and what stands for the watcher.
    static func watch(_ numbers: [Int32], capacity: Int) throws(IPCError) -> (core: DescriptorCore, handle: Int64) {
        var ends: (Int64, Int64) = (-1, -1)
        try check(
            System.call(.pipe) {
                unsafe withUnsafeMutableBytes(of: &ends) {
                    unsafe cip_pipe($0.assumingMemoryBound(to: Int64.self).baseAddress.unsafelyUnwrapped)
                }
            }
        )
        let receiver = OwnedDescriptor(ends.0)
        let sender = OwnedDescriptor(ends.1)
        try check(System.call(.option) { cip_set_nonblocking(receiver.raw, true) })
        try check(System.call(.option) { cip_set_nonblocking(sender.raw, true) })
        // A wish: without privileges there is a limit, and some systems have their own size. A page has whole records.
        let page = 4096
        let records = page / MemoryLayout<cip_signal_record>.size
        var size = Int64(((min(capacity, 1 << 24) - 1) / records + 1) * page)
        while System.call(.option, { cip_set_pipe_capacity(sender.raw, size) }) < 0 && size > 1 << 16 { size /= 2 }
        let other = System.call(.duplicate) { cip_duplicate(receiver.raw) }
        let kept = try OwnedDescriptor(result: other, .watch, name: label)
        let (send, keep) = (sender.raw, kept.raw)
        var isWatched = false
        let handle = System.call(.signal) {
            isWatched = true
            return unsafe cip_signal_watch(numbers, numbers.count, send, keep)
        }
        // From the call on they are the watcher's, whatever comes of it.
        if isWatched {
            _ = sender.release()
            _ = kept.release()
        }
        try check(handle)
        return (DescriptorCore(receiver, name: label, waker: .poll), handle)
    }

    private static func check(_ result: Int64) throws(IPCError) {
        if result < 0 { throw IPCError(result: result, .watch, name: label) }
    }

    /// Takes the next record, without waiting: its size, 0 when the watcher has ended, or a negated error code.
    static func take(_ core: DescriptorCore, _ record: inout cip_signal_record) -> Int64 {
        // Records are written whole, and so they are read.
        System.call(.pipeRead) { unsafe cip_read(core.descriptor, &record, MemoryLayout<cip_signal_record>.size) }
    }
}
#endif
