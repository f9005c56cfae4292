// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

extension IPCChild {
    /// What a program gets from the process that starts it.
    public struct Options: Sendable {
        /// Variables of its environment, beside those of this process, or instead of ones of the same name.
        public var environment: [String: String] = [:]
        /// Whether it has this process's variables too.
        public var inheritsEnvironment = true
        /// What it reads as its standard input.
        public var input = StandardStream.inherited
        /// Where its standard output goes.
        public var output = StandardStream.inherited
        /// Where its standard error output goes.
        public var errors = StandardStream.inherited

        /// Creates the options that are right for most programs.
        public init() {}
    }

    /// One of a program's standard streams.
    public enum StandardStream: Sendable {
        /// What this process has.
        case inherited
        /// What is empty, and takes everything (`/dev/null`).
        case null
        /// A pipe's end, a stream, or any other descriptor, which stays open here.
        ///
        /// Close it here once the program runs, if the other side is to be told of the program's end.
        case descriptor(any DescriptorOwner)
    }

    /// How a process has ended.
    public enum ExitStatus: Sendable, Hashable {
        /// By itself, with that status: zero if all went well.
        case exited(Int32)
        /// By a signal.
        case killed(Signal)
        /// As somebody else has been told: other code waits for all children of this process, or has it ignore `SIGCHLD`.
        case unknown

        /// Whether it has ended by itself, and with zero.
        public var isSuccess: Bool { self == .exited(0) }
    }
}

extension IPCChild.Options {
    /// All variables, as `NAME=VALUE`.
    func variables(beside taken: Set<[UInt8]>) -> [[UInt8]] {
        let changed = taken.union(environment.keys.map { Array($0.utf8) })
        let own = inheritsEnvironment ? ChildBackend.variables() : []
        // On Windows there are names that begin with an equals sign.
        let kept = own.filter { !changed.contains($0.prefix(1) + $0.dropFirst().prefix { $0 != UInt8(ascii: "=") }) }
        return kept + environment.map { Array("\($0)=\($1)".utf8) }
    }
}

/// What becomes of a standard stream, kept open until the program runs.
struct StandardDescriptor {
    let raw: Int64
    private let lease: HeldLease?

    /// - Throws: `.closed`, `.busy`.
    init(_ stream: IPCChild.StandardStream) throws(IPCError) {
        switch stream {
        case .inherited: (raw, lease) = (Int64(CIP_SAME), nil)
        case .null: (raw, lease) = (Int64(CIP_NOTHING), nil)
        case .descriptor(let owner):
            lease = try HeldLease(toSend: owner.descriptorCore)
            raw = owner.descriptorCore.lent
        }
    }
}
