// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess
import Synchronization

/// What the parts of an awaited round trip cost on this machine, which the ratios of the awaited rows are made of.
enum Prices {
    private static let count = 200_000

    static func table() async throws -> Table {
        var table = Table(["what it costs", "nanoseconds"], words: 1)
        for price in 0..<Int64(CB_PRICE_COUNT) {
            let name = String(cString: cb_price_name(price))
            add(try check(cb_price(price, Int64(count)), name), name, to: &table)
        }
        let onLoop = try await Task(executorPreference: EventLoop.shared) { try await concurrency() }.value
        for (name, nanoseconds) in onLoop { add(nanoseconds, name, to: &table) }
        return table
    }

    private static func add(_ nanoseconds: Int64, _ name: String, to table: inout Table) {
        table.add([name, fixed(Double(nanoseconds) / Double(count), 0)])
    }

    /// Measured by a task on an event loop's thread.
    private static func concurrency() async throws -> [(String, Int64)] {
        let mutex = Mutex(0)
        let (near, far) = try LocalSocketStream.pair()
        try await far.writeAll([UInt8](repeating: 0, count: 1))
        return [
            ("Mutex, locked and unlocked", await time { mutex.withLock { $0 &+= 1 } }),
            ("Task.isCancelled", await time { _ = Task.isCancelled }),
            ("withUnsafeCurrentTask", await time { withUnsafeCurrentTask { _ in } }),
            ("a call of an async function", await time { await nothing() }),
            ("withUnsafeContinuation, resumed at once", await time { await withUnsafeContinuation { $0.resume() } }),
            (
                "withTaskCancellationHandler",
                await time { await withTaskCancellationHandler(operation: nothing, onCancel: {}) }
            ),
            ("Task.yield: to suspend and resume on the loop", await time { await Task.yield() }),
            ("a task made and awaited", await time { await Task(executorPreference: EventLoop.shared) {}.value }),
            ("an awaited call that need not wait: write of 0 bytes", await time { _ = try? await near.write([]) }),
        ]
    }

    private static func time(_ body: () async -> Void) async -> Int64 {
        for _ in 0..<count / 10 { await body() }
        let start = cb_now()
        for _ in 0..<count { await body() }
        return cb_now() - start
    }

    @inline(never)
    private static func nothing() async {}
}
