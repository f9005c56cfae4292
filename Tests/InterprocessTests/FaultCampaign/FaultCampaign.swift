// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// A public operation, and a scene to try it in.
struct FaultedOperation {
    let name: String
    /// Whether it makes the object: when it fails there is none.
    let makes: Bool
    /// What it could leave behind beside descriptors and files.
    var needs: Set<Leftovers.Kind> = []
    /// Errors that would make it wait for what does not come.
    var leftOut: Set<String> = []
    /// The calls that are its own, where a thread that goes on makes others at the same time; `nil` are all of them.
    var ownCalls: Set<System.Call>?
    let body: (FaultScene) throws -> Void

    func leaving(_ kinds: Leftovers.Kind...) -> FaultedOperation {
        var operation = self
        operation.needs = Set(kinds)
        return operation
    }

    /// The same without some errors.
    func without(_ errors: String...) -> FaultedOperation {
        var operation = self
        operation.leftOut = Set(errors)
        return operation
    }

    /// The same with calls of these kinds only.
    func making(_ calls: System.Call...) -> FaultedOperation {
        var operation = self
        operation.ownCalls = Set(calls)
        return operation
    }

    static func make(_ name: String, _ body: @escaping (FaultScene) throws -> Void) -> FaultedOperation {
        FaultedOperation(name: name, makes: true, body: body)
    }

    static func use(_ name: String, _ body: @escaping (FaultScene) throws -> Void) -> FaultedOperation {
        FaultedOperation(name: name, makes: false, body: body)
    }
}

/// What was found out about one operation.
struct FaultFindings {
    struct Finding {
        let place: FaultPlace
        /// The system's error, or "short".
        let fault: String
        let outcome: FaultOutcome
    }

    let operation: FaultedOperation
    var recording: FaultInjection.Recording
    var findings: [Finding] = []

    /// Fails each call that the operation makes with each error of that call, interrupts it, and cuts it short.
    init(_ operation: FaultedOperation, in test: InterprocessTestCase) throws {
        self.operation = operation
        func run(_ part: FaultScene.Part, _ what: String) throws -> FaultScene {
            let name = "\(operation.name), \(what)"
            let watchdog = Watchdog(name, seconds: Sanitizer.isPresent ? 60 : 20)
            defer { watchdog.end() }
            let before = Leftovers(of: operation.needs)
            let scene = FaultScene(part, test.path("scene"))
            do {
                defer { FaultInjection.beforeCalls(nil) }
                try operation.body(scene)
            } catch is FaultScene.Over {}
            before.assertNoneAdded(name)
            scene.end()
            return scene
        }
        // An event loop may be told of the same thing twice, now and then.
        var first = try run(.recording, "undisturbed")
        for _ in 0..<2 {
            let other = try run(.recording, "undisturbed")
            if other.recording.calls.count < first.recording.calls.count { first = other }
        }
        recording = first.recording
        func add(_ fault: FaultInjection.Fault, _ name: String, _ place: FaultPlace) throws {
            let scene = try run(.fault(fault, place), "\(name) in \(place.call) \(place.occurrence + 1)")
            let outcome = try XCTUnwrap(scene.outcome, "\(operation.name) was not tried")
            findings.append(Finding(place: place, fault: name, outcome: outcome))
        }
        func isTried(_ place: FaultPlace) -> Bool { operation.ownCalls?.contains(place.call) ?? true }
        // How often an event loop is told is chance, save for the first time.
        for place in recording.calls.places
        where isTried(place) && !first.isPretended(place) && !(place.call == .watch && place.occurrence > 0) {
            for error in SystemCallFaults.errors(of: place.call) + [SystemCallFaults.interruption]
            where !operation.leftOut.contains(error.name) {
                try add(.result(-Int64(error.number)), error.name, place)
            }
        }
        for place in recording.transfers.places where isTried(place) { try add(.short(1), "short", place) }
    }
}

extension [System.Call] {
    /// Each call with how many of its kind came before it.
    var places: [FaultPlace] {
        var counts: [System.Call: Int] = [:]
        return map { call in
            defer { counts[call, default: 0] += 1 }
            return FaultPlace(call: call, occurrence: counts[call, default: 0])
        }
    }
}
#endif
