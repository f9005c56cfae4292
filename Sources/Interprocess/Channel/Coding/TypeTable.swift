// SPDX-License-Identifier: MIT OR Apache-2.0

/// What was found out about types, by the type: a hash table that a coder asks for every value.
@safe
struct TypeTable<Fact>: ~Copyable {
    private struct Entry {
        let type: UInt
        let fact: Fact
    }

    private var entries: UnsafeMutableBufferPointer<Entry?>
    private var count = 0

    init() { unsafe entries = Self.makeEntries(64) }

    deinit {
        unsafe entries.deinitialize()
        unsafe entries.deallocate()
    }

    @inline(__always)
    subscript(type: ObjectIdentifier) -> Fact? {
        let entry = unsafe entries[slot(UInt(bitPattern: type))]
        return entry?.fact
    }

    mutating func insert(_ fact: Fact, for type: ObjectIdentifier) {
        if unsafe 2 * count >= entries.count {
            let old = unsafe entries
            unsafe entries = Self.makeEntries(2 * old.count)
            for index in old.indices {
                if let entry = unsafe old[index] { unsafe entries[slot(entry.type)] = entry }
            }
            unsafe old.deinitialize()
            unsafe old.deallocate()
        }
        let type = UInt(bitPattern: type)
        unsafe entries[slot(type)] = Entry(type: type, fact: fact)
        count += 1
    }

    /// Where the type is, or will be.
    @inline(__always)
    private func slot(_ type: UInt) -> Int {
        // The addresses of types are multiples of eight.
        var slot = Int(truncatingIfNeeded: (type >> 3) ^ (type >> 10))
        while true {
            slot &= unsafe entries.count &- 1
            guard let entry = unsafe entries[slot] else { return slot }
            if entry.type == type { return slot }
            slot &+= 1
        }
    }

    private static func makeEntries(_ count: Int) -> UnsafeMutableBufferPointer<Entry?> {
        let entries = UnsafeMutableBufferPointer<Entry?>.allocate(capacity: count)
        unsafe entries.initialize(repeating: nil)
        return unsafe entries
    }
}

/// The hashes of a key type's names, as far as they were asked for, by the byte that a key is.
@safe
struct HashMemory {
    private let hashes: UnsafeMutablePointer<UInt32>

    init() {
        unsafe hashes = .allocate(capacity: 256)
        unsafe hashes.initialize(repeating: 0, count: 256)
    }

    func deallocate() { unsafe hashes.deallocate() }

    @inline(__always)
    subscript(byte: UInt8) -> UInt32 {
        get { unsafe hashes[Int(byte)] }
        nonmutating set { unsafe hashes[Int(byte)] = newValue }
    }
}

/// What stands for the keys of one type in messages.
struct KeyHashes {
    private let memory: HashMemory?

    /// - Parameter memory: Those of the type, or nil if it is larger than a byte.
    init(_ memory: HashMemory?) { self.memory = memory }

    /// Whether keys can be any names, which are then in the message as they are.
    @inline(__always)
    var areNamed: Bool { memory == nil }

    /// The three bytes that stand for a key.
    @inline(__always)
    subscript<Key: CodingKey>(key: Key) -> UInt32 {
        guard let memory else { return NameHash.ofKey(key.stringValue) }
        // It has no bytes where there is one key alone.
        let byte = MemoryLayout<Key>.size == 1 ? unsafe unsafeBitCast(key, to: UInt8.self) : 0
        let known = memory[byte]
        if known != 0 { return known & 0xFF_FFFF }
        let new = NameHash.ofKey(key.stringValue)
        memory[byte] = new | 1 << 24
        return new
    }
}

/// The hashes of all key types that a coder has met.
///
/// The values of a key type of at most one byte, such as an enum of up to 256 cases, are told apart by that byte.
struct KeyTable: ~Copyable {
    private var table = TypeTable<HashMemory>()
    private var made: [HashMemory] = []

    deinit { for memory in made { memory.deallocate() } }

    @inline(__always)
    mutating func hashes<Key: CodingKey>(of type: Key.Type) -> KeyHashes {
        if MemoryLayout<Key>.size > 1 { return KeyHashes(nil) }
        return KeyHashes(table[ObjectIdentifier(type)] ?? make(type))
    }

    private mutating func make(_ type: any CodingKey.Type) -> HashMemory {
        let memory = HashMemory()
        made.append(memory)
        table.insert(memory, for: ObjectIdentifier(type))
        return memory
    }
}
