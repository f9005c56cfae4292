// SPDX-License-Identifier: MIT OR Apache-2.0

/// A type whose values the encoder writes without asking their own code.
protocol DirectlyEncodable {
    func encodeDirectly(to encoder: ValueEncoder) throws
}

/// A type whose values the decoder makes without asking their own code.
protocol DirectlyDecodable {
    static func decodeDirectly(from decoder: ValueDecoder, at place: DecodingPlace) throws -> Self
}

/// Bytes in one piece, such as Foundation's `Data`, which then are coded at the speed of memory.
///
/// A type that has what is asked for need only say so, and must do so on both sides or neither need do so: the message is
/// the same.
///
/// ```swift
/// import Foundation
/// import Interprocess
///
/// extension Data: @retroactive IPCBytes {}
/// ```
public protocol IPCBytes: Codable, Collection<UInt8> {
    /// Copies bytes.
    ///
    /// - Parameter bytes: The bytes.
    init<Bytes: Sequence<UInt8>>(_ bytes: Bytes)
}

extension EncodingMemory {
    /// Writes a string.
    @inline(__always)
    func append(string: String) throws {
        var string = string
        try string.withUTF8 { bytes in
            try reserve(5 + bytes.count)
            append(Kind.string)
            append(UInt32(truncatingIfNeeded: bytes.count))
            unsafe append(UnsafeRawBufferPointer(bytes))
        }
    }

    /// Writes the elements of a packed array.
    ///
    /// - Returns: How many they are.
    func append<Elements: Sequence>(packed elements: Elements) throws -> Int where Elements.Element: CodedScalar {
        let start = position
        let size = MemoryLayout<Elements.Element.Wire>.size
        let isDone: Void? = try elements.withContiguousStorageIfAvailable { elements in
            // Where the memory is not what goes into the message, which on few systems is so.
            if MemoryLayout<Elements.Element>.size != size { return unsafe try append(eachOf: elements) }
            let bytes = UnsafeRawBufferPointer(elements)
            try reserve(bytes.count)
            unsafe append(bytes)
        }
        if isDone == nil { try append(eachOf: elements) }
        return (position - start) / size
    }

    private func append<Elements: Sequence>(eachOf elements: Elements) throws where Elements.Element: CodedScalar {
        for element in elements {
            try reserve(MemoryLayout<Elements.Element.Wire>.size)
            append(element.wire)
        }
    }
}

extension EncodingMemory {
    /// Writes what is before the memory of a plain struct or number, for which there is room then.
    @inline(__always)
    func append(head layout: IPCPlainLayout, _ size: Int) throws {
        if let kind = layout.scalar {
            try reserve()
            append(kind)
        } else {
            try reserve(13 + size)
            append(Kind.plain)
            append(UInt32(truncatingIfNeeded: 8 + size))
            append(layout.fingerprint)
        }
    }
}

extension ValueEncoder {
    /// Writes a value that is optional, or the only one in its container: what is nil itself is marked as being there.
    func encode<Value: Encodable>(wrapped value: Value) throws {
        let start = memory.position
        try encode(value)
        let kind = memory.kind(at: start)
        if kind == .null || kind == .some {
            // It is any number of marks, and nil: one mark more.
            try memory.reserve()
            memory.store(Kind.some.rawValue, at: memory.position - 1)
            memory.append(Kind.null)
        }
    }

    /// Writes a plain struct, or a number.
    @inline(__always)
    func encode<Plain: IPCPlain>(plain value: Plain) throws {
        let layout = Plain.layout
        try layout.check(Plain.self)
        try memory.append(head: layout, MemoryLayout<Plain>.size)
        memory.append(value)
    }

    /// Writes bytes as an array of them.
    func encode(packed bytes: some IPCBytes) throws {
        if bytes.isEmpty { return try encodeEmptyArray() }
        let start = memory.position
        try memory.reserve()
        memory.append(Kind.integer(UInt8.self).packed)
        memory.append(UInt32(0))
        let count = try memory.append(packed: bytes)
        memory.store(UInt32(truncatingIfNeeded: count), at: start + 1)
    }

