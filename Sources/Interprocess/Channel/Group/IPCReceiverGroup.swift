// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// Receivers that one thread or task waits for at the same time.
///
/// ```swift
/// let group = try IPCReceiverGroup()
/// let (numbers, numberReceiver) = try IPCChannel.make(of: Int.self)
/// let (texts, textReceiver) = try IPCChannel.make(of: String.self)
/// let (number, text) = (try group.add(numberReceiver), try group.add(textReceiver))
/// try numbers.send(7)
/// try texts.send("seven")
/// for _ in 0..<2 {
///     switch try group.next() {
///     case .message(number, let message): print(try message.decode(as: Int.self))
///     case .message(text, let message): print(try message.decode(as: String.self))
///     default: break
///     }
/// }
/// ```
///
/// Those that have messages take turns, one message each, so that none is kept waiting by others that have many. Any
/// thread may call any method at any time.
public final class IPCReceiverGroup: Sendable, DescriptorOwner {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore
    let turn = ReadingTurn()
    private let poller: cip_poller
    /// Signalled to have whoever waits look again.
    private let wake: Int64
    private let members = Locked(GroupMembers())

    /// Names a member, and never another one of the same group.
    public struct ID: Sendable, Hashable {
        fileprivate let number: UInt64
    }

    /// What has happened.
    public enum Event: Sendable {
        /// A message has come, which is not decoded yet.
        case message(ID, IPCRawMessage)
        /// Something has come that cannot be used: see ``IPCBytesReceiver``. The member stays.
        case failed(ID, IPCError)
        /// All senders of a member are gone, and everything was received; or it was closed here, or sent to another process.
        /// It has left the group.
        case closed(ID)
    }

    /// Makes a group without members.
    ///
    /// The corresponding system call is `epoll_create1` or `kqueue`.
    ///
    /// - Throws: ``IPCError/Code/resourcesExhausted``; ``IPCError/Code/unsupported`` on Windows.
    public init() throws(IPCError) {
        let name = "a receiver group"
        var made = cip_poller()
        let result = System.call(.wake) { unsafe cip_poller_create_queue(&made) }
        if result < 0, cip_meaning(-result) == CIP_MEANS_UNSUPPORTED {
            throw IPCError(
                .unsupported,
                .create,
                systemCode: -result,
                name: name,
                detail: "this system tells of no receivers together: wait for each in a thread or task of its own"
            )
        }
        let descriptor = try OwnedDescriptor(result: result, .create, name: name)
        let wake = System.call(.wake) { cip_wake_create() }
        if wake < 0 { throw IPCError(result: wake, .create, name: name) }
        let watched = System.call(.wake) {
            unsafe cip_poller_set(&made, wake & 0x7fff_ffff, -1, 0, Int64(CIP_WATCHED | CIP_READABLE), Self.wakeNumber)
        }
        if watched < 0 {
            cip_wake_destroy(wake)
            throw IPCError(result: watched, .create, name: name)
        }
        poller = made
        self.wake = wake
        descriptorCore = DescriptorCore(descriptor, name: name, waker: .poll)
    }

    deinit { cip_wake_destroy(wake) }

    private static let wakeNumber: UInt64 = 0

    /// How many members there are.
    public var count: Int { members.withLock { $0.count } }

    /// Adds a receiver, also while others wait.
    ///
    /// As long as it is a member, it should be received from by the group alone.
    ///
    /// - Parameter receiver: The receiver.
    /// - Returns: Its name in the group.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/alreadyExists`` when it is a member already, of this group or
    ///   another one; ``IPCError/Code/resourcesExhausted``.
    @discardableResult
    public func add(_ receiver: IPCBytesReceiver) throws(IPCError) -> ID {
        try add(GroupMembers.Member(receiver, receiver.packets))
    }

    /// Adds a receiver of values, also while others wait.
    ///
    /// Its values come undecoded: see ``IPCRawMessage/decode(as:)``.
    ///
    /// - Parameter receiver: The receiver.
    /// - Returns: Its name in the group.
    /// - Throws: As for receivers of bytes.
    @discardableResult
    public func add<Message>(_ receiver: IPCReceiver<Message>) throws(IPCError) -> ID {
        try add(GroupMembers.Member(receiver, receiver.memory?.source ?? receiver.packets))
    }

    private func add(_ member: GroupMembers.Member) throws(IPCError) -> ID {
        let lease = try descriptorCore.lease(.both, for: .configure)
        defer { withExtendedLifetime(lease) {} }
        let core = member.source.core
        let theirs = try core.lease(.receive, for: .configure)
        defer { withExtendedLifetime(theirs) {} }
        let (number, result) = members.withLock { members -> (UInt64, Int64?) in
            let number = members.nextNumber()
            if !member.source.join(GroupMembership(self, number)) { return (number, nil) }
            let result = set(core, 0, Self.watched, number)
            // Of what it has received ahead, the kernel knows nothing: so it is looked at.
            if result >= 0 { members.add(member, number) } else { member.source.leave() }
            return (number, result)
        }
        guard let result else {
            throw descriptorCore.error(.alreadyExists, .configure, detail: "the receiver is in a group already")
        }
        if result < 0 { throw descriptorCore.error(result: result, .configure) }
        let id = ID(number: number)
        // One that closes meanwhile may have found no group to tell.
        if core.isClosed(.receive) {
            // The kernel may have it longer than this process, which others have it with.
            _ = set(core, Self.watched, 0, number)
            remove(id)
            throw core.error(.closed, .configure)
        }
        return id
    }

