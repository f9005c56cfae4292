// SPDX-License-Identifier: MIT OR Apache-2.0

/// What the command line asks for.
struct Arguments {
    static let usage = """
        usage: benchmark [--quick] [--repetitions N] [--only NAME] [--json FILE] [--check-exact]
               benchmark --prices

          --quick          3 repetitions instead of 7, and less work in each
          --repetitions N  that many repetitions
          --only NAME      only the rows whose names contain NAME
          --json FILE      write all the figures there as well
          --check-exact    measure no time: count allocations and open descriptors, and fail unless they are right
          --prices         what system calls, locks and suspensions cost, which the figures are made of
        """

    var isQuick = false
    var checksOnlyExact = false
    var json: String?
    var only: String?
    var repetitions: Int?

    init(_ words: some Sequence<String>) throws {
        var words = words.makeIterator()
        while let word = words.next() {
            switch word {
            case "--quick": isQuick = true
            case "--check-exact": checksOnlyExact = true
            case "--json": json = try Self.value(of: word, words.next())
            case "--only": only = try Self.value(of: word, words.next())
            case "--repetitions":
                repetitions = Int(try Self.value(of: word, words.next()))
                if repetitions ?? 0 < 1 { throw Failure("--repetitions takes a number of at least 1") }
            default: throw Failure("\(word) is not understood\n\(Self.usage)")
            }
        }
    }

    /// How often each row is measured.
    var rounds: Int { repetitions ?? (isQuick ? 3 : 7) }

    private static func value(of option: String, _ word: String?) throws -> String {
        guard let word else { throw Failure("\(option) takes a value\n\(usage)") }
        return word
    }
}
