// SPDX-License-Identifier: MIT OR Apache-2.0

/// Where a value is in a message: it begins at `offset`, and what it is in goes up to `end`.
struct DecodingPlace {
    var offset: Int
    var end: Int
    /// The kind of an element of a packed array, which is not in the message again.
    var implied: Kind?

    func advanced(by distance: Int) -> DecodingPlace { DecodingPlace(offset: offset + distance, end: end) }
}

/// A container that is being read.
struct DecodingFrame {
    /// Tells it from others that had its place; none has zero.
    var serial: UInt32 = 0
    /// What it is inside of, in values.
    var depth: Int = 0
    var kind = Kind.null
    var start = 0
    /// The next field or element in order.
    var cursor = 0
    var end = 0
    /// Of arrays: the number of elements, and of those that were read.
    var count = 0
    var index = 0
}

/// The message being decoded: all of its bytes are read here, and none outside of it.
@safe
struct DecodingMemory {
    @safe
    private struct State {
        var bytes: UnsafeRawBufferPointer
        /// Tells this message from others.
        var message: UInt32 = 0
        var depth = 0
        var elements = 0
        /// How many more fields may be passed over in search of others.
        var searches = 0
        var limits = IPCCodingLimits()
        var frames: UnsafeMutablePointer<DecodingFrame>
        var frameCapacity: Int
        var frameCount = 0
        var lastSerial: UInt32 = 0
        var decoder: Unmanaged<ValueDecoder>?
    }

    /// The addresses of the states of decoders that are no more.
    ///
    /// They are kept: who still has a container of one finds there that its frame is gone.
    private static let spares = Locked<[UInt]>([])

    private let state: UnsafeMutablePointer<State>

    init() {
        if let spare = Self.spares.withLock({ $0.popLast() }),
            let known = unsafe UnsafeMutablePointer<State>(bitPattern: spare)
        {
            unsafe state = known
            return
        }
        unsafe state = .allocate(capacity: 1)
        let frames = UnsafeMutablePointer<DecodingFrame>.allocate(capacity: 16)
        unsafe frames.initialize(repeating: DecodingFrame(), count: 16)
        let nothing = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        unsafe state.initialize(to: State(bytes: nothing, frames: frames, frameCapacity: 16))
    }

    /// Gives it up, for another decoder to have.
    func retire() {
        end()
        let address = UInt(bitPattern: unsafe state)
        Self.spares.withLock { $0.append(address) }
    }

    /// The decoder whose memory it is, as long as there is one; not kept alive.
    ///
    /// Containers ask here, for they are copied at each access, and counting references would take longer than most of
    /// what they do.
    var decoder: ValueDecoder? {
        get { unsafe state.pointee.decoder?.takeUnretainedValue() }
        nonmutating set { unsafe state.pointee.decoder = newValue.map { unsafe Unmanaged.passUnretained($0) } }
    }

    /// Begins a message.
    ///
    /// - Returns: Where the value is, after the version.
    func start(_ bytes: UnsafeRawBufferPointer, _ limits: IPCCodingLimits) throws -> DecodingPlace {
        unsafe state.pointee.message &+= 1
        unsafe state.pointee.depth = 0
        unsafe state.pointee.elements = 0
        unsafe state.pointee.limits = limits
        if bytes.count > limits.effectiveBytes {
            throw CodingFailure("it has more than the limit of \(limits.effectiveBytes) bytes", code: .messageTooLarge)
        }
        unsafe state.pointee.bytes = bytes
        unsafe state.pointee.searches = 1024 + 64 * bytes.count
        let whole = DecodingPlace(offset: 0, end: bytes.count)
        let version = try number(UInt8.self, at: whole)
        if version != Kind.version { throw CodingFailure("the message has another format (\(version))") }
        return whole.advanced(by: 1)
    }

    /// Ends it: containers that somebody kept are of no use any more.
    func end() {
        closeFrames(downTo: 0)
        unsafe state.pointee.bytes = UnsafeRawBufferPointer(start: nil, count: 0)
        unsafe state.pointee.message &+= 1
    }

