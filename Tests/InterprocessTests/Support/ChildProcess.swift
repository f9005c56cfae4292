// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

/// A program that runs beside the test, with pipes to its standard input and from its standard output.
///
/// It inherits nothing else. Foundation's `Process` closes descriptors that tests want to see inherited.
final class ChildProcess: @unchecked Sendable {
    let pid: pid_t
    private var input: Int32
    private let output: UnsafeMutablePointer<FILE>
    private var status: Int32?

    /// Starts a program, with descriptors of this process under their numbers in the child, and with variables beside
    /// this process's own.
    init(
        _ program: String,
        _ arguments: [String],
        keeping: [(from: Int32, to: Int32)] = [],
        environment: [String: String] = [:]
    ) throws {
        var toChild: [Int32] = [0, 0]
        var fromChild: [Int32] = [0, 0]
        guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else { throw POSIXError(.EMFILE) }
        for descriptor in toChild + fromChild { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        #else
        var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        for (from, to) in keeping { posix_spawn_file_actions_adddup2(&actions, from, to) }
        // Threads of Dispatch, on which tasks run, block signals, which the program would inherit; and so it would what the
        // tests' own parent ignores, such as SIGHUP under nohup.
        #if canImport(Darwin)
        var attributes: posix_spawnattr_t?
        #else
        var attributes = posix_spawnattr_t()
        #endif
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        var envp = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var pid: pid_t = 0
        let result = posix_spawnp(&pid, program, &actions, &attributes, &argv, &envp)
        close(toChild[0])
        close(fromChild[1])
        guard result == 0 else {
            close(toChild[1])
            close(fromChild[0])
            throw POSIXError(POSIXErrorCode(rawValue: result) ?? .ENOENT)
        }
        self.pid = pid
        input = toChild[1]
        output = fdopen(fromChild[0], "r")
    }

    deinit {
        if status == nil {
            kill(pid, SIGKILL)
            wait()
        }
        closeInput()
        fclose(output)
    }

    /// A program of this package, built beside the tests.
    static func built(
        _ name: String,
        _ arguments: [String],
        keeping: [(from: Int32, to: Int32)] = [],
        environment: [String: String] = [:]
    ) throws -> ChildProcess {
        try ChildProcess(path(ofBuilt: name), arguments, keeping: keeping, environment: environment)
    }

    static func path(ofBuilt name: String) throws -> String {
        let folders = [
            Bundle(for: InterprocessTestCase.self).bundleURL.deletingLastPathComponent(),
            URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent(),
        ]
        let paths = folders.map { $0.appendingPathComponent(name).path }
        return try XCTUnwrap(paths.first { FileManager.default.isExecutableFile(atPath: $0) }, "\(name) is not built")
    }

    /// The helper of these tests: see `Tests/Helpers/test-helper`.
    static func helper(
        _ arguments: String...,
        keeping: [(from: Int32, to: Int32)] = [],
        environment: [String: String] = [:]
    ) throws -> ChildProcess {
        try built("test-helper", arguments, keeping: keeping, environment: environment)
    }

    /// The next line that the program prints, or `nil` when it has closed its output.
    func readLine() -> String? {
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        let count = getline(&line, &capacity, output)
        guard count > 0, let line else { return nil }
        return String(decoding: UnsafeRawBufferPointer(start: line, count: count), as: UTF8.self)
            .trimmingCharacters(in: .newlines)
    }

    /// Everything that the program still prints.
    func readToEnd() -> String {
        var text = ""
        while let line = readLine() { text += line + "\n" }
        return text
    }

    func write(_ text: String) {
        // A program that has ended must not end the test by SIGPIPE: it is blocked here and taken if it came.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        var before = sigset_t()
        pthread_sigmask(SIG_BLOCK, &signals, &before)
        let bytes = Array(text.utf8)
        if Foundation.write(input, bytes, bytes.count) < 0 && errno == EPIPE {
            var taken: Int32 = 0
            sigwait(&signals, &taken)
        }
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }

    func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    func kill(_ signal: Int32 = SIGKILL) { Foundation.kill(pid, signal) }

    /// Waits for the end of the program.
    ///
    /// - Returns: Its exit status, or the negated number of the signal that ended it.
    @discardableResult
    func wait() -> Int32 {
        if let status { return status }
        var raw: Int32 = 0
        while waitpid(pid, &raw, 0) < 0 && errno == EINTR {}
        let result = raw & 0x7f == 0 ? (raw >> 8) & 0xff : -(raw & 0x7f)
        status = result
        return result
    }

    private func kill(_ pid: pid_t, _ signal: Int32) { Foundation.kill(pid, signal) }
}

/// Skips the test where an outside program is missing.
///
/// Where the variable `INTERPROCESS_NO_SKIPS` is set, as in CI, that fails it.
func requireProgram(_ name: String) throws {
    for folder in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    where FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)") { return }
    try skip("the program \(name) is not installed")
}

/// Skips the test, which fails it where the variable `INTERPROCESS_NO_SKIPS` is set.
func skip(_ reason: String) throws {
    if ProcessInfo.processInfo.environment["INTERPROCESS_NO_SKIPS"] != nil {
        XCTFail("skipped, where nothing may be: \(reason)")
    }
    throw XCTSkip(reason)
}
