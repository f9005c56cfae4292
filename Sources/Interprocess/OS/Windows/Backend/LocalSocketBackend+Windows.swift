// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

typealias LocalSocketAddress = PipeAddress
/// What a listener's name belongs to.
typealias NameHolder = PipeInstances

/// Local sockets as named pipes of bytes.
///
/// Each system's backend has a type of this name with these members.
enum LocalSocketBackend {
    /// How `close` ends a blocked call on a stream: each has the wake in it.
    static let streamWaker = DescriptorCore.Waker.poll

    /// Users have no numbers here.
    static var currentUser: UInt32? { nil }

    /// A listener's name, and the event that stands for it.
    struct Binding: ~Copyable {
        let descriptor: OwnedDescriptor
        let file: PipeInstances
        let gate: Gate

        consuming func makeCore(_ name: String) -> DescriptorCore {
            let instances = file
            let core = DescriptorCore(descriptor, name: name, waker: .poll)
            _ = core.companion.set(instances)
            return core
        }
    }

    static func listen(
        _ name: LocalSocketName,
        _ options: LocalSocketListener.Options
    ) throws(IPCError) -> Binding {
        var pipe = NamedPipeListener.Options()
        pipe.idleInstances = min(max(options.backlog ?? 8, 1), 32)
        pipe.securityDescriptor = options.securityDescriptor
        if pipe.securityDescriptor == nil { pipe.securityDescriptor = try options.access.securityDescriptor }
        let label = name.description
        let event = try OwnedDescriptor(result: System.call(.wake) { cip_event_create() }, .listen, name: label)
        do throws(IPCError) {
            let instances = try PipeInstances(name.address, pipe, event: event.raw)
            return Binding(descriptor: event, file: instances, gate: .open)
        } catch {
            // The system says the same of a name that is taken and of one that is forbidden.
            if error.code != .permissionDenied || !name.address.isTaken { throw error }
            throw IPCError(.addressInUse, .listen, systemCode: error.systemCode, name: label, detail: nil)
        }
    }

    static func adoptStream(_ descriptor: RawDescriptor) throws(IPCError) -> OwnedDescriptor {
        try OwnedDescriptor(adoptingPipe: descriptor)
    }

    static func connect(
        _ name: LocalSocketName,
        _ options: LocalSocketStream.ConnectOptions
    ) throws(IPCError) -> LocalSocketStream {
        let plan = ConnectPlan(name, options)
        let deadline = options.deadline
        var backoff = Backoff()
        while true {
            let result = plan.attempt()
            if result >= 0 { return try plan.makeStream(OwnedDescriptor(result), options) }
            if !plan.isWorthRepeating(result) { throw plan.error(result: result) }
            if deadline.hasPassed { throw plan.timedOut(result) }
            if result == -PipeCode.busy {
                // When the server goes, nobody may tell.
                let turn = deadline.atMost(nanosecondsFromNow: 1_000_000_000)
                _ = System.call(.connect) { unsafe cip_named_pipe_wait(name.address.units, turn.remaining) }
            } else {
                _ = cip_poll(-1, Int64(CIP_READABLE), -1, backoff.next(until: deadline).remaining)
            }
        }
    }

    static func pair() throws(IPCError) -> (DescriptorCore, DescriptorCore) {
        try PipeAddress.makePair(.duplex, bufferSize: 65_536, for: "a socket pair")
    }

    /// Pipes hold no errors for the next call.
    static func takeError(_ core: DescriptorCore) throws(IPCError) -> IPCError? {
        let lease = try core.lease(.both, for: .configure)
        withExtendedLifetime(lease) {}
        return nil
    }

    static func duplicate(_ core: DescriptorCore) throws(IPCError) -> DescriptorCore {
        let lease = try core.lease(.both, for: .duplicate)
        defer { withExtendedLifetime(lease) {} }
        let made = System.call(.duplicate) { cip_duplicate(core.descriptor) }
        let handle = try OwnedDescriptor(result: made, .duplicate, name: core.name)
        return DescriptorCore(handle, name: core.name, waker: streamWaker, isShared: true)
    }

    /// Handles do not run out as descriptors do, so none is held in reserve.
    static func makeReserve() -> Int64 { -1 }
    static func shedClient(_ core: DescriptorCore) -> Bool { false }
}

/// Who may connect: the pipe's security descriptor sees to it.
struct Gate: Sendable {
    static let open = Gate()
}

extension DescriptorCore {
    /// Accepts a client without waiting.
    ///
    /// - Returns: The handle; "would block" if there is none, or another negated error code.
    func acceptNow(_ gate: Gate) -> Int64 { instances.accept() }
}

extension LocalSocketListener.Access {
    fileprivate var securityDescriptor: SecurityDescriptor? {
        get throws(IPCError) {
            switch self {
            case .currentUser: try .currentUser()
            case .group: try .currentUserAndGroup()
            case .everyone: try .everyone()
            case .custom: nil
            }
        }
    }
}
#endif
