// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
// There are no channels inside one process here yet: nobody can make one of these.

enum MemorySender<Message: Sendable>: Sendable {
    var core: DescriptorCore { switch self {} }
    func send(_ message: Message, _ patience: Patience) throws(IPCError) { switch self {} }
    func send(_ message: Message, until deadline: Deadline) async throws(IPCError) { switch self {} }
    func checkOpen() throws(IPCError) { switch self {} }
    func close() { switch self {} }
}

enum MemoryReceiver<Message: Sendable>: Sendable {
    var core: DescriptorCore { switch self {} }
    var source: any GroupSource { switch self {} }
    func receive(_ patience: Patience) throws(IPCError) -> Message? { switch self {} }
    func receive(until deadline: Deadline) async throws(IPCError) -> Message? { switch self {} }
    func tryReceive() throws(IPCError) -> Message? { switch self {} }
    func close() { switch self {} }
}

extension IPCError {
    static func isInProcess(_ operation: Operation) -> IPCError { IPCError(.unsupported, operation, detail: nil) }
}
#endif
