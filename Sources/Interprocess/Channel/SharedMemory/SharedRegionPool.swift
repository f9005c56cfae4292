// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
internal import Synchronization

/// Memory for a stream of large messages: slots that one process fills in place and another one reads in place, again
/// and again.
///
/// ```swift
/// func produce(_ pool: SharedRegionPool, _ frames: IPCSender<SharedRegionPool.Handle>) throws {
///     var slot = try pool.take(timeout: .seconds(1))
///     slot.withMutableBytes { $0.storeBytes(of: 42, toByteOffset: 0, as: UInt32.self) }
///     try frames.send(slot.lend(byteCount: 4))
/// }
///
/// // In the other process, which was sent the reader:
/// func consume(_ reader: SharedRegionPool.Reader, _ frames: IPCReceiver<SharedRegionPool.Handle>) throws {
///     let content = try reader.open(frames.receive())
///     print(content.withBytes { $0.unsafeLoad(as: UInt32.self) })
/// }
///
/// let (pool, reader) = try SharedRegionPool.make(slotCount: 4, slotSize: 4 << 20)
/// ```
///
/// The reader is sent to the other process once, in a message; from then on no memory is made or mapped any more. Each
/// message is a slot that was taken and filled, of which a small ``Handle`` goes by any channel; the slot is free again
/// when the reader lets go of it. While none is free, `take(timeout:)` waits: so a reader slows its producer down.
///
/// The memory is there, and mapped, from the beginning: of a ``SharedRegion`` for each message, making and first touching
/// it would take longer than sending its bytes.
///
/// The reader's process can only read the memory (which the kernel sees to, on Linux since 5.1). Whatever that process
/// says, no slot is handed out that it was not lent or has not given back, and none twice. A pool has one reader. Any
/// thread may call any method at any time.
public final class SharedRegionPool: Sendable, DescriptorOwner {
    /// How many slots there are.
    public var slotCount: Int { layout.slotCount }
    /// How large a message can be.
    public var slotSize: Int { layout.slotSize }
    /// The descriptor's owner, which has no public members.
    public var descriptorCore: DescriptorCore { credits.descriptorCore }

    let layout: PoolLayout
    private let memory: RegionDraft
    private let slots: Locked<[SlotState]>
    /// What is given back: by the reader, or, where it was not lent, by this process.
    let credits: IPCReceiverGroup
    private let returns: IPCBytesSender
    private let returned: IPCReceiverGroup.ID
    private let lastNumber = Atomic<UInt64>(0)
    private let hasNoReader = Atomic<Bool>(false)

    private enum SlotState: Equatable {
        /// It has never been taken.
        case new
        case taken
        /// The reader has it, under this number.
        case lent(UInt64)
        /// This process has given it back, and nobody has taken it since.
        case returned
    }

    /// Makes a pool and its reader.
    ///
    /// The corresponding system calls are `memfd_create`, `fallocate`, `mmap`, `fcntl` (`F_ADD_SEALS`) and `socketpair`.
    ///
    /// - Parameters:
    ///   - slotCount: How many messages can be on their way, being filled, and being read, from 1 to 128. Three keep both
    ///     sides busy.
    ///   - slotSize: How large a message can be.
    /// - Returns: The pool, and its reader, which is to be sent to who reads.
    /// - Throws: ``IPCError/Code/invalidArgument`` for other numbers; ``IPCError/Code/resourcesExhausted`` when no memory
    ///   or descriptor is left.
    public static func make(
        slotCount: Int,
        slotSize: Int
    ) throws(IPCError) -> (pool: SharedRegionPool, reader: Reader) {
        guard let layout = PoolLayout(slotCount: slotCount, slotSize: slotSize) else {
            let detail = "it can have 1 to \(PoolLayout.maximumSlotCount) slots of at least one byte"
            throw IPCError(.invalidArgument, .create, name: PoolLayout.name, detail: detail)
        }
        let memory = try RegionDraft(layout.byteCount, isReserved: true)
        let region = DescriptorCore(try memory.share(.lent), name: PoolLayout.name, waker: .poll)
        let (sender, receiver) = try IPCChannel.makeBytes(PoolCredit.channel)
        return (try SharedRegionPool(layout, memory, receiver), Reader(layout, region, sender))
    }

