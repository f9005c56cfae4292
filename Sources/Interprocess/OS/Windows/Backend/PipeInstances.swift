// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

/// The instances of a named pipe that wait for clients.
///
/// There are several, so that clients can connect while the server is busy, and one that was taken is replaced before it
/// is handed out. An event tells that a client may have come; it stands for the listener, and is what it waits for.
///
/// Beginning to wait for a client resets the event, so whoever makes an instance looks at all of them after that.
final class PipeInstances: DescriptorAttachment, @unchecked Sendable {
    private let address: PipeAddress
    private let options: NamedPipeListener.Options
    private let event: Int64
    /// `nil` once they are closed.
    private let idle = Locked<[PipeInstance]?>([])

    /// Makes the first instances, the first of which nobody else must have made.
    init(_ address: PipeAddress, _ options: NamedPipeListener.Options, event: Int64) throws(IPCError) {
        self.address = address
        self.options = options
        self.event = event
        super.init()
        var failure: Int64 = 0
        guard let first = PipeInstance(address, options, isFirst: true, event, &failure) else {
            throw IPCError(result: failure, .listen, name: address.description)
        }
        idle.withLock { $0 = [first] }
        _ = refill()
    }

    /// How long it takes until another instance is tried to be made where none can be made now.
    private static let pause: Int64 = 10_000_000

    /// Makes as many instances as are missing.
    ///
    /// - Returns: 0; or if there are none, why.
    private func refill() -> Int64 {
        idle.withLock { idle in
            var failure: Int64 = 0
            guard var present = idle.take() else { return 0 }
            while present.count < options.idleInstances,
                let instance = PipeInstance(address, options, isFirst: false, event, &failure)
            {
                present.append(instance)
            }
            idle = present
            return present.isEmpty ? failure : 0
        }
    }

    /// Takes the handle of an instance that a client has connected to, without waiting, and replaces that.
    ///
    /// - Returns: The handle; "would block" if there is none; or another negated error code.
    func accept() -> Int64 {
        _ = cip_event_reset(event)
        let failure = refill()
        if failure < 0 {
            // At the limit, a stream has to be closed first, and nothing tells of that.
            if failure != -PipeCode.busy { return failure }
            let result = cip_event_set_later(event, Self.pause)
            return result < 0 ? result : -cip_codes.would_block
        }
        let handle = idle.withLock { idle -> Int64 in
            guard let instances = idle else { return -cip_codes.would_block }
            for (place, instance) in instances.enumerated() {
                let handle = instance.take()
                if handle == -cip_codes.would_block { continue }
                idle?.remove(at: place)
                return handle
            }
            return -cip_codes.would_block
        }
        if handle != -cip_codes.would_block {
            _ = refill()
            let more = idle.withLock { $0?.contains { $0.isTaken } ?? false }
            if more { _ = cip_event_set(event) }
        }
        return handle
    }

    /// The name goes with the pipe's last instance.
    func keep() {}

    func reclaim() { idle.withLock { $0 = nil } }

    override func didDrain() { reclaim() }
}

/// One of them, which is closed when the last reference to it goes.
@safe
private final class PipeInstance {
    private let instance: OpaquePointer

    init?(
        _ address: PipeAddress,
        _ options: NamedPipeListener.Options,
        isFirst: Bool,
        _ event: Int64,
        _ failure: inout Int64
    ) {
        var made: OpaquePointer?
        failure = unsafe options.withSystemOptions(isFirst: isFirst) {
            unsafe cip_instance_create(address.units, $0, event, &made)
        }
        guard let made = unsafe made else { return nil }
        unsafe instance = made
    }

    deinit { unsafe cip_instance_destroy(instance) }

    /// Whether a client has come.
    var isTaken: Bool { unsafe cip_instance_is_taken(instance) }

    /// The connected instance's handle; "would block" while there is no client.
    func take() -> Int64 { unsafe cip_instance_take(instance) }
}

extension DescriptorCore {
    /// A listener's instances, which belong to it.
    var instances: PipeInstances { unsafe unsafeDowncast(companion.value.unsafelyUnwrapped, to: PipeInstances.self) }
}

extension NamedPipeListener.Options {
    /// Whether the server's ends read messages, if they receive at all.
    var readsMessages: Bool { (receiveMode ?? mode) == .messages && direction != .serverToClient }

    /// The options as the system takes them.
    func withSystemOptions(isFirst: Bool, _ body: (UnsafePointer<cip_named_pipe_options>) -> Int64) -> Int64 {
        let security = securityDescriptor?.bytes ?? []
        return unsafe security.withUnsafeBytes { security in
            var options = unsafe cip_named_pipe_options()
            unsafe options.direction = direction.rawValue
            unsafe options.instance_limit = UInt32(instanceLimit ?? 255)
            unsafe options.receive_buffer = UInt32(receiveBufferSize)
            unsafe options.send_buffer = UInt32(sendBufferSize)
            unsafe options.default_wait = UInt32(clamping: defaultWait.map { $0.wholeNanoseconds / 1_000_000 } ?? 0)
            unsafe options.stores_messages = mode == .messages
            unsafe options.reads_messages = readsMessages
            unsafe options.write_through = writeThrough
            unsafe options.accepts_remote_clients = acceptsRemoteClients
            unsafe options.is_first = isFirst
            unsafe options.is_inheritable = inheritable
            unsafe options.security = security.count == 0 ? nil : security.baseAddress
            return unsafe body(&options)
        }
    }
}
#endif
