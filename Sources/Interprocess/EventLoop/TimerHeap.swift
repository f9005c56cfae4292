// SPDX-License-Identifier: MIT OR Apache-2.0

/// The moments at which waits have to be looked at, the earliest first: a binary heap.
struct TimerHeap {
    struct Entry {
        let time: Int64
        let token: SlotToken
    }

    private var entries: [Entry] = []

    /// `Int64.max` if there is none.
    var earliest: Int64 { entries.first?.time ?? .max }

    mutating func insert(_ entry: Entry) {
        var place = entries.count
        entries.append(entry)
        while place > 0, case let parent = (place - 1) / 2, entries[parent].time > entry.time {
            entries[place] = entries[parent]
            place = parent
        }
        entries[place] = entry
    }

    mutating func removeEarliest() -> Entry? {
        guard let last = entries.popLast() else { return nil }
        guard let earliest = entries.first else { return last }
        var place = 0
        while case var child = 2 * place + 1, child < entries.count {
            if child + 1 < entries.count && entries[child + 1].time < entries[child].time { child += 1 }
            if entries[child].time >= last.time { break }
            entries[place] = entries[child]
            place = child
        }
        entries[place] = last
        return earliest
    }
}
