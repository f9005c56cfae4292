// SPDX-License-Identifier: MIT OR Apache-2.0

/// Calls handlers with what comes in channels.
///
/// ```swift
/// let router = try IPCRouter()
/// let (sender, receiver) = try IPCChannel.make(of: Int.self)
/// try router.add(receiver) { number in
///     print("got \(number)")
/// } onEnd: { error in
///     print(error.map { "it has failed: \($0)" } ?? "all senders are gone")
/// }
/// try sender.send(7)
/// ```
///
/// All handlers are called on the router's one thread, one at a time; one that takes long delays the others, and what comes
/// meanwhile waits in the kernel, where senders that are too fast wait in turn. Channels with messages take turns. A handler
/// may do anything, block, add routes, and shut the router down.
///
/// A route ends when all senders are gone, when something comes that cannot be decoded or used, and when its handler throws:
/// it alone. The router lets go of the receiver then, which closes if nobody else has it, so that senders are told; and of
/// the handler, with all that it has captured.
///
/// To loop over the messages of one channel, a router is not needed: a receiver is an `AsyncSequence`.
public final class IPCRouter: Sendable {
    let core: RouterCore

    /// Names a route, and never another one of the same router.
    public struct Route: Sendable, Hashable {
        let id: IPCReceiverGroup.ID
    }

    /// Makes a router without routes.
    ///
    /// Its thread starts with the first one.
    ///
    /// - Throws: ``IPCError/Code/resourcesExhausted``.
    public init() throws(IPCError) { core = try RouterCore() }

    deinit { core.shutDown() }

    /// Has a handler called for each value that comes.
    ///
    /// - Parameters:
    ///   - receiver: Where they come. From now on it should be received from by the router alone.
    ///   - handler: What to do with each. When it throws, the route ends.
    ///   - onEnd: Is called on the router's thread when the route ends by itself: with what the handler threw, or why something
    ///     could not be used; without an error when all senders are gone.
    /// - Returns: The route's name.
    /// - Throws: ``IPCError/Code/closed`` when the router was shut down, or the receiver is closed;
    ///   ``IPCError/Code/alreadyExists`` when it has a route already, or is in a group;
    ///   ``IPCError/Code/resourcesExhausted``. The handler is not called then.
    @discardableResult
    public func add<Message>(
        _ receiver: IPCReceiver<Message>,
        _ handler: @escaping @Sendable (Message) throws -> Void,
        onEnd: (@Sendable ((any Error)?) -> Void)? = nil
    ) throws(IPCError) -> Route {
        try core.add(RouterCore.Route(isOnce: false, onEnd: onEnd, handle: Self.decoding(receiver, handler))) {
            (group) throws(IPCError) in try group.add(receiver)
        }
    }

    /// Has a handler called for the first value that comes, with which the route ends.
    ///
    /// - Parameters:
    ///   - receiver: Where it comes.
    ///   - handler: What to do with it. When it is called, the receiver can be given another route already.
    ///   - onEnd: Is called as for other routes; without an error also after the handler was called.
    /// - Returns: The route's name.
    /// - Throws: As for routes of values.
    @discardableResult
    public func addOnce<Message>(
        _ receiver: IPCReceiver<Message>,
        _ handler: @escaping @Sendable (Message) throws -> Void,
        onEnd: (@Sendable ((any Error)?) -> Void)? = nil
    ) throws(IPCError) -> Route {
        try core.add(RouterCore.Route(isOnce: true, onEnd: onEnd, handle: Self.decoding(receiver, handler))) {
            (group) throws(IPCError) in try group.add(receiver)
        }
    }

    /// Has a handler called for each message that comes, with its descriptors.
    ///
    /// - Parameters:
    ///   - receiver: Where they come. From now on it should be received from by the router alone.
    ///   - handler: What to do with each. When it throws, the route ends.
    ///   - onEnd: Is called as for other routes.
    /// - Returns: The route's name.
    /// - Throws: As for routes of values.
    @discardableResult
    public func add(
        _ receiver: IPCBytesReceiver,
        _ handler: @escaping @Sendable (IPCRawMessage) throws -> Void,
        onEnd: (@Sendable ((any Error)?) -> Void)? = nil
    ) throws(IPCError) -> Route {
        try core.add(RouterCore.Route(isOnce: false, onEnd: onEnd, handle: handler)) {
            (group) throws(IPCError) in try group.add(receiver)
        }
    }

    private static func decoding<Message>(
        _ receiver: IPCReceiver<Message>,
        _ handler: @escaping @Sendable (Message) throws -> Void
    ) -> @Sendable (IPCRawMessage) throws -> Void {
        let own = RouteDecoder(limit: receiver.packets.limit)
        return { message in try handler(try message.decode(as: Message.self, by: own.decoder)) }
    }

    /// Ends a route.
    ///
    /// Its handler may be under way on the router's thread still, and is not called again. `onEnd` is not called.
    ///
    /// - Parameter route: Which.
    /// - Returns: Whether there was such a route.
    @discardableResult
    public func remove(_ route: Route) -> Bool { core.remove(route.id) != nil }

    /// How many routes there are.
    public var count: Int { core.count }

    /// Ends all routes, and waits for the handler that is under way.
    ///
    /// Called by a handler, it does not wait. Their `onEnd` is not called. No handler is called from then on, and no route can
    /// be added; further calls do nothing. When the last reference to the router goes, the same happens, without waiting.
    public func shutdown() {
        core.shutDown()
        core.waitForEnd()
    }
}

/// Belongs to the router's thread.
private struct RouteDecoder: @unchecked Sendable {
    let decoder: IPCDecoder

    init(limit: Int) {
        var limits = IPCCodingLimits()
        limits.bytes = limit
        decoder = IPCDecoder(limits: limits)
    }
}
