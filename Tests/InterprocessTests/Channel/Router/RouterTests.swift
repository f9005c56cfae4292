// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// What ipc-channel's tests say of routers, and what routes do to each other: nothing.
final class RouterTests: InterprocessTestCase {
    private struct Failure: Error {}

    /// Goes with whoever holds it.
    private final class Capture: Sendable {
        private let counter: Counter

        init(_ counter: Counter) { self.counter = counter }

        deinit { counter.increment() }

        func use() {}
    }

    func testValuesOfTwoTypes() throws {
        let router = try IPCRouter()
        let (numbers, texts) = (try IPCChannel.make(of: Int.self), try IPCChannel.make(of: String.self))
        let (back, results) = try IPCChannel.make(of: String.self)
        try router.add(numbers.receiver) { number in try back.send("\(number + 1)") }
        try router.add(texts.receiver) { text in try back.send(text + "!") }
        XCTAssertEqual(router.count, 2)
        try numbers.sender.send(41)
        XCTAssertEqual(try results.receive(), "42")
        try texts.sender.send("x")
        XCTAssertEqual(try results.receive(), "x!")
        router.shutdown()
        router.shutdown()
        XCTAssertEqual(router.count, 0)
    }

    func testAfterShutdown() throws {
        let dropped = Counter()
        let (_, receiver) = try IPCChannel.make(of: Int.self)
        for isStarted in [false, true] {
            let router = try IPCRouter()
            let (sender, other) = try IPCChannel.make(of: Int.self)
            if isStarted {
                let capture = Capture(dropped)
                try router.add(other) { _ in capture.use() }
            }
            router.shutdown()
            XCTAssertEqual(dropped.value, isStarted ? 1 : 0)
            assertThrows(.closed) { try router.add(receiver) { _ in XCTFail() } }
            XCTAssertEqual(router.count, 0)
            withExtendedLifetime(sender) {}
        }
        // It has not been added to anything.
        try IPCRouter().add(receiver) { _ in }
    }

    func testShutdownAwaited() async throws {
        let router = try IPCRouter()
        let (sender, receiver) = try IPCChannel.make(of: Int.self)
        let (begun, goOn, ended) = (Counter(), DispatchSemaphore(value: 0), Counter())
        try router.add(receiver) { _ in
            begun.increment()
            goOn.wait()
            ended.increment()
        }
        try await sender.send(1)
        while begun.value == 0 { await Task.yield() }
        let shutdown = RunningTask { await router.shutdown() }
        await waitUntilAwaited()
        XCTAssertEqual(ended.value, 0)
        goOn.signal()
        try await shutdown.value()
        XCTAssertEqual(ended.value, 1)
    }

    /// New channel, route, and value back, many times: nothing is used up.
    func testManyRoutes() throws {
        let router = try IPCRouter()
        let before = OpenDescriptors.count
        for number in 0..<2000 {
            let (sender, receiver) = try IPCChannel.make(of: IPCSender<Int>.self)
            let (back, results) = try IPCChannel.make(of: Int.self)
            try router.addOnce(receiver) { try $0.send(number) }
            try sender.send(back)
            XCTAssertEqual(try results.receive(), number)
        }
        eventually("the routes are gone") { router.count == 0 }
        XCTAssertLessThanOrEqual(OpenDescriptors.count, before)
    }

    func testOnce() throws {
        let router = try IPCRouter()
        let (sender, receiver) = try IPCChannel.make(of: Int.self)
        let (calls, ends, dropped) = (Counter(), Counter(), Counter())
        do {
            let capture = Capture(dropped)
            try router.addOnce(receiver) { _ in
                capture.use()
                calls.increment()
            } onEnd: { error in
                XCTAssertNil(error)
                ends.increment()
            }
        }
        try sender.send(1)
        XCTAssertTrue(dropped.wait(for: 1))
        XCTAssertEqual(ends.value, 1)
        // The receiver is ours again.
        try sender.send(2)
        XCTAssertEqual(try receiver.receive(), 2)
        XCTAssertEqual(calls.value, 1)
    }

    /// The handler of one message can say what is to be done with the next one: the receiver is free when it is called.
    func testOneAfterAnother() throws {
        let router = try IPCRouter()
        let (sender, receiver) = try IPCChannel.make(of: Int.self)
        let (back, results) = try IPCChannel.make(of: [Int].self)
        try router.addOnce(receiver) { [weak router] first in
            try router?.addOnce(receiver) { second in try back.send([first, second]) }
        } onEnd: { error in
            if let error { XCTFail("\(error)") }
        }
        for number in 1...2 { try sender.send(number) }
        XCTAssertEqual(try results.receive(timeout: .seconds(20)), [1, 2])
        eventually("the routes are gone") { router.count == 0 }
    }

