// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// Bytes in and out, the same for all byte streams; with local sockets, which a call may wait in, and with pipes, which
/// have no such calls.
extension FaultSection {
    static var bytesOfSockets: FaultSection {
        FaultSection(title: "Reading and writing, sockets", operations: bytes(sockets), reasons: socketBytesReasons)
    }

    static var bytesOfPipes: FaultSection {
        FaultSection(title: "Reading and writing, pipes", operations: bytes(pipes), reasons: pipeBytesReasons)
    }

    private static func sockets() throws -> (LocalSocketStream, LocalSocketStream) { try LocalSocketStream.pair() }

    private static func pipes() throws -> (UnnamedPipeSender, UnnamedPipeReceiver) {
        let (sender, receiver) = try UnnamedPipe.create()
        return (sender, receiver)
    }

    private static func bytes<Sender: ByteSender & DescriptorOwner, Receiver: ByteReceiver>(
        _ make: @escaping () throws -> (Sender, Receiver)
    ) -> [FaultedOperation] {
        /// Reads "hello\n" and the end, in one of the forms.
        func reading(
            _ name: String,
            waits: Bool = false,
            _ body: @escaping (FaultScene, Receiver) throws -> [UInt8]
        ) -> FaultedOperation {
            .use(name) { scene in
                let (sender, receiver) = try make()
                try sender.writeAll("hello\n")
                sender.descriptorCore.close()
                if waits { scene.pretendToBlock(.receive) }
                let got = try body(scene, receiver)
                XCTAssertEqual(got + (try receiver.readToEnd()), Array("hello\n".utf8))
            }
        }
        /// Writes "hello\n" in one of the forms, which tells how much of it was written.
        func writing(
            _ name: String,
            waits: Bool = false,
            _ body: @escaping (FaultScene, Sender) throws -> Int
        ) -> FaultedOperation {
            .use(name) { scene in
                let (sender, receiver) = try make()
                if waits { scene.pretendToBlock(.send) }
                let count = try body(scene, sender)
                sender.descriptorCore.close()
                XCTAssertEqual(try receiver.readToEnd(), Array("hello\n".utf8.prefix(count)))
            }
        }
        let limit = Duration.seconds(20)
        let text = Array("hello\n".utf8)
        return [
            reading("`read(upTo:)`") { scene, stream in try scene.faulted { try stream.read(upTo: 9) } },
            reading("`read(upTo:)` that waits", waits: true) { scene, stream in
                try scene.faulted { try stream.read(upTo: 9, timeout: limit) }
            },
            reading("`readExactly(_:)`") { scene, stream in try scene.faulted { try stream.readExactly(6) } },
            reading("`readToEnd()`") { scene, stream in try scene.faulted { try stream.readToEnd() } },
            reading("`readLine()`") { scene, stream in
                try scene.faulted { try stream.readLine() }.map { Array(($0 + "\n").utf8) } ?? []
            },
            reading("`await read(upTo:)`") { scene, stream in
                try scene.awaited { try await stream.read(upTo: 9) }
            },
            reading("`await read(upTo:)` that waits", waits: true) { scene, stream in
                try scene.awaited { try await stream.read(upTo: 9) }
            },
            reading("`await readToEnd()`") { scene, stream in try scene.awaited { try await stream.readToEnd() } },
            reading("`await readLine()`") { scene, stream in
                try scene.awaited { try await stream.readLine() }.map { Array(($0 + "\n").utf8) } ?? []
            },
            writing("`write(_:)`") { scene, stream in try scene.faulted { try stream.write(text) } },
            writing("`writeAll(_:)`") { scene, stream in
                try scene.faulted { try stream.writeAll(text) }
                return text.count
            },
            writing("`writeAll(_:)` that waits", waits: true) { scene, stream in
                try scene.faulted { try stream.writeAll(text, timeout: limit) }
                return text.count
            },
            writing("`write(gathering:)`") { scene, stream in
                try text.withUnsafeBytes { memory in
                    try scene.faulted {
                        try stream.write(gathering: [memory, UnsafeRawBufferPointer(rebasing: memory[..<0])])
                    }
                }
            },
            writing("`await writeAll(_:)`") { scene, stream in
                try scene.awaited { try await stream.writeAll(text) }
                return text.count
            },
            writing("`await writeAll(_:)` that waits", waits: true) { scene, stream in
                try scene.awaited { try await stream.writeAll(text) }
                return text.count
            },
            writing("`flush()`") { scene, stream in
                try scene.faulted { stream.flush() }
                return 0
            },
        ]
    }
}
#endif
