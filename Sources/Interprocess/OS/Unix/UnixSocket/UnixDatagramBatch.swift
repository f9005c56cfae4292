// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// Datagrams that are sent, or received, in one call: memory for them, to be used again and again.
///
/// ```swift
/// let (one, other) = try UnixDatagramSocket.pair()
/// let batch = UnixDatagramBatch(capacity: 32, maximumSize: 512)
/// for number in UInt8(0)..<32 { try batch.add([number]) }
/// let sent = try one.sendMany(batch)
/// let received = try other.receiveMany(into: batch)
/// for index in 0..<received { print(batch.bytes(at: index), batch.isTruncated(at: index)) }
/// print(sent)
/// ```
///
/// Neither filling it nor sending or receiving allocates anything. One thread or task may use it at a time.
@safe
public final class UnixDatagramBatch {
    /// How many datagrams there is room for.
    public let capacity: Int
    /// How many bytes there is room for in each.
    public let maximumSize: Int
    /// Whether it is told who has sent what it receives, which takes the system some time.
    public let tellsSenders: Bool
    /// How many datagrams there are.
    public internal(set) var count = 0

    let datagrams: UnsafeMutablePointer<cip_datagram>
    private let memory: UnsafeMutableRawPointer
    private let addresses: UnsafeMutablePointer<UInt8>

    /// Makes an empty batch.
    ///
    /// - Parameters:
    ///   - capacity: How many datagrams there is room for. The system takes up to 64 at once.
    ///   - maximumSize: How many bytes there is room for in each.
    ///   - tellsSenders: Whether it is told who has sent what it receives: addresses, and credentials.
    public init(capacity: Int, maximumSize: Int, tellsSenders: Bool = true) {
        self.tellsSenders = tellsSenders
        self.capacity = max(0, capacity)
        self.maximumSize = max(0, maximumSize)
        unsafe datagrams = .allocate(capacity: self.capacity)
        unsafe memory = .allocate(byteCount: self.capacity * self.maximumSize, alignment: 16)
        unsafe addresses = .allocate(capacity: self.capacity * UnixSocketAddress.capacity)
        for index in 0..<self.capacity {
            var datagram = unsafe cip_datagram()
            unsafe datagram.buffer.base = memory + index * self.maximumSize
            unsafe datagram.address = addresses + index * UnixSocketAddress.capacity
            unsafe (datagrams + index).initialize(to: datagram)
        }
    }

    deinit {
        unsafe datagrams.deallocate()
        unsafe memory.deallocate()
        unsafe addresses.deallocate()
    }

    /// Adds a datagram, to be sent.
    ///
    /// - Parameters:
    ///   - bytes: What to send, which is copied, and may be nothing.
    ///   - address: Where to; `nil` is where the socket is connected to.
    /// - Throws: ``IPCError/Code/messageTooLarge`` when it does not fit: it is larger than ``maximumSize``, or there
    ///   are ``capacity`` datagrams already; ``IPCError/Code/invalidArgument`` for ``UnixSocketAddress/unnamed``.
    public func add(_ bytes: UnsafeRawBufferPointer, to address: UnixSocketAddress? = nil) throws(IPCError) {
        if count == capacity {
            throw IPCError(.messageTooLarge, .write, name: "a batch of datagrams", detail: "the batch is full")
        }
        if bytes.count > maximumSize {
            throw IPCError(
                .messageTooLarge,
                .write,
                name: "a batch of datagrams",
                detail: "the datagram is larger than the batch's maximumSize"
            )
        }
        if address?.isUnnamed == true {
            throw IPCError(
                .invalidArgument,
                .write,
                name: "a batch of datagrams",
                detail: OutgoingMessage.noAddress
            )
        }
        let datagram = unsafe datagrams + count
        if let source = bytes.baseAddress {
            unsafe datagram.pointee.buffer.base?.copyMemory(from: source, byteCount: bytes.count)
        }
        unsafe datagram.pointee.buffer.count = bytes.count
        unsafe datagram.pointee.size = bytes.count
        unsafe datagram.pointee.truncated = false
        unsafe datagram.pointee.has_credentials = false
        unsafe datagram.pointee.address_length = 0
        if let address {
            _ = address.with { bytes, count in
                unsafe datagram.pointee.address?.update(from: bytes, count: count)
                unsafe datagram.pointee.address_length = count
                return 0
            }
        }
        count += 1
    }

    /// Adds a datagram, to be sent.
    ///
    /// - Parameters:
    ///   - bytes: What to send, which is copied, and may be nothing.
    ///   - address: Where to; `nil` is where the socket is connected to.
    /// - Throws: As the form for raw memory does.
    public func add(_ bytes: [UInt8], to address: UnixSocketAddress? = nil) throws(IPCError) {
        try unsafe bytes.withUnsafeBufferPointer { (memory) throws(IPCError) in
            try unsafe add(UnsafeRawBufferPointer(memory), to: address)
        }
    }

    /// Removes all datagrams.
    public func removeAll() { count = 0 }

    /// Lends a datagram's bytes.
    ///
    /// - Parameters:
    ///   - index: Which datagram, from 0 on.
    ///   - body: What to do with them; they must not be used after it.
    /// - Returns: What `body` returns.
    public func withBytes<Value>(at index: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        let datagram = unsafe self[index]
        return unsafe body(
            UnsafeRawBufferPointer(start: datagram.buffer.base, count: min(datagram.size, maximumSize))
        )
    }

    /// A datagram's bytes.
    ///
    /// - Parameter index: Which datagram, from 0 on.
    /// - Returns: A copy of them.
    public func bytes(at index: Int) -> [UInt8] { unsafe withBytes(at: index) { unsafe Array($0) } }

    /// Whether the end of a datagram that was received is lost, for it was larger than ``maximumSize``.
    ///
    /// - Parameter index: Which datagram, from 0 on.
    /// - Returns: Whether it is.
    public func isTruncated(at index: Int) -> Bool { unsafe self[index].truncated }

    /// Where a datagram that was received came from: unnamed, if its sender is not bound, or not to be told
    /// (``tellsSenders``).
    ///
    /// - Parameter index: Which datagram, from 0 on.
    /// - Returns: The address; of one to be sent, where it goes.
    public func address(at index: Int) -> UnixSocketAddress {
        let datagram = unsafe self[index]
        return unsafe UnixSocketAddress(
            bytes: Array(UnsafeBufferPointer(start: datagram.address, count: datagram.address_length))
        )
    }

    #if os(Linux) || os(Android)
    /// Who has sent a datagram, if the socket receives credentials: as ``UnixMessage/credentials``.
    ///
    /// - Parameter index: Which datagram, from 0 on.
    /// - Returns: The sender.
    public func credentials(at index: Int) -> PeerCredentials? {
        let datagram = unsafe self[index]
        return unsafe datagram.has_credentials ? PeerCredentials(datagram.credentials) : nil
    }
    #endif

    private subscript(index: Int) -> cip_datagram {
        precondition(index >= 0 && index < count, "there is no such datagram in the batch")
        return unsafe datagrams[index]
    }
}
#endif
