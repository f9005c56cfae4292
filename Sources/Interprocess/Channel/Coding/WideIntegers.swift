// SPDX-License-Identifier: MIT OR Apache-2.0

// Codable has default implementations of these, which throw, and would be taken instead of those for all types.

extension KeyedEncoding {
    func encode(_ value: Int128, forKey key: Key) throws { try encode(scalar: value, key) }
    func encode(_ value: UInt128, forKey key: Key) throws { try encode(scalar: value, key) }

    private func encode<Scalar: CodedScalar>(scalar value: Scalar, _ key: Key) throws { try encode(value, forKey: key) }
}

extension UnkeyedEncoding {
    mutating func encode(_ value: Int128) throws { try encode(scalar: value) }
    mutating func encode(_ value: UInt128) throws { try encode(scalar: value) }

    private mutating func encode<Scalar: CodedScalar>(scalar value: Scalar) throws { try encode(value) }
}

extension SingleValueEncoding {
    func encode(_ value: Int128) throws { try encode(scalar: value) }
    func encode(_ value: UInt128) throws { try encode(scalar: value) }

    private func encode<Scalar: CodedScalar>(scalar value: Scalar) throws { try encode(value) }
}

extension KeyedDecoding {
    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try decode(scalar: type, key) }
    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try decode(scalar: type, key) }

    private func decode<Scalar: CodedScalar>(scalar type: Scalar.Type, _ key: Key) throws -> Scalar {
        try decode(type, forKey: key)
    }
}

extension UnkeyedDecoding {
    mutating func decode(_ type: Int128.Type) throws -> Int128 { try decode(scalar: type) }
    mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try decode(scalar: type) }

    private mutating func decode<Scalar: CodedScalar>(scalar type: Scalar.Type) throws -> Scalar {
        try decode(type)
    }
}

extension SingleValueDecoding {
    func decode(_ type: Int128.Type) throws -> Int128 { try decode(scalar: type) }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try decode(scalar: type) }

    private func decode<Scalar: CodedScalar>(scalar type: Scalar.Type) throws -> Scalar {
        try decode(type)
    }
}
