// SPDX-License-Identifier: MIT OR Apache-2.0

// Dictionaries and sets have no order of their own, and their order in memory differs from process to process. In messages
// they stand in the order of the bytes of their keys, so that equal ones are the same bytes.

extension ValueEncoder {
    /// Writes elements in the order of their keys' bytes.
    ///
    /// What writes one calls the closure that it is given after its key.
    fileprivate func encode<Elements: Collection>(
        _ elements: Elements,
        _ kind: Kind,
        _ write: (Elements.Element, () -> Void) throws -> Void
    ) throws {
        try memory.enter()
        defer { memory.leave(to: memory.depth - 1) }
        try memory.countElements(elements.count)
        try memory.reserve()
        let start = memory.position
        memory.append(kind)
        memory.append(UInt32(0))
        memory.append(UInt32(truncatingIfNeeded: elements.count))
        var parts: [SortedPart] = []
        parts.reserveCapacity(elements.count)
        for element in elements {
            let start = memory.position
            var keyEnd = start
            try write(element) { keyEnd = memory.position }
            parts.append(SortedPart(key: start..<keyEnd, end: memory.position))
        }
        try sort(&parts)
        memory.store(UInt32(truncatingIfNeeded: memory.position - start - 5), at: start + 1)
    }

    private func sort(_ parts: inout [SortedPart]) throws {
        guard let first = parts.first else { return }
        let bytes = unsafe memory.bytes
        parts.sort { unsafe bytes.isLess($0.key, $1.key) }
        for (part, next) in zip(parts, parts.dropFirst()) where unsafe !bytes.isLess(part.key, next.key) {
            throw CodingFailure("two keys or elements that differ are encoded alike")
        }
        let begin = parts.reduce(first.key.lowerBound) { min($0, $1.key.lowerBound) }
        let copy = unsafe [UInt8](bytes[begin...])
        var target = begin
        unsafe copy.withUnsafeBytes { copy in
            for part in parts {
                memory.position = target
                unsafe memory.append(
                    UnsafeRawBufferPointer(rebasing: copy[part.key.lowerBound - begin..<part.end - begin])
                )
                target = memory.position
            }
        }
    }
}

/// Where an element was written.
private struct SortedPart {
    let key: Range<Int>
    let end: Int
}

extension UnsafeRawBufferPointer {
    /// Compares two parts of the memory as unsigned bytes; a beginning of the other comes first.
    fileprivate func isLess(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
        unsafe self[one].lexicographicallyPrecedes(self[other])
    }
}

extension Dictionary: DirectlyEncodable where Key: Encodable, Value: Encodable {
    func encodeDirectly(to encoder: ValueEncoder) throws {
        try encoder.encode(self, .dictionary) { element, endKey in
            do {
                try encoder.encode(element.key)
                endKey()
                try encoder.encode(element.value)
            } catch { throw CodingFailure.within(AnyKey(element.key), error) }
        }
    }
}

extension Set: DirectlyEncodable where Element: Encodable {
    func encodeDirectly(to encoder: ValueEncoder) throws {
        try encoder.encode(self, .set) { element, endKey in
            try encoder.encode(element)
            endKey()
        }
    }
}

/// The key of an element, for errors.
private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ key: some Any) { stringValue = String(describing: key) }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
}

extension ValueDecoder {
    /// Reads elements, and sees that they are in the order of their keys' bytes.
    ///
    /// What reads one returns where its key and all of it end.
    fileprivate func decode(
        _ kind: Kind,
        at place: DecodingPlace,
        begin: (Int) -> Void,
        _ read: (DecodingPlace) throws -> (key: Int, all: Int)
    ) throws {
        try memory.enter()
        defer { memory.leave() }
        var rest = try memory.body(kind, at: place)
        let count = Int(try memory.number(UInt32.self, at: rest))
        rest.offset += 4
        // Each has a byte or more.
        if count > rest.end - rest.offset { throw CodingFailure("\(kind) is shorter than it says") }
        try memory.countElements(count)
        begin(count)
        var last: Range<Int>?
        for _ in 0..<count {
            let (keyEnd, end) = try read(rest)
            let key = rest.offset..<keyEnd
            if let last, unsafe !memory.bytes.isLess(last, key) {
                throw CodingFailure("\(kind) is not in order, or has something twice")
            }
            last = key
            rest.offset = end
        }
        if rest.offset != rest.end { throw CodingFailure("\(kind) is longer than it says") }
    }
}

extension Dictionary: DirectlyDecodable where Key: Decodable, Value: Decodable {
    static func decodeDirectly(from decoder: ValueDecoder, at place: DecodingPlace) throws -> Self {
        var result: Self = [:]
        try decoder.decode(.dictionary, at: place, begin: { result.reserveCapacity(Swift.min($0, 1024)) }) { place in
            var valuePlace = place
            valuePlace.offset = try decoder.memory.end(of: place)
            let key = try decoder.decode(Key.self, at: place)
            do {
                let end = try decoder.memory.end(of: valuePlace)
                let value = try decoder.decode(Value.self, at: valuePlace)
                if result.updateValue(value, forKey: key) != nil { throw CodingFailure("a key is there twice") }
                return (valuePlace.offset, end)
            } catch { throw CodingFailure.within(AnyKey(key), error) }
        }
        return result
    }
}

extension Set: DirectlyDecodable where Element: Decodable {
    static func decodeDirectly(from decoder: ValueDecoder, at place: DecodingPlace) throws -> Self {
        var result: Self = []
        try decoder.decode(.set, at: place, begin: { result.reserveCapacity(Swift.min($0, 1024)) }) { place in
            let end = try decoder.memory.end(of: place)
            if try !result.insert(decoder.decode(Element.self, at: place)).inserted {
                throw CodingFailure("an element is there twice")
            }
            return (end, end)
        }
        return result
    }
}
