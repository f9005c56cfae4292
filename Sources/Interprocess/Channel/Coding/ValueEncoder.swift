// SPDX-License-Identifier: MIT OR Apache-2.0

/// What values see while they are encoded.
///
/// One serves for all values of a message; only superclasses that are encoded apart have one of their own.
final class ValueEncoder: Encoder {
    /// Where the value of a superclass goes, once it is written.
    enum Place {
        case here
        case keyed(ContainerID, any CodingKey, NamedKey)
        case element(ContainerID)
    }

    let core: EncodingCore
    let memory: EncodingMemory
    private var place: Place
    /// Where the value begins that is being encoded.
    private var start = 0
    /// Its container, if it has one.
    private var container: ContainerID?

    init(_ core: EncodingCore, _ place: Place = .here) {
        self.core = core
        self.place = place
        memory = core.memory
    }

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { core.userInfo }

    /// Writes a value.
    @inline(__always)
    func encode<Value: Encodable>(_ value: Value) throws {
        switch core.way(of: Value.self) {
        case .encodable: try encodeByItself(value)
        case .direct(let type): try encode(value, directly: type)
        case .plain(let type): try encode(value, plainly: type)
        case .bytes(let type): try encode(value, bytewise: type)
        }
    }

    /// Has a value write itself.
    ///
    /// Where that fails, who asked for it goes back to where the value began.
    private func encodeByItself<Value: Encodable>(_ value: Value) throws {
        let (outer, depth, outerStart, outerContainer) = (memory.innermost, memory.depth, start, container)
        try memory.enter()
        start = memory.position
        container = nil
        defer { (start, container) = (outerStart, outerContainer) }
        try value.encode(to: self)
        if memory.innermost != outer { try memory.close(upTo: outer) }
        // A value that wrote nothing is one without fields.
        if memory.position == start {
            _ = try memory.open(.keyed)
            try memory.close(upTo: outer)
        }
        memory.leave(to: depth)
    }

    // The way is that of the value's own type.
    private func encode<Value, Direct: DirectlyEncodable>(_ value: Value, directly _: Direct.Type) throws {
        try unsafe unsafeBitCast(value, to: Direct.self).encodeDirectly(to: self)
    }

    private func encode<Value, Plain: IPCPlain>(_ value: Value, plainly _: Plain.Type) throws {
        try encode(plain: unsafe unsafeBitCast(value, to: Plain.self))
    }

    private func encode<Value, Bytes: IPCBytes>(_ value: Value, bytewise _: Bytes.Type) throws {
        try encode(packed: unsafe unsafeBitCast(value, to: Bytes.self))
    }
}

extension ValueEncoder {
    /// Begins the value, where that has not been done by whoever has it encoded.
    private func begin() throws {
        switch place {
        case .here: return
        case .keyed(let id, let key, let named):
            try memory.resume(id)
            try named.write(key, memory)
        case .element(let id): try memory.beginElement(id)
        }
        place = .here
        start = memory.position
    }

    /// Opens the value's container, or returns to it.
    private func open(_ kind: Kind) -> ContainerID {
        do {
            if let container {
                try memory.resume(container)
                let present = memory.kind(at: Int(container.offset))
                if present == kind || kind == .array && present.isPacked { return container }
                throw CodingFailure("the value has containers of two kinds")
            }
            let isApart = if case .here = place { false } else { true }
            try begin()
            if memory.position != start { throw CodingFailure("the value is written twice") }
            let id = try memory.open(kind, nested: isApart)
            container = id
            return id
        } catch {
            core.fail(error)
            return ContainerID(message: memory.innermost.message &- 1, offset: 0)
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(KeyedEncoding<Key>(self, open(.keyed)))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer { UnkeyedEncoding(self, open(.array)) }

    func singleValueContainer() -> any SingleValueEncodingContainer { SingleValueEncoding(self) }

    /// Begins a value that is not in a container, and of which there can be one.
    func beginSingle() throws {
        try begin()
        if memory.position != start || container != nil { throw CodingFailure("the value is written twice") }
        try memory.reserve()
    }
}