    func testTwoRoutesFromThreads() throws {
        let router = try IPCRouter()
        let (back, results) = try IPCChannel.make(of: [Int].self)
        let threads = try (0..<2).map { route in
            let (sender, receiver) = try IPCChannel.make(of: Int.self)
            try router.add(receiver) { try back.send([route, $0]) }
            return Running { for number in 0..<500 { try sender.send(number) } }
        }
        var next = [0, 0]
        for _ in 0..<1000 {
            let result = try results.receive()
            XCTAssertEqual(result[1], next[result[0]])
            next[result[0]] += 1
        }
        for thread in threads { try thread.value() }
    }

    /// The route ends, and its captures go, when the last of several senders does.
    func testSendersGo() throws {
        let router = try IPCRouter()
        let (carrier, carried) = try IPCChannel.make(of: IPCSender<Int>.self)
        let (sender, receiver) = try IPCChannel.make(of: Int.self)
        let (ended, dropped) = (Counter(), Counter())
        do {
            let capture = Capture(dropped)
            try router.add(receiver) { _ in
                capture.use()
            } onEnd: { error in
                XCTAssertNil(error)
                ended.increment()
            }
        }
        try carrier.send(sender)
        let copy = try carried.receive()
        sender.close()
        try copy.send(1)
        XCTAssertEqual(ended.value, 0)
        XCTAssertEqual(dropped.value, 0)
        copy.close()
        XCTAssertTrue(dropped.wait(for: 1))
        XCTAssertEqual(ended.value, 1)
        XCTAssertEqual(router.count, 0)
    }

    func testLargeValues() throws {
        struct Person: Codable, Equatable, Sendable {
            var name = "Patrick"
            var age: UInt32 = 29
        }
        let router = try IPCRouter()
        let (sender, receiver) = try IPCChannel.make(of: [Person].self)
        let (back, results) = try IPCChannel.make(of: [Person].self)
        try router.add(receiver) { try back.send($0) }
        let people = (0..<65_536).map { Person(age: $0) }
        let sending = Running { try sender.send(people) }
        XCTAssertTrue(try results.receive() == people)
        try sending.value()
    }

    /// A handler that throws, a value of another type, and what no sender sends end their route alone, and tell why.
    func testFailuresEndOneRoute() throws {
        let router = try IPCRouter()
        let healthy = try IPCChannel.make(of: Int.self)
        let (back, results) = try IPCChannel.make(of: Int.self)
        try router.add(healthy.receiver) { try back.send($0) }
        let (ends, reasons) = try IPCChannel.make(of: String.self)
        for (number, expected) in ["Failure", "decodingFailed", "protocolViolation"].enumerated() {
            let (sender, receiver) = try IPCChannel.make(of: Int.self)
            let left = Counter()
            do {
                let capture = Capture(left)
                try router.add(IPCReceiver<Int>(retyping: receiver.erased)) { _ in
                    capture.use()
                    throw Failure()
                } onEnd: { error in
                    let reason = (error as? IPCError).map { "\($0.code)" } ?? error.map { "\(type(of: $0))" }
                    try? ends.send(reason ?? "nothing")
                }
            }
            switch number {
            case 0: try sender.send(1)
            case 1: try IPCSender<String>(retyping: sender.erased).send("x")
            default: XCTAssertEqual(try sender.withUnsafeDescriptor { write($0, "x", 1) }, 1)
            }
            XCTAssertEqual(try reasons.receive(), expected)
            XCTAssertTrue(left.wait(for: 1))
            try healthy.sender.send(number)
            XCTAssertEqual(try results.receive(), number)
            XCTAssertEqual(router.count, 1)
        }
    }

    /// A sender whose route has failed is told.
    func testSendersOfAFailedRouteAreTold() throws {
        let router = try IPCRouter()
        let (sender, ended) = try { () throws -> (IPCSender<Int>, Counter) in
            let (sender, receiver) = try IPCChannel.make(of: Int.self)
            let ended = Counter()
            try router.add(receiver) { _ in
                throw Failure()
            } onEnd: { _ in
                ended.increment()
            }
            return (sender, ended)
        }()
        try sender.send(1)
        XCTAssertTrue(ended.wait(for: 1))
        eventually("the receiver is closed") { (try? sender.send(2)) == nil }
        assertThrows(.disconnected) { try sender.send(3) }
    }

