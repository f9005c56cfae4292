// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import Synchronization

/// Starts the server and the clients, looks at the server all the time, and judges.
final class Soak: Sendable {
    private struct Counts {
        var (processes, clients, killed) = (0, 0, 0)
        var steady: [Int: [Double]] = [:]
        var failures: [String] = []
    }

    private let arguments: Arguments
    private let name = "interprocess-soak-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    private let counts = Mutex(Counts())
    private let start = ContinuousClock.now

    /// How long a client process may take: all that it waits for ends sooner.
    private static let patience = Duration.seconds(180)

    init(_ arguments: Arguments) { self.arguments = arguments }

    private var elapsed: Duration { ContinuousClock.now - start }
    private var isOver: Bool { elapsed >= arguments.duration || counts.withLock { !$0.failures.isEmpty } }

    private func fail(_ what: String) {
        say("FAILED: \(what)")
        counts.withLock { $0.failures.append(what) }
    }

    private func spawn(_ words: String...) throws -> IPCChild {
        try IPCChild.spawn(CommandLine.arguments[0], arguments: words)
    }

    /// Returns whether all went well.
    func run() async throws -> Bool {
        say("seed \(arguments.seed), \(arguments.duration), \(arguments.clients) processes of clients at a time")
        let server = try spawn("--server", name)
        guard try await server.stream.readLine(timeout: .seconds(30)) == "ready" else { throw Failure("no server") }
        try await warmUp()
        let before = await leastDescriptors(server.processIdentifier, within: .seconds(3))
        let growth = await withTaskGroup(of: Growth?.self) { group in
            for number in 0..<2 { group.addTask { await self.keepSteady(number) } }
            for worker in 0..<arguments.clients { group.addTask { await self.keepClients(worker) } }
            group.addTask { await self.watch(server) }
            return await group.reduce(Growth()) { $1 ?? $0 }
        }
        for what in growth.judge(arguments.duration) { fail(what) }
        await checkDescriptors(server.processIdentifier, before)
        server.stream.close()
        let status = try? await server.wait(timeout: .seconds(30))
        if status?.isSuccess != true {
            fail("the server did not end well: \(status.map { "\($0)" } ?? "it still runs")")
        }
        if status == nil { try? server.kill() }
        report()
        return counts.withLock { $0.failures.isEmpty }
    }

    /// Lets a few clients come and go, so that everything is there that is made at first use.
    private func warmUp() async throws {
        let child = try spawn("--client", name, "\(arguments.seed)", "60")
        while try await child.stream.readLine(timeout: Self.patience) != nil {}
        _ = try await child.wait(timeout: Self.patience)
    }

    // MARK: - Clients

    private func keepSteady(_ number: Int) async -> Growth? {
        do {
            let child = try spawn("--steady", name, "\(arguments.seed &+ UInt64(number))")
            while !isOver {
                guard let line = try await child.stream.readLine(timeout: .seconds(90)) else { break }
                counts.withLock { $0.steady[number] = line.split(separator: " ").compactMap { Double($0) } }
            }
            let wasOver = isOver
            child.stream.close()
            let status = try await child.wait(timeout: .seconds(90))
            if !wasOver || !status.isSuccess { fail("a client that behaves well has ended: \(status)") }
        } catch { fail("a client that behaves well: \(error)") }
        return nil
    }

    /// Keeps one process of clients going; some are killed in the middle.
    private func keepClients(_ worker: Int) async -> Growth? {
        var dice = Dice(seed: arguments.seed &* 1_000_003 &+ UInt64(worker))
        while !isOver {
            let seed = dice.next() >> 1
            let isToBeKilled = Int.random(in: 0..<3, using: &dice) == 0
            let life = Duration.milliseconds(.random(in: 1...400, using: &dice))
            do {
                let child = try spawn("--client", name, "\(seed)", "40")
                let status = try await finish(child, within: isToBeKilled ? life : Self.patience, isToBeKilled)
                counts.withLock { $0.processes += 1 }
                // Some kill themselves.
                if status == .killed(.kill) {
                    counts.withLock { $0.killed += 1 }
                } else if !status.isSuccess {
                    fail("a process of clients with seed \(seed) has ended: \(status)")
                }
            } catch { fail("a process of clients with seed \(seed): \(error)") }
        }
        return nil
    }

    private func finish(
        _ child: IPCChild,
        within limit: Duration,
        _ isToBeKilled: Bool
    ) async throws -> IPCChild.ExitStatus {
        let end = ContinuousClock.now + limit
        do {
            while try await child.stream.readLine(timeout: max(.zero, end - .now)) != nil {
                counts.withLock { $0.clients += 1 }
            }
        } catch {
            if error.code == .timedOut {
                try? child.kill()
                if !isToBeKilled { throw Failure("it hangs") }
            }
        }
        return try await child.wait(timeout: .seconds(60))
    }

    // MARK: - The server

    /// Looks at the server until all is over.
    private func watch(_ server: IPCChild) async -> Growth? {
        var growth = Growth()
        var nextLine = Duration.seconds(10)
        while !isOver {
            try? await Task.sleep(for: .milliseconds(500))
            guard server.isRunning, let footprint = Footprint.of(server.processIdentifier) else {
                fail("the server has stopped")
                break
            }
            growth.add(footprint, at: elapsed)
            if elapsed < nextLine { continue }
            nextLine += .seconds(10)
            let count = counts.withLock { "\($0.clients) clients in \($0.processes) processes, \($0.killed) killed" }
            let (descriptors, threads) = (footprint.descriptors ?? 0, footprint.threads ?? 0)
            say(
                "\(elapsed.components.seconds) s: \(count); server: \(footprint.memory) KiB, "
                    + "\(descriptors) descriptors, \(threads) threads; round trips \(latencies)"
            )
        }
        return growth
    }

    private func leastDescriptors(_ process: Int32, within limit: Duration) async -> Int? {
        let end = ContinuousClock.now + limit
        var least: Int?
        while ContinuousClock.now < end {
            if let count = Footprint.of(process)?.descriptors { least = min(least ?? count, count) }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return least
    }

    /// When all clients have gone, the server has no more descriptors than before they came.
    private func checkDescriptors(_ process: Int32, _ before: Int?) async {
        guard let before else { return }
        let end = ContinuousClock.now + .seconds(30)
        while let now = Footprint.of(process)?.descriptors {
            if now <= before { return say("descriptors without clients: \(before) before, \(now) after") }
            if ContinuousClock.now > end { return fail("\(now) descriptors without clients, and \(before) before") }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    // MARK: - Telling

    private var latencies: String {
        counts.withLock { counts in
            counts.steady.sorted { $0.key < $1.key }.map { _, figures in
                let rounded = figures.map { Int($0) }
                guard rounded.count == 8 else { return "-" }
                return "\(rounded[1])/\(rounded[2])/\(rounded[3]) and \(rounded[5])/\(rounded[6])/\(rounded[7])"
            }.joined(separator: ", ") + " µs"
        }
    }

    private func report() {
        let (clients, processes, killed, trips, failures) = counts.withLock { counts in
            let trips = counts.steady.values.reduce(0) { $0 + Int(($1.first ?? 0) * 2) }
            return (counts.clients, counts.processes, counts.killed, trips, counts.failures)
        }
        say("round trips of clients that behave well: \(trips), p50/p99/max of echo and request: \(latencies)")
        say("\(clients) clients in \(processes) processes, of which \(killed) were killed; seed \(arguments.seed)")
        say(failures.isEmpty ? "the server is as it was" : "FAILED: \(failures.joined(separator: "; "))")
    }
}
