// SPDX-License-Identifier: MIT OR Apache-2.0

// What a peer says that keeps to no rules is put together by hand: here, and in the fuzz drivers, which .ci/fuzz gives this file.

@testable import Interprocess

/// A frame as it stands on a stream.
func frame(
    _ kind: ConnectionFrame.Kind,
    _ bytes: [UInt8] = [],
    request: UInt64 = 0,
    attachments: Int = 0,
    isFirstPart: Bool = false
) -> [UInt8] {
    var head = ConnectionFrame(kind, byteCount: bytes.count, request: request)
    head.attachmentCount = attachments
    head.isFirstPart = isFirstPart
    return withUnsafeBytes(of: head.words) { Array($0) } + bytes
}

/// A number as it stands in frames.
func littleEndian(_ number: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
