// SPDX-License-Identifier: MIT OR Apache-2.0

/// What leads a field: the hash of its key, and maybe its name.
struct FieldHead {
    let hash: UInt32
    /// Where the name is, if it is there.
    let name: DecodingPlace?
    let value: DecodingPlace
    /// Where the next field begins.
    let end: Int

    @inline(__always)
    init(_ memory: DecodingMemory, at place: DecodingPlace) throws {
        hash =
            UInt32(try memory.number(UInt16.self, at: place))
            | UInt32(try memory.number(UInt8.self, at: place.advanced(by: 2))) << 16
        var value = place.advanced(by: 3)
        var name: DecodingPlace?
        if try memory.kind(at: value) == .name {
            let length = Int(try memory.number(UInt32.self, at: value.advanced(by: 1)))
            let begin = value.advanced(by: 5)
            if length > begin.end - begin.offset { throw CodingFailure("the message ends within a name") }
            name = DecodingPlace(offset: begin.offset, end: begin.offset + length)
            value = begin.advanced(by: length)
        }
        self.name = name
        self.value = value
        end = try memory.end(of: value)
    }

    func isOf(_ key: some CodingKey, hash: UInt32, _ memory: DecodingMemory) -> Bool {
        if self.hash != hash { return false }
        guard let name else { return true }
        var wanted = key.stringValue
        return wanted.withUTF8 { wanted in
            unsafe wanted.count == name.end - name.offset && memory.bytes[name.offset..<name.end].elementsEqual(wanted)
        }
    }
}

