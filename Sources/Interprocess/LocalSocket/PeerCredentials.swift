// SPDX-License-Identifier: MIT OR Apache-2.0

/// Who is on the other side of a connection, as far as the system tells.
///
/// A process's number can come to mean another process once it has ended, so decide by ``userID``, or hold on to the
/// process (`LocalSocketStream.peerProcess()`).
///
/// | | process | user | group | groups | security label |
/// | --- | --- | --- | --- | --- | --- |
/// | Linux, Android | yes | yes | yes | yes | where a security module gives one |
/// | macOS, iOS | yes | yes | yes | yes (16 at most) | no |
/// | FreeBSD | yes (13 and later) | yes | yes | yes | no |
/// | DragonFly | no | yes | yes | yes | no |
/// | OpenBSD, NetBSD | yes | yes | yes | no | no |
/// | Windows | yes | no | no | no | no |
public struct PeerCredentials: Sendable, Hashable {
    /// The process that connected or listens; `nil` where the system does not tell, or when the process lives in
    /// a namespace that cannot be seen from here.
    public let processID: Int32?
    /// The effective user.
    public let userID: UInt32?
    /// The effective group.
    public let groupID: UInt32?
    /// The supplementary groups.
    public let groups: [UInt32]?
    /// The label that a security module (SELinux, AppArmor, Smack) gives the process.
    public let securityLabel: String?

    /// Whether the peer runs as the same user as this process.
    public var isCurrentUser: Bool { userID == LocalSocketBackend.currentUser }

    // Written out because the synthesized forms compare strings by Unicode's rules, which is more than a label needs.

    /// Compares all that the system tells of two peers.
    public static func == (left: PeerCredentials, right: PeerCredentials) -> Bool {
        left.processID == right.processID && left.userID == right.userID && left.groupID == right.groupID
            && left.groups == right.groups
            && left.securityLabel.map { Array($0.utf8) } == right.securityLabel.map { Array($0.utf8) }
    }

    /// Hashes what tells peers apart.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(processID)
        hasher.combine(userID)
        hasher.combine(groupID)
    }
}
