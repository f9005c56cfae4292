// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// How frames move through a stream, with the descriptors that go with a frame's first byte.
///
/// Each system has a type of this name with these members.
enum FrameTransport {
    /// Sends some of two pieces of memory, and the descriptors with the first byte; never waits.
    static func send(
        _ core: DescriptorCore,
        _ start: UnsafeRawBufferPointer,
        _ rest: UnsafeRawBufferPointer,
        _ descriptors: [Int64]
    ) -> Int64 {
        System.transfer(.message, start.count + rest.count) { count in
            let first = min(count, start.count)
            var buffers = unsafe (
                cip_buffer(base: UnsafeMutableRawPointer(mutating: start.baseAddress), count: first),
                cip_buffer(base: UnsafeMutableRawPointer(mutating: rest.baseAddress), count: count - first)
            )
            return unsafe withUnsafeMutableBytes(of: &buffers) { buffers in
                unsafe descriptors.withUnsafeBufferPointer { passed in
                    var message = unsafe cip_message()
                    unsafe message.buffers = buffers.assumingMemoryBound(to: cip_buffer.self).baseAddress
                    unsafe message.buffer_count = count > first ? 2 : 1
                    unsafe message.descriptors = UnsafeMutablePointer(mutating: passed.baseAddress)
                    unsafe message.descriptor_count = passed.count
                    return unsafe cip_send_message(core.descriptor, &message, false)
                }
            }
        }
    }

    /// Receives up to `count` bytes, and the descriptors that come with them.
    ///
    /// - Parameters:
    ///   - core: What to receive from.
    ///   - memory: Where to.
    ///   - count: How many bytes there is room for.
    ///   - numbers: Room for the descriptors.
    ///   - wait: Whether the call may wait.
    ///   - arrive: Is told of the descriptors: `nil` when this process has no room for them, and they are lost.
    /// - Returns: How many bytes came, or a negated error code.
    static func receive(
        _ core: DescriptorCore,
        _ memory: UnsafeMutableRawPointer,
        _ count: Int,
        _ numbers: UnsafeMutableBufferPointer<Int64>,
        wait: Bool,
        arrive: (ReceivedDescriptors?) -> Void
    ) -> Int64 {
        var buffer = unsafe cip_buffer(base: memory, count: count)
        return unsafe withUnsafeMutablePointer(to: &buffer) { buffer in
            var message = unsafe cip_message()
            unsafe message.buffers = buffer
            unsafe message.buffer_count = 1
            unsafe message.descriptors = numbers.baseAddress
            unsafe message.descriptor_count = numbers.count
            let result = System.transfer(.message, count) { count in
                unsafe buffer.pointee.count = count
                return unsafe cip_receive_message(core.descriptor, &message, wait)
            }
            if result < 0 { return result }
            if unsafe message.descriptors_lost {
                arrive(nil)
            } else if case let number = unsafe message.descriptor_count, number > 0 {
                arrive(ReceivedDescriptors(unsafe Array(numbers[..<number])))
            }
            return result
        }
    }
}
#endif
