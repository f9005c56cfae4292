// SPDX-License-Identifier: MIT OR Apache-2.0

/// Messages in their order, in memory that grows as needed.
struct MessageRing<Message> {
    private var places: [Message?] = []
    private var start = 0
    private(set) var count = 0

    mutating func append(_ message: Message) {
        if count == places.count { grow() }
        places[(start + count) & (places.count - 1)] = message
        count += 1
    }

    mutating func removeFirst() -> Message? {
        if count == 0 { return nil }
        defer {
            places[start] = nil
            start = (start + 1) & (places.count - 1)
            count -= 1
        }
        return places[start]
    }

    private mutating func grow() {
        places = Array(places[start...] + places[..<start]) + Array(repeating: nil, count: max(8, count))
        start = 0
    }
}
