// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// Names a slot of the table; once the slot is given back, the name means nothing any more.
struct SlotToken: Equatable, Sendable {
    let index: Int
    let generation: UInt32

    init(index: Int, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    /// From and to what the kernel hands back with an event.
    init(bits: UInt64) { self.init(index: Int(bits & 0xffff_ffff), generation: UInt32(bits >> 32)) }
    var bits: UInt64 { UInt64(generation) << 32 | UInt64(index) }
}

/// What a task waits for.
enum WaitKind: Sendable {
    case receive
    case send
    /// Until another one passes on its turn to read (see `ReadingTurn`); or just for the time.
    case turn
}

/// The place of a descriptor in the table, or of a pause, which has none.
struct WaitSlot {
    var token: SlotToken
    var isUsed = true
    let descriptor: Int64
    /// What tells of room to send, on systems where that is not the descriptor.
    let sends: Int64
    /// What the poller has been told to watch for.
    var watched: Int64 = 0
    /// The sides that are closed, as bits of `watched`.
    var closed: Int64 = 0
    /// The time of this slot's entry among the timers, if it has one.
    var alarm = Int64.max
    /// Whether a turn was passed on while nobody waited for it.
    var hasPass = false
    /// The tasks that may not wait here.
    var interrupted: [TaskIdentity] = []
    /// Who is called instead of waiters, if there is somebody.
    var watcher: (any Watcher)?
    var receivers = WaiterQueue()
    var senders = WaiterQueue()
    var turns = WaiterQueue()
}

extension WaitSlot {
    init(token: SlotToken, descriptor: Int64, sends: Int64) {
        self.token = token
        self.descriptor = descriptor
        self.sends = sends
    }

    subscript(kind: WaitKind) -> WaiterQueue {
        @inline(__always) _read {
            switch kind {
            case .receive: yield receivers
            case .send: yield senders
            case .turn: yield turns
            }
        }
        @inline(__always) _modify {
            switch kind {
            case .receive: yield &receivers
            case .send: yield &senders
            case .turn: yield &turns
            }
        }
    }
}

extension WaitKind {
    /// In the sets of interests; a turn ends with the receiving side.
    var bit: Int64 {
        switch self {
        case .receive: Int64(CIP_READABLE)
        case .send: Int64(CIP_WRITABLE)
        case .turn: 1 << 3
        }
    }
}
