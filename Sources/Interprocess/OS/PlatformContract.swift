// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

// What a system has to have for this library to run on it: the porting checklist.
//
// Each system's folder (`OS/Unix/Backend`, `OS/Windows/Backend`) has types of the names below, which conform at the end of
// this file: what a port lacks, the compiler names. Nothing is called by way of these protocols, so they cost nothing.
// Beside them a port has `PendingConnection.finish` and `LocalSocketBackend.connect` once more as `async` functions, in
// files named +Async, and under all of it the functions of CInterprocess, which its headers describe and the linker asks for.

/// Which system calls move bytes.
protocol PlatformTransport: Sendable {
    /// What a local socket's stream has.
    static var socket: Self { get }
    /// What an end of an unnamed pipe has that was made here.
    static var pipe: Self { get }
    static var maximumPieces: Int { get }

    var sendsByWaiting: Bool { get }
    var bytesOutliveClose: Bool { get }
    var endIsAwaitable: Bool { get }
    func mayWait(_ lease: borrowing DescriptorCore.Lease) -> Bool
    func prepareToSend(_ core: DescriptorCore)

    func read(_ core: DescriptorCore, _ memory: UnsafeMutableRawPointer, _ count: Int, wait: Bool) -> Int64
    func write(_ core: DescriptorCore, _ memory: UnsafeRawPointer, _ count: Int, wait: Bool) -> Int64
    func read(_ core: DescriptorCore, _ pieces: UnsafeMutableBufferPointer<cip_buffer>) -> Int64
    func write(_ core: DescriptorCore, _ pieces: UnsafeMutableBufferPointer<cip_buffer>, wait: Bool) -> Int64
}

/// What tells of clients, and of readiness.
protocol PlatformReadiness {
    func acceptNow(_ gate: Gate) -> Int64
    func waitable(_ side: DescriptorCore.Side) -> Int64
}

/// What names mean to the system.
protocol PlatformAddress: Sendable, Hashable {
    static var pathsAreNamespaced: Bool { get }
    var isPath: Bool { get }
    var description: String { get }
    init(path: [UInt8]) throws(IPCError)
    init(namespaced name: [UInt8]) throws(IPCError)
}

/// What a listener's name belongs to.
protocol PlatformNameHolder: AnyObject, Sendable {
    func keep()
    func reclaim()
}

/// Who is let in at accepting.
protocol PlatformGate: Sendable {
    static var open: Self { get }
}

/// Local sockets, on whatever the system has.
protocol PlatformLocalSockets {
    static var streamWaker: DescriptorCore.Waker { get }
    static var currentUser: UInt32? { get }
    static func listen(
        _ name: LocalSocketName,
        _ options: LocalSocketListener.Options
    ) throws(IPCError) -> LocalSocketBackend.Binding
    static func connect(
        _ name: LocalSocketName,
        _ options: LocalSocketStream.ConnectOptions
    ) throws(IPCError) -> LocalSocketStream
    static func pair() throws(IPCError) -> (DescriptorCore, DescriptorCore)
    static func adoptStream(_ descriptor: RawDescriptor) throws(IPCError) -> OwnedDescriptor
    static func duplicate(_ core: DescriptorCore) throws(IPCError) -> DescriptorCore
    static func takeError(_ core: DescriptorCore) throws(IPCError) -> IPCError?
    static func makeReserve() -> Int64
    static func shedClient(_ core: DescriptorCore) -> Bool
}

/// A listener's name and descriptor, before the listener is made.
protocol PlatformBinding: ~Copyable {
    var gate: Gate { get }
    consuming func makeCore(_ name: String) -> DescriptorCore
}

/// A connection that is made at first use.
protocol PlatformPendingConnection: AnyObject, Sendable {
    func finish(
        _ core: DescriptorCore,
        _ side: DescriptorCore.Side,
        _ lease: borrowing DescriptorCore.Lease,
        _ patience: Patience
    ) throws(IPCError)
}

/// Who the peer is.
protocol PlatformCredentials {
    init(_ core: DescriptorCore) throws(IPCError)
}

/// Unnamed pipes.
protocol PlatformUnnamedPipes {
    static func create(
        _ options: UnnamedPipe.Options
    ) throws(IPCError) -> (sender: DescriptorCore, receiver: DescriptorCore)
    static func adopt(
        _ descriptor: RawDescriptor,
        toReceive: Bool
    ) throws(IPCError) -> (core: DescriptorCore, transport: Transport)
    static func bufferSize(_ core: DescriptorCore) throws(IPCError) -> Int
}

/// Programs that this process starts.
protocol PlatformChildren {
    static func start(
        _ program: [UInt8],
        _ arguments: [[UInt8]],
        _ variables: [[UInt8]],
        standard: [Int64],
        channel: Int64,
        named name: [UInt8]
    ) throws(IPCError) -> (number: Int64, core: DescriptorCore)
    static func identity(of descriptor: Int64) -> UInt64?
    static func variables() -> [[UInt8]]
}

/// What packets of channels travel by.
protocol PlatformPackets {
    static var trailerCapacity: Int { get }
    static func makePair() throws(IPCError) -> (sender: DescriptorCore, receiver: DescriptorCore)
    static func adopt(
        _ owned: consuming OwnedDescriptor,
        toReceive: Bool,
        isShared: Bool
    ) throws(IPCError) -> DescriptorCore
    static func pass(_ descriptors: [Int64], by core: DescriptorCore) throws(IPCError) -> [Int64]
    static func takeBack(_ passed: [Int64], by core: DescriptorCore)
    static func sendFrames(_ core: DescriptorCore, _ memory: UnsafeRawPointer, _ count: Int) -> Int64
    static func send(
        _ core: DescriptorCore,
        _ head: FrameHead,
        _ bytes: UnsafeRawBufferPointer,
        wait: Bool,
        _ patience: Patience?
    ) -> Int64
    static func send(
        _ core: DescriptorCore,
        _ message: inout cip_message,
        wait: Bool,
        _ patience: Patience?
    ) -> Int64
    static func receive(_ core: DescriptorCore, _ message: inout cip_message, wait: Bool) -> Int64
    static func hasEnded(_ core: DescriptorCore) -> Bool
}

extension Transport: PlatformTransport {}
extension DescriptorCore: PlatformReadiness {}
extension LocalSocketAddress: PlatformAddress {}
extension NameHolder: PlatformNameHolder {}
extension Gate: PlatformGate {}
extension LocalSocketBackend: PlatformLocalSockets {}
extension LocalSocketBackend.Binding: PlatformBinding {}
extension PendingConnection: PlatformPendingConnection {}
extension PeerCredentials: PlatformCredentials {}
extension UnnamedPipeBackend: PlatformUnnamedPipes {}
extension ChildBackend: PlatformChildren {}
extension PacketTransport: PlatformPackets {}
