// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

/// How handles get from process to process.
///
/// The sender duplicates them into the process that has made the channel, and sends their numbers there. The receiver has
/// them, if it is that process; if it has moved to another one, it takes them out of there. So that process has to be
/// there still, and both must be allowed to duplicate its handles (`PROCESS_DUP_HANDLE`), as they are if it runs as the
/// same user with no more rights. What the numbers stand for the receiver cannot check: whoever may send to it is believed.
enum HandlePassage {
    /// Of the table behind a frame: one number, little-endian.
    static let entrySize = 8

    /// Opens the process that has made the channel.
    private static func openMaker(_ core: DescriptorCore) -> Int64 {
        let maker = System.call(.credentials) { cip_named_pipe_process(core.descriptor, true) }
        return maker < 0 ? maker : System.call(.credentials) { cip_process_open(maker) }
    }

    fileprivate static func pass(_ handles: [Int64], _ core: DescriptorCore) throws(IPCError) -> [Int64] {
        let opened = openMaker(core)
        if opened < 0 {
            throw IPCError(
                .unsupported,
                .write,
                systemCode: -opened,
                name: core.name,
                detail: """
                    handles can be sent while the process runs that has made the channel, and if this one may \
                    duplicate handles into it
                    """
            )
        }
        let process = OwnedDescriptor(opened)
        var passed: [Int64] = []
        for handle in handles {
            let result = System.call(.duplicate) { cip_duplicate_into(handle, process.raw) }
            if result < 0 {
                for handle in passed { _ = cip_close_in(process.raw, handle) }
                throw core.error(result: result, .write)
            }
            passed.append(result)
        }
        return passed
    }

    fileprivate static func takeBack(_ passed: [Int64], _ core: DescriptorCore) {
        let opened = openMaker(core)
        if opened < 0 { return }
        for handle in passed { _ = cip_close_in(opened, handle) }
        _ = cip_close(opened)
    }

    /// Takes the table off a packet that has come, and the handles out of it.
    ///
    /// - Returns: How many bytes are left of the packet.
    static func take(
        _ core: DescriptorCore,
        _ packet: UnsafeRawPointer,
        _ count: Int,
        _ room: Int,
        _ message: inout cip_message
    ) -> Int {
        guard count >= FrameHead.size, let head = unsafe FrameHead(packet), head.attachmentCount > 0 else {
            return count
        }
        let left = FrameHead.size + head.byteCount
        guard head.attachmentCount <= room, left + head.attachmentCount * entrySize == count,
            let numbers = unsafe numbers(packet + left, head.attachmentCount)
        else { return count }
        let taken = claim(numbers, core)
        for (index, handle) in taken.enumerated() { unsafe message.descriptors?[index] = handle }
        unsafe message.descriptor_count = taken.count
        unsafe message.descriptors_lost = taken.isEmpty
        return left
    }

    /// - Returns: `nil` if one is there twice, or is none.
    private static func numbers(_ table: UnsafeRawPointer, _ count: Int) -> [Int64]? {
        var numbers: [Int64] = []
        for index in 0..<count {
            let entry = unsafe table.loadUnaligned(fromByteOffset: index * entrySize, as: Int64.self)
            // The system has no use for the lowest two bits.
            let number = Int64(littleEndian: entry) & ~3
            if number <= 0 || numbers.contains(number) { return nil }
            numbers.append(number)
        }
        return numbers
    }

    /// - Returns: All of them, as handles of this process; or none.
    private static func claim(_ numbers: [Int64], _ core: DescriptorCore) -> [Int64] {
        let maker = System.call(.credentials) { cip_named_pipe_process(core.descriptor, true) }
        if maker == cip_own_process() { return numbers.allSatisfy { cip_is_handle($0) } ? numbers : [] }
        let opened = openMaker(core)
        if opened < 0 { return [] }
        let process = OwnedDescriptor(opened)
        var taken: [Int64] = []
        for number in numbers {
            let result = System.call(.duplicate) { cip_move_from(process.raw, number) }
            if result >= 0 { taken.append(result) }
        }
        if taken.count == numbers.count { return taken }
        for handle in taken { _ = cip_close(handle) }
        return []
    }
}

extension PacketTransport {
    /// Gets handles to where a packet's receiver finds them.
    ///
    /// - Returns: What to send instead of them.
    /// - Throws: `.unsupported`, `.resourcesExhausted`, `.closed`.
    static func pass(_ handles: [Int64], by core: DescriptorCore) throws(IPCError) -> [Int64] {
        if handles.isEmpty { return [] }
        let lease = try core.lease(.send, for: .write)
        defer { withExtendedLifetime(lease) {} }
        return try HandlePassage.pass(handles, core)
    }

    /// Undoes that, for the packet has not been sent.
    static func takeBack(_ passed: [Int64], by core: DescriptorCore) {
        guard !passed.isEmpty, let lease = core.leaseIfOpen(.receive) else { return }
        HandlePassage.takeBack(passed, core)
        withExtendedLifetime(lease) {}
    }
}
#endif
