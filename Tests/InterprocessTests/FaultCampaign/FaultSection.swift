// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import XCTest

@testable import Interprocess

/// Why a fault has another outcome than the error's own code.
struct FaultReason {
    let call: System.Call
    /// Names of the system's errors, "EINTR" or "short"; all of them if there are none.
    var errors: Set<String> = []
    /// What the names of the operations begin with; all of them if there are none.
    var operations: [String] = []
    let outcome: FaultOutcome
    let text: String

    func explains(_ finding: FaultFindings.Finding, of operation: String) -> Bool {
        finding.place.call == call && (errors.isEmpty || errors.contains(finding.fault))
            && (operations.isEmpty || operations.contains { operation.hasPrefix($0) }) && finding.outcome == outcome
    }

    /// It has no effect.
    static func harmless(
        _ call: System.Call,
        _ errors: String,
        _ operations: [String],
        _ text: String
    ) -> FaultReason {
        FaultReason(
            call: call,
            errors: Set(errors.split(separator: " ").map(String.init)),
            operations: operations,
            outcome: FaultOutcome(),
            text: text
        )
    }

    static func harmless(_ call: System.Call, _ text: String) -> FaultReason { harmless(call, "", [], text) }

    static func harmless(_ call: System.Call, _ errors: String, _ text: String) -> FaultReason {
        harmless(call, errors, [], text)
    }

    /// A client is disconnected, and the next one is served.
    static func turnsAway(
        _ call: System.Call,
        _ errors: String,
        as code: IPCError.Code? = nil,
        _ text: String
    ) -> FaultReason {
        FaultReason(
            call: call,
            errors: Set(errors.split(separator: " ").map(String.init)),
            outcome: FaultOutcome(thrown: code, tellsSystemCode: code != nil, turnsAway: true),
            text: text
        )
    }

    /// It is thrown as another code than the error's own.
    static func thrown(
        _ call: System.Call,
        _ errors: String = "",
        _ operations: [String] = [],
        as code: IPCError.Code,
        tellsSystemCode: Bool = false,
        afterwards: IPCError.Code? = nil,
        leavesFile: Bool = false,
        _ text: String
    ) -> FaultReason {
        FaultReason(
            call: call,
            errors: Set(errors.split(separator: " ").map(String.init)),
            operations: operations,
            outcome: FaultOutcome(
                thrown: code,
                tellsSystemCode: tellsSystemCode,
                afterwards: afterwards,
                leavesFile: leavesFile
            ),
            text: text
        )
    }
}

/// The operations of one primitive, and what they are tried with.
struct FaultSection {
    let title: String
    let operations: [FaultedOperation]
    let reasons: [FaultReason]

    /// Tries all of it, and tells what came of it as a table.
    func table(in test: InterprocessTestCase) throws -> String {
        var table = FaultTable(title)
        var used: Set<Int> = []
        for operation in operations {
            let findings = try FaultFindings(operation, in: test)
            table.add(findings) { finding in
                guard !isAsExpected(finding) else { return nil }
                let reason = reasons.firstIndex { $0.explains(finding, of: operation.name) }
                guard let reason else {
                    let what = "\(title), \(operation.name), \(finding.fault) in \(finding.place)"
                    XCTFail("\(what): \(finding.outcome) is not explained")
                    return nil
                }
                used.insert(reason)
                return reasons[reason].text
            }
        }
        for (index, reason) in reasons.enumerated() where !used.contains(index) {
            XCTFail("\(title): a reason that explains nothing: \(reason)")
        }
        return table.text
    }

    /// Interrupted calls are repeated, and short ones continued; every other error is thrown as its code, and nothing
    /// is the worse for it.
    private func isAsExpected(_ finding: FaultFindings.Finding) -> Bool {
        if let code = SystemCallFaults.codes[finding.fault] {
            return finding.outcome == FaultOutcome(thrown: code, tellsSystemCode: true)
        }
        return finding.outcome == FaultOutcome()
    }
}
#endif
