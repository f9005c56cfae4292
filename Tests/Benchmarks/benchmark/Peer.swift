// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

/// What the other process is asked to do: passed to it as arguments.
struct Order {
    enum Work: String {
        /// Send back what comes.
        case echo
        /// Take what comes, first for the warm-up and then for the measurement.
        case drain
        /// Connect and close.
        case connect
        /// Send datagrams, for the warm-up and for the measurement.
        case pourDatagrams
    }

    enum Transport: String {
        case socket
        case pipe
        case packets
        /// A channel of the library's, and packets in C.
        case channel
    }

    static let flag = "--peer"

    var side: Side
    var work: Work
    var transport: Transport
    /// The bytes of one message or write.
    var size = 1
    /// How many writes, or connections.
    var count = 0
    var path = "-"
    var cpu: Int64 = -1
    /// How many microseconds the library's reads spin, on both sides.
    var spin = 0
    /// What a channel is for.
    var payload = Payload.bytes

    /// What is done before the clock starts.
    var warmUp: Int { count / 8 + 1 }

    var arguments: [String] {
        [
            Self.flag, side.rawValue, work.rawValue, transport.rawValue, "\(size)", "\(count)", path, "\(cpu)",
            "\(spin)",
            payload.rawValue,
        ]
    }
}

extension Order {
    init?(_ words: [String]) {
        guard words.count == 10, words[0] == Self.flag, let side = Side(rawValue: words[1]),
            let work = Work(rawValue: words[2]), let transport = Transport(rawValue: words[3]),
            let size = Int(words[4]), let count = Int(words[5]), let cpu = Int64(words[7]),
            let spin = Int(words[8]), let payload = Payload(rawValue: words[9])
        else { return nil }
        self.init(
            side: side,
            work: work,
            transport: transport,
            size: size,
            count: count,
            path: words[6],
            cpu: cpu,
            spin: spin,
            payload: payload
        )
    }

    /// Does what the order says, in the process that was started for it.
    func obey() throws {
        cb_end_with_parent()
        if cpu >= 0 { try check(cb_pin(cpu), "pinning the other process") }
        switch side {
        case .c: try obeyInC()
        case .library: try obeyWithLibrary()
        }
    }

    private func obeyInC() throws {
        switch work {
        case .connect:
            try check(cb_connect_and_close(path, Int64(count + warmUp)), "connecting")
            return
        case .pourDatagrams:
            let socket = try descriptor(cb_connect_for_datagrams(path), "connecting")
            _ = try withMemory(size) {
                try check(cb_send_datagrams(socket, $0.base, size, Int64(warmUp + count)), "sending")
            }
            return
        case .echo, .drain: break
        }
        let link: cb_link
        switch transport {
        case .socket, .packets, .channel:
            let made = transport == .socket ? cb_connect(path) : cb_connect_for_packets(path)
            let socket = try descriptor(made, "connecting")
            link = cb_link(input: socket, output: socket, is_socket: true)
        case .pipe:
            link = cb_link(input: PeerProcess.input, output: PeerProcess.output, is_socket: false)
        }
        try withMemory(size) { memory in
            if work != .drain {
                try check(cb_echo(link, memory.base, size), "the echo")
            } else {
                try check(cb_drain(link, memory.base, size, Int64(warmUp)), "receiving")
                try check(cb_drain(link, memory.base, size, Int64(count)), "receiving")
            }
        }
    }

    private func obeyWithLibrary() throws {
        switch work {
        case .pourDatagrams: return try pourDatagrams()
        case .echo, .drain, .connect: break
        }
        switch transport {
        case .packets: try echoPackets()
        case .channel: try obeyByChannel()
        case .socket:
            let name = try LocalSocketName.path(path)
            if work == .connect {
                for _ in 0..<count + warmUp { try LocalSocketStream.connect(to: name).close() }
                return
            }
            let stream = try LocalSocketStream.connect(to: name)
            stream.spinTime = .microseconds(spin)
            try obey(LibraryLink(receiver: stream, sender: stream))
        case .pipe:
            let receiver = try UnnamedPipeReceiver(adopting: PeerProcess.input)
            let sender = try UnnamedPipeSender(adopting: PeerProcess.output)
            try obey(LibraryLink(receiver: receiver, sender: sender))
        }
    }

    @inline(__always)
    private func obey(_ link: LibraryLink<some ByteReceiver, some ByteSender>) throws {
        try withMemory(size) { memory in
            if work == .echo {
                try link.echo(memory)
            } else {
                try link.drain(memory, warmUp)
                try link.drain(memory, count)
            }
        }
    }
}
