// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// What has gone wrong in another way than by the error's own code, and why.
extension FaultSection {
    static var listenerReasons: [FaultReason] { [] }
    static var streamReasons: [FaultReason] { [] }
    static var socketBytesReasons: [FaultReason] { [] }
    static var pipeBytesReasons: [FaultReason] { [] }
    static var pipeReasons: [FaultReason] { [] }
    static var fifoReasons: [FaultReason] { [] }
    static var messageReasons: [FaultReason] { [] }
    static var packetReasons: [FaultReason] { [] }
    static var datagramReasons: [FaultReason] { [] }
    static var signalReasons: [FaultReason] { [] }
    static var childReasons: [FaultReason] { [] }
    static var loopReasons: [FaultReason] { [] }
    static var channelReasons: [FaultReason] { [] }
    static var groupReasons: [FaultReason] { [] }
    static var connectionReasons: [FaultReason] { [] }
    static var memoryReasons: [FaultReason] { [] }
}
#endif
