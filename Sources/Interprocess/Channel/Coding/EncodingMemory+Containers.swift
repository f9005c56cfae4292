// SPDX-License-Identifier: MIT OR Apache-2.0

/// A container that is, or was, being written: in which message, and where.
struct ContainerID: Equatable {
    var message: UInt32
    /// That of its kind; zero, where the version is, is the message itself.
    var offset: UInt32
}

extension EncodingMemory {
    /// The length, and for nested containers that they are.
    private static let header = 5
    private static let nested: UInt32 = 1 << 31

    /// Writes the beginning of a container, which is then the innermost one.
    ///
    /// One inside another container of the same value is a level of depth, too.
    func open(_ kind: Kind, nested: Bool = false) throws -> ContainerID {
        try reserve()
        if nested { try enter() }
        var id = innermost
        id.offset = UInt32(truncatingIfNeeded: position)
        append(kind)
        append(innermost.offset | (nested ? Self.nested : 0))
        if kind == .array { append(UInt32(0)) }
        innermost = id
        return id
    }

    /// Makes a container the innermost one again, by closing those inside it; then there is room for a number.
    @inline(__always)
    func resume(_ id: ContainerID) throws {
        if innermost != id { try close(upTo: id) }
        try reserve()
    }

    /// Closes all containers inside of another one.
    ///
    /// - Throws: A failure, where that is not an open one.
    func close(upTo outer: ContainerID) throws {
        var isOpen = outer.message == innermost.message
        var offset = innermost.offset
        while isOpen && offset > outer.offset {
            let next = load(UInt32.self, at: Int(offset) + 1) & ~Self.nested
            isOpen = next < offset
            offset = next
        }
        guard isOpen && offset == outer.offset else {
            throw CodingFailure("a container was written to after its end: only the innermost one can be written to")
        }
        while innermost != outer { closeInnermost() }
    }

    private func closeInnermost() {
        let offset = Int(innermost.offset)
        let link = load(UInt32.self, at: offset + 1)
        if kind(at: offset) == .array { packIfPossible(offset) }
        // Arrays of nothing are the same, whatever it is.
        if kind(at: offset).isPacked && position == offset + Self.header {
            store(Kind.array.rawValue, at: offset)
            append(UInt32(0))
        }
        store(UInt32(truncatingIfNeeded: position - offset - Self.header), at: offset + 1)
        innermost.offset = link & ~Self.nested
        if link & Self.nested != 0 { leave(to: depth - 1) }
    }
}

/// Arrays: after the header stands the number of elements, save in packed ones, which are nothing but scalars.
extension EncodingMemory {
    /// Resumes an array for one more element, of which there is room for a number.
    @inline(__always)
    func beginElement(_ id: ContainerID) throws {
        try resume(id)
        let offset = Int(id.offset)
        if kind(at: offset) != .array { try unpack(offset) }
        try countElements(1)
        store(load(UInt32.self, at: offset &+ 5) &+ 1, at: offset &+ 5)
    }

    /// Undoes the counting of an element that was not written.
    func takeBackElement(_ id: ContainerID) {
        guard innermost == id, kind(at: Int(id.offset)) == .array else { return }
        store(load(UInt32.self, at: Int(id.offset) + 5) &- 1, at: Int(id.offset) + 5)
    }

    /// The number of elements of the innermost container.
    func elementCount(of id: ContainerID) -> Int {
        guard innermost == id else { return 0 }
        let offset = Int(id.offset)
        let kind = kind(at: offset)
        if kind.isPacked { return (position - offset - Self.header) / kind.element.scalarSize }
        return kind == .array ? Int(load(UInt32.self, at: offset + 5)) : 0
    }

    /// Resumes an array, and makes it a packed one if it can be.
    ///
    /// - Returns: Whether it is one of that kind.
    func beginPacked(_ id: ContainerID, _ element: Kind) throws -> Bool {
        try resume(id)
        let offset = Int(id.offset)
        if kind(at: offset) == element.packed { return true }
        guard kind(at: offset) == .array && load(UInt32.self, at: offset + 5) == 0 else { return false }
        store(element.packed.rawValue, at: offset)
        position = offset + Self.header
        return true
    }

    /// Leaves out the kinds of the elements, where they are all the same scalar's.
    private func packIfPossible(_ offset: Int) {
        let first = offset + 9
        let count = Int(load(UInt32.self, at: offset + 5))
        guard count > 0, kind(at: first).isScalar else { return }
        let element = kind(at: first)
        let size = element.scalarSize
        guard position - first == count * (size + 1) else { return }
        for index in 0..<count where kind(at: first + index * (size + 1)) != element { return }
        for index in 0..<count {
            move(first + index * (size + 1) + 1, to: offset + Self.header + index * size, count: size)
        }
        store(element.packed.rawValue, at: offset)
        position = offset + Self.header + count * size
    }

    /// Puts the kinds before the elements, for one of another kind to follow.
    private func unpack(_ offset: Int) throws {
        let element = kind(at: offset).element
        let size = element.scalarSize
        let first = offset + Self.header
        let count = (position - first) / size
        try countElements(count)
        try reserve(4 + count)
        for index in (0..<count).reversed() {
            let target = first + 4 + index * (size + 1)
            move(first + index * size, to: target + 1, count: size)
            store(element.rawValue, at: target)
        }
        store(UInt32(truncatingIfNeeded: count), at: first)
        store(Kind.array.rawValue, at: offset)
        position = first + 4 + count * (size + 1)
    }
}
