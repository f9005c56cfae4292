// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// The article in the documentation that has the campaign's tables.
enum FaultDocument {
    /// Set to have the tables written anew.
    static let variable = "INTERPROCESS_WRITE_FAULTS"

    private static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../Sources/Interprocess/Interprocess.docc/Faults.md").standardized.path

    /// Each section begins with its title, and ends where the next one begins.
    static func read() throws -> (head: String, sections: [(title: String, text: String)]) {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let parts = text.components(separatedBy: "\n## ")
        let sections = parts.dropFirst().map { part in
            (String(part.prefix { $0 != "\n" }), "## " + part.trimmingCharacters(in: .newlines) + "\n")
        }
        return (parts[0].trimmingCharacters(in: .newlines) + "\n", sections)
    }

    /// Expects a section to be in the article as it was found out, or puts it there.
    static func expect(_ title: String, _ found: String) throws {
        var (head, sections) = try read()
        let index = sections.firstIndex { $0.title == title }
        guard ProcessInfo.processInfo.environment[variable] != nil else {
            let written = index.map { sections[$0].text } ?? ""
            if written == found { return }
            let lines = Set(written.split(separator: "\n"))
            let new = found.split(separator: "\n").filter { !lines.contains($0) }
            let old = written.split(separator: "\n").filter { !found.split(separator: "\n").contains($0) }
            XCTFail(
                """
                "\(title)" in Faults.md is not what the campaign finds. Run it with \(variable)=1, and look at the \
                difference.
                found:   \(new.joined(separator: "\n         "))
                written: \(old.joined(separator: "\n         "))
                """
            )
            return
        }
        if let index { sections[index].text = found } else { sections.append((title, found)) }
        let all = ([head] + sections.map(\.text)).joined(separator: "\n")
        try all.write(toFile: path, atomically: true, encoding: .utf8)
    }
}
#endif
