// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

/// What is put to random operations: real objects, and beside them a model in plain Swift that knows what each operation
/// has to come to.
///
/// Operations come one after another, so that the model is exact. Each names its objects by numbers that it takes modulo
/// how many there are, and so makes sense, or does nothing, whatever came before it: any of them can be left out.
protocol ModelledSystem: AnyObject {
    associatedtype Kind: Sendable

    /// What to choose from; what stands here twice is chosen twice as often.
    static var kinds: [Kind] { get }

    init(_ journal: Journal, in directory: String) throws

    /// Does one operation, and throws a ``Mismatch`` when it comes to something else than in the model.
    func perform(_ step: Step<Kind>) async throws

    /// Ends what would keep objects alive that nobody else has any more.
    func end() async throws
}

extension ModelledSystem {
    func end() {}
}

/// One operation, made up.
struct Step<Kind: Sendable>: Sendable {
    var kind: Kind
    /// Which object it is done to.
    var object: Int
    /// Which other object has a part in it.
    var other: Int
    var size: Int
    /// In which form it is done, as bits.
    var form: Int

    init(_ kinds: [Kind], _ generator: inout SplitMix64) {
        kind = kinds[Int.random(in: 0..<kinds.count, using: &generator)]
        object = Int.random(in: 0..<64, using: &generator)
        other = Int.random(in: 0..<64, using: &generator)
        // Small ones most of the time, and now and then one around 2^12.
        let bits = Int.random(in: 0...12, using: &generator)
        size = Int.random(in: 0...(1 << bits), using: &generator)
        form = Int.random(in: 0..<256, using: &generator)
    }

    /// Whether it is awaited, instead of blocking the thread.
    var isAwaited: Bool { form & 1 != 0 }

    /// Whether what is awaited runs on an event loop's thread.
    var isOnLoop: Bool { form & 2 != 0 }

    /// One of the other choices.
    func has(_ bit: Int) -> Bool { form & (4 << bit) != 0 }

    /// How long to wait for what is there already: without limit, or for as long as a test can wait.
    var patience: Duration? { has(0) ? nil : .seconds(5) }

    /// How long to wait for what does not come.
    var impatience: Duration { has(0) ? .zero : .milliseconds(1) }

    /// Awaits something where the step says.
    func awaiting<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await RunningTask(on: isOnLoop ? EventLoop.shared : nil, body).value()
    }

    /// Does something in one of its two forms.
    func either<Value: Sendable>(
        blocking: @Sendable () throws -> Value,
        awaited: @escaping @Sendable () async throws -> Value
    ) async -> Result<Value, any Error> {
        do {
            return .success(isAwaited ? try await awaiting(awaited) : try blocking())
        } catch { return .failure(error) }
    }

    var formDescription: String { isAwaited ? isOnLoop ? ", awaited on the loop" : ", awaited" : "" }
}

/// The operations of a run in words, each noted before it is done.
final class Journal: Sendable {
    private let entries = Locked<[String]>([])

    var lines: [String] { entries.withLock { $0 } }

    func note(_ line: String) { entries.withLock { $0.append(line) } }

    /// Adds to the last line what it came to.
    func add(_ outcome: String) { entries.withLock { $0[$0.count - 1] += " -> " + outcome } }
}

/// Something came to something else than in the model.
struct Mismatch: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// What was dropped: a task that has ended may have it still, for a moment.
struct Dropped {
    weak var core: DescriptorCore?

    func waitUntilGone() async throws {
        for _ in 0..<50_000 {
            if core == nil { return }
            try await Task.sleep(for: .microseconds(200))
        }
        throw Mismatch("what was dropped is still there")
    }
}

/// Expects what an operation came to.
func expect<Value: Equatable>(_ result: Result<Value, any Error>, _ expected: Value) throws {
    guard case .success(let value) = result, value == expected else {
        throw Mismatch("expected \(brief(expected)), but it came to \(brief(result))")
    }
}

/// Expects an error of the library.
func expect<Value>(_ result: Result<Value, any Error>, _ codes: IPCError.Code..., transferred: Int? = nil) throws {
    guard case .failure(let error as IPCError) = result, codes.contains(error.code),
        error.bytesTransferred == transferred ?? error.bytesTransferred
    else {
        let bytes = transferred.map { " with \($0) bytes transferred" } ?? ""
        throw Mismatch("expected \(codes)\(bytes), but it came to \(brief(result))")
    }
}

/// Text for a value, if need be without its middle.
func brief(_ value: Any) -> String {
    let text =
        if let bytes = value as? [UInt8] {
            "\(bytes.count) bytes \(String(decoding: bytes, as: UTF8.self).debugDescription)"
        } else { "\(value)" }
    return text.count <= 120 ? text : "\(text.prefix(80))...\(text.suffix(30))"
}
