// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// Unnamed pipes and FIFO files.
extension FaultSection {
    static var unnamedPipe: FaultSection {
        FaultSection(title: "UnnamedPipe", operations: pipeOperations, reasons: pipeReasons)
    }

    static var fifoFile: FaultSection {
        FaultSection(title: "FIFOFile", operations: fifoOperations, reasons: fifoReasons)
    }

    private static var pipeOperations: [FaultedOperation] {
        [
            .make("`create()`") { scene in
                let (sender, receiver) = try scene.faulted { try UnnamedPipe.create() }
                try talk(sender, receiver)
            },
            .make("`UnnamedPipeReceiver(adopting:)`") { scene in
                let (sender, receiver) = try UnnamedPipe.create()
                let descriptor = try receiver.detach()
                try talk(sender, scene.faulted { try UnnamedPipeReceiver(adopting: descriptor) })
            },
            .make("`UnnamedPipeSender(adopting:)`") { scene in
                let (sender, receiver) = try UnnamedPipe.create()
                let descriptor = try sender.detach()
                try talk(scene.faulted { try UnnamedPipeSender(adopting: descriptor) }, receiver)
            },
            .use("`bufferSize`") { scene in
                let (sender, receiver) = try UnnamedPipe.create()
                XCTAssertGreaterThan(try scene.faulted { try sender.bufferSize }, 0)
                try talk(sender, receiver)
            },
            .use("`setInheritable(_:)`") { scene in
                let (sender, receiver) = try UnnamedPipe.create()
                try scene.faulted { try sender.setInheritable(true) }
                try talk(sender, receiver)
            },
        ]
    }

    private static var fifoOperations: [FaultedOperation] {
        [
            .make("`create(at:)`") { scene in
                try scene.faulted { try FIFOFile.create(at: scene.path) }
                try FIFOFile.remove(at: scene.path)
            },
            .use("`remove(at:)`") { scene in
                try FIFOFile.create(at: scene.path)
                try scene.faulted { try FIFOFile.remove(at: scene.path) }
            },
            opening("`openReceiver(at:)`, `waitsForSender: false`", hasSender: false) { scene in
                let path = scene.path
                return try scene.faulted { try FIFOFile.openReceiver(at: path, waitsForSender: false) }
            },
            opening("`openReceiver(at:)`") { scene in
                let path = scene.path
                return try scene.faulted { try FIFOFile.openReceiver(at: path, timeout: .seconds(20)) }
            },
            opening("`await openReceiver(at:)`") { scene in
                let path = scene.path
                return try scene.awaited { try await FIFOFile.openReceiver(at: path, timeout: .seconds(20)) }
            },
            .make("`openSender(at:)`") { scene in
                let path = scene.path
                try sending(scene) { try scene.faulted { try FIFOFile.openSender(at: path) } }
            },
            .make("`await openSender(at:)`") { scene in
                let path = scene.path
                try sending(scene) { try scene.awaited { try await FIFOFile.openSender(at: path) } }
            },
        ]
    }

    private static func opening(
        _ name: String,
        hasSender: Bool = true,
        _ open: @escaping (FaultScene) throws -> FIFOReceiver
    ) -> FaultedOperation {
        .make(name) { scene in
            try FIFOFile.create(at: scene.path)
            defer { unlink(scene.path) }
            // One that both receives and sends is there, so that a sender is.
            let descriptor = Foundation.open(scene.path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
            defer { Foundation.close(descriptor) }
            if hasSender { XCTAssertEqual(Foundation.write(descriptor, "hello\n", 6), 6) }
            let receiver = try open(scene)
            if !hasSender { XCTAssertEqual(Foundation.write(descriptor, "hello\n", 6), 6) }
            XCTAssertEqual(try receiver.readLine(), "hello")
        }
    }

    private static func sending(_ scene: FaultScene, _ open: () throws -> FIFOSender) throws {
        try FIFOFile.create(at: scene.path)
        defer { unlink(scene.path) }
        let receiver = try FIFOFile.openReceiver(at: scene.path, waitsForSender: false)
        try talk(open(), receiver)
    }
}
#endif
