// SPDX-License-Identifier: MIT OR Apache-2.0

/// What an encoder keeps from one message to the next.
final class EncodingCore {
    /// How values of a type are written.
    enum Way {
        /// By their own code.
        case encodable
        case plain(any IPCPlain.Type)
        case bytes(any IPCBytes.Type)
        case direct(any DirectlyEncodable.Type)
    }

    let memory = EncodingMemory()
    private var ways = TypeTable<Way>()
    private var keys = KeyTable()
    private(set) var attachments: [any OutgoingAttachment] = []
    /// What went wrong where Codable lets nothing be thrown.
    private var failure: CodingFailure?
    var userInfo: [CodingUserInfoKey: any Sendable] = [:]

    deinit { memory.deallocate() }

    @inline(__always)
    func way<Value: Encodable>(of type: Value.Type) -> Way {
        if let known = ways[ObjectIdentifier(type)] { return known }
        return findWay(of: type)
    }

    @inline(never)
    private func findWay<Value: Encodable>(of type: Value.Type) -> Way {
        let way: Way =
            if let plain = type as? any IPCPlain.Type {
                .plain(plain)
            } else if let direct = type as? any DirectlyEncodable.Type {
                .direct(direct)
            } else if let bytes = type as? any IPCBytes.Type {
                .bytes(bytes)
            } else {
                .encodable
            }
        ways.insert(way, for: ObjectIdentifier(type))
        return way
    }

    @inline(__always)
    func hashes<Key: CodingKey>(of type: Key.Type) -> KeyHashes<Key> { keys.hashes(of: type) }

    /// Begins a message.
    func start(_ limits: IPCCodingLimits) throws {
        failure = nil
        try memory.start(limits)
    }

    /// Ends it, and forgets what it was about.
    func end() {
        memory.end()
        if !attachments.isEmpty { attachments = [] }
    }

    /// Notes a failure, which the message then has, too.
    func fail(_ error: any Error) {
        if failure == nil { failure = CodingFailure(wrapping: error) }
    }

    @inline(__always)
    func throwNoted() throws {
        if let failure { throw failure }
    }

    /// Takes an attachment along.
    ///
    /// - Returns: Its index.
    func attach(_ attachment: any OutgoingAttachment) throws -> Int {
        if attachments.count >= memory.attachmentLimit {
            throw CodingFailure("it has more attachments than the limit of \(memory.attachmentLimit)")
        }
        attachments.append(attachment)
        return attachments.count - 1
    }

    /// Where a message is, to return to when a part of it cannot be encoded.
    struct Mark {
        fileprivate let position: Int
        let innermost: ContainerID
        let depth: Int
        fileprivate let attachments: Int
    }

    @inline(__always)
    var mark: Mark {
        Mark(
            position: memory.position,
            innermost: memory.innermost,
            depth: memory.depth,
            attachments: attachments.count
        )
    }

    func goBack(to mark: Mark) {
        memory.position = mark.position
        memory.innermost = mark.innermost
        memory.leave(to: mark.depth)
        attachments.removeLast(max(0, attachments.count - mark.attachments))
    }
}