    /// Arrays of nothing are the same, whatever it is.
    func encodeEmptyArray() throws {
        try memory.reserve()
        memory.append(Kind.array)
        memory.append(UInt32(4))
        memory.append(UInt32(0))
    }
}

extension String: DirectlyEncodable {
    func encodeDirectly(to encoder: ValueEncoder) throws { try encoder.memory.append(string: self) }
}

extension Bool: DirectlyEncodable {
    func encodeDirectly(to encoder: ValueEncoder) throws {
        try encoder.memory.reserve()
        encoder.memory.append(Kind.bool)
        encoder.memory.append(wire)
    }
}

extension ValueDecoder {
    /// Reads a value that is optional, or the only one in its container.
    @inline(__always)
    func decode<Value: Decodable>(wrapped type: Value.Type, at place: DecodingPlace) throws -> Value {
        try decode(type, at: memory.kind(at: place) == .some ? place.advanced(by: 1) : place)
    }
}

extension DecodingMemory {
    /// Reads a plain struct, or a number.
    @inline(__always)
    func plain<Plain: IPCPlain>(_: Plain.Type, at place: DecodingPlace) throws -> Plain {
        let layout = Plain.layout
        try layout.check(Plain.self)
        return unsafe try load(Plain.self, at: plainMemory(layout, MemoryLayout<Plain>.size, at: place).offset)
    }

    /// Where the memory of a plain struct or number is, all of it.
    func plainMemory(_ layout: IPCPlainLayout, _ size: Int, at place: DecodingPlace) throws -> DecodingPlace {
        if let kind = layout.scalar {
            if try self.kind(at: place) != kind { throw mismatch(at: place, kind.description) }
            let memory = place.implied == nil ? place.advanced(by: 1) : place
            if memory.end - memory.offset < size { throw truncated }
            return memory
        }
        let body = try body(.plain, at: place)
        if try number(UInt64.self, at: body) != layout.fingerprint { throw otherLayout }
        if body.end - body.offset != 8 + size { throw otherLayout }
        return body.advanced(by: 8)
    }

    private var otherLayout: CodingFailure { CodingFailure("the sender's plain type is another one") }

    /// The memory of an array of plain structs or numbers.
    func elements<Plain: IPCPlain>(_: Plain.Type, at place: DecodingPlace) throws -> UnsafeRawBufferPointer {
        let layout = Plain.layout
        try layout.check(Plain.self)
        var memory: DecodingPlace
        let kind = try kind(at: place)
        if kind == .array {
            memory = try body(kind, at: place)
            if try memory.end - memory.offset != 4 || number(UInt32.self, at: memory) != 0 {
                throw mismatch(at: place, "an array of \(Plain.self)")
            }
            return unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        }
        if let element = layout.scalar {
            memory = try body(element.packed, at: place)
        } else {
            memory = try body(.plainArray, at: place)
            if try number(UInt64.self, at: memory) != layout.fingerprint { throw otherLayout }
            let size = try number(UInt32.self, at: memory.advanced(by: 8))
            if size != MemoryLayout<Plain>.size { throw otherLayout }
            memory.offset += 12
        }
        let count = memory.end - memory.offset
        if count == 0 || count % MemoryLayout<Plain>.size != 0 {
            throw CodingFailure("the length of an array does not fit its elements")
        }
        return unsafe UnsafeRawBufferPointer(rebasing: bytes[memory.offset..<memory.end])
    }
}

extension String: DirectlyDecodable {
    static func decodeDirectly(from decoder: ValueDecoder, at place: DecodingPlace) throws -> String {
        try decoder.memory.string(at: place)
    }
}

extension Bool: DirectlyDecodable {
    static func decodeDirectly(from decoder: ValueDecoder, at place: DecodingPlace) throws -> Bool {
        try decoder.memory.scalar(Bool.self, at: place)
    }
}
