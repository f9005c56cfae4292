// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

// Windows has no signals of its own: what there is comes from the C runtime and from the console.

extension Signal {
    /// SIGINT: Ctrl-C, or `raise`.
    public static var interrupt: Signal { Signal(rawValue: 2) }
    /// SIGILL; cannot be watched.
    public static var illegalInstruction: Signal { Signal(rawValue: 4) }
    /// SIGFPE; cannot be watched.
    public static var floatingPointException: Signal { Signal(rawValue: 8) }
    /// SIGSEGV; cannot be watched.
    public static var segmentationFault: Signal { Signal(rawValue: 11) }
    /// SIGTERM, which only `raise` brings.
    public static var terminate: Signal { Signal(rawValue: 15) }
    /// SIGBREAK: Ctrl-Break, or `raise`.
    public static var `break`: Signal { Signal(rawValue: 21) }
    /// SIGABRT, by `raise`; `abort` ends the process even when it is watched.
    public static var abort: Signal { Signal(rawValue: 22) }
    /// The console's window closes (`CTRL_CLOSE_EVENT`).
    ///
    /// The system ends the process after some seconds: do what is to be done, and exit.
    public static var consoleClose: Signal { console(2) }
    /// The user logs off (`CTRL_LOGOFF_EVENT`), which only services are told of.
    ///
    /// The system ends the process after some seconds.
    public static var logoff: Signal { console(5) }
    /// The system shuts down (`CTRL_SHUTDOWN_EVENT`), which only services are told of.
    ///
    /// The system ends the process after some seconds.
    public static var shutdown: Signal { console(6) }

    /// Console events that are no signals to the runtime are numbered behind those that are.
    private static func console(_ event: Int32) -> Signal { Signal(rawValue: Int32(CIP_SIGNAL_CONSOLE) + event) }

    /// What it is called where the runtime has no name for it.
    var unnamed: String { "signal " + rawValue.description }
}

/// A signal that came.
public struct SignalInfo: Sendable, Hashable {
    /// The signal.
    public let signal: Signal

    /// How many signals the watcher has lost, for want of room, between the one before and this one.
    public let lostBefore: Int

    init(_ record: cip_signal_record, lostBefore: Int) {
        signal = Signal(rawValue: Int32(record.number))
        self.lostBefore = lostBefore
    }
}
#endif
