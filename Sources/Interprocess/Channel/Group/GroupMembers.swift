// SPDX-License-Identifier: MIT OR Apache-2.0

/// The members of a group, and whose turn it is.
struct GroupMembers {
    private struct Member {
        let receiver: IPCBytesReceiver
        /// Whether it is among those that may have something.
        var isReady: Bool
    }

    private var members: [UInt64: Member] = [:]
    /// Those that may have something, in the order in which they come to their turn; before `first` they have been.
    private var ready: [UInt64] = []
    private var first = 0
    private var last: UInt64 = 0

    var count: Int { members.count }

    /// A name that was never used.
    mutating func nextNumber() -> UInt64 {
        last += 1
        return last
    }

    mutating func add(_ receiver: IPCBytesReceiver, _ number: UInt64) {
        members[number] = Member(receiver: receiver, isReady: true)
        ready.append(number)
    }

    mutating func remove(_ number: UInt64) -> IPCBytesReceiver? { members.removeValue(forKey: number)?.receiver }

    /// Puts a member behind the others that may have something.
    mutating func markReady(_ number: UInt64) {
        guard members[number]?.isReady == false else { return }
        members[number]?.isReady = true
        ready.append(number)
    }

    /// Takes the next one that may have something.
    mutating func takeReady() -> (UInt64, IPCBytesReceiver)? {
        while first < ready.count {
            let number = ready[first]
            first += 1
            if first == ready.count || first > 1024 {
                ready.removeFirst(first)
                first = 0
            }
            guard let member = members[number] else { continue }
            members[number]?.isReady = false
            return (number, member.receiver)
        }
        return nil
    }
}
