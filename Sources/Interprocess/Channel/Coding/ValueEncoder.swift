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

    /// The value that is being encoded.
    private struct Current {
        var place: Place
        /// Where it begins.
        var start = 0
        /// Its container, if it has one.
        var container: ContainerID?
    }

    let core: EncodingCore
    let memory: EncodingMemory
    private let current: Cell<Current>

    init(_ core: EncodingCore, _ place: Place = .here) {
        self.core = core
        memory = core.memory
        current = Cell(Current(place: place))
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
        case .array(let type): try encode(value, asArray: type)
        case .bytes(let type): try encode(value, bytewise: type)
        }
    }

    /// Has a value write itself.
    ///
    /// Where that fails, who asked for it goes back to where the value began.
    private func encodeByItself<Value: Encodable>(_ value: Value) throws {
        let (outer, depth) = (memory.innermost, memory.depth)
        let (outerStart, outerContainer) = (current.value.start, current.value.container)
        try memory.enter()
        current.value.start = memory.position
        current.value.container = nil
        defer {
            current.value.start = outerStart
            current.value.container = outerContainer
        }
        try value.encode(to: self)
        if memory.innermost != outer { try memory.close(upTo: outer) }
        // A value that wrote nothing is one without fields.
        if memory.position == current.value.start {
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

    private func encode<Value, Elements: PlainArray>(_ value: Value, asArray _: Elements.Type) throws {
        try encode(plains: unsafe unsafeBitCast(value, to: Elements.self))
    }

    private func encode<Value, Bytes: IPCBytes>(_ value: Value, bytewise _: Bytes.Type) throws {
        try encode(packed: unsafe unsafeBitCast(value, to: Bytes.self))
    }
}

extension ValueEncoder {
    /// Begins the value, where that has not been done by whoever has it encoded.
    private func begin() throws {
        switch current.value.place {
        case .here: return
        case .keyed(let id, let key, let named):
            try memory.resume(id)
            try named.write(key, memory)
        case .element(let id): try memory.beginElement(id)
        }
        current.value.place = .here
        current.value.start = memory.position
    }

    /// Opens the value's container, or returns to it.
    private func open(_ kind: Kind) -> ContainerID {
        do {
            if let container = current.value.container {
                try memory.resume(container)
                let present = memory.kind(at: Int(container.offset))
                if present == kind || kind == .array && present.isPacked { return container }
                throw CodingFailure("the value has containers of two kinds")
            }
            let isApart = if case .here = current.value.place { false } else { true }
            try begin()
            if memory.position != current.value.start { throw CodingFailure("the value is written twice") }
            let id = try memory.open(kind, nested: isApart)
            current.value.container = id
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
        if memory.position != current.value.start || current.value.container != nil {
            throw CodingFailure("the value is written twice")
        }
        try memory.reserve()
    }
}
