// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Tells what this system lets the library do, as found out by doing it: for reports of bugs.
//
//     swift run inspect            # a table
//     swift run inspect --json

import Foundation

var findings = Inspection().system()
#if !os(Windows)
findings += Inspection().unix()
#endif
findings += Inspection().everywhere()

switch CommandLine.arguments.dropFirst() {
case []:
    let width = findings.map(\.subject.count).max() ?? 0
    for finding in findings {
        print(finding.subject.padding(toLength: width, withPad: " ", startingAt: 0), finding.result, separator: "  ")
    }
case ["--json"]:
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(findings), as: UTF8.self))
default:
    FileHandle.standardError.write(Data("usage: inspect [--json]\n".utf8))
    exit(2)
}
