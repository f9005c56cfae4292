// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess
internal import CWindowsTests

let signalTests = [
    Test("signals that are raised come, one after another") { () throws(IPCError) in
        let watched: [Signal] = [.interrupt, .terminate, .break, .abort]
        let signals = try Signals(watched)
        for _ in 1...3 {
            for signal in watched {
                signal.raise()
                checkNext(signals, signal)
            }
        }
        for signal in watched { signal.raise() }
        for signal in watched { checkNext(signals, signal) }
        checkThrows(.timedOut) { () throws(IPCError) in try signals.next(timeout: .zero) }
    },
    Test("two watchers receive the same signal") { () throws(IPCError) in
        let one = try Signals([.terminate, .terminate])
        let other = try Signals([.terminate, .interrupt])
        Signal.terminate.raise()
        for signals in [one, other] { checkNext(signals, .terminate) }
        one.close()
        Signal.terminate.raise()
        checkNext(other, .terminate)
        checkThrows(.closed) { () throws(IPCError) in try one.next() }
    },
    Test("what signals did before comes back with the last watcher's end") { () throws(IPCError) in
        for signal in [Signal.interrupt, .terminate, .break, .abort] {
            let before = wt_signal_handler(signal.rawValue)
            let watchers = [try Signals([signal]), try Signals([signal])]
            check(wt_signal_handler(signal.rawValue) != before, "\(signal.description) is not watched")
            watchers[0].close()
            check(wt_signal_handler(signal.rawValue) != before, "\(signal.description) is watched no longer")
            watchers[1].close()
            checkEqual(wt_signal_handler(signal.rawValue), before)
        }
    },
    Test("a handler that came meanwhile stays") { () throws(IPCError) in
        let signals = try Signals([.terminate])
        let before = wt_ignore_signal(Signal.terminate.rawValue, true)
        let ignoring = wt_signal_handler(Signal.terminate.rawValue)
        check(ignoring != before, "it is not ignored")
        signals.close()
        checkEqual(wt_signal_handler(Signal.terminate.rawValue), ignoring)
        _ = wt_ignore_signal(Signal.terminate.rawValue, false)
    },
    Test("signals that are lost are counted") { () throws(IPCError) in
        let signals = try Signals([.terminate], capacity: 3)
        for _ in 1...10 { Signal.terminate.raise() }
        checkEqual(signals.lostCount, 7)
        for _ in 1...3 { checkEqual(try signals.next(timeout: .zero).lostBefore, 0) }
        Signal.terminate.raise()
        checkEqual(try signals.next(timeout: .zero).lostBefore, 7)
        signals.close()
        checkEqual(signals.lostCount, 7)
    },
    Test("a signal, the end of the time, or closing ends the wait") { () throws(IPCError) in
        for timeout in [nil, Duration.seconds(30)] {
            let signals = try Signals([.terminate])
            let waiting = Background { () throws(IPCError) in try signals.next(timeout: timeout) }
            awaitCalls(1, on: signals)
            Signal.terminate.raise()
            check(try waiting.value().signal == .terminate, "another signal came")
            let closed = Background { () throws(IPCError) in try signals.next(timeout: timeout) }
            awaitCalls(1, on: signals)
            signals.close()
            checkThrows(.closed) { () throws(IPCError) in try closed.value() }
        }
        let signals = try Signals([.terminate])
        let taken = try milliseconds { () throws(IPCError) in
            checkThrows(.timedOut) { () throws(IPCError) in try signals.next(timeout: .milliseconds(30)) }
        }
        check(taken >= 30, "it took \(taken) ms")
    },
    Test("signals that cannot be watched are refused") { () throws(IPCError) in
        for signal in [Signal.illegalInstruction, .floatingPointException, .segmentationFault] {
            checkThrows(.unsupported) { () throws(IPCError) in try Signals([.terminate, signal]) }
        }
        for number in [Int32(0), -1, 3, 99, .max] {
            checkThrows(.invalidArgument) { () throws(IPCError) in try Signals([Signal(rawValue: number)]) }
        }
        checkThrows(.invalidArgument) { () throws(IPCError) in try Signals([]) }
        let names = [
            (Signal.interrupt, "SIGINT"), (.shutdown, "CTRL_SHUTDOWN_EVENT"), (Signal(rawValue: 99), "signal 99"),
        ]
        for (signal, name) in names { checkEqual(Optional(signal.description), name) }
    },
    Test("the console's events are signals") { () throws(IPCError) in
        let signals = try Signals([.interrupt, .break])
        for (event, signal) in [(Int64(0), Signal.interrupt), (1, .break)] {
            check(wt_console_event(event), "somebody else is asked")
            checkNext(signals, signal)
        }
        for event in [Int64(2), 5, 6] { check(!wt_console_event(event), "what is not watched is taken") }
        signals.close()
        for event in Int64(0)...6 { check(!wt_console_event(event), "nobody watches, and it is taken") }
    },
    Test("what ends the process waits until it has done what it has to") { () throws(IPCError) in
        let signals = try Signals([.consoleClose, .logoff, .shutdown])
        let events = [(Int64(2), Signal.consoleClose), (5, .logoff), (6, .shutdown)].map { event, signal in
            let telling = Background { () throws(IPCError) in wt_console_event(event) }
            checkNext(signals, signal)
            return telling
        }
        for _ in 1...20 { rest() }
        for event in events { check(!event.isDone, "the process would end at once") }
        signals.close()
    },
]

extension Signal {
    fileprivate func raise() { wt_raise(rawValue) }
}

/// Checks that a signal is the next to come.
private func checkNext(_ signals: Signals, _ signal: Signal, file: StaticString = #fileID, line: Int = #line) {
    do throws(IPCError) {
        let found = try signals.next(timeout: .seconds(20))
        if found.signal != signal { fail("\(found.signal.description) came", file, line) }
        if found.lostBefore != 0 { fail("\(found.lostBefore) were lost", file, line) }
    } catch {
        fail(error.description, file, line)
    }
}
