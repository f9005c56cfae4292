// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

extension Signal {
    /// SIGHUP: the terminal is gone; for daemons, by custom: read the configuration again.
    public static var hangup: Signal { Signal(rawValue: cip_signals.hangup) }
    /// SIGINT: Ctrl-C.
    public static var interrupt: Signal { Signal(rawValue: cip_signals.interrupt) }
    /// SIGQUIT: Ctrl-\\.
    public static var quit: Signal { Signal(rawValue: cip_signals.quit) }
    /// SIGILL: an instruction that there is none of; cannot be watched.
    public static var illegalInstruction: Signal { Signal(rawValue: cip_signals.illegal_instruction) }
    /// SIGTRAP: a breakpoint; cannot be watched.
    public static var trap: Signal { Signal(rawValue: cip_signals.trap) }
    /// SIGABRT, as another process sends it; `abort` ends the process even when it is watched.
    public static var abort: Signal { Signal(rawValue: cip_signals.abort) }
    /// SIGBUS: an access to memory that is not there; cannot be watched.
    public static var busError: Signal { Signal(rawValue: cip_signals.bus_error) }
    /// SIGFPE: a calculation that has no result; cannot be watched.
    public static var floatingPointException: Signal { Signal(rawValue: cip_signals.floating_point_exception) }
    /// SIGKILL: ends the process; cannot be watched.
    public static var kill: Signal { Signal(rawValue: cip_signals.kill) }
    /// SIGUSR1: means what programs agree on.
    public static var user1: Signal { Signal(rawValue: cip_signals.user1) }
    /// SIGSEGV: an access to memory that is not allowed; cannot be watched.
    public static var segmentationFault: Signal { Signal(rawValue: cip_signals.segmentation_fault) }
    /// SIGUSR2: means what programs agree on.
    public static var user2: Signal { Signal(rawValue: cip_signals.user2) }
    /// SIGPIPE: a write that nobody can receive.
    ///
    /// Writes by this library raise none.
    public static var pipe: Signal { Signal(rawValue: cip_signals.pipe) }
    /// SIGALRM: the time of `alarm` is over.
    public static var alarm: Signal { Signal(rawValue: cip_signals.alarm) }
    /// SIGTERM: the process is asked to end.
    public static var terminate: Signal { Signal(rawValue: cip_signals.terminate) }
    /// SIGCHLD: a child has ended, stopped, or goes on.
    ///
    /// It stays the program's to wait for (`waitpid`).
    public static var child: Signal { Signal(rawValue: cip_signals.child) }
    /// SIGCONT: the process goes on, having been stopped.
    public static var `continue`: Signal { Signal(rawValue: cip_signals.continue_) }
    /// SIGSTOP: stops the process; cannot be watched.
    public static var stop: Signal { Signal(rawValue: cip_signals.stop) }
    /// SIGTSTP: Ctrl-Z.
    public static var terminalStop: Signal { Signal(rawValue: cip_signals.terminal_stop) }
    /// SIGTTIN: a read from the terminal by a process in the background.
    public static var terminalInput: Signal { Signal(rawValue: cip_signals.terminal_input) }
    /// SIGTTOU: a write to the terminal by a process in the background.
    public static var terminalOutput: Signal { Signal(rawValue: cip_signals.terminal_output) }
    /// SIGURG: urgent data on a socket.
    public static var urgent: Signal { Signal(rawValue: cip_signals.urgent) }
    /// SIGXCPU: more processor time than the limit.
    public static var processorLimit: Signal { Signal(rawValue: cip_signals.processor_limit) }
    /// SIGXFSZ: a longer file than the limit.
    public static var fileSizeLimit: Signal { Signal(rawValue: cip_signals.file_size_limit) }
    /// SIGVTALRM: a timer of the process's own processor time.
    public static var virtualAlarm: Signal { Signal(rawValue: cip_signals.virtual_alarm) }
    /// SIGPROF: a timer of processor time, for profilers.
    public static var profilingAlarm: Signal { Signal(rawValue: cip_signals.profiling_alarm) }
    /// SIGWINCH: the terminal's window has another size.
    public static var windowChange: Signal { Signal(rawValue: cip_signals.window_change) }
    /// SIGIO, also called SIGPOLL: a descriptor is ready.
    public static var io: Signal { Signal(rawValue: cip_signals.io) }
    /// SIGSYS: a system call that is not allowed.
    public static var badSystemCall: Signal { Signal(rawValue: cip_signals.bad_system_call) }

    #if os(Linux) || os(Android) || os(NetBSD)
    /// SIGPWR: the power fails.
    public static var power: Signal { Signal(rawValue: cip_signals.power) }
    #endif

    #if os(Linux) || os(Android)
    /// SIGSTKFLT, which the kernel does not send.
    public static var stackFault: Signal { Signal(rawValue: cip_signals.stack_fault) }
    #else
    /// SIGEMT: an instruction that is to be emulated.
    public static var emulatorTrap: Signal { Signal(rawValue: cip_signals.emulator_trap) }
    /// SIGINFO: Ctrl-T.
    public static var information: Signal { Signal(rawValue: cip_signals.information) }
    #endif
}

#if os(Linux) || os(Android) || os(FreeBSD) || os(NetBSD)
extension Signal {
    /// A real-time signal, which the kernel keeps as often as it was sent, in order, each with a value.
    ///
    /// They are numbered from SIGRTMIN, which is behind those that the C library keeps for itself.
    ///
    /// - Parameter number: Which, from 0 to ``realTimeCount`` less one.
    /// - Returns: The signal.
    /// - Throws: ``IPCError/Code/invalidArgument`` when there is none of that number.
    public static func realTime(_ number: Int) throws(IPCError) -> Signal {
        guard (0..<realTimeCount).contains(number) else {
            throw IPCError(
                .invalidArgument,
                .name,
                name: "SIGRTMIN+\(number)",
                detail: "there are fewer real-time signals than that, numbered from 0"
            )
        }
        return Signal(rawValue: Int32(cip_signal_first_real_time()) + Int32(number))
    }

    /// How many real-time signals there are for programs.
    public static var realTimeCount: Int { Int(cip_signal_last_real_time() - cip_signal_first_real_time()) + 1 }
}
#endif

extension Signal {
    /// What it is called where the headers have no name for it.
    var unnamed: String {
        let first = cip_signal_first_real_time()
        if first >= 0 && rawValue >= first && rawValue <= cip_signal_last_real_time() {
            return "SIGRTMIN+\(Int64(rawValue) - first)"
        }
        return "signal \(rawValue)"
    }
}
#endif
