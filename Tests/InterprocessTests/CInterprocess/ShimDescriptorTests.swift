// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

/// The contract of the C functions: results, close-on-exec, modes.
final class ShimDescriptorTests: InterprocessTestCase {
    /// Paths are relative to no directory but the current one.
    private let nowhere = Int64(CIP_NO_DIRECTORY)

    private func assertClosedOnExec(_ descriptor: Int64, line: UInt = #line) {
        XCTAssertGreaterThanOrEqual(descriptor, 0, line: line)
        XCTAssertEqual(fcntl(Int32(descriptor), F_GETFD), FD_CLOEXEC, line: line)
    }

    func testFailuresAreNegatedErrorCodes() {
        let bad: Int64 = 1 << 20
        var status = cip_file_status()
        var byte: UInt8 = 0
        var credentials = cip_credentials()
        var message = cip_message()
        let results: [(String, Int64, Int32)] = [
            ("close", cip_close(bad), EBADF), ("close", cip_close(-1), EBADF),
            ("duplicate", cip_duplicate(bad), EBADF), ("inheritable", cip_set_inheritable(bad, true), EBADF),
            ("nonblocking", cip_set_nonblocking(bad, true), EBADF),
            ("status", cip_descriptor_status(bad, &status), EBADF), ("mode", cip_access_mode(bad), EBADF),
            ("read", cip_read(bad, &byte, 1), EBADF), ("pipe read", cip_pipe_read(bad, &byte, 1), EBADF),
            ("read pieces", cip_read_pieces(bad, [cip_buffer()], 1), EBADF),
            ("pipe write", cip_pipe_write(bad, &byte, 1, false), EBADF),
            ("pipe write", cip_pipe_write(bad, &byte, 1, true), EBADF),
            ("receive", cip_receive(bad, &byte, 1, false), EBADF),
            ("send", cip_send(bad, &byte, 1, false), EBADF), ("accept", cip_accept(bad), EBADF),
            ("listen", cip_listen(bad, 1), EBADF), ("bind", cip_bind(bad, [0x61], 1), EBADF),
            ("connect", cip_connect(bad, [0x61], 1), EBADF), ("shutdown", cip_shutdown(bad, 2), EBADF),
            ("error", cip_socket_error(bad), EBADF), ("type", cip_socket_type(bad), EBADF),
            ("listens", cip_socket_listens(bad), EBADF), ("address", cip_local_address(bad, &byte), EBADF),
            ("credentials", cip_peer_credentials(bad, &credentials), EBADF),
            ("groups", cip_peer_groups(bad, nil, 0), EBADF), ("label", cip_peer_label(bad, &byte, 1), EBADF),
            ("process", cip_peer_process(bad), EBADF), ("lock", cip_try_lock(bad), EBADF),
            ("capacity", cip_pipe_capacity(bad), EBADF), ("set capacity", cip_set_pipe_capacity(bad, 4096), EBADF),
            ("set capacity", cip_set_pipe_capacity(bad, -1), EINVAL),
            ("set capacity", cip_set_pipe_capacity(bad, 1 << 40), EINVAL),
            ("send timeout", cip_set_send_timeout(bad, 1), EBADF),
            ("pass credentials", cip_set_option(bad, Int64(CIP_OPTION_CREDENTIALS), 1), EBADF),
            ("send message", cip_send_message(bad, &message, false), EBADF),
            ("receive message", cip_receive_message(bad, &message, false), EBADF),
            ("unlink", cip_unlink(nowhere, path("none")), ENOENT),
            ("rename", cip_rename(nowhere, path("none"), path("x")), ENOENT),
            ("directory", cip_make_directory(path("a/b"), 0o700), ENOENT),
            ("directory", cip_make_directory(directory, 0o700), EEXIST),
            ("open directory", cip_open_directory(path("none")), ENOENT),
            ("status", cip_file_status(nowhere, path("none"), &status), ENOENT),
            ("FIFO", cip_make_fifo(nowhere, path("a/b"), 0o600), ENOENT),
            ("open FIFO", cip_open_fifo(path("a"), true), ENOENT),
            ("open FIFO", cip_open_fifo("/dev/null", false), EINVAL),
        ]
        for (what, result, expected) in results { XCTAssertEqual(result, -Int64(expected), what) }
    }

