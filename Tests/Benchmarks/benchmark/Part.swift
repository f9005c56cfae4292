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
        /// One message under way on each of many connections; always in C.
        case load
        /// Connecting, one byte there and back, closing; always in C.
        case connections
        /// Connections that stay until it is told to end; always in C. Reports when they are there.
        case idle
        /// A server that sends back what comes. Reports when it listens, as the next one does.
        case echoServer
        /// A server that takes what comes, first for the warm-up and then for the measurement.
        case drainServer
    }

    /// Who does the work, and how it is waited for.
    enum Manner: String {
        /// C, by calls that block.
        case blocking
        /// C, by epoll.
        case epoll
    }

    static let flag = "--part"

    var work: Work
    var manner: Manner
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

    var arguments: [String] {
        [Self.flag, work.rawValue, manner.rawValue, "\(size)", "\(count)", "\(connections)", path, "\(cpu)"]
    }
}

extension Part {
    init?(_ words: [String]) {
        guard words.count == 8, words[0] == Self.flag, let work = Work(rawValue: words[1]),
            let manner = Manner(rawValue: words[2]), let size = Int(words[3]), let count = Int(words[4]),
            let connections = Int(words[5]), let cpu = Int64(words[7])
        else { return nil }
        self.init(
            work: work,
            manner: manner,
            size: size,
            count: count,
            connections: connections,
            path: words[6],
            cpu: cpu
        )
    }

    /// Does it, in the process that was started for it.
    func play() throws {
        cb_end_with_parent()
        try pin()
        try playInC()
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
