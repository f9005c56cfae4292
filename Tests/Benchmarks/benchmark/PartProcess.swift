// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark

/// A process that plays a part.
struct PartProcess {
    private let process: PeerProcess
    private let control: Int32
    private let reports: Int32

    init(_ part: Part) throws {
        let control = try LentPipe(lending: .receiver)
        let reports = try LentPipe(lending: .sender)
        process = try PeerProcess(part.arguments, input: control.lent, output: reports.lent)
        self.control = control.kept
        self.reports = reports.kept
    }

    /// Waits for what it reports.
    func report<Value: BitwiseCopyable>(as type: Value.Type) throws -> Value {
        let layout = MemoryLayout<Value>.self
        return try withUnsafeTemporaryAllocation(byteCount: layout.size, alignment: layout.alignment) { bytes in
            if try check(cb_take(reports, bytes.baseAddress, bytes.count), "hearing from a process") < bytes.count {
                throw Failure("a process ended without its report")
            }
            return bytes.load(as: type)
        }
    }

    /// Tells it to end, and waits until it has.
    func end() throws {
        cb_close(control)
        cb_close(reports)
        try process.finish()
    }

    /// How much memory it has in use.
    var residentBytes: Int64 {
        get throws { try check(cb_resident_bytes(process.id), "asking for a process's memory") }
    }
}

/// Lets a server be there while the body runs.
func withServer<Value>(_ part: Part, _ body: (PartProcess) throws -> Value) throws -> Value {
    // C's leaves its socket's file.
    defer { cb_scratch_clear() }
    let server = try PartProcess(part)
    _ = try server.report(as: Bool.self)
    let value = try body(server)
    try server.end()
    return value
}

extension Part {
    /// Lets a process play this part, a client's, while another one plays its server, if it needs any.
    func measure(servedBy server: Part?) throws -> Sample {
        if let server { return try withServer(server) { _ in try measure(servedBy: nil) } }
        let client = try PartProcess(self)
        let sample = try client.report(as: Sample.self)
        try client.end()
        return sample
    }
}