/// Fields: mostly asked for in the order in which they are there, and found in any.
struct KeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let memory: DecodingMemory
    private let id: DecodingMemory.FrameID
    /// Theirs are to be looked at while the frame is there.
    private let hashes: KeyHashes

    init(_ decoder: ValueDecoder, _ id: DecodingMemory.FrameID) {
        self.id = id
        memory = decoder.memory
        hashes = decoder.core.hashes(of: Key.self)
    }

    var codingPath: [any CodingKey] { [] }

    private var decoder: ValueDecoder {
        get throws {
            if let decoder = memory.decoder { return decoder }
            throw memory.gone
        }
    }

    var allKeys: [Key] {
        do {
            return try memory.withFrame(id) { frame in
                var keys: [Key] = []
                var place = DecodingPlace(offset: frame.start, end: frame.end)
                while place.offset < place.end {
                    try memory.countSearch()
                    let field = try FieldHead(memory, at: place)
                    if let key = try key(of: field) { keys.append(key) }
                    place.offset = field.end
                }
                return keys
            }
        } catch {
            memory.decoder?.core.note(error)
            return []
        }
    }

    private func key(of field: FieldHead) throws -> Key? {
        if let name = field.name { return Key(stringValue: try memory.text(in: name)) }
        guard let type = Key.self as? any CaseIterable.Type else {
            throw CodingFailure("allKeys needs a key type that is CaseIterable, for only hashes of the keys are there")
        }
        return key(hash: field.hash, among: type)
    }

    private func key<Keys: CaseIterable>(hash: UInt32, among type: Keys.Type) -> Key? {
        for case let key as Key in type.allCases where hashes[key] == hash { return key }
        return nil
    }

    func contains(_ key: Key) -> Bool {
        do {
            return try memory.withFrame(id) { try find(key, hashes[key], &$0) != nil }
        } catch {
            memory.decoder?.core.note(error)
            return false
        }
    }

    /// Finds a field: the next one, one of those that follow, or one that has been read.
    private func find(
        _ key: some CodingKey,
        _ hash: UInt32,
        _ frame: inout DecodingFrame
    ) throws -> (offset: Int, field: FieldHead)? {
        try decoder.passOver(&frame)
        for range in [frame.cursor..<frame.end, frame.start..<frame.cursor] {
            var place = DecodingPlace(offset: range.lowerBound, end: range.upperBound)
            while place.offset < place.end {
                let field = try FieldHead(memory, at: place)
                if field.isOf(key, hash: hash, memory) { return (place.offset, field) }
                try memory.countSearch()
                place.offset = field.end
            }
        }
        return nil
    }

    /// Finds a field, and counts it as read.
    private func take(_ key: some CodingKey, _ hash: UInt32) throws -> DecodingPlace? {
        try memory.withFrame(id) { frame in
            guard let (offset, field) = try find(key, hash, &frame) else { return nil }
            if offset == frame.cursor {
                frame.cursor = field.end
            } else if offset > frame.cursor {
                try decoder.core.readEarly(offset)
            }
            return field.value
        }
    }

    private func takeExpected(_ key: some CodingKey, _ hash: UInt32) throws -> DecodingPlace {
        if let place = try take(key, hash) { return place }
        throw CodingFailure("the field is missing: the sender's type is another one, or has other fields")
    }

    @inline(__always)
    private func takeExpected(_ key: Key) throws -> DecodingPlace {
        if let place = try next(key) { return place }
        return try takeExpected(key, hashes[key])
    }

    /// The value of the next field, if it is under a key, which is then counted as read.
    @inline(__always)
    private func next(_ key: Key) throws -> DecodingPlace? {
        if hashes.areNamed { return nil }
        return try memory.withFrame(id) { frame in
            let hash = hashes[key]
            guard frame.end &- frame.cursor >= 4 else { return nil }
            let head = unsafe memory.load(UInt32.self, at: frame.cursor)
            if head & 0xFF_FFFF != hash || head >> 24 == Kind.name.rawValue { return nil }
            let place = DecodingPlace(offset: frame.cursor &+ 3, end: frame.end)
            frame.cursor = try memory.end(of: place)
            return place
        }
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        let isNil: Bool? = try memory.withFrame(id) { frame in
            try find(key, hashes[key], &frame).map { try memory.kind(at: $0.field.value) == .null }
        }
        if isNil == false { return false }
        _ = try within(key) { try takeExpected(key) }
        return true
    }

    /// The next field, if it is a number under a key.
    @inline(__always)
    private func next<Scalar: CodedScalar>(_: Scalar.Type, _ key: Key) throws -> Scalar? {
        if hashes.areNamed { return nil }
        return try memory.withFrame(id) { frame in
            let head = hashes[key] | UInt32(Scalar.kind.rawValue) << 24
            let size = 4 + MemoryLayout<Scalar.Wire>.size
            guard frame.end &- frame.cursor >= size, unsafe memory.load(UInt32.self, at: frame.cursor) == head else {
                return nil
            }
            let wire = unsafe memory.load(Scalar.Wire.self, at: frame.cursor &+ 4)
            frame.cursor &+= size
            guard let scalar = Scalar(wire: wire) else { throw memory.invalid(Scalar.self) }
            return scalar
        }
    }

    @inline(__always)
    func decode<Scalar: CodedScalar>(_ type: Scalar.Type, forKey key: Key) throws -> Scalar {
        if let scalar = try next(type, key) { return scalar }
        return try within(key) { try memory.scalar(type, at: takeExpected(key)) }
    }

    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        try within(key) { try memory.string(at: takeExpected(key)) }
    }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try within(key) { try decoder.decode(type, at: takeExpected(key)) }
    }

    @inline(__always)
    func decode<Scalar: CodedScalar>(optional type: Scalar.Type, _ key: Key) throws -> Scalar? {
        if let scalar = try next(type, key) { return scalar }
        return try within(key) { try present(key).map { try memory.scalar(type, at: $0) } }
    }

    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        try within(key) { try present(key).map { try memory.string(at: $0) } }
    }

    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        try within(key) { try present(key).map { try decoder.decode(wrapped: type, at: $0) } }
    }

    /// Takes a field, if it is there and is not nil.
    @inline(__always)
    private func present(_ key: Key) throws -> DecodingPlace? {
        guard let place = try next(key) ?? take(key, hashes[key]), try memory.kind(at: place) != .null else {
            return nil
        }
        return place
    }

    @inline(__always)
    private func within<Result>(_ key: some CodingKey, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch { throw CodingFailure.within(key, error) }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try within(key) {
            KeyedDecodingContainer(
                KeyedDecoding<Nested>(try decoder, try decoder.openKeyed(at: takeExpected(key), inside: id))
            )
        }
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try within(key) { UnkeyedDecoding(try decoder, try decoder.openArray(at: takeExpected(key), inside: id)) }
    }

    func superDecoder() throws -> any Decoder {
        let key = SuperKey()
        let hash = NameHash.ofKey(key.stringValue)
        return try within(key) { try decoder.decoder(at: takeExpected(key, hash), inside: id) }
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        try within(key) { try decoder.decoder(at: takeExpected(key), inside: id) }
    }
}
