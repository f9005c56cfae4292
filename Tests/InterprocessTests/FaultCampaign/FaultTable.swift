// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
@testable import Interprocess

/// What the campaign found out about one primitive, as it stands in the documentation.
struct FaultTable {
    private let title: String
    private var rows: [String] = []
    private var notes: [String] = []
    private var faults = 0
    private var interruptions = 0
    private var shortTransfers = 0

    init(_ title: String) { self.title = title }

    /// What several calls in a row have in common.
    private struct Behaviour: Equatable {
        var thrown: [String] = []
        /// Each other outcome, with the errors that it comes of.
        var others: [(text: String, faults: [String])] = []

        static func == (one: Behaviour, other: Behaviour) -> Bool {
            one.thrown == other.thrown && one.others.elementsEqual(other.others) { $0 == $1 }
        }
    }

    /// Adds an operation; `reason` tells why an outcome is another one than the error's code.
    mutating func add(_ found: FaultFindings, reason: (FaultFindings.Finding) -> String?) {
        var behaviours: [(place: FaultPlace, behaviour: Behaviour)] = []
        for finding in found.findings {
            count(finding)
            if behaviours.last?.place != finding.place {
                if let index = behaviours.firstIndex(where: { $0.place == finding.place }) {
                    // What comes up short was tried after everything else.
                    note(finding, reason(finding), in: &behaviours[index].behaviour)
                    continue
                }
                behaviours.append((finding.place, Behaviour()))
            }
            note(finding, reason(finding), in: &behaviours[behaviours.count - 1].behaviour)
        }
        let after = found.operation.makes ? "gone" : "usable"
        if behaviours.isEmpty { rows.append("| \(found.operation.name) | none | | | |") }
        var name = "\(found.operation.name)"
        for (label, behaviour) in grouped(behaviours) {
            let unusual = behaviour.others.flatMap(\.faults).filter { SystemCallFaults.codes[$0] != nil }
            let thrown = behaviour.thrown.isEmpty ? "none" : unusual.isEmpty ? "all" : "all others"
            let others = behaviour.others.map { other in
                let isAll = behaviour.thrown.isEmpty && other.faults.elementsEqual(unusual)
                return "\(isAll ? "all" : other.faults.joined(separator: " ")): \(other.text)"
            }
            let state = behaviour.thrown.isEmpty ? "" : after
            rows.append("| \(name) | \(label) | \(thrown) | \(state) | \(others.joined(separator: "; ")) |")
            name = ""
        }
    }

    private mutating func count(_ finding: FaultFindings.Finding) {
        switch finding.fault {
        case "short": shortTransfers += 1
        case "EINTR": interruptions += 1
        default: faults += 1
        }
    }

    private mutating func note(_ finding: FaultFindings.Finding, _ reason: String?, in behaviour: inout Behaviour) {
        guard let reason else {
            if SystemCallFaults.codes[finding.fault] != nil { behaviour.thrown.append(finding.fault) }
            return
        }
        let place = notes.firstIndex(of: reason) ?? notes.count
        if place == notes.count { notes.append(reason) }
        let text = "\(finding.outcome.text) (\(place + 1))"
        if let index = behaviour.others.firstIndex(where: { $0.text == text }) {
            behaviour.others[index].faults.append(finding.fault)
        } else {
            behaviour.others.append((text, [finding.fault]))
        }
    }

    /// Calls of a kind, one after another, with which the same happens, under one label.
    private func grouped(_ all: [(place: FaultPlace, behaviour: Behaviour)]) -> [(String, Behaviour)] {
        var groups: [(call: System.Call, first: Int, last: Int, behaviour: Behaviour)] = []
        for (place, behaviour) in all.sorted(by: { place($0.place, in: all) < place($1.place, in: all) }) {
            if let last = groups.last, last.call == place.call, last.behaviour == behaviour {
                groups[groups.count - 1].last = place.occurrence
            } else {
                groups.append((place.call, place.occurrence, place.occurrence, behaviour))
            }
        }
        return groups.map { group in
            let isOnly = groups.count { $0.call == group.call } == 1
            let count = group.last - group.first + 1
            let which =
                isOnly
                ? count == 1 ? "" : " (\(count) times)"
                : count == 1 ? " \(group.first + 1)" : " \(group.first + 1) to \(group.last + 1)"
            return ("`\(group.call)`\(which)", group.behaviour)
        }
    }

    /// Kinds of calls in the order in which they are first made, and the calls of a kind together.
    private func place(
        _ place: FaultPlace,
        in all: [(place: FaultPlace, behaviour: Behaviour)]
    ) -> (Int, Int) {
        (all.firstIndex { $0.place.call == place.call } ?? 0, place.occurrence)
    }

    /// The two tables that all the others refer to.
    static var legend: (errors: String, calls: String) {
        var byCode: [(code: IPCError.Code, errors: [String])] = []
        for (error, code) in SystemCallFaults.errors {
            if let index = byCode.firstIndex(where: { $0.code == code }) {
                byCode[index].errors.append(error.name)
            } else {
                byCode.append((code, [error.name]))
            }
        }
        let codes = byCode.map { "| ``IPCError/Code/\($0.code)`` | \($0.errors.joined(separator: ", ")) |" }
        let calls = SystemCallFaults.kinds.map { kind in
            "| `\(kind.call)` | \(kind.calls) | \(kind.errors.map(\.name).joined(separator: ", ")) |"
        }
        func table(_ title: String, _ head: String, _ rows: [String]) -> String {
            let columns = head.split(separator: "|").map { _ in "---" }.joined(separator: " | ")
            return (["## \(title)", "", "| \(head) |", "| \(columns) |"] + rows).joined(separator: "\n") + "\n"
        }
        return (
            table("Errors and their codes", "thrown | errors of the system", codes),
            table("Calls and their errors", "call | system calls | errors that are tried", calls)
        )
    }

    var text: String {
        var lines = ["## \(title)", ""]
        lines.append(
            """
            Tried: \(faults) errors, \(interruptions) interruptions, \(shortTransfers) transfers that come up short.
            """
        )
        lines += [
            "", "| operation | call | errors thrown | afterwards | other outcomes |", "| --- | --- | --- | --- | --- |",
        ]
        lines += rows
        if !notes.isEmpty { lines.append("") }
        for (index, note) in notes.enumerated() { lines.append("\(index + 1). \(note)") }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension FaultOutcome {
    fileprivate var text: String {
        var text = thrown.map { "`.\($0)`" } ?? "succeeds"
        if let afterwards { text += afterwards == .closed ? ", then closed" : ", then `.\(afterwards)`" }
        if leavesFile { text += ", and a file stays" }
        if turnsAway { text += ", with the next client" }
        return text
    }
}
#endif
