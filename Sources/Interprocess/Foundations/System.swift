// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

#if os(Windows)
/// A handle, as system calls take it.
public typealias RawDescriptor = Int64
#else
/// A descriptor, as system calls take it.
public typealias RawDescriptor = Int32
#endif

/// The layer between this library and the system's calls: the one place where interrupted calls are repeated, and where
/// debug builds make calls fail.
enum System {
    /// The most that one call moves: larger counts are an error on some systems.
    static let maximumTransfer = 1 << 30

    /// The calls that can be told apart by fault injection.
    enum Call: Sendable, Hashable {
        case socket, bind, listen, accept, connect, receive, send, message, poll, pipe, pipeRead, pipeWrite, duplicate,
            wake, file, option, credentials, lock, memory, signal, spawn, process, watch, thread
    }

    /// Makes a call, again and again while a signal interrupts it.
    ///
    /// - Returns: What the call returned: a value, or a negated error code that is not EINTR.
    @inline(__always)
    static func call(_ call: Call, _ body: () -> Int64) -> Int64 {
        while true {
            let result = once(call, body)
            if result != -cip_codes.interrupted { return result }
        }
    }

    /// Makes a call that is not to be repeated blindly, for it has to know how much time is left.
    @inline(__always)
    static func once(_ call: Call, _ body: () -> Int64) -> Int64 {
        #if INTERPROCESS_FAULT_INJECTION
        if let result = FaultInjection.result(of: call) { return result }
        #endif
        return body()
    }

    /// Makes a call that moves bytes: at most `maximumTransfer` of them, or fewer where debug builds say so.
    @inline(__always)
    static func transfer(_ call: Call, _ count: Int, _ body: (Int) -> Int64) -> Int64 {
        var count = min(count, maximumTransfer)
        #if INTERPROCESS_FAULT_INJECTION
        count = FaultInjection.shortened(call, count)
        #endif
        return self.call(call) { body(count) }
    }
}
