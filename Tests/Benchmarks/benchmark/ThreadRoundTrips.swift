// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

/// Round trips between two threads of this process by pipes that were made here and never lent out, so that the library
/// reads them as C does: by a call that waits in the kernel.
struct ThreadRoundTrips {
    let size: Int
    let count: Int

    func sample(_ side: Side) throws -> Sample {
        switch side {
        case .c:
            var there: [Int32] = [-1, -1]
            var back: [Int32] = [-1, -1]
            try check(cb_pipe(&there), "making a pipe")
            try check(cb_pipe(&back), "making a pipe")
            let echo = cb_link(input: there[0], output: back[1], is_socket: false)
            let other = try EchoThread { [size] in
                _ = try withMemory(size) { try check(cb_echo(echo, $0.base, size), "the echo") }
            }
            let sample = try timeInC(cb_link(input: back[0], output: there[1], is_socket: false), size, count)
            cb_close(there[1])
            try other.finish()
            for descriptor in [there[0], back[0], back[1]] { cb_close(descriptor) }
            return sample
        case .library:
            let there = try UnnamedPipe.create()
            let back = try UnnamedPipe.create()
            let echo = LibraryLink(receiver: there.receiver, sender: back.sender)
            let other = try EchoThread { [size] in try withMemory(size) { try echo.echo($0) } }
            let sample = try timeWithLibrary(
                LibraryLink(receiver: back.receiver, sender: there.sender),
                size,
                count
            )
            there.sender.close()
            try other.finish()
            for end in [there.receiver, back.receiver] { end.close() }
            back.sender.close()
            return sample
        }
    }
}

/// A thread, with what it runs.
private final class EchoThread {
    private final class Work: Sendable {
        let body: @Sendable () throws -> Void
        init(_ body: @escaping @Sendable () throws -> Void) { self.body = body }
    }

    private var thread: UInt64 = 0

    init(_ body: @escaping @Sendable () throws -> Void) throws {
        let work = Unmanaged.passRetained(Work(body))
        let started = cb_thread_start(
            { context in
                guard let context else { return }
                let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
                do { try work.body() } catch {
                    // The thread that measures waits for an answer that will not come.
                    cb_complain("the other thread: \(error)")
                    cb_fail()
                }
            },
            work.toOpaque(),
            &thread
        )
        if started < 0 { work.release() }
        try check(started, "starting a thread")
    }

    func finish() throws { cb_thread_join(thread) }
}
