// SPDX-License-Identifier: MIT OR Apache-2.0

extension ByteReceiver {
    /// The bytes as they come, in pieces of up to 64 KiB, until the stream ends.
    ///
    /// Where a piece ends says nothing about how the bytes were sent. Leaving the loop loses no byte: the next read goes
    /// on behind the last piece.
    public var chunks: ByteChunks<Self> { chunks() }

    /// The bytes as they come, in pieces of up to a size, until the stream ends.
    ///
    /// - Parameters:
    ///   - size: The most bytes of a piece.
    ///   - timeout: How long to wait for each piece at most; `nil` means ``receiveTimeout``.
    /// - Returns: The pieces.
    public func chunks(upTo size: Int = 64 << 10, timeout: Duration? = nil) -> ByteChunks<Self> {
        ByteChunks(receiver: self, size: size, timeout: timeout)
    }

    /// The lines of text, of up to 1 MiB each, until the stream ends.
    ///
    /// They are what `readLine(limit:timeout:)` returns. Leaving the loop loses no byte: the next read goes on behind
    /// the last line.
    public var lines: ByteLines<Self> { lines() }

    /// The lines of text, until the stream ends.
    ///
    /// - Parameters:
    ///   - limit: The longest line to accept, in bytes without its line feed.
    ///   - timeout: How long to wait for each line at most; `nil` means ``receiveTimeout``.
    /// - Returns: The lines.
    public func lines(limit: Int = 1 << 20, timeout: Duration? = nil) -> ByteLines<Self> {
        ByteLines(receiver: self, limit: limit, timeout: timeout)
    }
}

/// The bytes that something receives, piece by piece: see ``ByteReceiver/chunks(upTo:timeout:)``.
public struct ByteChunks<Receiver: ByteReceiver>: AsyncSequence, AsyncIteratorProtocol, Sendable {
    let receiver: Receiver
    let size: Int
    let timeout: Duration?

    /// Waits for the next piece, suspending the task.
    ///
    /// - Parameter actor: Where the caller runs.
    /// - Returns: The piece, of at least one byte; `nil` at the end of the stream.
    /// - Throws: As `ByteReceiver.read(upTo:timeout:)` does.
    public func next(isolation actor: isolated (any Actor)?) async throws(IPCError) -> [UInt8]? {
        if size < 1 { throw IPCError(.invalidArgument, .read, detail: "a piece has at least one byte") }
        let bytes = try await receiver.read(upTo: size, timeout: timeout)
        return bytes.isEmpty ? nil : bytes
    }

    /// Creates an iterator, which takes the next bytes wherever other reads have got to.
    public func makeAsyncIterator() -> Self { self }
}

/// The lines of text that something receives: see ``ByteReceiver/lines(limit:timeout:)``.
public struct ByteLines<Receiver: ByteReceiver>: AsyncSequence, AsyncIteratorProtocol, Sendable {
    let receiver: Receiver
    let limit: Int
    let timeout: Duration?

    /// Waits for the next line, suspending the task.
    ///
    /// - Parameter actor: Where the caller runs.
    /// - Returns: The line; `nil` at the end of the stream.
    /// - Throws: As `ByteReceiver.readLine(limit:timeout:)` does.
    public func next(isolation actor: isolated (any Actor)?) async throws(IPCError) -> String? {
        try await receiver.readLine(limit: limit, timeout: timeout)
    }

    /// Creates an iterator, which takes the next lines wherever other reads have got to.
    public func makeAsyncIterator() -> Self { self }
}
