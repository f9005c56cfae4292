// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import Synchronization
import XCTest

@testable import Interprocess

extension EventLoop {
    /// Runs a body as a task of its own on the loop's thread, and waits for it.
    func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let task = Task(executorPreference: self) { () async -> Result<Value, Failure> in
            do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
        }
        return try await task.value.get()
    }

    /// Does something on the loop's thread that blocks it: what tasks there are told meanwhile, they get to know later.
    func block<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await run { try body() }
    }
}

extension DescriptorOwner {
    /// Makes it a member of a loop, as a task that awaited it there first would.
    @discardableResult
    func join(_ loop: EventLoop) throws -> Registration {
        try descriptorCore.register(.receive, for: .wait, loop.reactor)
    }
}

extension DescriptorCore {
    /// Lets the socket hold as little as the system allows, so that writers have to wait.
    func setSmallBuffer() {
        var size: Int32 = 1
        let result = setsockopt(
            Int32(descriptor),
            SOL_SOCKET,
            SO_SNDBUF,
            &size,
            socklen_t(MemoryLayout<Int32>.size)
        )
        XCTAssertEqual(result, 0)
    }
}

/// Sends one byte without waiting: overloads would choose the awaited form in an asynchronous function.
func send(_ byte: UInt8, over sender: some ByteSender) throws { try sender.writeAll([byte]) }

/// Something that is set once, and that several tasks look at.
final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }
}

/// What several tasks have put together, in the order in which they did.
final class Collected<Element: Sendable>: Sendable {
    private let elements = Locked<[Element]>([])

    var all: [Element] { elements.withLock { $0 } }

    func append(_ element: Element) { elements.withLock { $0.append(element) } }
}

/// Keeps the processor busy for a random time of up to `most` nanoseconds, so that two things meet in ever new ways.
func dawdle(upTo most: Int64) {
    let end = cip_now() + Int64.random(in: 0...most)
    while cip_now() < end {}
}

/// A thread, told from others, and how much it works.
struct ThreadIdentity: Hashable, Sendable {
    private let handle: UInt
    #if os(Linux)
    /// "PID/task/TID".
    private let folder = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")
    #endif

    static var current: ThreadIdentity {
        #if canImport(Darwin)
        ThreadIdentity(handle: UInt(bitPattern: pthread_self()))
        #else
        ThreadIdentity(handle: UInt(pthread_self()))
        #endif
    }

    private init(handle: UInt) { self.handle = handle }

    #if os(Linux)
    /// Whether it neither runs nor is about to.
    var sleeps: Bool {
        let status = try? String(contentsOfFile: "/proc/\(folder ?? "")/stat", encoding: .utf8)
        return status?.contains(") S ") == true
    }

    /// The processor time that it has used, in nanoseconds: to be asked of threads that live.
    var processorTime: Int64 {
        var clock = clockid_t()
        var time = timespec()
        XCTAssertEqual(pthread_getcpuclockid(pthread_t(handle), &clock), 0)
        XCTAssertEqual(clock_gettime(clock, &time), 0)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
    #endif
}

#if os(Linux)
/// What the event loops of this process hold, as the system tells it.
struct LoopFootprint: Equatable {
    /// The threads that are called as the loops' are.
    let threads: Int
    let pollers: Int
    let wakes: Int

    static var current: LoopFootprint {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        let names = tasks.map { (try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)) ?? "" }
        let descriptors = OpenDescriptors.all()
        return LoopFootprint(
            threads: names.count { $0 == "interprocess\n" },
            pollers: descriptors.count { $0.contains("[eventpoll]") },
            wakes: descriptors.count { $0.contains("[eventfd]") }
        )
    }

    /// Waits until the loops hold this much again: a thread that ends is on its way for a moment.
    func waitUntilBack(file: StaticString = #filePath, line: UInt = #line) {
        let end = cip_now() + 5_000_000_000
        while .current != self && cip_now() < end { usleep(500) }
        XCTAssertEqual(.current, self, "a loop did not end", file: file, line: line)
    }
}
#endif
