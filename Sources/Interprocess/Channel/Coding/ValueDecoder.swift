// SPDX-License-Identifier: MIT OR Apache-2.0

/// What a decoder keeps from one message to the next.
final class DecodingCore {
    /// How values of a type are read.
    enum Way {
        /// By their own code.
        case decodable
        case plain(any IPCPlain.Type)
        case bytes(any IPCBytes.Type)
        /// An array of numbers, of this type.
        case numbers(any (CodedScalar & IPCPlain).Type)
        case direct(any DirectlyDecodable.Type)
    }

    private struct State: ~Copyable {
        var isBusy = false
        var limits: IPCCodingLimits
        var ways = TypeTable<Way>()
        var keys = KeyTable()
        /// The fields that were read before others that precede them.
        var readEarly: Set<Int> = []
        /// What went wrong where Codable lets nothing be thrown.
        var failure: CodingFailure?
    }

    let memory = DecodingMemory()
    private let state: Cell<State>
    private(set) var attachments: ReceivedDescriptors?
    var userInfo: [CodingUserInfoKey: any Sendable] = [:]

    init(_ limits: IPCCodingLimits) { state = Cell(State(limits: limits)) }

    var limits: IPCCodingLimits {
        get { state.value.limits }
        set { state.value.limits = newValue }
    }

    deinit { memory.retire() }

    @inline(__always)
    func way<Value: Decodable>(of type: Value.Type) -> Way {
        if let known = state.value.ways[ObjectIdentifier(type)] { return known }
        return findWay(of: type)
    }

    @inline(never)
    private func findWay<Value: Decodable>(of type: Value.Type) -> Way {
        let way: Way =
            if let plain = type as? any IPCPlain.Type {
                .plain(plain)
            } else if let element = (type as? any PlainArray.Type)?.number {
                .numbers(element)
            } else if let direct = type as? any DirectlyDecodable.Type {
                .direct(direct)
            } else if let bytes = type as? any IPCBytes.Type {
                .bytes(bytes)
            } else {
                .decodable
            }
        state.value.ways.insert(way, for: ObjectIdentifier(type))
        return way
    }

    @inline(__always)
    func hashes<Key: CodingKey>(of type: Key.Type) -> KeyHashes { state.value.keys.hashes(of: type) }

    /// Begins a message.
    ///
    /// - Throws: `.busy` during another one.
    func start(_ type: Any.Type, _ attachments: ReceivedDescriptors?) throws(IPCError) {
        if state.value.isBusy { throw IPCError(.busy, operation: .decode, name: String(describing: type)) }
        state.value.isBusy = true
        if attachments != nil { self.attachments = attachments }
    }

    /// Ends it, and forgets what it was about.
    func end() {
        memory.end()
        if !state.value.readEarly.isEmpty { state.value.readEarly = [] }
        if state.value.failure != nil { state.value.failure = nil }
        if attachments != nil { attachments = nil }
        state.value.isBusy = false
    }

    /// Notes a failure, which the message then has, too.
    func note(_ error: any Error) {
        if state.value.failure == nil { state.value.failure = CodingFailure(wrapping: error) }
    }

    @inline(__always)
    func throwNoted() throws {
        if let failure = state.value.failure { throw failure }
    }

    /// Counts a field as read, which comes later in the message than the next one.
    func readEarly(_ offset: Int) { state.value.readEarly.insert(offset) }

    @inline(__always)
    func wasReadEarly(_ offset: Int) -> Bool {
        !state.value.readEarly.isEmpty && state.value.readEarly.contains(offset)
    }
}

/// What values see while they are decoded.
///
/// One serves for all values of a message; only superclasses that were encoded apart have one of their own.
final class ValueDecoder: Decoder {
    /// The value that is being decoded, and the message that it is in.
    private struct Current {
        var place: DecodingPlace
        var message: UInt32
        var isUsed = false
        /// Its keyed container, if it has been asked for.
        var keyed: DecodingMemory.FrameID?
    }

    let core: DecodingCore
    let memory: DecodingMemory
    private let current: Cell<Current>
    /// Of a superclass: the depth of its value.
    private let depth: Int?

    init(_ core: DecodingCore, at place: DecodingPlace = DecodingPlace(offset: 0, end: 0), depth: Int? = nil) {
        self.core = core
        self.depth = depth
        memory = core.memory
        current = Cell(Current(place: place, message: memory.message))
    }

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { core.userInfo }

    /// Reads a value.
    @inline(__always)
    func decode<Value: Decodable>(_ type: Value.Type, at place: DecodingPlace) throws -> Value {
        switch core.way(of: type) {
        case .decodable: return try decodeByItself(type, at: place)
        case .numbers(let element): return try decode(type, numbers: element, at: place)
        case .direct(let direct): return try decode(type, directly: direct, at: place)
        case .plain(let plain): return try decode(type, plainly: plain, at: place)
        case .bytes(let bytes): return try decode(type, bytewise: bytes, at: place)
        }
    }

