// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What libFuzzer calls: see .ci/fuzz, which compiles this with the library's own sources, as one module.
//
// One program has all drivers in it, and the name by which it is called says which one is meant. Whatever an input is, it
// must end soon, with a value or one of the library's errors, and leave no descriptor open.

#if os(Linux)
internal import CInterprocess
private import Glibc

/// Is given an input.
typealias Driver = (UnsafeRawBufferPointer) -> Void

private struct Part: Sendable {
    let name: String
    let run: @Sendable (UnsafeRawBufferPointer) -> Void
    let seeds: @Sendable () throws -> [[UInt8]]
}

private let parts = [
    Part(name: "coding", run: driveCoding, seeds: codingSeeds),
    Part(name: "framing", run: driveFraming, seeds: framingSeeds),
    Part(name: "connection", run: driveConnection, seeds: connectionSeeds),
    Part(name: "ancillary", run: driveAncillary, seeds: ancillarySeeds),
    Part(name: "names", run: driveNames, seeds: nameSeeds),
    Part(name: "lines", run: driveLines, seeds: lineSeeds),
]

// There is one thread.
private nonisolated(unsafe) var driver: Driver = { _ in }

/// Ends the program, as what it has found.
func die(_ message: String) -> Never { fatalError("found: \(message)") }

/// Comes first.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>>>
) -> CInt {
    _ = Samples.shared
    let program = String(cString: arguments.pointee[0])
    let name =
        program.utf8.lastIndex(of: UInt8(ascii: "/")).map { program[program.index(after: $0)...] } ?? program[...]
    guard let part = parts.first(where: { $0.name == name }) else {
        fatalError("it is to be called by one of the names \(parts.map(\.name))")
    }
    driver = part.run
    if let folder = getenv("INTERPROCESS_FUZZ_SEEDS") { write(part, to: String(cString: folder)) }
    return 0
}

/// Writes valid inputs of a driver, to begin with.
private func write(_ part: Part, to folder: String) -> Never {
    do {
        for (number, seed) in try part.seeds().enumerated() {
            guard let file = fopen("\(folder)/\(number)", "w") else { fatalError("cannot write to \(folder)") }
            fwrite(seed, 1, seed.count, file)
            fclose(file)
        }
    } catch { fatalError("no seeds: \(error)") }
    exit(0)
}

/// Comes for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func test(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    Samples.shared.withoutLeaks { driver(UnsafeRawBufferPointer(start: bytes, count: count)) }
    return 0
}
#endif
