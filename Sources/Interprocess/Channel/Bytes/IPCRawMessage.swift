// SPDX-License-Identifier: MIT OR Apache-2.0

/// A message as it has come: its bytes, and the descriptors with it, which are closed unless they are taken.
///
/// If it comes from an ``IPCSender``, it is a value that has not been decoded yet: see ``decode(as:)``. From a channel inside
/// one process it has no bytes.
public struct IPCRawMessage: Sendable {
    /// The bytes.
    public let bytes: [UInt8]
    let attachments: ReceivedDescriptors?
    /// The value itself, which inside one process is not coded.
    let value: (any UncodedValue)?

    init(_ message: PacketInbox.Message) {
        bytes = unsafe Array(message.bytes)
        attachments = message.attachments
        value = nil
    }

    init(_ value: any UncodedValue) {
        bytes = []
        attachments = nil
        self.value = value
    }

    /// How many descriptors came with it.
    public var descriptorCount: Int { attachments?.count ?? 0 }

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

/// A value that was sent without being coded.
protocol UncodedValue: AnyObject, Sendable {}
