// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation

@testable import Interprocess

/// Many calls at once in one direction of a stream, which are cancelled at random.
///
/// What is sent are numbers, four bytes each, so that one that is lost or comes twice shows.
final class AwaitCrowd: Sendable {
    static let size = 16

    private let loop = EventLoop()
    private let executor: EventLoop?
    private let current = Locked<[Task<[UInt8], any Error>?]>(Array(repeating: nil, count: size))
    private let isOver = Flag()
    let problems = Collected<String>()
    let cancellations = Locked(0)

    init(onLoop: Bool) { executor = onLoop ? loop : nil }

    /// A pair, the first of which belongs to the crowd's loop.
    func pair() throws -> (LocalSocketStream, LocalSocketStream) {
        let pair = try LocalSocketStream.pair()
        try pair.0.join(loop)
        return pair
    }

    static func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }

    static func number(_ bytes: [UInt8]) -> UInt32 { bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) } }

    /// Makes a call again and again until it has not been cancelled; `nil` when it fails otherwise.
    private func call(_ place: Int, _ body: @escaping @Sendable () async throws -> [UInt8]) async -> [UInt8]? {
        while true {
            let task = Task(executorPreference: executor, operation: body)
            current.withLock { $0[place] = task }
            do {
                return try await task.value
            } catch let error as IPCError where error.code == .cancelled && error.bytesTransferred == 0 {
                cancellations.withLock { $0 += 1 }
            } catch {
                problems.append("\(error)")
                return nil
            }
        }
    }

    /// Runs a body for each member of the crowd, and cancels their calls meanwhile.
    private func together(_ body: @escaping @Sendable (Int) async -> Void) async throws {
        let cancelling = Running {
            while !self.isOver.isSet {
                dawdle(upTo: 40_000)
                self.current.withLock { $0[Int.random(in: 0..<Self.size)]?.cancel() }
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for place in 0..<Self.size { group.addTask { await body(place) } }
        }
        isOver.set()
        try cancelling.value()
    }

    /// Receives numbers until the stream ends, and returns them in whatever order they were received.
    func receive(from stream: LocalSocketStream) async throws -> [UInt32] {
        let numbers = Collected<UInt32>()
        try await together { place in
            while case let bytes? = await self.call(place, { try await stream.read(upTo: 4) }), !bytes.isEmpty {
                if bytes.count != 4 { self.problems.append("\(bytes)") }
                numbers.append(Self.number(bytes))
            }
        }
        return numbers.all
    }

    /// Sends the numbers from 0 on.
    func send(_ count: UInt32, to stream: LocalSocketStream) async throws {
        try await together { place in
            for number in stride(from: UInt32(place), to: count, by: Self.size) {
                let sent = await self.call(place) {
                    try await stream.writeAll(Self.bytes(number))
                    return []
                }
                if sent == nil { return }
            }
        }
    }
}
