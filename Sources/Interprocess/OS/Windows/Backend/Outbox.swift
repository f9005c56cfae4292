// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

/// What was sent by calls that may not wait, and is on its way.
///
/// A write to a pipe that is cancelled may have been read in part, and nobody tells how much. So no such write is ever
/// cancelled: it has a copy of its bytes, which count as sent, as those in a socket's buffer do; the next write waits
/// until they are gone, and they go to the peer even when the pipe is closed here.
@safe
class Outbox: DescriptorAttachment, @unchecked Sendable {
    let handle: Int64
    private let box = unsafe Locked<OpaquePointer?>(nil)

    init(_ handle: Int64) { self.handle = handle }

    /// Sends up to 64 KiB, or a whole message; "would block" while earlier bytes are on their way.
    func write(_ memory: UnsafeRawPointer, _ count: Int, whole: Bool) -> Int64 {
        unsafe withBox { unsafe cip_outbox_write($0, handle, memory, count, whole) }
    }

    /// An event that is set while nothing is on its way.
    override var sends: Int64 { unsafe withBox { unsafe cip_outbox_event($0) } }

    private func withBox(_ body: (OpaquePointer) -> Int64) -> Int64 {
        unsafe box.withLock { box in
            if unsafe box == nil {
                let made = unsafe cip_outbox_create(&box)
                if made < 0 { return made }
            }
            return unsafe body(box.unsafelyUnwrapped)
        }
    }

    override func didDrain() {
        unsafe box.withLock { box in
            if let present = unsafe box.take() { unsafe cip_outbox_destroy(present, handle) }
        }
    }
}

extension DescriptorCore {
    /// What a stream's core has, or an end of a pipe's.
    var outbox: Outbox { unsafe unsafeDowncast(companion.value.unsafelyUnwrapped, to: Outbox.self) }

    /// What is waited for until a side is ready.
    func waitable(_ side: Side) -> Int64 {
        if side == .send { return companion.value?.sends ?? -1 }
        let receives = companion.value?.receives ?? -1
        return receives >= 0 ? receives : descriptor
    }
}
#endif
