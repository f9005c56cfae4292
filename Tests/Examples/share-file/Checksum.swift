// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation

/// What is left of so many bytes: different ones, or the same in another order, leave something else.
struct Checksum: Codable, Sendable, Equatable, CustomStringConvertible {
    private(set) var byteCount = 0
    private var value: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Adds bytes, of which there are a multiple of eight.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var value = value
        var offset = 0
        while offset + 8 <= bytes.count {
            value = (value ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x100_0000_01b3
            offset += 8
        }
        self.value = value
        byteCount += bytes.count
    }

    var description: String { "\(byteCount) bytes, which come to \(String(value, radix: 16))" }
}

/// Makes a file of different numbers, without a name.
func makeFile(mebibytes: Int) throws -> Int32 {
    let path = NSTemporaryDirectory() + "share-file-\(getpid())"
    let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    if file < 0 { throw POSIXError(.EIO) }
    unlink(path)
    var block = [UInt64](repeating: 0, count: 1 << 17)
    var number: UInt64 = 1
    for index in block.indices {
        number = number &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        block[index] = number
    }
    for mebibyte in 0..<mebibytes {
        // Each is another one.
        block[0] = UInt64(mebibyte)
        if write(file, block, 1 << 20) != 1 << 20 { throw POSIXError(.ENOSPC) }
    }
    lseek(file, 0, SEEK_SET)
    return file
}
