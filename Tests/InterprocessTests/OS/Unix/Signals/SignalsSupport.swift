// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import XCTest

@testable import Interprocess

extension Signal {
    /// Every signal that can be watched and that `kill` can send, without those of the other systems.
    static var catchable: [Signal] {
        var all: [Signal] = [
            .hangup, .interrupt, .quit, .abort, .user1, .user2, .pipe, .alarm, .terminate, .child, .continue,
            .terminalStop, .terminalInput, .terminalOutput, .urgent, .processorLimit, .fileSizeLimit, .virtualAlarm,
            .profilingAlarm, .windowChange, .io, .badSystemCall,
        ]
        #if os(Linux)
        all += [.power, .stackFault]
        all += (0..<realTimeCount).compactMap { try? realTime($0) }
        #endif
        return all
    }
}

extension Signal {
    /// Sends it to this thread, which takes it before the call returns.
    func raise() { Foundation.raise(rawValue) }
}

/// What a signal does.
struct Disposition: Equatable {
    private var action = sigaction()

    init(of signal: Signal) { sigaction(signal.rawValue, nil, &action) }

    /// Sets it, and remembers what it was.
    init(replacing signal: Signal, by handler: sighandler_t, mask: [Signal] = [], flags: Int32 = 0) {
        var new = sigaction()
        new.__sigaction_handler.sa_handler = handler
        new.sa_flags = flags
        for masked in mask { sigaddset(&new.sa_mask, masked.rawValue) }
        sigaction(signal.rawValue, &new, &action)
    }

    func restore(_ signal: Signal) {
        var action = action
        sigaction(signal.rawValue, &action, nil)
    }

    // glibc leaves the rest of the mask as it happens to be.
    static func == (one: Disposition, other: Disposition) -> Bool {
        one.parts == other.parts && Self.mask(one.action) == Self.mask(other.action)
    }

    private var parts: [Int] {
        [
            unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self), Int(action.sa_flags),
            unsafeBitCast(action.sa_restorer, to: Int.self),
        ]
    }

    private static func mask(_ action: sigaction) -> [Int32] {
        var mask = action.sa_mask
        return (1...64).filter { sigismember(&mask, $0) == 1 }
    }
}
