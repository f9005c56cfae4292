// SPDX-License-Identifier: MIT OR Apache-2.0

#if !canImport(Darwin) && !os(Windows)
extension SharedRegionPool {
    /// The reading end of a pool, which moves to the process that it is sent to.
    ///
    /// When it is closed, or its process ends, the pool is told.
    public final class Reader: Sendable, DescriptorOwner {
        /// The descriptor's owner, which has no public members.
        public var descriptorCore: DescriptorCore { credits.descriptorCore }

        let layout: PoolLayout
        let region: DescriptorCore
        private let credits: IPCBytesSender
        private let mapped = SetOnce<Memory>()
        private let state: Locked<State>

        private struct State {
            /// Under which number each slot was opened last.
            var opened: [UInt64]
            var openCount = 0
            var isMoving = false
            var hasMoved = false
        }

        final class Memory: Sendable {
            let mapping: RegionMapping

            fileprivate init(_ layout: PoolLayout, _ region: DescriptorCore) throws(IPCError) {
                mapping = try RegionMapping(region.descriptor, layout.byteCount, toFill: false)
                mapping.touch(toFill: false)
            }
        }

        init(_ layout: PoolLayout, _ region: DescriptorCore, _ credits: IPCBytesSender) {
            self.layout = layout
            self.region = region
            self.credits = credits
            state = Locked(State(opened: Array(repeating: 0, count: layout.slotCount)))
        }

        /// How large a message can be.
        public var slotSize: Int { layout.slotSize }

        /// Opens a message, which can be done once.
        ///
        /// - Parameter handle: What the pool's process has sent.
        /// - Returns: The message.
        /// - Throws: ``IPCError/Code/protocolViolation`` when there is no such message, or it was opened before;
        ///   ``IPCError/Code/closed``; ``IPCError/Code/endpointMoved``; ``IPCError/Code/busy`` while the reader is being
        ///   sent; ``IPCError/Code/resourcesExhausted``.
        public func open(_ handle: Handle) throws(IPCError) -> Content {
            if handle.index >= layout.slotCount || handle.byteCount > layout.slotSize {
                throw error(.protocolViolation, "the pool has no such slot")
            }
            let memory = try memory()
            let code = state.withLock { state -> IPCError.Code? in
                if state.hasMoved { return .endpointMoved }
                if state.isMoving { return .busy }
                if isClosed { return .closed }
                if handle.number <= state.opened[handle.index] { return .protocolViolation }
                state.opened[handle.index] = handle.number
                state.openCount += 1
                return nil
            }
            if let code { throw error(code, code == .protocolViolation ? "the message was opened before" : nil) }
            return Content(reader: self, memory: memory, handle: handle)
        }

        /// The memory, mapped once.
        @discardableResult
        func memory() throws(IPCError) -> Memory {
            if let memory = mapped.value { return memory }
            let code: IPCError.Code = state.withLock { $0.hasMoved } ? .endpointMoved : .closed
            guard let lease = region.leaseIfOpen(.both) else { throw error(code, nil) }
            defer { withExtendedLifetime(lease) {} }
            return mapped.set(try Memory(layout, region))
        }

        private func error(_ code: IPCError.Code, _ detail: String?) -> IPCError {
            IPCError(code, .open, name: PoolLayout.name, detail: detail)
        }

        fileprivate func giveBack(_ handle: Handle) {
            state.withLock { $0.openCount -= 1 }
            PoolCredit(index: handle.index, number: handle.number).send(by: credits)
        }

        /// Closes the reader, and lets the pool know.
        ///
        /// Messages that are open can still be read.
        public func close() {
            credits.close()
            region.close()
        }
    }

    /// A message in a pool, until it is let go of: then the producer may fill its slot anew.
    ///
    /// The producer's process could change the contents at any time, if it is ill-intentioned: copy what you check before
    /// you rely on it.
    public struct Content: ~Copyable, Sendable {
        fileprivate let reader: Reader
        fileprivate let memory: Reader.Memory
        fileprivate let handle: Handle

        /// How large it is.
        public var byteCount: Int { handle.byteCount }

        private var bytes: UnsafeRawBufferPointer {
            let start = handle.index * reader.layout.stride
            return unsafe UnsafeRawBufferPointer(rebasing: memory.mapping.memory[start..<start + byteCount])
        }

        /// Lends the contents where they are.
        ///
        /// - Parameter body: What to do with them.
        /// - Returns: What `body` returns.
        /// - Throws: What `body` throws.
        public borrowing func withBytes<Value, Failure: Error>(
            _ body: (RawSpan) throws(Failure) -> Value
        ) throws(Failure) -> Value {
            try body(unsafe RawSpan(_unsafeBytes: bytes))
        }

        /// Lends the contents where they are, to code that knows no spans.
        ///
        /// - Parameter body: What to do with them; it must not keep the pointer.
        /// - Returns: What `body` returns.
        /// - Throws: What `body` throws.
        public borrowing func withUnsafeBytes<Value, Failure: Error>(
            _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
        ) throws(Failure) -> Value {
            try unsafe body(bytes)
        }

        /// Copies the contents out, so that nobody can change them, and lets go of the slot.
        ///
        /// - Returns: The copy.
        public consuming func copyOut() -> [UInt8] { unsafe Array(bytes) }

        /// Lets go of the slot, which otherwise happens at the end of the value's life.
        public consuming func release() {}

        deinit { reader.giveBack(handle) }
    }
}

// MARK: - Moving to another process

extension SharedRegionPool.Reader: MovingEnd {
    final class Move: EndMove {
        private let reader: SharedRegionPool.Reader

        fileprivate init(_ reader: SharedRegionPool.Reader) { self.reader = reader }

        func finish() {
            reader.state.withLock { $0.hasMoved = true }
            reader.close()
        }

        deinit { reader.state.withLock { $0.isMoving = false } }
    }

    func beginMove() throws(IPCError) -> Move {
        let code = state.withLock { state -> IPCError.Code? in
            if state.hasMoved { return .endpointMoved }
            if state.isMoving || state.openCount > 0 { return .busy }
            state.isMoving = true
            return nil
        }
        if let code { throw IPCError(code, .write, name: PoolLayout.name, detail: "messages of the pool are open") }
        return Move(self)
    }
}
#endif
