// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark

// Measures the library against the same work in plain C. Times are only comparable within one run, so every figure is
// a ratio of the two; of what is counted, allocations and descriptors are exact, and decide how the program ends.

/// Runs what the command line asks for.
///
/// - Returns: Whether all exact figures are right.
func run(_ arguments: Arguments) throws -> Bool {
    let scratch = try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
        let base = buffer.baseAddress.unsafelyUnwrapped
        try check(cb_scratch_create(base, buffer.count), "making a temporary directory")
        return String(cString: base)
    }
    defer { cb_scratch_remove() }

    let machine = Machine()
    print("\(machine.cpuCount) CPUs, \(machine.kernel)")
    print("pinning to one CPU \(machine.canPin ? "works" : "does NOT work: the rows that need it are left out")")
    if !machine.canPinApart { print("pinning to two CPUs does NOT work: the rows that need it are left out") }

    let before = try check(cb_open_descriptors(), "counting descriptors")
    var results: [Outcome] = []
    if !arguments.checksOnlyExact {
        results = try measure(chosenRows(arguments, scratch, machine), rounds: arguments.rounds)
        if !results.isEmpty {
            print("\nMedians of \(arguments.rounds) repetitions, in a shuffled order, with a new process in each.")
            print("ratio: library / C; the gate is the least that counts as done\n")
            print(Table.timed(results).text)
            print(Table.notes(to: results))
        }
    }

    var figures: [Figure] = []
    if arguments.only == nil || arguments.checksOnlyExact {
        figures =
            try Allocations(scratch: scratch).figures() + AwaitedFigures(scratch: scratch, machine: machine).figures()
            + CodingFigures().figures() + Descriptors(scratch: scratch).figures()
        let after = try check(cb_open_descriptors(), "counting descriptors")
        figures.append(
            Figure(
                name: "descriptors-run",
                title: "open descriptors left by this run",
                value: after - before,
                limit: .exactly(0)
            )
        )
        print("\n\(Table.counted(figures).text)")
        if !cb_can_count_allocations() { print("allocations cannot be counted with this C library") }
    }

    if let path = arguments.json {
        try Report(machine: machine, rounds: arguments.rounds, results: results, figures: figures).write(to: path)
    }
    return figures.allSatisfy(\.isRight)
}

/// The rows that are asked for, and possible on this machine.
func chosenRows(_ arguments: Arguments, _ scratch: String, _ machine: Machine) throws -> [Row] {
    let quick = arguments.isQuick
    let all =
        LoneThread(isQuick: quick).rows() + RoundTrips(scratch: scratch, isQuick: quick).rows()
        + Messages(scratch: scratch, isQuick: quick).rows() + Channels(scratch: scratch, isQuick: quick).rows()
        + Throughput(scratch: scratch, isQuick: quick).rows()
        + Connections(scratch: scratch, isQuick: quick).rows()
        + Awaited(scratch: scratch, isQuick: quick).rows()
    let chosen = all.filter { $0.name.contains(arguments.only ?? $0.name) }
    if chosen.isEmpty { throw Failure("no row has \(arguments.only ?? "") in its name") }
    return chosen.filter { row in
        switch row.placement {
        case .unpinned: true
        case .oneCPU: machine.canPin
        case .twoCPUs: machine.canPinApart
        }
    }
}

do {
    let words = Array(CommandLine.arguments.dropFirst())
    if let order = Order(words) {
        try order.obey()
    } else if let part = Part(words) {
        try await part.play()
    } else if words == ["--help"] {
        print(Arguments.usage)
    } else if words == ["--prices"] {
        print(try await Prices.table().text)
    } else if try !run(Arguments(words)) {
        cb_complain("an exact figure is wrong")
        cb_fail()
    }
} catch {
    cb_complain("\(error)")
    cb_fail()
}