    /// Takes a receiver out, also while others wait.
    ///
    /// - Parameter id: Its name in the group.
    /// - Returns: The receiver; `nil` if it is no member any more.
    @discardableResult
    public func remove(_ id: ID) -> (any DescriptorOwner)? {
        let lease = descriptorCore.leaseIfOpen(.both)
        defer { withExtendedLifetime(lease) {} }
        let removed = members.withLock { members -> GroupMembers.Member? in
            guard let member = members.remove(id.number) else { return nil }
            member.source.leave()
            if lease != nil { unwatch(member.source.core, id.number) }
            return member
        }
        return removed?.receiver
    }

    /// Has the kernel tell of a member no more, which is about to close.
    func forget(_ number: UInt64) {
        guard let lease = descriptorCore.leaseIfOpen(.both) else { return }
        defer { withExtendedLifetime(lease) {} }
        members.withLock { members in
            if let member = members[number] { unwatch(member.source.core, number) }
        }
    }

    /// Has a member looked at, whatever the kernel tells.
    func lookAgain(at number: UInt64) {
        members.withLock { $0.markReady(number) }
        _ = cip_wake_signal(wake)
    }

    private static let watched = Int64(CIP_WATCHED | CIP_READABLE)

    /// Has the kernel tell of a member no more, unless it is closed already.
    private func unwatch(_ core: DescriptorCore, _ number: UInt64) {
        guard let lease = core.leaseIfOpen(.receive) else { return }
        _ = set(core, Self.watched, 0, number)
        withExtendedLifetime(lease) {}
    }

    // Nobody closes the member's descriptor meanwhile: the caller has a lease.
    private func set(_ core: DescriptorCore, _ before: Int64, _ now: Int64, _ number: UInt64) -> Int64 {
        var poller = poller
        return System.call(.wake) { unsafe cip_poller_set(&poller, core.descriptor, -1, before, now, number) }
    }

    /// Waits for something to happen to a member.
    ///
    /// The corresponding system calls are `poll`, `epoll_wait` or `kevent`, and `recvmsg`.
    ///
    /// - Parameter timeout: How long to wait at most; `nil` is without limit, even when there are no members.
    /// - Returns: What has happened.
    /// - Throws: ``IPCError/Code/timedOut``; ``IPCError/Code/closed`` when the group is closed.
    public func next(timeout: Duration? = nil) throws(IPCError) -> Event {
        let patience = Patience(isNonblocking: false, deadline: Deadline(after: timeout))
        while !turn.tryTake() { try turn.wait(descriptorCore, patience) }
        defer { turn.give(descriptorCore) }
        let lease = try descriptorCore.lease(.receive, for: .wait)
        // Each look may be long, for members have overtime too.
        var overtime = Overtime(patience, most: 2)
        while true {
            if let event = takeEvent() { return event }
            try descriptorCore.wait(.receive, for: .wait, lease, until: patience.deadline)
            try overtime.spend(descriptorCore, .wait)
            lookForMore()
        }
    }

    /// Tells what has happened to a member, if anything has.
    ///
    /// - Returns: What has happened; `nil` if nothing has, or while somebody else waits.
    /// - Throws: ``IPCError/Code/closed`` when the group is closed.
    public func tryNext() throws(IPCError) -> Event? {
        do throws(IPCError) {
            return try next(timeout: .zero)
        } catch {
            if error.code == .timedOut { return nil }
            throw error
        }
    }

    /// Notes which members have something.
    func lookForMore() {
        guard let lease = descriptorCore.leaseIfOpen(.receive) else { return }
        defer { withExtendedLifetime(lease) {} }
        unsafe withUnsafeTemporaryAllocation(of: cip_event.self, capacity: Int(CIP_POLLER_CAPACITY)) { events in
            guard let base = events.baseAddress else { return }
            var poller = poller
            let count = System.call(.poll) { unsafe cip_poller_wait(&poller, base, false) }
            members.withLock { members in
                for index in 0..<max(0, Int(count)) {
                    let number = unsafe events[index].token
                    if number == Self.wakeNumber { _ = cip_wake_take(wake) } else { members.markReady(number) }
                }
            }
        }
    }

    /// Receives from those that may have something; `nil` if none has.
    func takeEvent() -> Event? {
        while let (number, member) = members.withLock({ $0.takeReady() }) {
            let id = ID(number: number)
            do throws(IPCError) {
                guard let message = try member.source.tryTakeRaw() else {
                    // While it is sent to somebody else, it can be closed already, and busy still.
                    if member.source.core.isClosed(.receive), remove(id) != nil { return .closed(id) }
                    continue
                }
                members.withLock { $0.markReady(number) }
                return .message(id, message)
            } catch {
                let isOver = [.disconnected, .closed, .endpointMoved].contains(error.code)
                if !isOver { members.withLock { $0.markReady(number) } }
                // It may have been taken out meanwhile.
                if !isOver || remove(id) != nil { return isOver ? .closed(id) : .failed(id, error) }
            }
        }
        return nil
    }

    /// Closes the group.
    ///
    /// Every waiting call ends with ``IPCError/Code/closed``. The receivers stay open, and can be added to another group.
    public func close() {
        descriptorCore.close()
        for member in members.withLock({ $0.removeAll() }) { member.source.leave() }
    }
}