    @inline(__always)
    var message: UInt32 { unsafe state.pointee.message }

    @inline(__always)
    var bytes: UnsafeRawBufferPointer { unsafe state.pointee.bytes }

    var depth: Int { unsafe state.pointee.depth }

    /// - Throws: A failure, where the limit is exceeded.
    @inline(__always)
    func enter() throws {
        if unsafe state.pointee.depth >= state.pointee.limits.depth { throw tooDeep }
        unsafe state.pointee.depth &+= 1
    }

    @inline(__always)
    func leave() { unsafe state.pointee.depth &-= 1 }

    private var tooDeep: CodingFailure { CodingFailure("it is nested more deeply than the limit") }

    func countElements(_ count: Int) throws {
        // Neither is more than there are bytes.
        unsafe state.pointee.elements += count
        if unsafe state.pointee.elements > state.pointee.limits.elements {
            throw CodingFailure("its collections have more elements than the limit")
        }
    }

    /// Counts a field that is passed over, so that no message has a type search it for long.
    func countSearch() throws {
        unsafe state.pointee.searches -= 1
        if unsafe state.pointee.searches < 0 {
            throw CodingFailure("its fields are in another order than the type asks for them, and too many")
        }
    }
}

extension DecodingMemory {
    /// A number in the message.
    ///
    /// - Throws: A failure, where what it is in ends before.
    @inline(__always)
    func number<Number: BitwiseCopyable>(_: Number.Type, at place: DecodingPlace) throws -> Number {
        // Places lie within the message, whose length has 31 bits.
        if place.end &- place.offset < MemoryLayout<Number>.size { throw truncated }
        return unsafe load(Number.self, at: place.offset)
    }

    /// A number that is known to be in the message.
    @unsafe
    @inline(__always)
    func load<Number: BitwiseCopyable>(_: Number.Type, at offset: Int) -> Number {
        unsafe state.pointee.bytes.baseAddress.unsafelyUnwrapped.loadUnaligned(fromByteOffset: offset, as: Number.self)
    }

    var truncated: CodingFailure { CodingFailure("the message ends too early") }

    @inline(__always)
    func kind(at place: DecodingPlace) throws -> Kind {
        if let implied = place.implied { return implied }
        return Kind(try number(UInt8.self, at: place))
    }

    /// Where the value at a place ends.
    ///
    /// - Throws: A failure, where it is of no kind, or ends after what it is in.
    @inline(__always)
    func end(of place: DecodingPlace) throws -> Int {
        if let implied = place.implied { return place.offset + implied.scalarSize }
        var place = place
        var kind = try kind(at: place)
        if kind == .some { (place, kind) = try pastMarks(place) }
        let size: Int
        if kind.isScalar {
            size = 1 + kind.scalarSize
        } else if kind.hasLength {
            size = 5 + Int(try number(UInt32.self, at: place.advanced(by: 1)))
        } else if kind == .null {
            size = 1
        } else if kind == .attachment {
            size = 6
        } else {
            throw CodingFailure("there is \(kind) where a value should be")
        }
        if size > place.end - place.offset { throw truncated }
        return place.offset + size
    }

    /// Passes over marks of optionals, which only nil has.
    private func pastMarks(_ place: DecodingPlace) throws -> (DecodingPlace, Kind) {
        var place = place
        var marks = 0
        var kind = Kind.some
        while kind == .some {
            place = place.advanced(by: 1)
            kind = try self.kind(at: place)
            marks += 1
            if unsafe marks > state.pointee.limits.depth { throw tooDeep }
        }
        if kind != .null { throw CodingFailure("a value is marked as an optional, and is \(kind)") }
        return (place, kind)
    }

    /// What is inside a value of a kind that has a length.
    @inline(__always)
    func body(_ kind: Kind, at place: DecodingPlace) throws -> DecodingPlace {
        if try self.kind(at: place) != kind { throw mismatch(at: place, kind.description) }
        let length = Int(try number(UInt32.self, at: place.advanced(by: 1)))
        if length > place.end &- place.offset &- 5 { throw truncated }
        return DecodingPlace(offset: place.offset + 5, end: place.offset + 5 + length)
    }

