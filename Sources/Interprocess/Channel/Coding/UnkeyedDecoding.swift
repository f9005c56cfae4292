// SPDX-License-Identifier: MIT OR Apache-2.0

/// Elements, in order.
struct UnkeyedDecoding: UnkeyedDecodingContainer {
    private let decoder: ValueDecoder
    private let id: DecodingMemory.FrameID

    init(_ decoder: ValueDecoder, _ id: DecodingMemory.FrameID) {
        self.decoder = decoder
        self.id = id
    }

    var codingPath: [any CodingKey] { [] }
    var count: Int? { try? memory.withFrame(id) { $0.count } }
    var currentIndex: Int { (try? memory.withFrame(id) { $0.index }) ?? 0 }

    /// Whether all elements have been read, or the value that they are in.
    var isAtEnd: Bool { (try? memory.withFrame(id) { $0.index >= $0.count }) ?? true }

    @inline(__always)
    private var memory: DecodingMemory { decoder.memory }

    /// The place of the next element.
    @inline(__always)
    private func next() throws -> DecodingPlace {
        try memory.withFrame(id) { frame in
            if frame.index >= frame.count { throw CodingFailure("an array has fewer elements than the type asks for") }
            let implied = frame.kind == .array ? nil : frame.kind.element
            return DecodingPlace(offset: frame.cursor, end: frame.end, implied: implied)
        }
    }

    /// Goes on to the element after the one at a place.
    @inline(__always)
    private func pass(_ place: DecodingPlace) throws {
        let end = try memory.end(of: place)
        try memory.withFrame(id) { frame in
            frame.cursor = end
            frame.index &+= 1
            // What follows the last one is nothing of the type's.
            if frame.index == frame.count && end != frame.end {
                throw CodingFailure("an array is longer than it says")
            }
        }
    }

    /// Reads the next element, which it still is if that fails.
    @inline(__always)
    private func read<Value>(_ body: (DecodingPlace) throws -> Value) throws -> Value {
        let place = try next()
        do {
            let value = try body(place)
            try pass(place)
            return value
        } catch { throw CodingFailure.within(currentIndex, error) }
    }

    mutating func decodeNil() throws -> Bool {
        let place = try next()
        guard try memory.kind(at: place) == .null else { return false }
        try pass(place)
        return true
    }

    @inline(__always)
    mutating func decode<Scalar: CodedScalar>(_ type: Scalar.Type) throws -> Scalar {
        try read { try memory.scalar(type, at: $0) }
    }

    mutating func decode(_ type: String.Type) throws -> String { try read { try memory.string(at: $0) } }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try read { place in
            // That it ends where its array does is known before its own code runs.
            _ = try memory.end(of: place)
            return try decoder.decode(type, at: place)
        }
    }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        try read { KeyedDecodingContainer(KeyedDecoding<Key>(decoder, try decoder.openKeyed(at: $0, inside: id))) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try read { UnkeyedDecoding(decoder, try decoder.openArray(at: $0, inside: id)) }
    }

    mutating func superDecoder() throws -> any Decoder { try read { try decoder.decoder(at: $0, inside: id) } }
}

/// One value, which can be read in one way after another, until one succeeds.
struct SingleValueDecoding: SingleValueDecodingContainer {
    private let decoder: ValueDecoder
    private let place: DecodingPlace
    private let message: UInt32

    init(_ decoder: ValueDecoder, _ place: DecodingPlace, message: UInt32) {
        self.decoder = decoder
        self.place = place
        self.message = message
    }

    var codingPath: [any CodingKey] { [] }

    @inline(__always)
    private func memory() throws -> DecodingMemory {
        if message != decoder.memory.message { throw CodingFailure("a container was read after the end of its value") }
        return decoder.memory
    }

    func decodeNil() -> Bool { (try? memory().kind(at: place)) == .null }

    @inline(__always)
    func decode<Scalar: CodedScalar>(_ type: Scalar.Type) throws -> Scalar { try memory().scalar(type, at: place) }

    func decode(_ type: String.Type) throws -> String { try memory().string(at: place) }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        _ = try memory()
        return try decoder.decode(wrapped: type, at: place)
    }
}
