// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark

extension Part {
    func playInC() throws {
        switch work {
        case .loopback: try report(loopbackInC())
        case .roundTrips: try report(roundTripsInC())
        case .pour: try report(withMemory(size) { try timePouringInC(connect(), $0, count, warmUp: warmUp) })
        case .load: try report(load())
        case .connections:
            try check(cb_connect_echo_and_close(path, Int64(warmUp)), "connecting")
            let start = cb_now()
            try check(cb_connect_echo_and_close(path, Int64(count)), "connecting")
            try report(Sample(count, sinceNanoseconds: start))
        case .idle:
            try check(cb_connect_and_stay(path, Int64(connections)), "connecting")
            try report(true)
            try waitForEnd()
        case .echoServer: try serveEchoInC()
        case .idleServer: throw Failure("C has no part in \(work)")
        case .drainServer:
            let listener = try listen()
            try withMemory(size) { memory in
                let link = try link(descriptor(cb_accept(listener), "accepting"))
                try check(cb_drain(link, memory.base, size, Int64(warmUp)), "receiving")
                try check(cb_drain(link, memory.base, size, Int64(count)), "receiving")
            }
        }
    }

    private func loopbackInC() throws -> Sample {
        var ends: [Int32] = [-1, -1]
        try check(cb_socket_pair(&ends), "making a pair")
        return try timeInC(size, count) { cb_epoll_loopback(ends, $0, size, $1, $2) }
    }

    private func roundTripsInC() throws -> Sample {
        let link = try connect()
        return try timeInC(size, count) { memory, count, times in
            manner == .blocking
                ? cb_round_trips(link, memory, size, count, times)
                : cb_epoll_round_trips(link.input, memory, size, count, times)
        }
    }

    private func load() throws -> Sample {
        let nanoseconds = try check(
            cb_epoll_load(path, Int64(connections), size, Int64(warmUp), Int64(count)),
            "loading the server"
        )
        return Sample(value: Double(count) * 1e9 / Double(nanoseconds))
    }

    private func serveEchoInC() throws {
        let listener = try listen()
        if manner == .epoll {
            try check(cb_epoll_serve(listener, PeerProcess.input), "serving")
        } else {
            let link = try link(descriptor(cb_accept(listener), "accepting"))
            try withMemory(size) { _ = try check(cb_echo(link, $0.base, size), "the echo") }
        }
    }

    private func listen() throws -> Int32 {
        let listener = try descriptor(cb_listen(path), "listening")
        try report(true)
        return listener
    }

    private func connect() throws -> cb_link { try link(descriptor(cb_connect(path), "connecting")) }

    private func link(_ socket: Int32) -> cb_link { cb_link(input: socket, output: socket, is_socket: true) }
}
