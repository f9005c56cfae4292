// SPDX-License-Identifier: MIT OR Apache-2.0

/// What the command line asks for.
struct Arguments {
    static let usage = """
        usage: soak [--hours N] [--minutes N] [--seconds N] [--clients N] [--seed N]

          --clients N  how many processes of clients there are at a time (4)
          --seed N     what they do is drawn from it; printed, and another one each time if it is not given
        """

    var duration: Duration = .zero
    var clients = 4
    var seed = UInt64.random(in: 1...999_999)

    init(_ words: inout [String]) throws {
        while !words.isEmpty {
            let option = words.removeFirst()
            guard !words.isEmpty, let number = Int(words.removeFirst()), number > 0 else { throw Failure(Self.usage) }
            switch option {
            case "--hours": duration += .seconds(3600 * number)
            case "--minutes": duration += .seconds(60 * number)
            case "--seconds": duration += .seconds(number)
            case "--clients": clients = number
            case "--seed": seed = UInt64(number)
            default: throw Failure(Self.usage)
            }
        }
        if duration == .zero { duration = .seconds(60) }
    }
}

/// Random numbers that are the same each time (SplitMix64).
struct Dice: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    /// Bytes of which a part that is missing, or that is another client's, shows.
    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count { withUnsafeBytes(of: next()) { bytes += $0 } }
        return Array(bytes.prefix(count))
    }
}