    /// Has a value read itself, and sees that it left nothing.
    private func decodeByItself<Value: Decodable>(_ type: Value.Type, at place: DecodingPlace) throws -> Value {
        try memory.enter()
        let frames = memory.frameCount
        let outer = current.value
        current.value = Current(place: place, message: memory.message)
        defer {
            memory.closeFrames(downTo: frames)
            current.value = outer
            memory.leave()
        }
        let value = try type.init(from: self)
        if !current.value.isUsed, try memory.body(.keyed, at: place).offset != memory.end(of: place) { throw leftOver }
        for number in frames..<memory.frameCount { try checkRead(memory.frame(number: number)) }
        return value
    }

    /// - Throws: A failure, where a container has been read in part.
    @inline(__always)
    private func checkRead(_ frame: DecodingFrame) throws {
        if frame.cursor == frame.end { return }
        var frame = frame
        try passOver(&frame)
        if frame.cursor != frame.end { throw leftOver }
    }

    /// Moves on over fields that were read early.
    func passOver(_ frame: inout DecodingFrame) throws {
        while frame.kind == .keyed && core.wasReadEarly(frame.cursor) {
            frame.cursor = try FieldHead(memory, at: DecodingPlace(offset: frame.cursor, end: frame.end)).end
        }
    }

    private var leftOver: CodingFailure {
        CodingFailure("there is more than the type reads: the sender's type is another one, or has other fields")
    }

    // In all of these `Value` is the second type, by which the way was chosen; for numbers, an array of it.

    private func decode<Value, Direct: DirectlyDecodable>(
        _: Value.Type,
        directly type: Direct.Type,
        at place: DecodingPlace
    ) throws -> Value {
        unsafe unsafeBitCast(try Direct.decodeDirectly(from: self, at: place), to: Value.self)
    }

    private func decode<Value, Element: CodedScalar & IPCPlain>(
        _: Value.Type,
        numbers _: Element.Type,
        at place: DecodingPlace
    ) throws -> Value {
        let bytes = unsafe try memory.elements(Element.self, at: place)
        return unsafe unsafeBitCast(Element.array(bytes), to: Value.self)
    }

    private func decode<Value, Plain: IPCPlain>(
        _: Value.Type,
        plainly type: Plain.Type,
        at place: DecodingPlace
    ) throws -> Value {
        unsafe unsafeBitCast(try memory.plain(Plain.self, at: place), to: Value.self)
    }

    private func decode<Value, Bytes: IPCBytes>(
        _: Value.Type,
        bytewise type: Bytes.Type,
        at place: DecodingPlace
    ) throws -> Value {
        let bytes = unsafe try memory.elements(UInt8.self, at: place)
        return unsafe unsafeBitCast(Bytes(bytes), to: Value.self)
    }
}

extension ValueDecoder {
    /// The place of the value, for something that reads it.
    func use() throws -> DecodingPlace {
        if current.value.message != memory.message {
            throw CodingFailure("a decoder was used after the end of its message")
        }
        current.value.isUsed = true
        return current.value.place
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        let place = try use()
        if let keyed = current.value.keyed { return KeyedDecodingContainer(KeyedDecoding<Key>(self, keyed)) }
        let frame = try openKeyed(at: place)
        current.value.keyed = frame
        return KeyedDecodingContainer(KeyedDecoding<Key>(self, frame))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try UnkeyedDecoding(self, openArray(at: use())) }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        SingleValueDecoding(self, try use(), message: memory.message)
    }

    /// Opens a container, which is a level of depth of its own if it is inside another one of the same value.
    func openKeyed(
        at place: DecodingPlace,
        inside outer: DecodingMemory.FrameID? = nil
    ) throws -> DecodingMemory.FrameID {
        let body = try memory.body(.keyed, at: place)
        return try open(.keyed, body, inside: outer)
    }

    func openArray(
        at place: DecodingPlace,
        inside outer: DecodingMemory.FrameID? = nil
    ) throws -> DecodingMemory.FrameID {
        let kind = try memory.kind(at: place)
        var body = try memory.body(kind.isPacked ? kind : .array, at: place)
        if kind.isPacked {
            let (count, rest) = (body.end - body.offset).quotientAndRemainder(dividingBy: kind.element.scalarSize)
            if count == 0 || rest != 0 { throw CodingFailure("the length of an array does not fit its elements") }
            return try open(kind, body, count: count, inside: outer)
        }
        let count = Int(try memory.number(UInt32.self, at: body))
        body.offset += 4
        // Each has a byte or more.
        if count > body.end - body.offset { throw CodingFailure("an array is shorter than it says") }
        try memory.countElements(count)
        return try open(.array, body, count: count, inside: outer)
    }

    private func open(
        _ kind: Kind,
        _ body: DecodingPlace,
        count: Int = 0,
        inside outer: DecodingMemory.FrameID?
    ) throws -> DecodingMemory.FrameID {
        let depth = try outer.map { try memory.withFrame($0) { $0.depth + 1 } } ?? depth ?? memory.depth
        return try memory.open(
            DecodingFrame(
                depth: depth,
                kind: kind,
                start: body.offset,
                cursor: body.offset,
                end: body.end,
                count: count
            )
        )
    }

    /// A decoder of its own for a value inside a container.
    func decoder(at place: DecodingPlace, inside outer: DecodingMemory.FrameID) throws -> ValueDecoder {
        ValueDecoder(core, at: place, depth: try memory.withFrame(outer) { $0.depth + 1 })
    }
}
