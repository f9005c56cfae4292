// SPDX-License-Identifier: MIT OR Apache-2.0

/// The bytes of a message in the making; kept from one message to the next.
///
/// A container that is open has, where its length will be, the offset of the one around it. So the open ones are a
/// stack, and the first bytes of a container are at its offset: its kind, and those four.
@safe
struct EncodingMemory {
    @safe
    private struct State {
        var base: UnsafeMutableRawPointer
        /// Up to here bytes may be written after a look, and `slack` more without one.
        var capacity: Int
        var position = 0
        var innermost = ContainerID(message: 0, offset: 0)
        var depth = 0
        var elements = 0
        var limits = IPCCodingLimits()
    }

    /// Any number and what leads it.
    private static let slack = 32
    private static let kept = 1 << 20

    private let state: UnsafeMutablePointer<State>

    init() {
        unsafe state = .allocate(capacity: 1)
        let base = UnsafeMutableRawPointer.allocate(byteCount: 1024 + Self.slack, alignment: 16)
        unsafe state.initialize(to: State(base: base, capacity: 1024))
    }

    func deallocate() {
        unsafe state.pointee.base.deallocate()
        unsafe state.deallocate()
    }

    /// Begins a message.
    func start(_ limits: IPCCodingLimits) {
        let last = unsafe state.pointee.innermost.message
        unsafe state.pointee.innermost = ContainerID(message: last &+ 1, offset: 0)
        unsafe state.pointee.depth = 0
        unsafe state.pointee.elements = 0
        unsafe state.pointee.limits = limits
        position = 0
        append(Kind.version)
    }

    /// Looks whether what was written last, without a look, has made it too long.
    func finish(more: Int = 0) throws {
        if more > limit || position > limit - more { throw tooLong }
    }

    /// Ends it: containers that somebody kept are of no use any more, and neither is much memory.
    func end() {
        unsafe state.pointee.innermost.message &+= 1
        unsafe state.pointee.innermost.offset = 0
        position = 0
        if unsafe state.pointee.capacity > Self.kept { resize(1024) }
    }

    /// The message.
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(mutableBytes) }

    var mutableBytes: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: state.pointee.base, count: state.pointee.position)
    }

    @inline(__always)
    var position: Int {
        get { unsafe state.pointee.position }
        nonmutating set { unsafe state.pointee.position = newValue }
    }

    @inline(__always)
    var innermost: ContainerID {
        get { unsafe state.pointee.innermost }
        nonmutating set { unsafe state.pointee.innermost = newValue }
    }
}

extension EncodingMemory {
    /// Sees to it that there is room for this many more bytes, and for a number behind them.
    ///
    /// - Throws: A failure, where that is more than the limit.
    @inline(__always)
    func reserve(_ more: Int = 0) throws {
        if unsafe state.pointee.position &+ more > state.pointee.capacity { try grow(more) }
    }

    @inline(never)
    private func grow(_ more: Int) throws {
        let (end, overflow) = position.addingReportingOverflow(more)
        if overflow || end > limit { throw tooLong }
        resize(unsafe max(end, min(2 * state.pointee.capacity, limit)))
    }

    private var limit: Int { unsafe state.pointee.limits.effectiveBytes }

    private var tooLong: CodingFailure {
        CodingFailure("it has more than the limit of \(limit) bytes", code: .messageTooLarge)
    }

    private func resize(_ capacity: Int) {
        let base = UnsafeMutableRawPointer.allocate(byteCount: capacity + Self.slack, alignment: 16)
        unsafe base.copyMemory(from: state.pointee.base, byteCount: position)
        unsafe state.pointee.base.deallocate()
        unsafe state.pointee.base = base
        unsafe state.pointee.capacity = capacity
    }

    /// Writes a number, for which there is room.
    @inline(__always)
    func append<Number: BitwiseCopyable>(_ number: Number) {
        unsafe state.pointee.base.storeBytes(of: number, toByteOffset: state.pointee.position, as: Number.self)
        unsafe state.pointee.position &+= MemoryLayout<Number>.size
    }

    @inline(__always)
    func append(_ kind: Kind) { append(kind.rawValue) }

    /// Writes bytes, for which there is room.
    @inline(__always)
    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        unsafe (state.pointee.base + state.pointee.position).copyMemory(from: start, byteCount: bytes.count)
        unsafe state.pointee.position &+= bytes.count
    }

    @inline(__always)
    func store<Number: BitwiseCopyable>(_ number: Number, at offset: Int) {
        unsafe state.pointee.base.storeBytes(of: number, toByteOffset: offset, as: Number.self)
    }

    @inline(__always)
    func load<Number: BitwiseCopyable>(_: Number.Type, at offset: Int) -> Number {
        unsafe state.pointee.base.loadUnaligned(fromByteOffset: offset, as: Number.self)
    }

    @inline(__always)
    func kind(at offset: Int) -> Kind { Kind(load(UInt8.self, at: offset)) }

    /// Moves bytes within the message.
    func move(_ source: Int, to target: Int, count: Int) {
        unsafe (state.pointee.base + target).copyMemory(from: state.pointee.base + source, byteCount: count)
    }
}

extension EncodingMemory {
    var depth: Int { unsafe state.pointee.depth }

    /// - Throws: A failure, where the limit is exceeded.
    @inline(__always)
    func enter() throws {
        if unsafe state.pointee.depth >= state.pointee.limits.depth {
            throw CodingFailure("it is nested more deeply than the limit")
        }
        unsafe state.pointee.depth &+= 1
    }

    func leave(to depth: Int) { unsafe state.pointee.depth = depth }

    @inline(__always)
    func countElements(_ count: Int) throws {
        unsafe state.pointee.elements &+= count
        if unsafe state.pointee.elements > state.pointee.limits.elements {
            throw CodingFailure("its collections have more elements than the limit")
        }
    }
}
