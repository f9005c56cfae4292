// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION
import Foundation
import XCTest

@testable import Interprocess

/// Starting to listen when a step of it fails: nothing is left behind, and nothing is lost.
final class TakeoverFaultTests: InterprocessTestCase {
    override func tearDownWithError() throws {
        FaultInjection.clear()
        try super.tearDownWithError()
    }

    /// Lets each call of a kind fail in turn, until all of them come to pass.
    ///
    /// - Returns: How many there were.
    private func failEach(_ call: System.Call, _ body: (Int) throws -> Void) throws -> Int {
        for skip in 0..<100 {
            FaultInjection.inject(.result(-Int64(EIO)), into: call, after: skip)
            defer { FaultInjection.clear() }
            try body(skip)
            if FaultInjection.clear() > 0 { return skip }
        }
        XCTFail("the calls do not end")
        return 0
    }

    private func listenOrFail(_ overwrite: LocalSocketListener.Overwrite) throws {
        do {
            try LocalSocketListener(try pathName(), options: overwriting(overwrite)).close()
        } catch let error as IPCError {
            // What could not be found out about a file counts against replacing it.
            XCTAssertTrue([.system, .addressInUse, .busy].contains(error.code), "\(error)")
            XCTAssertEqual(error.operation, .listen)
        }
    }

    /// As one does that has its name already, and is about to listen.
    func testAServerThatRefusedOnceIsNotDead() throws {
        let listener = try LocalSocketListener(try pathName())
        defer { listener.close() }
        FaultInjection.inject(.result(-Int64(ECONNREFUSED)), into: .connect)
        assertThrows(.addressInUse) { try LocalSocketListener(try pathName()) }
        XCTAssertEqual(FaultInjection.clear(), 0)
        // It is there still, with the name.
        try LocalSocketStream.connect(to: pathName()).close()
    }

    func testFreshName() throws {
        for call in [System.Call.socket, .bind, .listen, .lock, .wake] {
            let calls = try failEach(call) { step in
                try listenOrFail(.ifStale)
                XCTAssertNil(FileImage(path()), "after step \(step) of \(call)")
                XCTAssertEqual(temporaryFiles, [])
            }
            XCTAssertGreaterThan(calls, 0, "\(call) was not reached")
        }
    }

    func testFilesOfAFreshName() throws {
        let calls = try failEach(.file) { _ in
            try listenOrFail(.ifStale)
            XCTAssertEqual(temporaryFiles, [])
            // A file of which it could not be told whose it is stays; it is a stale one, for the next listener.
            XCTAssertNotEqual(FileImage(path())?.isSocket, false)
            _ = unlink(path())
        }
        XCTAssertGreaterThan(calls, 1)
    }

    func testTakeover() throws {
        for overwrite in [LocalSocketListener.Overwrite.ifStale, .always] {
            for call in [System.Call.socket, .bind, .listen, .file, .lock, .connect, .wake] {
                let calls = try failEach(call) { step in
                    makeStale(path())
                    try listenOrFail(overwrite)
                    XCTAssertEqual(temporaryFiles, [], "after step \(step) of \(call), \(overwrite)")
                    XCTAssertNotEqual(FileImage(path())?.isSocket, false)
                    _ = unlink(path())
                }
                if call != .connect || overwrite != .always {
                    XCTAssertGreaterThan(calls, 0, "\(call) was not reached")
                }
            }
        }
    }

    /// A takeover that fails leaves the old name where it was, for the next one.
    func testFailedTakeoverKeepsTheName() throws {
        for call in [System.Call.listen, .lock] {
            makeStale(path())
            let before = FileImage(path())
            FaultInjection.inject(.result(-Int64(EIO)), into: call, times: 1000)
            try listenOrFail(.ifStale)
            FaultInjection.clear()
            XCTAssertEqual(FileImage(path()), before)
            try LocalSocketListener(try pathName()).close()
            XCTAssertNil(FileImage(path()))
        }
    }

    /// Interrupted calls are repeated.
    func testInterruptedCalls() throws {
        for call in [System.Call.socket, .bind, .listen, .file, .lock, .connect, .wake] {
            makeStale(path())
            FaultInjection.inject(.result(-Int64(EINTR)), into: call, times: 3)
            let listener = try LocalSocketListener(try pathName())
            _ = FaultInjection.clear()
            _ = try LocalSocketStream.connect(to: try pathName())
            listener.close()
            XCTAssertNil(FileImage(path()))
        }
    }

    func testNoDescriptorsLeft() throws {
        FaultInjection.inject(.result(-Int64(EMFILE)), into: .socket)
        assertThrows(.resourcesExhausted, .listen) { try LocalSocketListener(try pathName()) }
        FaultInjection.inject(.result(-Int64(EMFILE)), into: .socket)
        assertThrows(.resourcesExhausted, .connect) { try LocalSocketStream.connect(to: try pathName()) }
        FaultInjection.inject(.result(-Int64(ENFILE)), into: .wake)
        assertThrows(.resourcesExhausted, .listen) { try LocalSocketListener(try namespacedName()) }
    }
}
#endif
