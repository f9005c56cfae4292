// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import Interprocess
import XCTest

extension InterprocessTestCase {
    /// Two streams connected through a listener that is gone by then.
    func connected(_ name: LocalSocketName) throws -> (server: LocalSocketStream, client: LocalSocketStream) {
        let listener = try LocalSocketListener(name)
        defer { listener.close() }
        let client = try LocalSocketStream.connect(to: name)
        return (try listener.accept(), client)
    }

    /// A listener that has room for one client, and that client.
    func fullListener(_ name: LocalSocketName) throws -> (listener: LocalSocketListener, waiting: LocalSocketStream) {
        var options = LocalSocketListener.Options()
        options.backlog = 0
        let listener = try LocalSocketListener(name, options: options)
        let waiting = try LocalSocketStream.connect(to: name)
        return (listener, waiting)
    }

    /// Options for connecting that wait in a given way.
    func waiting(_ wait: LocalSocketStream.ConnectWait) -> LocalSocketStream.ConnectOptions {
        var options = LocalSocketStream.ConnectOptions()
        options.wait = wait
        return options
    }

    /// Options for listening that replace files in a given way.
    func overwriting(_ overwrite: LocalSocketListener.Overwrite) -> LocalSocketListener.Options {
        var options = LocalSocketListener.Options()
        options.overwrite = overwrite
        return options
    }

    /// Makes a socket's file with nobody behind it, as a crash leaves it.
    func makeStale(_ path: String) {
        let socket = cip_socket(Int64(CIP_STREAM), false)
        XCTAssertEqual(Array(path.utf8).withUnsafeBufferPointer { cip_bind(socket, $0.baseAddress!, $0.count) }, 0)
        _ = cip_close(socket)
    }

    /// The temporary files that a takeover has left in the test's directory.
    var temporaryFiles: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).filter { $0.hasPrefix(".ipc-") }
    }

    /// Skips the test where it cannot start processes of other users.
    func requireRoot() throws {
        if geteuid() != 0 { try skip("only the superuser can start processes of other users") }
    }

    /// Checks that clients of the name reach the listener.
    func assertReached(
        _ listener: LocalSocketListener,
        file: StaticString = #filePath,
        line: UInt = #line
    ) throws {
        let client = try LocalSocketStream.connect(to: try XCTUnwrap(listener.name))
        try client.writeAll("you\n")
        // A probe may have come and gone before.
        for result in listener.incoming.prefix(10) {
            if let text = try result.get().readLine() { return XCTAssertEqual(text, "you", file: file, line: line) }
        }
        XCTFail("the client did not come", file: file, line: line)
    }

    /// Fills the kernel's buffer until nothing more fits; returns how much went in.
    func fill(_ stream: some ByteSender) throws -> Int {
        var count = 0
        let block = [UInt8](repeating: 7, count: 65536)
        while true {
            do { count += try stream.write(block, timeout: .zero) } catch {
                XCTAssertEqual(error.code, .timedOut)
                return count
            }
        }
    }
}

extension InterprocessTestCase {
    /// Waits until a task has received everything that was sent to a stream, and is suspended again.
    func waitUntilAwaitedForMore(_ stream: LocalSocketStream) async throws {
        while try unreadByteCount(stream) > 0 { await Task.yield() }
        await waitUntilAwaited(stream)
    }

    private func unreadByteCount(_ stream: LocalSocketStream) throws -> Int32 {
        try stream.withUnsafeDescriptor { descriptor in
            var count: Int32 = 0
            XCTAssertEqual(ioctl(descriptor, UInt(FIONREAD), &count), 0)
            return count
        }
    }
}

/// What a file is and holds, to see that nothing has touched it.
struct FileImage: Equatable {
    var inode: UInt64
    var mode: UInt32
    var size: Int64
    var owner: UInt32

    /// What is at the path, symbolic links not followed; `nil` if nothing is.
    init?(_ path: String) {
        var found = stat()
        guard lstat(path, &found) == 0 else { return nil }
        inode = UInt64(found.st_ino)
        mode = UInt32(found.st_mode)
        size = Int64(found.st_size)
        owner = found.st_uid
    }

    var permissions: UInt32 { mode & 0o7777 }
    var isSocket: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFSOCK) }
}

extension ChildProcess {
    /// Expects the program to print a line.
    func expect(_ wanted: String, file: StaticString = #filePath, line: UInt = #line) {
        XCTAssertEqual(readLine(), wanted, file: file, line: line)
    }

    /// Ends the program as a crash does.
    func crash(file: StaticString = #filePath, line: UInt = #line) {
        kill(SIGKILL)
        XCTAssertEqual(wait(), -SIGKILL, file: file, line: line)
    }
}

/// How many clients the tests have, as the crate's tests take it from the environment.
enum ClientCount {
    static var total: Int { value("INTERPROCESS_TEST_NUM_CLIENTS") ?? 80 }
    static var concurrent: Int { value("INTERPROCESS_TEST_NUM_CONCURRENT_CLIENTS") ?? 6 }

    private static func value(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    }
}
