// SPDX-License-Identifier: MIT OR Apache-2.0

import CBenchmark
import Interprocess

/// The number of descriptors that are open after much has been opened and closed, beyond those that were open before.
struct Descriptors {
    static let rounds = 200

    let scratch: String

    func figures() throws -> [Figure] {
        try withMemory(64) { try figures($0) }
    }

    private func figures(_ memory: Memory) throws -> [Figure] {
        // Once unmeasured, for what stays open from first use.
        try use(memory)
        let before = try check(cb_open_descriptors(), "counting descriptors")
        // Seen to move when something is open.
        let pipe = try UnnamedPipe.create()
        let during = try check(cb_open_descriptors(), "counting descriptors")
        pipe.sender.close()
        pipe.receiver.close()
        for _ in 0..<Self.rounds { try use(memory) }
        let after = try check(cb_open_descriptors(), "counting descriptors")
        return [
            Figure(
                name: "descriptors-control",
                title: "open descriptors of one pipe (does the counter count?)",
                value: during - before,
                limit: .exactly(2)
            ),
            Figure(
                name: "descriptors",
                title: "open descriptors left by \(Self.rounds) rounds of everything",
                value: after - before,
                limit: .exactly(0)
            ),
        ]
    }

    private func use(_ memory: Memory) throws {
        let listener = try LocalSocketListener(.path(scratch))
        let client = try LocalSocketStream.connect(to: .path(scratch))
        let server = try listener.accept()
        client.receiveTimeout = .seconds(60)
        try LibraryLink(receiver: client, sender: server).exchange(memory)
        let (near, far) = try LocalSocketStream.pair()
        try LibraryLink(receiver: far, sender: near).exchange(memory)
        let pipe = try UnnamedPipe.create()
        let descriptor = try pipe.sender.withUnsafeDescriptor { $0 }
        let adopted = try UnnamedPipeSender(adopting: Int32(check(cb_duplicate_high(descriptor), "duplicating")))
        pipe.sender.close()
        try LibraryLink(receiver: pipe.receiver, sender: adopted).exchange(memory)
        // Some are closed, and the rest go with their last reference.
        listener.close()
        server.close()
        adopted.close()
    }
}

extension LibraryLink {
    fileprivate func exchange(_ memory: Memory) throws {
        var target = memory.bytes.mutableBytes
        try sender.writeAll(UnsafeRawBufferPointer(memory.bytes))
        try receiver.readExactly(into: &target)
    }
}
