// SPDX-License-Identifier: MIT OR Apache-2.0

/// How keys are written that need more than their hash.
enum NamedKey {
    /// The key's type is a small one, and the value tells the rest.
    case hash(UInt32)
    /// The name follows the hash.
    case name(UInt32)

    /// Writes the key, for which there is room if it has no name.
    @inline(__always)
    func write(_ key: some CodingKey, _ memory: EncodingMemory) throws {
        switch self {
        case .hash(let hash):
            // Three bytes of it: the fourth is where the value begins.
            memory.append(hash)
            memory.position &-= 1
        case .name(let hash):
            var name = key.stringValue
            try name.withUTF8 { name in
                try memory.reserve(8 + name.count)
                memory.append(hash | UInt32(Kind.name.rawValue) << 24)
                memory.append(UInt32(truncatingIfNeeded: name.count))
                unsafe memory.append(UnsafeRawBufferPointer(name))
            }
        }
    }
}

/// Fields: each a key, and a value.
struct KeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    private let encoder: ValueEncoder
    private let memory: EncodingMemory
    private let id: ContainerID
    private let hashes: KeyHashes

    init(_ encoder: ValueEncoder, _ id: ContainerID) {
        self.encoder = encoder
        self.id = id
        memory = encoder.memory
        hashes = encoder.core.hashes(of: Key.self)
    }

    var codingPath: [any CodingKey] { [] }

    @inline(__always)
    private func named(_ key: Key) -> NamedKey { hashes.areNamed ? .name(hashes[key]) : .hash(hashes[key]) }

    /// Resumes the container, and writes a key.
    @inline(__always)
    private func begin(_ key: Key) throws {
        try memory.resume(id)
        try named(key).write(key, memory)
    }

    /// Writes a key, and the kind of what follows it, for which there is room if it is a number.
    @inline(__always)
    private func begin(_ key: Key, _ kind: Kind) throws {
        if hashes.areNamed {
            try begin(key)
            memory.append(kind)
        } else {
            try memory.resume(id)
            memory.append(hashes[key] | UInt32(kind.rawValue) << 24)
        }
    }

    func encodeNil(forKey key: Key) throws { try begin(key, .null) }

    @inline(__always)
    func encode<Scalar: CodedScalar>(_ value: Scalar, forKey key: Key) throws {
        try begin(key, Scalar.kind)
        memory.append(value.wire)
    }

    func encode(_ value: String, forKey key: Key) throws {
        let mark = encoder.core.mark
        try begin(key)
        do { try memory.append(string: value) } catch { throw failed(key, error, mark) }
    }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        let mark = encoder.core.mark
        try begin(key)
        do { try encoder.encode(value) } catch { throw failed(key, error, mark) }
    }

    @inline(__always)
    func encode<Scalar: CodedScalar>(optional value: Scalar?, _ key: Key) throws {
        if let value { try encode(value, forKey: key) } else { try encodeNil(forKey: key) }
    }

    func encodeIfPresent(_ value: String?, forKey key: Key) throws {
        if let value { try encode(value, forKey: key) } else { try encodeNil(forKey: key) }
    }

    func encodeIfPresent<Value: Encodable>(_ value: Value?, forKey key: Key) throws {
        guard let value else { return try encodeNil(forKey: key) }
        let mark = encoder.core.mark
        try begin(key)
        do { try encoder.encode(wrapped: value) } catch { throw failed(key, error, mark) }
    }

    private func failed(_ key: Key, _ error: any Error, _ mark: EncodingCore.Mark) -> any Error {
        // The containers within were closed, and so may others have been.
        encoder.core.goBack(to: mark)
        return CodingFailure.within(key, error)
    }

    /// Begins a container under a key, with its name if its key may tell what is in it, as those of enums do.
    private func nest(_ kind: Kind, _ key: Key, isNamed: Bool) -> ContainerID {
        do {
            try memory.resume(id)
            try (isNamed ? .name(hashes[key]) : named(key)).write(key, memory)
            return try memory.open(kind, nested: true)
        } catch {
            encoder.core.fail(CodingFailure.within(key, error))
            return ContainerID(message: id.message &- 1, offset: 0)
        }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        KeyedEncodingContainer(KeyedEncoding<Nested>(encoder, nest(.keyed, key, isNamed: true)))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        UnkeyedEncoding(encoder, nest(.array, key, isNamed: false))
    }

    func superEncoder() -> any Encoder {
        let hash = NameHash.ofKey(SuperKey().stringValue)
        return ValueEncoder(encoder.core, .keyed(id, SuperKey(), hashes.areNamed ? .name(hash) : .hash(hash)))
    }

    func superEncoder(forKey key: Key) -> any Encoder { ValueEncoder(encoder.core, .keyed(id, key, named(key))) }
}

/// The key of a superclass that is given none.
struct SuperKey: CodingKey {
    init() {}
    init?(stringValue: String) {}
    init?(intValue: Int) { return nil }

    var stringValue: String { "super" }
    var intValue: Int? { 0 }
}
