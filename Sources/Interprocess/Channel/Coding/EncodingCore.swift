// SPDX-License-Identifier: MIT OR Apache-2.0

/// What an encoder keeps from one message to the next.
final class EncodingCore {
    /// How values of a type are written.
    enum Way {
        /// By their own code.
        case encodable
        case plain(any IPCPlain.Type)
        case array(any PlainArray.Type)
        case bytes(any IPCBytes.Type)
        case direct(any DirectlyEncodable.Type)
    }

    private struct State: ~Copyable {
        var isBusy = false
        var limits: IPCCodingLimits
        var ways = TypeTable<Way>()
        var keys = KeyTable()
        var attachments: [any OutgoingAttachment] = []
        /// What went wrong where Codable lets nothing be thrown.
        var failure: CodingFailure?
    }

    let memory = EncodingMemory()
    private let state: Cell<State>
    var userInfo: [CodingUserInfoKey: any Sendable] = [:]

    init(_ limits: IPCCodingLimits) { state = Cell(State(limits: limits)) }

    var limits: IPCCodingLimits {
        get { state.value.limits }
        set { state.value.limits = newValue }
    }

    var attachments: [any OutgoingAttachment] { state.value.attachments }

    deinit { memory.deallocate() }

    @inline(__always)
    func way<Value: Encodable>(of type: Value.Type) -> Way {
        if let known = state.value.ways[ObjectIdentifier(type)] { return known }
        return findWay(of: type)
    }

    @inline(never)
    private func findWay<Value: Encodable>(of type: Value.Type) -> Way {
        let way: Way =
            if let plain = type as? any IPCPlain.Type {
                .plain(plain)
            } else if let array = type as? any PlainArray.Type {
                .array(array)
            } else if let direct = type as? any DirectlyEncodable.Type {
                .direct(direct)
            } else if let bytes = type as? any IPCBytes.Type {
                .bytes(bytes)
            } else {
                .encodable
            }
        state.value.ways.insert(way, for: ObjectIdentifier(type))
        return way
    }

    @inline(__always)
    func hashes<Key: CodingKey>(of type: Key.Type) -> KeyHashes { state.value.keys.hashes(of: type) }

    /// Begins a message.
    ///
    /// - Throws: `.busy` during another one.
    func start(_ type: Any.Type) throws(IPCError) {
        if state.value.isBusy { throw IPCError(.busy, operation: .encode, name: String(describing: type)) }
        state.value.isBusy = true
        memory.start(state.value.limits)
    }

    /// Looks whether the message can be sent, with so many bytes more than are here.
    func finish(more: Int = 0) throws {
        if let failure = state.value.failure { throw failure }
        try memory.finish(more: more)
    }

    /// Ends it, and forgets what it was about.
    func end() {
        memory.end()
        if !state.value.attachments.isEmpty { state.value.attachments = [] }
        if state.value.failure != nil { state.value.failure = nil }
        state.value.isBusy = false
    }

    /// Notes a failure, which the message then has, too.
    func fail(_ error: any Error) {
        if state.value.failure == nil { state.value.failure = CodingFailure(wrapping: error) }
    }

    /// Takes an attachment along.
    ///
    /// - Returns: Its index.
    func attach(_ attachment: any OutgoingAttachment) throws -> Int {
        let limit = state.value.limits.attachments
        if state.value.attachments.count >= limit {
            throw CodingFailure("it has more attachments than the limit of \(limit)")
        }
        state.value.attachments.append(attachment)
        return state.value.attachments.count - 1
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
            attachments: state.value.attachments.count
        )
    }

    func goBack(to mark: Mark) {
        memory.position = mark.position
        memory.innermost = mark.innermost
        memory.leave(to: mark.depth)
        let more = state.value.attachments.count - mark.attachments
        if more > 0 { state.value.attachments.removeLast(more) }
    }
}
