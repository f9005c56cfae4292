// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Counts prime numbers in several processes at once. `swift run worker-pool`

import Foundation
import Interprocess

/// What a worker is given: numbers to look at, and where the result goes.
struct Job: Codable, Sendable {
    let numbers: Range<Int>
    let result: IPCSender<Int>
}

/// In a worker, which is this program once more: does jobs until the pool closes the connection.
func work() throws {
    let pool = try IPCConnection<Job, Int32>.toParent()
    try pool.send(getpid())
    do {
        while true {
            let job = try pool.receive()
            try job.result.send(job.numbers.filter(isPrime).count)
        }
    } catch {
        if error.code != .disconnected { throw error }
    }
}

func isPrime(_ number: Int) -> Bool {
    if number < 2 { return false }
    var divisor = 2
    while divisor * divisor <= number {
        if number % divisor == 0 { return false }
        divisor += 1
    }
    return true
}

/// The jobs that nobody does yet, and what the others have come to.
actor Jobs {
    private var waiting: [Range<Int>]
    private(set) var sum = 0

    init(below limit: Int, count: Int) {
        waiting = (0..<count).map { $0 * limit / count..<($0 + 1) * limit / count }
    }

    func next() -> Range<Int>? { waiting.popLast() }
    func putBack(_ numbers: Range<Int>) { waiting.append(numbers) }
    func add(_ result: Int) { sum += result }
}

/// Has a worker do a job; `nil` if it dies.
func perform(_ numbers: Range<Int>, by worker: IPCConnection<Int32, Job>) async throws -> Int? {
    let (sender, result) = try IPCChannel.make(of: Int.self)
    do {
        try await worker.send(Job(numbers: numbers, result: sender))
        // Only the worker has it now: should it die, the result is known not to come.
        sender.close()
        return try await result.receive()
    } catch {
        if error.code == .disconnected { return nil }
        throw error
    }
}

/// Gives jobs to a worker as long as there are some; returns how many it has done.
func employ(_ name: Int, _ jobs: Jobs, isUnlucky: Bool) async throws -> Int {
    // Before the process starts, so that each has something to do.
    var next = await jobs.next()
    let started = try await IPCConnection<Int32, Job>.spawn(CommandLine.arguments[0], arguments: ["--worker"])
    let (worker, process) = (started.connection, started.child)
    guard try await worker.receive() == process.processIdentifier else { fatalError("another process has answered") }
    var done = 0
    while let numbers = next {
        if isUnlucky { try process.kill() }
        guard let result = try await perform(numbers, by: worker) else {
            await jobs.putBack(numbers)
            print("worker \(name): \(try await process.wait()), another one does its job")
            return try await employ(name, jobs, isUnlucky: false)
        }
        await jobs.add(result)
        done += 1
        next = await jobs.next()
    }
    worker.close()
    guard try await process.wait().isSuccess else { fatalError("a worker has failed") }
    return done
}

func runPool() async throws {
    let (limit, count) = (100_000, 40)
    let jobs = Jobs(below: limit, count: count)
    let done = try await withThrowingTaskGroup(of: Int.self) { group in
        for name in 1...4 { group.addTask { try await employ(name, jobs, isUnlucky: name == 2) } }
        var done = 0
        for try await count in group { done += count }
        return done
    }
    print("\(done) jobs are done: there are \(await jobs.sum) primes below \(limit)")
}

if CommandLine.arguments.dropFirst().first == "--worker" { try work() } else { try await runPool() }