    func testHandlersAddRoutesAndShutDown() throws {
        let router = try IPCRouter()
        let (receivers, newRoutes) = try IPCChannel.make(of: IPCReceiver<Int>.self)
        let (back, results) = try IPCChannel.make(of: Int.self)
        try router.add(newRoutes) { [weak router] receiver in
            try router?.add(receiver) { [weak router] number in
                try back.send(number)
                if number == 0 { router?.shutdown() }
            }
        }
        let (sender, receiver) = try IPCChannel.make(of: Int.self)
        try receivers.send(receiver)
        for number in [2, 1, 0] {
            try sender.send(number)
            XCTAssertEqual(try results.receive(), number)
        }
        router.shutdown()
        XCTAssertEqual(router.count, 0)
        assertThrows(.closed) { try router.add(try IPCChannel.make(of: Int.self).receiver) { _ in } }
    }

    func testBytesAndRemoving() throws {
        let router = try IPCRouter()
        let (sender, receiver) = try IPCChannel.makeBytes()
        let (back, results) = try IPCChannel.makeBytes()
        let dropped = Counter()
        let capture = Capture(dropped)
        let route = try router.add(receiver) { [capture] message in
            capture.use()
            try back.send(message.bytes + [UInt8(message.descriptorCount)])
        } onEnd: { _ in
            XCTFail("it was removed")
        }
        assertThrows(.alreadyExists) { try router.add(receiver) { _ in } }
        try sender.send([1, 2], with: [back])
        XCTAssertEqual(try results.receive(), [1, 2, 1])
        XCTAssertTrue(router.remove(route))
        XCTAssertFalse(router.remove(route))
        try sender.send([3])
        XCTAssertEqual(try receiver.receive(), [3])
    }

    /// A router that nobody holds any more lets go of everything.
    func testForgotten() throws {
        let dropped = Counter()
        let (sender, receiver) = try IPCChannel.make(of: Int.self)
        do {
            let router = try IPCRouter()
            let capture = Capture(dropped)
            try router.add(receiver) { _ in capture.use() }
        }
        XCTAssertTrue(dropped.wait(for: 1))
        try sender.send(5)
        XCTAssertEqual(try receiver.receive(), 5)
    }

    #if INTERPROCESS_FAULT_INJECTION
    /// Where the system has no memory for a while, routes stay, and what comes is handled then.
    func testWantOfMemory() throws {
        defer { FaultInjection.clear() }
        let router = try IPCRouter()
        let (sender, receiver) = try IPCChannel.make(of: Int.self)
        let (back, results) = try IPCChannel.make(of: Int.self)
        try router.add(receiver) { number in
            try back.send(number)
        } onEnd: { error in
            XCTFail("\(String(describing: error))")
        }
        for (number, call) in [System.Call.poll, .message, .poll].enumerated() {
            FaultInjection.inject(.result(-Int64(ENOMEM)), into: call, times: 3)
            try FaultInjection.sparing {
                try sender.send(number)
                XCTAssertEqual(try results.receive(timeout: .seconds(20)), number)
            }
            // It may have come before there was anything to wait for.
            let end = ContinuousClock.now + .seconds(10)
            while FaultInjection.pendingCount > 0 && ContinuousClock.now < end { usleep(200) }
            XCTAssertEqual(FaultInjection.clear(), 0)
        }
        try sender.send(7)
        XCTAssertEqual(try results.receive(timeout: .seconds(20)), 7)
        router.shutdown()
    }

    /// Shutting down waits for the handler, whatever becomes of the call that it waits by.
    func testShutdownWaitsInAnyCase() async throws {
        defer { FaultInjection.clear() }
        for isAwaited in [false, true] {
            let router = try IPCRouter()
            let (sender, receiver) = try IPCChannel.make(of: Int.self)
            let (begun, goOn, ended) = (Counter(), DispatchSemaphore(value: 0), Counter())
            try router.add(receiver) { _ in
                begun.increment()
                goOn.wait()
                ended.increment()
            }
            try await sender.send(1)
            XCTAssertTrue(begun.wait(for: 1))
            FaultInjection.inject(.result(-Int64(EINVAL)), into: isAwaited ? .watch : .poll, times: 3)
            let shutdown = RunningTask {
                if isAwaited { await router.shutdown() } else { try await onThread { router.shutdown() } }
            }
            await eventually("it tries to wait") { FaultInjection.pendingCount == 0 }
            XCTAssertEqual(ended.value, 0)
            XCTAssertFalse(shutdown.hasEnded)
            goOn.signal()
            try await shutdown.value()
            XCTAssertEqual(ended.value, 1)
        }
    }
    #endif

    func testWithoutDescriptors() throws {
        withoutDescriptors { _ = assertThrows(.resourcesExhausted) { try IPCRouter() } }
        withoutDescriptors { _ = assertThrows(.resourcesExhausted) { try IPCReceiverGroup() } }
    }
}
