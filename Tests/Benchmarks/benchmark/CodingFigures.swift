// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What it takes to encode values and decode them.
struct CodingFigures {
    private struct Plain: IPCPlain {
        var id: UInt64 = 1
        var time = 3.5
        var sequence: UInt32 = 2
        var x: Int32 = -5
        var a = 6
        var b = 7
        var c: Float = 8
        var d: UInt16 = 9
        var e: UInt16 = 10
        static let layout = IPCPlainLayout(
            \Plain.id,
            \.time,
            \.sequence,
            \.x,
            \.a,
            \.b,
            \.c,
            \.d,
            \.e
        )
    }

    private let encoder = IPCEncoder()
    private let decoder = IPCDecoder()

    func figures() throws -> [Figure] { try allocations() + times() }

    private func allocations() throws -> [Figure] {
        guard cb_can_count_allocations() else { return [] }
        let ten = TenFields()
        let plain = Plain()
        let tenBytes = try encoder.encode(ten)
        let plainBytes = try encoder.encode(plain)
        return try [
            count("encode", "encoding a struct of ten fields", 1) { try encode(ten) },
            count("decode", "decoding it, of which two fields need memory", 3) {
                keep(try decoder.decode(TenFields.self, from: tenBytes))
            },
            count("encode-plain", "encoding a plain struct", 0) { try encode(plain: plain) },
            count("decode-plain", "decoding it", 0) { keep(try decoder.decode(Plain.self, from: plainBytes)) },
        ]
    }

    private func count(
        _ name: String,
        _ title: String,
        _ expected: Int64,
        _ operation: () throws -> Void
    ) throws -> Figure {
        for _ in 0..<Allocations.warmUp { try operation() }
        cb_count_allocations(true)
        defer { cb_count_allocations(false) }
        for _ in 0..<Allocations.operations { try operation() }
        cb_count_allocations(false)
        return Figure(
            name: "allocations-\(name)",
            title: "allocations, \(Allocations.operations) times: \(title)",
            value: cb_allocations(),
            limit: .exactly(expected * Int64(Allocations.operations))
        )
    }

    private func times() throws -> [Figure] {
        let ten = TenFields()
        let plain = Plain()
        let bytes = [UInt8](repeating: 7, count: 65_536)
        let tenBytes = try encoder.encode(ten)
        let plainBytes = try encoder.encode(plain)
        let message = try encoder.encode(bytes)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        defer { memory.deallocate() }
        let tenTime = try nanoseconds(50_000) {
            try encode(ten)
            keep(try decoder.decode(TenFields.self, from: tenBytes))
        }
        let textEncoder = JSONEncoder()
        let textDecoder = JSONDecoder()
        let text = try textEncoder.encode(ten)
        let textTime = try nanoseconds(2_000) {
            keep(try textEncoder.encode(ten))
            keep(try textDecoder.decode(TenFields.self, from: text))
        }
        let plainTime = try nanoseconds(1_000_000) {
            try encode(plain: plain)
            keep(try decoder.decode(Plain.self, from: plainBytes))
        }
        let bytesTime = try nanoseconds(2_000) {
            try encode(bytes)
            keep(try decoder.decode([UInt8].self, from: message))
        }
        let copyTime = nanoseconds(2_000) {
            bytes.withUnsafeBytes { memory.copyMemory(from: $0) }
            keep([UInt8](memory))
        }
        return [
            Figure(
                name: "coding-ten-fields",
                title: "nanoseconds to encode and decode a struct of ten fields",
                value: Int64(tenTime.rounded()),
                limit: .atMost(gate: 1000, aim: 600)
            ),
            Figure(
                name: "coding-ten-fields-as-text",
                title: "per mille of the time that Foundation's JSON takes for it",
                value: Int64((1000 * tenTime / textTime).rounded()),
                limit: .atMost(gate: 83, aim: 50)
            ),
            Figure(
                name: "coding-plain",
                title: "nanoseconds to encode and decode a plain struct",
                value: Int64(plainTime.rounded()),
                limit: .atMost(gate: 20, aim: 10)
            ),
            Figure(
                name: "coding-bytes",
                title: "per cent of two memory copies that 64 KiB of [UInt8] take to encode and decode",
                value: Int64((100 * bytesTime / copyTime).rounded()),
                limit: .atMost(gate: 150, aim: 120)
            ),
        ]
    }

    /// The least of several measurements, for others only add to it.
    private func nanoseconds(_ count: Int, _ operation: () throws -> Void) rethrows -> Double {
        var least = Double.infinity
        for _ in 0..<9 {
            let start = cb_now()
            for _ in 0..<count { try operation() }
            least = min(least, Double(cb_now() - start) / Double(count))
        }
        return least
    }

    @inline(__always)
    private func encode(_ value: some Encodable) throws {
        try encoder.withEncoding(of: value) { (bytes) throws(IPCError) in keep(bytes.byteCount) }
    }

    @inline(__always)
    private func encode(plain value: some IPCPlain) throws {
        try encoder.withEncoding(of: value) { (bytes) throws(IPCError) in keep(bytes.byteCount) }
    }

    @inline(never)
    private func keep<Value>(_ value: borrowing Value) {}
}