    func testSuccessIsNotNegative() {
        XCTAssertGreaterThan(cip_own_process(), 0)
        XCTAssertEqual(cip_own_process(), Int64(getpid()))
        XCTAssertEqual(cip_own_user(), Int64(geteuid()))
        XCTAssertEqual(cip_own_group(), Int64(getegid()))
        XCTAssertGreaterThanOrEqual(cip_now(), 0)
        XCTAssertLessThanOrEqual(cip_now(), cip_now())
        XCTAssertNotEqual(cip_random(), cip_random())
    }

    /// One of every kind is made, and no child would get any.
    func testEverythingMadeIsClosedOnExec() {
        var made: [Int64] = [cip_socket(Int64(CIP_STREAM), false), cip_socket(Int64(CIP_DATAGRAM), true)]
        var ends: [Int64] = [-1, -1]
        for type in [CIP_STREAM, CIP_DATAGRAM, CIP_SEQUENCED_PACKETS] {
            XCTAssertEqual(cip_socket_pair(Int64(type), &ends), 0)
            made += ends
        }
        XCTAssertEqual(cip_pipe(&ends), 0)
        made += ends
        made.append(cip_duplicate(ends[0]))
        #if os(Linux)
        made += [cip_pipe_reopen(ends[0]), cip_pipe_reopen(ends[1])]
        #else
        XCTAssertEqual(cip_pipe_reopen(ends[0]), -Int64(ENOSYS))
        #endif
        made.append(cip_open_directory(directory))
        XCTAssertEqual(cip_make_fifo(nowhere, path("fifo"), 0o600), 0)
        made.append(cip_open_fifo(path("fifo"), true))
        made.append(cip_open_fifo(path("fifo"), false))

        let listener = cip_socket(Int64(CIP_STREAM), true)
        let address = Array(path("s").utf8)
        XCTAssertEqual(cip_bind(listener, address, address.count), 0)
        XCTAssertEqual(cip_listen(listener, -1), 0)
        let client = cip_socket(Int64(CIP_STREAM), false)
        XCTAssertEqual(cip_connect(client, address, address.count), 0)
        let accepted = cip_accept(listener)
        made += [listener, client, accepted]
        #if os(Linux)
        made.append(cip_peer_process(client))
        #endif
        for descriptor in made { assertClosedOnExec(descriptor) }
        // The listener's mode is not handed on.
        XCTAssertEqual(fcntl(Int32(accepted), F_GETFL) & O_NONBLOCK, 0)
        for descriptor in made { XCTAssertEqual(cip_close(descriptor), 0) }

        let wake = cip_wake_create()
        assertClosedOnExec(wake & 0x7FFF_FFFF)
        assertClosedOnExec(wake >> 32)
        cip_wake_destroy(wake)
    }

    /// Which would be no limit at all.
    func testATimeLimitIsNotRoundedDown() {
        var ends: [Int64] = [-1, -1]
        XCTAssertEqual(cip_socket_pair(Int64(CIP_STREAM), &ends), 0)
        defer { for end in ends { _ = cip_close(end) } }
        for limit in [1, 999, 1000, 1001, 999_999_999, 1_000_000_001] as [Int64] {
            XCTAssertEqual(cip_set_send_timeout(ends[0], limit), 0)
            var set = timeval()
            var size = socklen_t(MemoryLayout<timeval>.size)
            XCTAssertEqual(getsockopt(Int32(ends[0]), SOL_SOCKET, SO_SNDTIMEO, &set, &size), 0)
            XCTAssertGreaterThanOrEqual(Int64(set.tv_sec) * 1_000_000_000 + Int64(set.tv_usec) * 1000, limit)
        }
    }

    /// The mode is set and cleared, and nothing else of the flags is.
    func testNonblockingMode() {
        var pipe: [Int64] = [-1, -1]
        var sockets: [Int64] = [-1, -1]
        XCTAssertEqual(cip_pipe(&pipe), 0)
        XCTAssertEqual(cip_socket_pair(Int64(CIP_STREAM), &sockets), 0)
        for descriptor in pipe + sockets {
            XCTAssertEqual(fcntl(Int32(descriptor), F_SETFL, O_APPEND), 0)
            let before = fcntl(Int32(descriptor), F_GETFL)
            XCTAssertEqual(before & (O_APPEND | O_NONBLOCK), O_APPEND)
            for wanted in [true, true, false, false, true] {
                XCTAssertEqual(cip_set_nonblocking(descriptor, wanted), 0)
                XCTAssertEqual(fcntl(Int32(descriptor), F_GETFL), wanted ? before | O_NONBLOCK : before)
            }
            // Those who set it otherwise agree.
            XCTAssertEqual(fcntl(Int32(descriptor), F_SETFL, before), 0)
            XCTAssertEqual(fcntl(Int32(descriptor), F_GETFL), before)
        }
        for descriptor in pipe + sockets { _ = cip_close(descriptor) }
    }

