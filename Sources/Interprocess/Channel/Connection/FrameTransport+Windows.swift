// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
/// How frames move through a stream.
///
/// Descriptors do not, as yet: values that have some in them are refused before they get here.
enum FrameTransport {
    /// Sends some of the first piece of memory; never waits.
    static func send(
        _ core: DescriptorCore,
        _ start: UnsafeRawBufferPointer,
        _ rest: UnsafeRawBufferPointer,
        _ descriptors: [Int64]
    ) -> Int64 {
        guard let base = start.baseAddress else { return 0 }
        return System.transfer(.send, start.count) { unsafe Transport.socket.write(core, base, $0, wait: false) }
    }

    /// Receives up to `count` bytes.
    static func receive(
        _ core: DescriptorCore,
        _ memory: UnsafeMutableRawPointer,
        _ count: Int,
        _ numbers: UnsafeMutableBufferPointer<Int64>,
        wait: Bool,
        arrive: (ReceivedDescriptors?) -> Void
    ) -> Int64 {
        System.transfer(.receive, count) { unsafe Transport.socket.read(core, memory, $0, wait: wait) }
    }
}
#endif
