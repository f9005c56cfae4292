// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import Synchronization

@testable import Interprocess

/// Readers, writers, acceptors and closers at once, on descriptor numbers that are used anew all the time.
///
/// Each stream carries one byte value only, so that a byte that crossed over shows. Closing a descriptor twice is
/// noticed by the owner itself, in debug builds; closing one never, by the count at the end of the test.
final class Stress: Sendable {
    let problems = Locked<[String]>([])
    let finished = Atomic<Int>(0)
    let moved = Atomic<Int>(0)

    private func report(_ problem: String) { problems.withLock { $0.append(problem) } }

    /// Runs each body on a thread of its own, and waits for them.
    static func together(_ bodies: [@Sendable () -> Void]) {
        let group = DispatchGroup()
        for body in bodies {
            group.enter()
            Thread {
                body()
                group.leave()
            }.start()
        }
        group.wait()
    }

    /// Runs a call over and over until it ends the stream: by its end, or by the closing here or there.
    private func untilItEnds(_ what: String, _ call: () throws -> Bool) {
        while true {
            do {
                if try !call() { return }
            } catch let error as IPCError {
                switch error.code {
                case .timedOut, .wouldBlock: continue
                case .closed, .brokenPipe, .connectionReset: return
                // EBADF would be an invalid argument: a number that means nothing, or something else, by now.
                default: return report("\(what): \(error)")
                }
            } catch {
                return report("\(what): \(error)")
            }
        }
    }

    private func check(_ bytes: some Sequence<UInt8>, _ pattern: UInt8, _ what: String) {
        if let other = bytes.first(where: { $0 != pattern }) { report("\(what): \(other) among \(pattern)") }
    }

    private func read(_ receiver: some ByteReceiver, _ pattern: UInt8, form: Int, _ what: String) {
        var memory = [UInt8](repeating: 0, count: 3000)
        untilItEnds("reading from \(what)") {
            let count: Int
            switch form % 4 {
            case 0: count = try memory.withUnsafeMutableBytes { try receiver.read(into: $0) }
            case 1: count = try memory.withUnsafeMutableBytes { try receiver.read(into: $0, timeout: .milliseconds(1)) }
            case 2: count = try memory.withUnsafeMutableBytes { try receiver.read(into: $0, timeout: .zero) }
            default:
                let bytes = try receiver.read(upTo: 700)
                check(bytes, pattern, what)
                return !bytes.isEmpty
            }
            check(memory[..<count], pattern, what)
            moved.wrappingAdd(count, ordering: .relaxed)
            return count > 0
        }
    }

    private func write(_ sender: some ByteSender, _ pattern: UInt8, _ what: String) {
        let bytes = [UInt8](repeating: pattern, count: 5000)
        var round = 0
        untilItEnds("writing to \(what)") {
            round += 1
            if round % 3 == 0 {
                try sender.writeAll(bytes, timeout: .milliseconds(1))
            } else {
                try sender.writeAll(Array(bytes[..<(round * 37 % 4999 + 1)]))
            }
            return true
        }
    }

    /// Lets the others run for a while, each time another one.
    private static func linger() {
        let end = cip_now() + Int64.random(in: 0...300_000)
        while cip_now() < end { sched_yield() }
    }

    func pipes(until end: Int64) {
        while cip_now() < end {
            let pattern = UInt8.random(in: 1...255)
            guard let (sender, receiver) = try? UnnamedPipe.create() else { return report("no pipe") }
            let closesSender = Bool.random()
            Self.together([
                { self.read(receiver, pattern, form: 0, "a pipe") },
                { self.read(receiver, pattern, form: 1, "a pipe") },
                { self.read(receiver, pattern, form: 3, "a pipe") },
                { self.write(sender, pattern, "a pipe") },
                {
                    Self.linger()
                    if closesSender { sender.close() } else { receiver.close() }
                },
                {
                    Self.linger()
                    if closesSender { sender.close() } else { receiver.close() }
                },
            ])
            finished.wrappingAdd(1, ordering: .relaxed)
        }
    }

    func pairs(until end: Int64) {
        while cip_now() < end {
            let (there, back) = (UInt8.random(in: 1...255), UInt8.random(in: 1...255))
            guard let (one, other) = try? LocalSocketStream.pair() else { return report("no pair") }
            if Bool.random() { _ = try? one.split() }
            Self.together([
                { self.read(one, back, form: 0, "a pair") },
                { self.read(other, there, form: 1, "a pair") },
                { self.read(other, there, form: 2, "a pair") },
                { self.write(one, there, "a pair") },
                { self.write(other, back, "a pair") },
                {
                    Self.linger()
                    if let copy = try? one.duplicate() { copy.close() }
                    one.close()
                },
                {
                    Self.linger()
                    (Bool.random() ? one : other).close()
                },
            ])
            other.close()
            finished.wrappingAdd(1, ordering: .relaxed)
        }
    }

    func listeners(until end: Int64) {
        while cip_now() < end {
            guard let name = try? LocalSocketName.namespaced("stress-\(getpid())-\(UInt64.random(in: 0 ... .max))"),
                let listener = try? LocalSocketListener(name)
            else {
                return report("no listener")
            }
            let accept: @Sendable () -> Void = {
                self.untilItEnds("accepting") {
                    let stream = try listener.accept(timeout: Bool.random() ? .milliseconds(1) : nil)
                    let first = try stream.readExactly(1)
                    self.read(stream, first[0], form: 0, "an accepted stream")
                    return true
                }
            }
            let connect: @Sendable () -> Void = {
                for _ in 0..<3 {
                    let pattern = UInt8.random(in: 1...255)
                    guard let stream = try? LocalSocketStream.connect(to: name) else { return }
                    _ = try? stream.writeAll([UInt8](repeating: pattern, count: .random(in: 1...20_000)))
                }
            }
            Self.together([
                accept, accept, connect, connect,
                {
                    for _ in 0..<5 { Self.linger() }
                    listener.close()
                },
            ])
            finished.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// Descriptors that the library knows nothing of take the numbers that it gives back.
    ///
    /// Whoever reads or writes by a
    /// number that is not theirs any more takes these bytes away, or adds to them.
    func bystanders(until end: Int64) {
        while cip_now() < end {
            var all: [Int64] = []
            for _ in 0..<8 {
                var ends: [Int64] = [-1, -1]
                if cip_socket_pair(Int64(CIP_STREAM), &ends) == 0 { all += ends }
            }
            var pattern: [UInt8] = [0, 0xAA, 0, 0x55]
            for index in stride(from: 0, to: all.count, by: 2) where cip_send(all[index], &pattern, 4, false) != 4 {
                report("a bystander cannot send")
            }
            Self.linger()
            var found = [UInt8](repeating: 0, count: 100)
            for index in stride(from: 1, to: all.count, by: 2) {
                let count = cip_receive(all[index], &found, 100, false)
                if count != 4 || Array(found[..<4]) != pattern {
                    report("a bystander's bytes: \(count) \(found[..<4])")
                }
                if cip_receive(all[index - 1], &found, 100, false) != -Int64(EAGAIN) { report("a bystander got bytes") }
            }
            for descriptor in all where cip_close(descriptor) < 0 { report("a bystander was closed") }
        }
    }
}
