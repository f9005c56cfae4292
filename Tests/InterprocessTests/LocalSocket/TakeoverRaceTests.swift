// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Processes that start on the same name at the same time.
final class TakeoverRaceTests: InterprocessTestCase {
    override var timeLimit: TimeInterval { 120 }

    private func racers(_ count: Int, _ overwrite: String) throws -> [ChildProcess] {
        let racers = try (0..<count).map { _ in try ChildProcess.helper("race-rounds", path(), overwrite) }
        for racer in racers { racer.expect("waiting") }
        return racers
    }

    /// The number of the process that answers at the name.
    private func answer() throws -> pid_t? {
        let client = try LocalSocketStream.connect(to: try pathName())
        return try client.readLine(timeout: .seconds(10)).flatMap { pid_t($0) }
    }

    /// Lets the winner leave a stale name behind.
    private func end(_ winner: ChildProcess) throws {
        winner.write("die\n")
        winner.expect("dead")
        // The socket is open until the thread that waits for clients has left it.
        while (try? LocalSocketStream.connect(to: try pathName())) != nil {}
        assertThrows(.connectionRefused) { try LocalSocketStream.connect(to: try pathName()) }
    }

    func testExactlyOneWinsAStaleName() throws {
        for count in [2, 3, 8] {
            let racers = try racers(count, "ifStale")
            makeStale(path())
            for _ in 0..<(count == 8 ? 10 : 15) {
                for racer in racers { racer.write("go\n") }
                let outcomes = racers.map { $0.readLine() }
                let winners = zip(racers, outcomes).filter { $1 == "won" }.map { $0.0 }
                XCTAssertEqual(winners.count, 1, "\(outcomes)")
                XCTAssertEqual(outcomes.count { $0 == "lost addressInUse" }, count - 1, "\(outcomes)")
                guard winners.count == 1 else { return }
                XCTAssertEqual(try answer(), winners[0].pid)
                XCTAssertEqual(temporaryFiles, [])
                try end(winners[0])
            }
            for racer in racers {
                racer.closeInput()
                XCTAssertEqual(racer.wait(), 0)
            }
            XCTAssertEqual(unlink(path()), 0)
        }
    }

    /// The same where nothing is there at first.
    func testExactlyOneWinsAFreshName() throws {
        let racers = try racers(4, "ifStale")
        for _ in 0..<10 {
            for racer in racers { racer.write("go\n") }
            let outcomes = racers.map { $0.readLine() }
            let winners = zip(racers, outcomes).filter { $1 == "won" }.map { $0.0 }
            XCTAssertEqual(winners.count, 1, "\(outcomes)")
            guard winners.count == 1 else { return }
            XCTAssertEqual(try answer(), winners[0].pid)
            try end(winners[0])
            XCTAssertEqual(unlink(path()), 0)
        }
        for racer in racers {
            racer.closeInput()
            XCTAssertEqual(racer.wait(), 0)
        }
    }

    /// Of servers that all replace each other, the last one is found.
    func testReplacementRace() throws {
        let racers = try racers(4, "always")
        for _ in 0..<15 {
            for racer in racers { racer.write("go\n") }
            for racer in racers { racer.expect("won") }
            let answering = try answer()
            XCTAssertTrue(racers.contains { $0.pid == answering }, "\(String(describing: answering))")
            XCTAssertEqual(temporaryFiles, [])
        }
        for racer in racers {
            racer.closeInput()
            XCTAssertEqual(racer.wait(), 0)
        }
        // Whoever was last has removed the name, and nobody else's.
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: directory), [])
    }

    func testThreadsOfOneProcess() throws {
        let name = try pathName()
        for _ in 0..<10 {
            makeStale(path())
            var patient = LocalSocketListener.Options()
            patient.maxSpinTime = .seconds(20)
            let options = patient
            let racers = (0..<4).map { _ in Running { try LocalSocketListener(name, options: options) } }
            var winners: [LocalSocketListener] = []
            for racer in racers {
                do { winners.append(try racer.value()) } catch let error as IPCError {
                    XCTAssertEqual(error.code, .addressInUse)
                }
            }
            XCTAssertEqual(winners.count, 1)
            _ = try LocalSocketStream.connect(to: name)
            winners[0].close()
            XCTAssertNil(FileImage(path()))
        }
    }
}
