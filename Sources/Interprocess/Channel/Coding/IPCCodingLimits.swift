// SPDX-License-Identifier: MIT OR Apache-2.0

/// What an encoder will make, and a decoder take, at most.
///
/// A decoder allocates no more than what these and the bytes that are there allow, whatever those bytes say.
public struct IPCCodingLimits: Sendable, Hashable {
    /// The number of bytes of a message: 64 MiB by default.
    ///
    /// More than 2 GiB less one counts as that.
    public var bytes = 64 << 20

    /// How many values a value may be inside of: 64 by default.
    ///
    /// Each level takes some hundred bytes of the thread's stack, more in debug builds.
    public var depth = 64

    /// The number of elements of all arrays, sets and dictionaries together: 1,048,576 by default.
    ///
    /// Arrays of numbers, and of plain structs, do not count: their memory is no larger than the message.
    public var elements = 1 << 20

    /// The number of attachments, such as descriptors: 253 by default, which is what Linux lets one message have.
    public var attachments = 253

    /// The defaults.
    public init() {}

    /// Offsets in a message have 31 bits.
    var effectiveBytes: Int { max(0, min(bytes, Int(Int32.max))) }
}
