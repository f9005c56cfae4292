// SPDX-License-Identifier: MIT OR Apache-2.0

/// The members of a group, and whose turn it is.
struct GroupMembers {
    struct Member {
        let receiver: any DescriptorOwner
        let source: any GroupSource
        /// Whether it is among those that may have something.
        fileprivate var isReady = true

        init(_ receiver: any DescriptorOwner, _ source: any GroupSource) {
            self.receiver = receiver
            self.source = source
        }
    }

    private var members: [UInt64: Member] = [:]
    /// Those that may have something, in the order in which they come to their turn; before `first` they have been.
    private var ready: [UInt64] = []
    private var first = 0
    private var last: UInt64 = 0

    var count: Int { members.count }

    subscript(number: UInt64) -> Member? { members[number] }

    /// A name that was never used, and is not zero.
    mutating func nextNumber() -> UInt64 {
        last += 1
        return last
    }

    mutating func add(_ member: Member, _ number: UInt64) {
        members[number] = member
        ready.append(number)
    }

    mutating func remove(_ number: UInt64) -> Member? { members.removeValue(forKey: number) }

    mutating func removeAll() -> [Member] {
        defer { members = [:] }
        return Array(members.values)
    }

    /// Puts a member behind the others that may have something.
    mutating func markReady(_ number: UInt64) {
        guard members[number]?.isReady == false else { return }
        members[number]?.isReady = true
        ready.append(number)
    }

    /// Takes the next one that may have something.
    mutating func takeReady() -> (UInt64, Member)? {
        while first < ready.count {
            let number = ready[first]
            first += 1
            if first == ready.count || first > 1024 {
                ready.removeFirst(first)
                first = 0
            }
            guard let member = members[number] else { continue }
            members[number]?.isReady = false
            return (number, member)
        }
        return nil
    }
}

/// That a receiver is in a group, which has to know before its descriptor closes: if others have it too, the kernel goes on
/// to tell of it, and it can be taken out no more.
final class GroupMembership: ReceiverMembership {
    private weak let group: IPCReceiverGroup?
    private let number: UInt64

    init(_ group: IPCReceiverGroup, _ number: UInt64) {
        self.group = group
        self.number = number
    }

    var isAlive: Bool { group != nil }

    func willClose() { group?.forget(number) }

    func didClose() { group?.lookAgain(at: number) }
}
