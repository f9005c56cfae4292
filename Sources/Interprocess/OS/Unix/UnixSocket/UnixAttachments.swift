// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// What travels beside the bytes of a message: descriptors, and credentials.
///
/// ```swift
/// let (socket, other) = try UnixStream.pair()
/// let (sender, receiver) = try UnnamedPipe.create()
/// try socket.send([1], with: .descriptors(receiver))
/// let arrived = try other.receive(upTo: 1, maximumDescriptors: 1)
/// let pipe = try UnnamedPipeReceiver(adopting: arrived.message.descriptors[0])
/// ```
///
/// Whoever receives them gets descriptors of their own for the same open file descriptions, and owns those; what was
/// attached stays open here, and can be closed as soon as the message is sent.
public struct UnixAttachments: Sendable {
    enum Item: Sendable {
        case owned(DescriptorCore)
        case raw(Int64)
    }

    /// How many descriptors one message can carry: 253.
    public static var maximumDescriptors: Int { Int(CIP_MAXIMUM_DESCRIPTORS) }

    private(set) var items: [Item] = []

    #if os(Linux) || os(Android)
    /// The credentials to present; `nil` leaves it to the kernel, which says who sends.
    public var credentials: UnixCredentials?
    #endif

    /// Creates the attachments of a message that has none.
    public init() {}

    /// Descriptors to send.
    ///
    /// - Parameter owners: What they belong to, in the order in which they arrive.
    /// - Returns: The attachments.
    public static func descriptors(_ owners: any DescriptorOwner...) -> UnixAttachments {
        var attachments = UnixAttachments()
        for owner in owners { attachments.add(owner) }
        return attachments
    }

    /// How many descriptors are attached.
    public var descriptorCount: Int { items.count }

    /// Attaches a descriptor of an object, which stays usable here, and is not closed while it is being sent.
    ///
    /// From then on others hold the open file description too, as with `withUnsafeDescriptor`. Bytes that a stream has
    /// read ahead stay with the object here: whoever receives the descriptor does not get them. A deferred connection
    /// is not made by this.
    ///
    /// - Parameter owner: The object.
    public mutating func add(_ owner: any DescriptorOwner) { items.append(.owned(owner.descriptorCore)) }

    /// Attaches a descriptor, which has to stay open until the message is sent.
    ///
    /// - Parameter descriptor: Its number.
    public mutating func add(rawDescriptor descriptor: RawDescriptor) { items.append(.raw(Int64(descriptor))) }
}

#if os(Linux) || os(Android)
/// Who a message says it is from.
///
/// The kernel lets a process present its own process, and any of its real, effective and saved users and groups. Only
/// the superuser (`CAP_SYS_ADMIN`, `CAP_SETUID`, `CAP_SETGID`) may present others.
public struct UnixCredentials: Sendable, Hashable {
    /// The process.
    public var processID: Int32
    /// The user.
    public var userID: UInt32
    /// The group.
    public var groupID: UInt32

    /// Creates credentials.
    ///
    /// - Parameters:
    ///   - processID: The process.
    ///   - userID: The user.
    ///   - groupID: The group.
    public init(processID: Int32, userID: UInt32, groupID: UInt32) {
        self.processID = processID
        self.userID = userID
        self.groupID = groupID
    }

    /// Those of this process, with its effective user and group; where the message does not present any, they are the
    /// real ones.
    public static var own: UnixCredentials {
        UnixCredentials(
            processID: Int32(cip_own_process()),
            userID: UInt32(cip_own_user()),
            groupID: UInt32(cip_own_group())
        )
    }
}
#endif
#endif
