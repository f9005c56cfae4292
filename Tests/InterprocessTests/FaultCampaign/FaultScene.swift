// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// Where one fault strikes: the first, second, … call of a kind that an operation makes.
struct FaultPlace: Hashable {
    var call: System.Call
    var occurrence: Int
}

/// What came of one fault.
struct FaultOutcome: Equatable {
    /// What the operation threw, or `nil`.
    var thrown: IPCError.Code?
    /// Whether the error has the system's code, as it should.
    var tellsSystemCode = false
    /// What came of the same operation on the same objects, once more and without the fault: `nil` if it worked.
    var afterwards: IPCError.Code?
    /// Whether a file was left in the directory that the operation used.
    var leavesFile = false
    /// Whether a client was disconnected, so that another one has come in.
    var turnsAway = false
}

/// An operation amid what it needs: objects that are made anew for each fault.
final class FaultScene {
    enum Part {
        case recording
        case fault(FaultInjection.Fault, FaultPlace)
    }

    /// Leaves the rest of the scene out, for there is nothing to go on with.
    struct Over: Error {}

    let part: Part
    private let directory: String
    private var hasDirectory = false
    private(set) var recording = FaultInjection.Recording()
    private(set) var outcome: FaultOutcome?
    private var pretended: [System.Call] = []

    init(_ part: Part, _ directory: String) {
        self.part = part
        self.directory = directory
    }

    /// A path in a directory of its own.
    var path: String {
        if !hasDirectory { XCTAssertEqual(mkdir(directory, 0o700), 0) }
        hasDirectory = true
        return directory + "/s"
    }

    /// Makes the first calls of these kinds say "would block", although they would not: so that an operation waits,
    /// and what it waits for is there already.
    func pretendToBlock(_ calls: System.Call...) { pretended = calls }

    /// Does something whenever the operation makes a call of these kinds, just before it does: so that what it waits for
    /// comes when it waits, and not before.
    func before(_ calls: System.Call..., body: @escaping @Sendable () -> Void) {
        FaultInjection.beforeCalls { call in if calls.contains(call) { body() } }
    }

    /// Whether a call is told that the other side is gone, which then gets nothing more.
    var losesPeer: Bool {
        guard case .fault(.result(let result), _) = part else { return false }
        return [EPIPE, ECONNRESET].contains(Int32(-result))
    }

    /// A client was disconnected, and another one has come in.
    func didTurnAway() { outcome?.turnsAway = true }

    /// The operation that the scene is about.
    ///
    /// - Returns: What it returns with the fault; what it returns without, if it threw.
    func faulted<Value>(_ operation: () throws -> Value) throws -> Value {
        XCTAssertNil(outcome, "a scene has one operation")
        for call in pretended { FaultInjection.inject(.result(-Int64(EAGAIN)), into: call) }
        defer { FaultInjection.clear() }
        guard case .fault(let fault, let place) = part else {
            FaultInjection.startRecording()
            defer { recording = FaultInjection.endRecording() }
            return try operation()
        }
        // The first one of that kind is taken by the pretence.
        let before = if case .result = fault, pretended.contains(place.call) { 1 } else { 0 }
        let files = names
        FaultInjection.inject(fault, into: place.call, after: place.occurrence - before)
        do {
            let value = try operation()
            outcome = FaultOutcome()
            XCTAssertEqual(FaultInjection.clear(), 0, "a fault that did not come")
            return value
        } catch let error as IPCError {
            outcome = FaultOutcome(thrown: error.code, tellsSystemCode: isTold(fault, by: error))
            // It may have ended before it came to where it would have had to wait.
            XCTAssertLessThanOrEqual(FaultInjection.clear(), pretended.count, "a fault that did not come")
            if !names.subtracting(files).isEmpty { outcome?.leavesFile = true }
            do { return try operation() } catch let error as IPCError {
                outcome?.afterwards = error.code
                throw Over()
            }
        }
    }

    private func isTold(_ fault: FaultInjection.Fault, by error: IPCError) -> Bool {
        if case .result(let result) = fault { error.systemCode == -result } else { false }
    }

    /// The same for an operation that is awaited, by a task of its own.
    func awaited<Value: Sendable>(_ operation: @escaping @Sendable () async throws -> Value) throws -> Value {
        try faulted { try RunningTask(operation).value() }
    }

    /// Whether the first call of a kind is never the operation's to see.
    func isPretended(_ place: FaultPlace) -> Bool { place.occurrence == 0 && pretended.contains(place.call) }

    /// Ends the scene, when nothing of it should be left.
    func end() {
        if !names.isEmpty { outcome?.leavesFile = true }
        if hasDirectory { try? FileManager.default.removeItem(atPath: directory) }
    }

    private var names: Set<String> {
        hasDirectory ? Set((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []) : []
    }
}
#endif
