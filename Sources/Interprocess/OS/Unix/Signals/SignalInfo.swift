// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// A signal that came, and what the kernel tells of it (`siginfo_t`).
public struct SignalInfo: Sendable, Hashable {
    /// The signal.
    public let signal: Signal

    /// Where it comes from.
    public let cause: Cause

    /// The system's own code of the cause (`si_code`).
    public let code: Int32

    /// The process that sent it, or the child that it is about.
    ///
    /// `nil` where the kernel names none: signals of the kernel itself, of terminals and of timers, and those from a
    /// process in a namespace that cannot be seen from here.
    public let processID: Int32?

    /// The real user of that process, `nil` where there is none to be named.
    public let userID: UInt32?

    /// The number that came with it, from `sigqueue`, a timer or a message queue; else `nil`.
    public let value: Int32?

    /// How many signals the watcher has lost, for want of room, between the one before and this one.
    public let lostBefore: Int

    /// Where a signal comes from.
    ///
    /// More cases may come.
    @nonexhaustive
    public enum Cause: Sendable, Hashable {
        /// A process, by `kill`.
        case kill
        /// A process, by `sigqueue`.
        case queue
        /// A thread, to a thread, by `tgkill` or `pthread_kill`; also `raise`.
        case thread
        /// A timer, of `timer_create`.
        case timer
        /// A message queue that is empty no longer.
        case messageQueue
        /// An asynchronous transfer that has ended.
        case asynchronousIO
        /// A child.
        case child(ChildChange)
        /// The kernel, a terminal, or what ``SignalInfo/code`` says.
        case system
    }

    /// What has become of a child.
    ///
    /// More cases may come.
    @nonexhaustive
    public enum ChildChange: Sendable, Hashable {
        /// It has ended with that exit status.
        case exited(status: Int32)
        /// A signal has ended it.
        case killed(by: Signal)
        /// A signal has ended it, with a core dump.
        case dumped(by: Signal)
        /// It has come to a point where its debugger wants it to stop.
        case trapped(by: Signal)
        /// A signal has stopped it.
        case stopped(by: Signal)
        /// It goes on.
        case continued
    }

    init(_ record: cip_signal_record, lostBefore: Int) {
        let cause = Cause(record)
        signal = Signal(rawValue: Int32(record.number))
        self.cause = cause
        code = record.code
        processID = record.process > 0 ? record.process : nil
        userID = record.process > 0 ? record.user : nil
        value = cause.hasValue ? record.value : nil
        self.lostBefore = lostBefore
    }
}

extension SignalInfo.Cause {
    fileprivate init(_ record: cip_signal_record) {
        let other = Signal(rawValue: record.value)
        self =
            switch Int(record.cause) {
            case CIP_SIGNAL_BY_KILL: .kill
            case CIP_SIGNAL_BY_QUEUE: .queue
            case CIP_SIGNAL_BY_THREAD: .thread
            case CIP_SIGNAL_BY_TIMER: .timer
            case CIP_SIGNAL_BY_MESSAGE_QUEUE: .messageQueue
            case CIP_SIGNAL_BY_ASYNCHRONOUS_IO: .asynchronousIO
            case CIP_SIGNAL_BY_CHILD_EXITED: .child(.exited(status: record.value))
            case CIP_SIGNAL_BY_CHILD_KILLED: .child(.killed(by: other))
            case CIP_SIGNAL_BY_CHILD_DUMPED: .child(.dumped(by: other))
            case CIP_SIGNAL_BY_CHILD_TRAPPED: .child(.trapped(by: other))
            case CIP_SIGNAL_BY_CHILD_STOPPED: .child(.stopped(by: other))
            case CIP_SIGNAL_BY_CHILD_CONTINUED: .child(.continued)
            default: .system
            }
    }

    fileprivate var hasValue: Bool {
        switch self {
        case .queue, .timer, .messageQueue, .asynchronousIO: true
        default: false
        }
    }
}
#endif
