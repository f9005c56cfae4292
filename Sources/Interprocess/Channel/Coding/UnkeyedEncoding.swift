// SPDX-License-Identifier: MIT OR Apache-2.0

/// Elements, each with its kind, or packed.
struct UnkeyedEncoding: UnkeyedEncodingContainer {
    private let encoder: ValueEncoder
    private let id: ContainerID
    private(set) var count: Int

    init(_ encoder: ValueEncoder, _ id: ContainerID) {
        self.encoder = encoder
        self.id = id
        count = encoder.memory.elementCount(of: id)
    }

    var codingPath: [any CodingKey] { [] }

    @inline(__always)
    private var memory: EncodingMemory { encoder.memory }

    @inline(__always)
    private mutating func begin(_ kind: Kind) throws {
        try memory.beginElement(id)
        memory.append(kind)
        count &+= 1
    }

    mutating func encodeNil() throws { try begin(.null) }

    @inline(__always)
    mutating func encode<Scalar: CodedScalar>(_ value: Scalar) throws {
        try begin(Scalar.kind)
        memory.append(value.wire)
    }

    mutating func encode(_ value: String) throws { try write { try $0.memory.append(string: value) } }

    mutating func encode<Value: Encodable>(_ value: Value) throws { try write { try $0.encode(value) } }

    @inline(__always)
    private mutating func write(_ body: (ValueEncoder) throws -> Void) throws {
        try memory.beginElement(id)
        let mark = encoder.core.mark
        do {
            try body(encoder)
        } catch {
            encoder.core.goBack(to: mark)
            memory.takeBackElement(id)
            throw CodingFailure.within(count, error)
        }
        count &+= 1
    }

    mutating func encode<Elements: Sequence>(contentsOf elements: Elements) throws where Elements.Element: CodedScalar {
        if try memory.beginPacked(id, Elements.Element.kind) {
            count += try memory.append(packed: elements)
        } else {
            for element in elements { try encode(element) }
        }
    }

    private mutating func nest(_ kind: Kind) -> ContainerID {
        do {
            try memory.beginElement(id)
            count += 1
            return try memory.open(kind, nested: true)
        } catch {
            encoder.core.fail(error)
            return ContainerID(message: id.message &- 1, offset: 0)
        }
    }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(KeyedEncoding<Key>(encoder, nest(.keyed)))
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { UnkeyedEncoding(encoder, nest(.array)) }

    mutating func superEncoder() -> any Encoder {
        count += 1
        return ValueEncoder(encoder.core, .element(id))
    }
}

/// One value.
struct SingleValueEncoding: SingleValueEncodingContainer {
    private let encoder: ValueEncoder

    init(_ encoder: ValueEncoder) { self.encoder = encoder }

    var codingPath: [any CodingKey] { [] }

    @inline(__always)
    private func begin(_ kind: Kind) throws {
        try encoder.beginSingle()
        encoder.memory.append(kind)
    }

    func encodeNil() throws { try begin(.null) }

    @inline(__always)
    func encode<Scalar: CodedScalar>(_ value: Scalar) throws {
        try begin(Scalar.kind)
        encoder.memory.append(value.wire)
    }

    func encode(_ value: String) throws {
        try encoder.beginSingle()
        try encoder.memory.append(string: value)
    }

    func encode<Value: Encodable>(_ value: Value) throws {
        try encoder.beginSingle()
        let mark = encoder.core.mark
        do {
            try encoder.encode(wrapped: value)
        } catch {
            encoder.core.goBack(to: mark)
            throw error
        }
    }
}
