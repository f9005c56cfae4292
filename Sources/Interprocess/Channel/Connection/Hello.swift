// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// What each side of a connection says of itself before anything else.
///
///     0..<8    "IPCSwift"
///     8        the version: 1
///     9        who it is (`Role`)
///     10       1 if the secret is to be proved, else 0
///     11..<16  zero
///     16..<24  the fingerprint of the type that it receives (numbers are little-endian)
///     24..<32  the fingerprint of the type that it sends
///     32..<40  how large a message it takes
///     40..<72  random bytes, which the other side's proof depends on
struct Hello: Equatable {
    static let size = 72
    private static let magic = Array("IPCSwift".utf8)
    private static let version: UInt8 = 1

    enum Role: UInt8 {
        /// Of two that have not met by a name.
        case peer = 0
        case client = 1
        case server = 2
    }

    let bytes: [UInt8]

    init(_ role: Role, _ options: IPCConnectionOptions, receives: UInt64, sends: UInt64) {
        var bytes = Self.magic + [Self.version, role.rawValue, options.secret == nil ? 0 : 1, 0, 0, 0, 0, 0]
        let random = (0..<4).map { _ in cip_random() }
        for number in [receives, sends, UInt64(clamping: options.maximumMessageSize)] + random {
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        self.bytes = bytes
    }

    /// Takes what has come; `nil` when it is no such thing.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size, bytes[0..<8] == Self.magic[...], bytes[10] <= 1,
            bytes[11..<16].allSatisfy({ $0 == 0 }), Role(rawValue: bytes[9]) != nil
        else { return nil }
        self.bytes = bytes
    }

    /// Why two sides that say this of themselves cannot talk, as this one sees it.
    func refusal(of other: Hello) -> Refusal? {
        if other.bytes[8] != bytes[8] { return .version }
        let role = bytes[9]
        if other.bytes[40...] == bytes[40...] || role != Role.peer.rawValue && other.bytes[9] == role { return .echo }
        if other.bytes[10] != bytes[10] { return .secret }
        if other.bytes[16..<24] != bytes[24..<32] || other.bytes[24..<32] != bytes[16..<24] { return .types }
        return nil
    }

    /// How large a message this side takes.
    var limit: Int { Int(clamping: bytes[32..<40].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }) }

    /// What proves, to who has said `other`, that the side that has said this knows the secret.
    func proof(to other: Hello, _ secret: [UInt8]) -> [UInt8] {
        SHA256.authenticationCode(of: Array("proof".utf8) + bytes + other.bytes, key: secret)
    }

    /// What stands for a type, or for what is agreed on instead.
    static func fingerprint(_ type: Any.Type, _ options: IPCConnectionOptions) -> UInt64 {
        var hash = NameHash()
        if let name = options.protocolName {
            hash.combine("protocol ")
            hash.combine(name)
        } else {
            hash.combine("type ")
            hash.combine(String(describing: type))
        }
        return hash.value
    }
}

/// Why a side wants no connection, as it tells the other one.
enum Refusal: UInt8 {
    case types = 1
    case secret = 2
    case version = 3
    /// What it was sent is what it has said itself, or by one of its own kind.
    case echo = 4
    /// The server does not want that client.
    case policy = 5

    /// The error of either side.
    var code: IPCError.Code {
        switch self {
        case .secret, .policy: .permissionDenied
        case .types, .version, .echo: .protocolViolation
        }
    }

    var detail: String {
        switch self {
        case .types: "one side's messages are of other types than the other's (see protocolName)"
        case .secret: "the two sides do not have the same secret"
        case .version: "the other side speaks another version of the protocol"
        case .echo: "what answers is no other side: two clients, or two servers, or one's own words"
        case .policy: "the server does not let this process in"
        }
    }
}