    func testInheritance() {
        var ends: [Int64] = [-1, -1]
        XCTAssertEqual(cip_pipe(&ends), 0)
        XCTAssertEqual(cip_set_inheritable(ends[0], true), 0)
        XCTAssertEqual(fcntl(Int32(ends[0]), F_GETFD), 0)
        // A duplicate is a new one.
        let copy = cip_duplicate(ends[0])
        assertClosedOnExec(copy)
        XCTAssertEqual(cip_set_inheritable(ends[0], false), 0)
        assertClosedOnExec(ends[0])
        for descriptor in ends + [copy] { _ = cip_close(descriptor) }
    }

    func testAccessModesAndKinds() {
        var ends: [Int64] = [-1, -1]
        var sockets: [Int64] = [-1, -1]
        XCTAssertEqual(cip_pipe(&ends), 0)
        XCTAssertEqual(cip_socket_pair(Int64(CIP_STREAM), &sockets), 0)
        XCTAssertEqual(cip_access_mode(ends[0]), 1)
        XCTAssertEqual(cip_access_mode(ends[1]), 2)
        XCTAssertEqual(cip_access_mode(sockets[0]), 3)
        let folder = cip_open_directory(directory)
        for (descriptor, kind) in [
            (ends[0], CIP_KIND_FIFO), (sockets[0], CIP_KIND_SOCKET), (folder, CIP_KIND_DIRECTORY),
        ] {
            var status = cip_file_status()
            XCTAssertEqual(cip_descriptor_status(descriptor, &status), 0)
            XCTAssertEqual(status.kind, Int64(kind))
            XCTAssertEqual(status.owner, geteuid())
        }
        XCTAssertEqual(cip_socket_type(ends[0]), -Int64(ENOTSOCK))
        for descriptor in ends + sockets + [folder] { _ = cip_close(descriptor) }
    }

    func testPollAndWakes() {
        var ends: [Int64] = [-1, -1]
        XCTAssertEqual(cip_pipe(&ends), 0)
        let wake = cip_wake_create()
        XCTAssertEqual(cip_poll(ends[0], Int64(CIP_READABLE), wake, 0), 0)
        XCTAssertEqual(cip_poll(ends[1], Int64(CIP_WRITABLE), wake, -1), Int64(CIP_POLL_READY))
        let start = cip_now()
        XCTAssertEqual(cip_poll(-1, Int64(CIP_READABLE), -1, 2_000_001), 0)
        XCTAssertGreaterThanOrEqual(cip_now() - start, 2_000_001)
        for _ in 0..<3 {
            XCTAssertGreaterThanOrEqual(cip_wake_signal(wake), 0)
            // For good: it is not used up by being seen.
            XCTAssertEqual(cip_poll(ends[0], Int64(CIP_READABLE), wake, -1), Int64(CIP_POLL_WOKEN))
        }
        _ = cip_close(ends[1])
        let both = Int64(CIP_POLL_WOKEN | CIP_POLL_READY)
        XCTAssertEqual(cip_poll(ends[0], Int64(CIP_READABLE), wake, -1), both, "a failed descriptor is ready")
        cip_wake_destroy(wake)
        _ = cip_close(ends[0])
    }

    func testPathModeDoesNotFollowLinks() throws {
        XCTAssertTrue(FileManager.default.createFile(atPath: path("file"), contents: nil))
        XCTAssertEqual(chmod(path("file"), 0o644), 0)
        try FileManager.default.createSymbolicLink(atPath: path("link"), withDestinationPath: path("file"))
        XCTAssertLessThan(cip_change_file_mode(nowhere, path("link"), 0o777), 0)
        XCTAssertEqual(cip_change_file_mode(nowhere, path("file"), 0o600), 0)
        var status = cip_file_status()
        XCTAssertEqual(cip_file_status(nowhere, path("file"), &status), 0)
        XCTAssertEqual(status.mode, 0o600)
    }
}
