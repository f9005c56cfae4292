// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
/// A message as it has come: its bytes, and the descriptors with it, which are closed unless they are taken.
///
/// If it comes from an ``IPCSender``, it is a value that has not been decoded yet: see ``decode(as:)``.
public struct IPCRawMessage: Sendable {
    /// The bytes.
    public let bytes: [UInt8]
    private let attachments: ReceivedDescriptors?

    init(_ message: PacketInbox.Message) {
        bytes = unsafe Array(message.bytes)
        attachments = message.attachments
    }

    /// How many descriptors came with it.
    public var descriptorCount: Int { attachments?.count ?? 0 }

    /// Decodes the value that the message is.
    ///
    /// The endpoints, regions and descriptors in it are taken out of the message by this, so that only one value can have
    /// them.
    ///
    /// - Parameter type: The value's type.
    /// - Returns: The value.
    /// - Throws: ``IPCError/Code/decodingFailed`` when it is no such value, or its descriptors have been taken before.
    public func decode<Value: Decodable>(as type: Value.Type) throws(IPCError) -> Value {
        var limits = IPCCodingLimits()
        limits.bytes = max(limits.bytes, bytes.count)
        return try decode(as: type, by: IPCDecoder(limits: limits))
    }

    func decode<Value: Decodable>(as type: Value.Type, by decoder: IPCDecoder) throws(IPCError) -> Value {
        unsafe try bytes.withUnsafeBufferPointer { bytes throws(IPCError) in
            try decoder.decode(type, from: unsafe UnsafeRawBufferPointer(bytes).bytes, attachments)
        }
    }

    /// Takes one of the descriptors, each of which can be taken once.
    ///
    /// - Parameter index: Which, from 0 on, in the order in which they were sent.
    /// - Returns: The descriptor.
    /// - Throws: ``IPCError/Code/invalidArgument`` when there is none of that number, or it was taken before.
    public func takeDescriptor(_ index: Int) throws(IPCError) -> IPCDescriptor {
        guard let descriptor = attachments?.claim(index) else {
            throw IPCError(
                .invalidArgument,
                .adopt,
                detail: "the message has no descriptor of that number, or it was taken before"
            )
        }
        return IPCDescriptor(descriptor, name: "a received descriptor")
    }
}
#endif