    private init(_ layout: PoolLayout, _ memory: RegionDraft, _ receiver: IPCBytesReceiver) throws(IPCError) {
        self.layout = layout
        self.memory = memory
        slots = Locked(Array(repeating: .new, count: layout.slotCount))
        credits = try IPCReceiverGroup()
        let (sender, own) = try IPCChannel.makeBytes(PoolCredit.channel)
        returns = sender
        returned = try credits.add(own)
        try credits.add(receiver)
    }

    /// Takes a free slot, waiting for one.
    ///
    /// The corresponding system calls are `poll` and `recvmsg`.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit.
    /// - Returns: The slot, whose contents are those of an earlier message.
    /// - Throws: ``IPCError/Code/disconnected`` when the reader is gone, and what it had with it;
    ///   ``IPCError/Code/timedOut``; ``IPCError/Code/closed``; ``IPCError/Code/protocolViolation`` when the reader has given
    ///   back what it does not have, which changes nothing.
    public func take(timeout: Duration? = nil) throws(IPCError) -> Slot {
        if let slot = try takeNew() { return slot }
        do throws(IPCError) {
            return try take(credits.next(timeout: timeout))
        } catch { throw named(error) }
    }

    /// Takes a free slot if there is one.
    ///
    /// - Returns: The slot, or `nil` when there is none.
    /// - Throws: As `take(timeout:)` does.
    public func tryTake() throws(IPCError) -> Slot? {
        do throws(IPCError) {
            return try take(timeout: .zero)
        } catch {
            if error.code == .timedOut { return nil }
            throw error
        }
    }

    /// A slot that nobody has had, without a system call.
    func takeNew() throws(IPCError) -> Slot? {
        if isClosed { throw error(.closed) }
        if hasNoReader.load(ordering: .relaxed) { throw error(.disconnected) }
        let index = slots.withLock { slots in
            let index = slots.firstIndex(of: .new)
            if let index { slots[index] = .taken }
            return index
        }
        return index.map { Slot(pool: self, index: $0) }
    }

    /// The slot that was given back.
    func take(_ event: IPCReceiverGroup.Event) throws(IPCError) -> Slot {
        switch event {
        case .message(let member, let message):
            let credit = PoolCredit(message.bytes)
            let isTaken = slots.withLock { slots in
                guard let credit, slots.indices.contains(credit.index),
                    slots[credit.index] == (member == returned ? .returned : .lent(credit.number))
                else { return false }
                slots[credit.index] = .taken
                return true
            }
            if let credit, isTaken { return Slot(pool: self, index: credit.index) }
            throw error(.protocolViolation, detail: "the reader has given back a slot that it does not have")
        case .failed(_, let error): throw error
        case .closed:
            hasNoReader.store(true, ordering: .relaxed)
            throw error(.disconnected)
        }
    }

    private func error(_ code: IPCError.Code, detail: String? = nil) -> IPCError {
        IPCError(code, .wait, name: PoolLayout.name, detail: detail)
    }

    func named(_ error: IPCError) -> IPCError {
        IPCError(error.code, .wait, systemCode: error.systemCode, name: PoolLayout.name, detail: error.detail)
    }

    func bytes(of index: Int) -> UnsafeMutableRawBufferPointer {
        let start = index * layout.stride
        return unsafe UnsafeMutableRawBufferPointer(rebasing: memory.memory[start..<start + slotSize])
    }

    /// Notes that the reader will have a slot, and returns under which number.
    func lend(_ index: Int) -> UInt64 {
        let number = lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
        slots.withLock { $0[index] = .lent(number) }
        return number
    }

    /// Frees a slot that was not lent.
    func giveBack(_ index: Int) {
        slots.withLock { $0[index] = .returned }
        PoolCredit(index: index, number: 0).send(by: returns)
    }

    /// Frees a slot whose handle could not be sent, or whose message is known to be lost.
    ///
    /// The reader must not have the handle, or it would read what is written next.
    ///
    /// - Parameter handle: The handle; nothing happens if its slot was given back already.
    public func takeBack(_ handle: Handle) {
        let isLent = slots.withLock { slots in
            guard slots.indices.contains(handle.index), slots[handle.index] == .lent(handle.number)
            else { return false }
            slots[handle.index] = .taken
            return true
        }
        if isLent { giveBack(handle.index) }
    }

    /// Closes the pool: slots that are taken can still be lent, and what the reader has stays.
    ///
    /// Every waiting call ends with ``IPCError/Code/closed``.
    public func close() { credits.close() }
}
#endif
