// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

/// Who may do what with a named pipe: its owner, its group, and its list of rights (DACL).
///
/// It is a value, and a copy has everything that the original has. Windows' text for it, SDDL, tells all apart: `D:` and
/// entries are the rights that are given, an empty `D:` gives none to anybody, `D:NO_ACCESS_CONTROL` (a null DACL) gives all
/// to everybody, and without a `D:` (no DACL) the system's default holds.
public struct SecurityDescriptor: Sendable, Hashable {
    /// The descriptor as the system takes it: self-relative, one piece of memory without pointers.
    let bytes: [UInt8]

    /// Reads a descriptor from its text.
    ///
    /// The corresponding system call is `ConvertStringSecurityDescriptorToSecurityDescriptorW`.
    ///
    /// - Parameter sddl: The text, such as `D:P(A;;GA;;;AU)`: all rights for every user that has logged in.
    /// - Throws: ``IPCError/Code/invalidArgument`` when it is not SDDL.
    public init(sddl: String) throws(IPCError) {
        let text = Array(sddl.utf16) + [0]
        do throws(IPCError) {
            bytes = try unsafe Self.fill(.create) { unsafe cip_security_from_text(text, $0, $1) }
        } catch {
            if error.code != .system { throw error }
            // What is wrong with a text, the system tells by any of many codes.
            throw IPCError(
                .invalidArgument,
                .create,
                systemCode: error.systemCode,
                name: error.name,
                detail: "it is no text of a security descriptor"
            )
        }
    }

    /// Asks for the descriptor of an open pipe.
    ///
    /// The corresponding system call is `GetSecurityInfo`, for owner, group and DACL.
    ///
    /// - Parameter stream: An end of the pipe.
    /// - Throws: ``IPCError/Code/closed``; ``IPCError/Code/permissionDenied`` when this end may not ask.
    public init(of stream: NamedPipeStream) throws(IPCError) {
        let core = stream.descriptorCore
        let lease = try core.lease(.both, for: .identify)
        defer { withExtendedLifetime(lease) {} }
        bytes = try unsafe Self.fill(.identify) { unsafe cip_security_of_handle(core.descriptor, $0, $1) }
    }

    /// The text of the descriptor.
    ///
    /// The corresponding system call is `ConvertSecurityDescriptorToStringSecurityDescriptorW`.
    public var sddl: String {
        let text = try? unsafe Self.fill(.identify) { unsafe cip_security_to_text(bytes, $0, $1) } as [UInt16]
        return String(decoding: text ?? [], as: UTF16.self)
    }

    /// All rights for the user that this thread acts as, whose it is, and nothing for others.
    ///
    /// - Throws: ``IPCError/Code/resourcesExhausted``.
    public static func currentUser() throws(IPCError) -> SecurityDescriptor {
        let user = try ownSID(ofGroup: false)
        return try SecurityDescriptor(sddl: "O:\(user)D:P(A;;GA;;;\(user))")
    }

    /// The same, and all rights for the user's primary group.
    static func currentUserAndGroup() throws(IPCError) -> SecurityDescriptor {
        let user = try ownSID(ofGroup: false)
        return try SecurityDescriptor(sddl: "O:\(user)D:P(A;;GA;;;\(user))(A;;GA;;;\(try ownSID(ofGroup: true)))")
    }

    private static func ownSID(ofGroup: Bool) throws(IPCError) -> String {
        let text: [UInt16] = try unsafe fill(.identify) { unsafe cip_own_sid(ofGroup, $0, $1) }
        return String(decoding: text, as: UTF16.self)
    }

    /// All rights for administrators and the system itself.
    ///
    /// - Throws: ``IPCError/Code/resourcesExhausted``.
    public static func administrators() throws(IPCError) -> SecurityDescriptor {
        try SecurityDescriptor(sddl: "D:P(A;;GA;;;BA)(A;;GA;;;SY)")
    }

    /// All rights for every user that has logged in.
    ///
    /// - Throws: ``IPCError/Code/resourcesExhausted``.
    public static func authenticatedUsers() throws(IPCError) -> SecurityDescriptor {
        try SecurityDescriptor(sddl: "D:P(A;;GA;;;AU)")
    }

    /// All rights for everyone.
    ///
    /// - Throws: ``IPCError/Code/resourcesExhausted``.
    public static func everyone() throws(IPCError) -> SecurityDescriptor {
        try SecurityDescriptor(sddl: "D:P(A;;GA;;;WD)")
    }

    /// Fills an array by a call that tells how much it would store, and stores what there is room for.
    private static func fill<Element: FixedWidthInteger>(
        _ operation: IPCError.Operation,
        _ call: (UnsafeMutablePointer<Element>, Int) -> Int64
    ) throws(IPCError) -> [Element] {
        var capacity = 512
        while true {
            var found: Int64 = 0
            let elements = [Element](capacity: capacity) { buffer in
                unsafe buffer.withUnsafeMutableBufferPointer { (memory, count) in
                    found = unsafe call(memory.baseAddress.unsafelyUnwrapped, memory.count)
                    count = Int(max(0, min(found, Int64(memory.count))))
                }
            }
            if found < 0 { throw IPCError(result: found, operation, name: "a security descriptor") }
            if found <= capacity { return elements }
            capacity = Int(found)
        }
    }
}
#endif
