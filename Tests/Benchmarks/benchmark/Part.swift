// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark

/// What a process of its own does in a measurement in which no work is left to this one: passed to it as arguments.
///
/// It finds two pipes: what comes through the first tells it to end, and into the second it reports.
struct Part {
    enum Work: String {
        /// Both ends of a connection, in one thread. Reports a sample, as all of the clients do.
        case loopback
        /// Messages to a server and back, one at a time.
        case roundTrips
        /// Bytes to a server, as fast as they will go.
        case pour
        /// One message under way on each of many connections; in C only.
        case load
        /// Connecting, one byte there and back, closing; in C only.
        case connections
        /// Connections that stay until it is told to end; in C only. Reports when they are there.
        case idle
        /// A server that sends back what comes. Reports when it listens, as the next one does.
        case echoServer
        /// The same, by handlers that have no memory of their own, for messages of one byte.
        case idleServer
        /// A server that takes what comes, first for the warm-up and then for the measurement.
        case drainServer
    }

    /// Who does the work, and how it is waited for.
    enum Manner: String {
        /// C, by calls that block.
        case blocking
        /// C, by epoll.
        case epoll
        /// The library, in tasks on an event loop, within the scopes that it offers.
        case loop
        /// The same, each read with a timeout.
        case timed
        /// The same, on a loop that spins.
        case spinning
        /// On a loop, by streams that are in no scope.
        case unscoped
        /// In tasks of the default pool.
        case pool
        /// In callbacks on a loop; servers only.
        case callback
    }

    static let flag = "--part"

    var work: Work
    var manner: Manner
    /// Whether the sample is how many allocations there were.
    var countsAllocations = false
    /// The bytes of one message or write.
    var size = 64
    /// How many messages, writes or connections are measured.
    var count = 0
    /// How many connections there are at once.
    var connections = 1
    var path: String
    var cpu: Int64 = -1

    /// What is done before the clock starts.
    var warmUp: Int { count / 8 + 1 }

    private var isInC: Bool {
        switch work {
        case .load, .connections, .idle: true
        default: manner == .blocking || manner == .epoll
        }
    }

    var arguments: [String] {
        [
            Self.flag, work.rawValue, manner.rawValue, "\(countsAllocations)", "\(size)", "\(count)", "\(connections)",
            path, "\(cpu)",
        ]
    }
}

extension Part {
    init?(_ words: [String]) {
        guard words.count == 9, words[0] == Self.flag, let work = Work(rawValue: words[1]),
            let manner = Manner(rawValue: words[2]), let countsAllocations = Bool(words[3]), let size = Int(words[4]),
            let count = Int(words[5]), let connections = Int(words[6]), let cpu = Int64(words[8])
        else { return nil }
        self.init(
            work: work,
            manner: manner,
            countsAllocations: countsAllocations,
            size: size,
            count: count,
            connections: connections,
            path: words[7],
            cpu: cpu
        )
    }

    /// Does it, in the process that was started for it.
    func play() async throws {
        cb_end_with_parent()
        if isInC {
            try pin()
            try playInC()
        } else {
            try await playWithLibrary()
        }
    }

    func pin() throws { try check(cb_pin(cpu), "pinning a process") }

    /// Tells the process that started this one.
    func report<Value: BitwiseCopyable>(_ value: Value) throws {
        _ = try withUnsafeBytes(of: value) {
            try check(cb_give(PeerProcess.output, $0.baseAddress, $0.count), "reporting")
        }
    }

    /// Blocks until the process that started this one tells it to end.
    func waitForEnd() throws {
        var byte: UInt8 = 0
        try check(cb_take(PeerProcess.input, &byte, 1), "waiting to be told to end")
    }
}
