// SPDX-License-Identifier: MIT OR Apache-2.0

/// The moments at which slots of the table have to be looked at, the earliest first: a binary heap that knows where each
/// slot's entry is, so that a slot has one at most.
struct TimerHeap {
    private struct Entry {
        let time: Int64
        let slot: Int
    }

    private var entries: [Entry] = []
    /// Where the entry of each slot is, or -1.
    private var places: [Int] = []

    /// `Int64.max` if there is none.
    var earliest: Int64 { entries.first?.time ?? .max }

    var count: Int { entries.count }

    /// Sets the moment at which a slot has to be looked at, instead of the one that was set before.
    mutating func set(_ time: Int64, for slot: Int) {
        remove(slot)
        while places.count <= slot { places.append(-1) }
        entries.append(Entry(time: time, slot: slot))
        rise(from: entries.count - 1)
    }

    /// Forgets about a slot.
    mutating func remove(_ slot: Int) {
        guard slot < places.count, case let place = places[slot], place >= 0 else { return }
        places[slot] = -1
        let last = entries.removeLast()
        if place == entries.count { return }
        entries[place] = last
        sink(from: place)
        rise(from: places[last.slot])
    }

    /// Takes the entry out that comes first, if it is not later than a moment; returns its slot.
    mutating func removeFirst(notAfter time: Int64) -> Int? {
        guard let first = entries.first, first.time <= time else { return nil }
        remove(first.slot)
        return first.slot
    }

    private mutating func rise(from start: Int) {
        let entry = entries[start]
        var place = start
        while place > 0, case let parent = (place - 1) / 2, entries[parent].time > entry.time {
            put(entries[parent], at: place)
            place = parent
        }
        put(entry, at: place)
    }

    private mutating func sink(from start: Int) {
        let entry = entries[start]
        var place = start
        while case var child = 2 * place + 1, child < entries.count {
            if child + 1 < entries.count && entries[child + 1].time < entries[child].time { child += 1 }
            if entries[child].time >= entry.time { break }
            put(entries[child], at: place)
            place = child
        }
        put(entry, at: place)
    }

    private mutating func put(_ entry: Entry, at place: Int) {
        entries[place] = entry
        places[entry.slot] = place
    }
}
