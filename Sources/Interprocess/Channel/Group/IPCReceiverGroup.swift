// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// Receivers that one thread or task waits for at the same time.
///
/// ```swift
/// let group = try IPCReceiverGroup()
/// let (sender, receiver) = try IPCChannel.makeBytes()
/// let id = try group.add(receiver)
/// try sender.send([1, 2, 3])
/// if case .message(let from, let message) = try group.next() { print(from == id, message.bytes) }
/// ```
///
/// Those that have messages take turns, one message each, so that none is kept waiting by others that have many. Any
/// thread may call any method at any time.
public final class IPCReceiverGroup: Sendable, DescriptorOwner {
    /// The descriptor's owner, which has no public members.
    public let descriptorCore: DescriptorCore
    let turn = ReadingTurn()
    private let poller: cip_poller
    private let members = Locked(GroupMembers())

    /// Names a member, and never another one of the same group.
    public struct ID: Sendable, Hashable {
        fileprivate let number: UInt64
    }

    /// What has happened.
    public enum Event: Sendable {
        /// A message has come.
        case message(ID, IPCRawMessage)
        /// Something has come that cannot be used: see ``IPCBytesReceiver``. The member stays.
        case failed(ID, IPCError)
        /// All senders of a member are gone, and everything was received; or it was closed here. It has left the group.
        case closed(ID)
    }

    /// Makes a group without members.
    ///
    /// The corresponding system call is `epoll_create1` or `kqueue`.
    ///
    /// - Throws: ``IPCError/Code/resourcesExhausted``; ``IPCError/Code/unsupported`` on Windows.
    public init() throws(IPCError) {
        var made = cip_poller()
        let result = System.call(.wake) { unsafe cip_poller_create_queue(&made) }
        poller = made
        if result < 0, cip_meaning(-result) == CIP_MEANS_UNSUPPORTED {
            throw IPCError(
                .unsupported,
                .create,
                systemCode: -result,
                name: "a receiver group",
                detail: "this system tells of no receivers together: wait for each in a thread or task of its own"
            )
        }
        descriptorCore = DescriptorCore(
            try OwnedDescriptor(result: result, .create, name: "a receiver group"),
            name: "a receiver group",
            waker: .poll
        )
    }

    /// How many members there are.
    public var count: Int { members.withLock { $0.count } }

    /// Adds a receiver, also while others wait.
    ///
    /// As long as it is a member, it should be received from by the group alone.
    ///
    /// - Parameter receiver: The receiver.
    /// - Returns: Its name in the group.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/alreadyExists`` when it is a member already;
    ///   ``IPCError/Code/resourcesExhausted``.
    @discardableResult
    public func add(_ receiver: IPCBytesReceiver) throws(IPCError) -> ID {
        let lease = try descriptorCore.lease(.both, for: .configure)
        defer { withExtendedLifetime(lease) {} }
        let theirs = try receiver.descriptorCore.lease(.receive, for: .configure)
        defer { withExtendedLifetime(theirs) {} }
        let (number, result) = members.withLock { members in
            let number = members.nextNumber()
            let result = set(receiver, 0, Int64(CIP_WATCHED | CIP_READABLE), number)
            // Of what it has received ahead, the kernel knows nothing: so it is looked at.
            if result >= 0 { members.add(receiver, number) }
            return (number, result)
        }
        if result < 0 { throw descriptorCore.error(result: result, .configure) }
        return ID(number: number)
    }

    /// Takes a receiver out, also while others wait.
    ///
    /// - Parameter id: Its name in the group.
    /// - Returns: The receiver; `nil` if it is no member any more.
    @discardableResult
    public func remove(_ id: ID) -> IPCBytesReceiver? {
        let lease = descriptorCore.leaseIfOpen(.both)
        defer { withExtendedLifetime(lease) {} }
        return members.withLock { members in
            guard let receiver = members.remove(id.number) else { return nil }
            // What is closed has left by itself.
            if lease != nil, let theirs = receiver.descriptorCore.leaseIfOpen(.receive) {
                _ = set(receiver, Int64(CIP_WATCHED | CIP_READABLE), 0, id.number)
                withExtendedLifetime(theirs) {}
            }
            return receiver
        }
    }

    private func set(_ receiver: IPCBytesReceiver, _ before: Int64, _ now: Int64, _ number: UInt64) -> Int64 {
        var poller = poller
        let descriptor = receiver.descriptorCore.descriptor
        return System.call(.wake) { unsafe cip_poller_set(&poller, descriptor, -1, before, now, number) }
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
        while true {
            if let event = takeEvent() { return event }
            try descriptorCore.wait(.receive, for: .wait, lease, until: patience.deadline)
            lookForMore()
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
                for index in 0..<max(0, Int(count)) { members.markReady(unsafe events[index].token) }
            }
        }
    }

    /// Receives from those that may have something; `nil` if none has.
    func takeEvent() -> Event? {
        while let (number, receiver) = members.withLock({ $0.takeReady() }) {
            let id = ID(number: number)
            do throws(IPCError) {
                guard let message = try receiver.tryReceiveMessage() else { continue }
                members.withLock { $0.markReady(number) }
                return .message(id, message)
            } catch {
                let isOver = error.code == .disconnected || error.code == .closed
                if !isOver { members.withLock { $0.markReady(number) } }
                // It may have been taken out meanwhile.
                if !isOver || remove(id) != nil { return isOver ? .closed(id) : .failed(id, error) }
            }
        }
        return nil
    }

    /// Closes the group.
    ///
    /// Every waiting call ends with ``IPCError/Code/closed``. The receivers stay open.
    public func close() {
        descriptorCore.close()
        members.withLock { $0 = GroupMembers() }
    }
}
