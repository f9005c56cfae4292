// SPDX-License-Identifier: MIT OR Apache-2.0

/// An array of plain structs or numbers, which in a message is a head, and its memory.
protocol PlainArray {
    /// The type of its elements, if they are numbers.
    static var number: (any (CodedScalar & IPCPlain).Type)? { get }

    var byteCount: Int { get }

    /// Writes the head, which of an array of nothing is all.
    func encodeHead(to encoder: ValueEncoder) throws

    func withMemory<Value>(_ body: (UnsafeRawBufferPointer) throws(IPCError) -> Value) throws(IPCError) -> Value
}

extension Array: PlainArray where Element: IPCPlain {
    static var number: (any (CodedScalar & IPCPlain).Type)? { Element.self as? any (CodedScalar & IPCPlain).Type }

    var byteCount: Int { count * MemoryLayout<Element>.size }

    func encodeHead(to encoder: ValueEncoder) throws {
        let layout = Element.layout
        try layout.check(Element.self)
        if isEmpty { return try encoder.encodeEmptyArray() }
        let memory = encoder.memory
        try memory.reserve()
        if let kind = layout.scalar {
            memory.append(kind.packed)
            memory.append(UInt32(truncatingIfNeeded: byteCount))
        } else {
            memory.append(Kind.plainArray)
            memory.append(UInt32(truncatingIfNeeded: 12 + byteCount))
            memory.append(layout.fingerprint)
            memory.append(UInt32(truncatingIfNeeded: MemoryLayout<Element>.size))
        }
    }

    func withMemory<Value>(_ body: (UnsafeRawBufferPointer) throws(IPCError) -> Value) throws(IPCError) -> Value {
        try unsafe withUnsafeBufferPointer { (elements) throws(IPCError) in
            try unsafe body(UnsafeRawBufferPointer(elements))
        }
    }
}

extension ValueEncoder {
    /// Writes an array of plain structs or numbers.
    func encode(plains array: some PlainArray) throws {
        try array.encodeHead(to: self)
        try memory.reserve(array.byteCount)
        try unsafe array.withMemory { (bytes) throws(IPCError) in unsafe memory.append(bytes) }
    }
}

extension IPCEncoder {
    /// Lends the message of a large array of plain structs or numbers in two pieces: its beginning, and the memory of the
    /// array, which is not copied.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - sizes: How many bytes the array must have.
    ///   - body: What to do with the pieces.
    /// - Returns: Whether it was such an array; otherwise nothing has been done.
    /// - Throws: `.encodingFailed`, `.messageTooLarge`, and what `body` throws.
    func withPieces<Value: Encodable>(
        of value: Value,
        sizes: ClosedRange<Int>,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(IPCError) -> Void
    ) throws(IPCError) -> Bool {
        guard case .array(let type) = core.way(of: Value.self) else { return false }
        return try unsafe withPieces(of: value, asArray: type, sizes: sizes, body)
    }

    // The way is that of the value's own type.
    private func withPieces<Value, Elements: PlainArray>(
        of value: Value,
        asArray _: Elements.Type,
        sizes: ClosedRange<Int>,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(IPCError) -> Void
    ) throws(IPCError) -> Bool {
        let array = unsafe unsafeBitCast(value, to: Elements.self)
        if !sizes.contains(array.byteCount) { return false }
        try core.start(Elements.self)
        defer { core.end() }
        do {
            try array.encodeHead(to: root)
            try core.finish(more: array.byteCount)
        } catch { throw IPCError(error, .encode, type: Elements.self) }
        try unsafe array.withMemory { (memory) throws(IPCError) in try unsafe body(core.memory.bytes, memory) }
        return true
    }
}

extension Array: DirectlyDecodable where Element: IPCPlain {
    static func decodeDirectly(from decoder: ValueDecoder, at place: DecodingPlace) throws -> [Element] {
        let bytes = unsafe try decoder.memory.elements(Element.self, at: place)
        let count = bytes.count / MemoryLayout<Element>.size
        // As for numbers.
        if count == 0 { return [] }
        return unsafe [Element](unsafeUninitializedCapacity: count) { elements, initialized in
            unsafe UnsafeMutableRawBufferPointer(elements).copyMemory(from: bytes)
            initialized = count
        }
    }
}