    @inline(__always)
    func scalar<Scalar: CodedScalar>(_: Scalar.Type, at place: DecodingPlace) throws -> Scalar {
        if try kind(at: place) != Scalar.kind { throw mismatch(at: place, Scalar.kind.description) }
        let wire = try number(Scalar.Wire.self, at: place.implied == nil ? place.advanced(by: 1) : place)
        guard let scalar = Scalar(wire: wire) else { throw invalid(Scalar.self) }
        return scalar
    }

    func invalid(_ type: Any.Type) -> CodingFailure { CodingFailure("\(type) cannot have that value") }

    func string(at place: DecodingPlace) throws -> String { try text(in: body(.string, at: place)) }

    func text(in body: DecodingPlace) throws -> String {
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: bytes[body.offset..<body.end])
        // What is not valid is replaced in it. (`String(validating:as:)` takes several times as long.)
        var text = unsafe String(decoding: bytes, as: UTF8.self)
        let isSame = text.withUTF8 { text in
            unsafe text.count == bytes.count && bytes.elementsEqual(text)
        }
        if !isSame { throw CodingFailure("a string is not valid UTF-8") }
        return text
    }

    /// That the value at a place is of another kind.
    func mismatch(at place: DecodingPlace, _ expected: String) -> any Error {
        do { return CodingFailure("there is \(try kind(at: place)) where \(expected) should be") } catch {
            return error
        }
    }
}

/// The containers that are being read: a stack, of which those of a value go when the value has been read.
extension DecodingMemory {
    struct FrameID {
        fileprivate let index: Int32
        fileprivate let serial: UInt32
    }

    var frameCount: Int { unsafe state.pointee.frameCount }

    /// - Throws: A failure, where the limit of depth is exceeded.
    func open(_ frame: DecodingFrame) throws -> FrameID {
        if unsafe frame.depth > state.pointee.limits.depth { throw tooDeep }
        let index = frameCount
        if unsafe index == state.pointee.frameCapacity { growFrames() }
        unsafe state.pointee.lastSerial &+= 1
        if unsafe state.pointee.lastSerial == 0 { unsafe state.pointee.lastSerial = 1 }
        var frame = frame
        frame.serial = unsafe state.pointee.lastSerial
        unsafe state.pointee.frames[index] = frame
        unsafe state.pointee.frameCount += 1
        return FrameID(index: Int32(truncatingIfNeeded: index), serial: frame.serial)
    }

    private func growFrames() {
        let capacity = unsafe state.pointee.frameCapacity
        let frames = UnsafeMutablePointer<DecodingFrame>.allocate(capacity: 2 * capacity)
        unsafe frames.initialize(from: state.pointee.frames, count: capacity)
        unsafe (frames + capacity).initialize(repeating: DecodingFrame(), count: capacity)
        unsafe state.pointee.frames.deallocate()
        unsafe state.pointee.frames = frames
        unsafe state.pointee.frameCapacity = 2 * capacity
    }

    /// Forgets the frames from a number on.
    @inline(__always)
    func closeFrames(downTo count: Int) {
        while unsafe state.pointee.frameCount > count {
            unsafe state.pointee.frameCount &-= 1
            unsafe state.pointee.frames[state.pointee.frameCount].serial = 0
        }
    }

    /// A frame among those that are open, by its number.
    func frame(number: Int) -> DecodingFrame { unsafe state.pointee.frames[number] }

    /// Reads or changes a frame, while none must be opened.
    ///
    /// - Throws: A failure, where the value that the container is in has been read.
    @inline(__always)
    func withFrame<Result>(_ id: FrameID, _ body: (inout DecodingFrame) throws -> Result) throws -> Result {
        let frame = unsafe state.pointee.frames + Int(id.index)
        if unsafe frame.pointee.serial != id.serial || id.serial == 0 { throw gone }
        return unsafe try body(&frame.pointee)
    }

    var gone: CodingFailure { CodingFailure("a container was read after the end of its value") }
}
