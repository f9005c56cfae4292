// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

extension Signal {
    /// Sends the signal to a process.
    ///
    /// The corresponding system call is `kill`.
    ///
    /// - Parameter process: The process's number, of any integer type. Zero and below, which the system would take for
    ///   groups or for everybody, are refused.
    /// - Throws: ``IPCError/Code/notFound`` when there is no such process; ``IPCError/Code/permissionDenied``;
    ///   ``IPCError/Code/invalidArgument`` for a number that no process has, and for a signal that there is none of.
    public func send(to process: some BinaryInteger) throws(IPCError) {
        try post(to: SignalTarget("process", process)) { cip_signal_send($0, $1) }
    }

    /// Sends the signal to all processes of a group that this one may send it to.
    ///
    /// The corresponding system call is `kill`, with the number negated.
    ///
    /// - Parameter group: The group's number, of any integer type: that of the process that leads it, or did. One and
    ///   below, which the system would take for everybody or for this process's own group, are refused.
    /// - Throws: As ``send(to:)`` does.
    public func send(toGroup group: some BinaryInteger) throws(IPCError) {
        try post(to: SignalTarget("process group", group, from: 2)) { cip_signal_send(-$0, $1) }
    }

    #if os(Linux) || os(Android)
    /// Sends the signal to one thread.
    ///
    /// The corresponding system call is `tgkill`.
    ///
    /// - Parameters:
    ///   - thread: The thread's number (`gettid`), of any integer type.
    ///   - process: The number of the process that it is part of.
    /// - Throws: As ``send(to:)`` does.
    public func send(toThread thread: some BinaryInteger, of process: some BinaryInteger) throws(IPCError) {
        let process = try SignalTarget("process", process)
        try post(to: SignalTarget("thread", thread)) { cip_signal_send_to_thread(process.number, $0, $1) }
    }
    #endif

    #if os(Linux) || os(Android) || os(FreeBSD) || os(NetBSD)
    /// Sends the signal to a process, with a value.
    ///
    /// Of real-time signals (``realTime(_:)``) the kernel keeps every one, in order.
    ///
    /// The corresponding system call is `sigqueue`.
    ///
    /// - Parameters:
    ///   - process: The process's number, as for ``send(to:)``.
    ///   - value: What comes with it (`sival_int`).
    /// - Throws: As ``send(to:)`` does; ``IPCError/Code/resourcesExhausted`` while as many signals as may be
    ///   (`RLIMIT_SIGPENDING`) wait to be taken.
    public func send(to process: some BinaryInteger, value: Int32) throws(IPCError) {
        try post(to: SignalTarget("process", process)) { cip_signal_queue($0, $1, value) }
    }
    #endif

    /// Whether there is a process.
    public enum ProcessStatus: Sendable, Hashable {
        /// There is, and this process may send it signals.
        ///
        /// Also one that has ended, until its parent has waited for it.
        case exists
        /// There is, and this process may not send it signals.
        case notPermitted
        /// There is none.
        case notFound
    }

    /// Asks whether there is a process, without sending anything.
    ///
    /// The answer may be out of date when it comes: a process can end at any time, and another one get its number.
    ///
    /// The corresponding system call is `kill`, with the signal 0.
    ///
    /// - Parameter process: The process's number, as for ``send(to:)``.
    /// - Returns: What is there.
    /// - Throws: ``IPCError/Code/invalidArgument`` for a number that no process has.
    public static func status(ofProcess process: some BinaryInteger) throws(IPCError) -> ProcessStatus {
        let target = try SignalTarget("process", process)
        let result = System.call(.signal) { cip_signal_send(target.number, 0) }
        if result >= 0 { return .exists }
        let failure = target.failure(result)
        switch failure.code {
        case .permissionDenied: return .notPermitted
        case .notFound: return .notFound
        default: throw failure
        }
    }

    private func post(to target: SignalTarget, _ call: (Int64, Int64) -> Int64) throws(IPCError) {
        // 0 would be sent to nobody, and yet be no error.
        if Int(cip_signal_nature(Int64(rawValue))) == CIP_SIGNAL_UNKNOWN {
            throw target.refusal("the system has no signal of that number")
        }
        let result = System.call(.signal) { call(target.number, Int64(rawValue)) }
        if result < 0 { throw target.failure(result) }
    }
}

/// Whom a signal is sent to.
private struct SignalTarget {
    let name: String
    let number: Int64

    init(_ kind: String, _ number: some BinaryInteger, from first: Int32 = 1) throws(IPCError) {
        name = kind + " " + number.description
        self.number = Int64(Int32(exactly: number) ?? 0)
        if self.number < first { throw refusal("that is not the number of a single one") }
    }

    func refusal(_ detail: String) -> IPCError { IPCError(.invalidArgument, .signal, name: name, detail: detail) }

    func failure(_ result: Int64) -> IPCError {
        func error(_ code: IPCError.Code, _ detail: String) -> IPCError {
            IPCError(code, .signal, systemCode: -result, name: name, detail: detail)
        }
        if result == -cip_codes.no_process { return error(.notFound, "there is none of that number") }
        return switch IPCError.Code(systemCode: -result) {
        case .permissionDenied: error(.permissionDenied, "this user may not send it signals")
        case .wouldBlock: error(.resourcesExhausted, "as many signals as may be wait to be taken")
        default: IPCError(result: result, .signal, name: name)
        }
    }
}
#endif
