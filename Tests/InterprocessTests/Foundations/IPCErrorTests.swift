// SPDX-License-Identifier: MIT OR Apache-2.0

import CInterprocess
import Foundation
import XCTest

@testable import Interprocess

final class IPCErrorTests: InterprocessTestCase {
    private let codes: [IPCError.Code] = [
        .closed, .disconnected, .endOfStream, .wouldBlock, .timedOut, .cancelled, .addressInUse, .notFound,
        .alreadyExists, .permissionDenied, .connectionRefused, .connectionReset, .notConnected, .brokenPipe,
        .invalidName, .nameTooLong, .invalidArgument, .messageTooLarge, .unsupported, .resourcesExhausted, .busy,
        .encodingFailed, .decodingFailed, .endpointMoved, .protocolViolation, .system,
    ]

    private let operations: [(IPCError.Operation, String)] = [
        (.name, "cannot use the name NAME: "), (.create, "cannot create NAME: "), (.open, "cannot open NAME: "),
        (.listen, "cannot listen at NAME: "), (.accept, "cannot accept a client at NAME: "),
        (.connect, "cannot connect to NAME: "), (.read, "cannot read from NAME: "), (.write, "cannot write to NAME: "),
        (.shutdown, "cannot shut down NAME: "), (.split, "cannot split or reunite NAME: "),
        (.duplicate, "cannot duplicate NAME: "), (.adopt, "cannot adopt NAME: "),
        (.detach, "cannot detach the descriptor of NAME: "), (.configure, "cannot configure NAME: "),
        (.identify, "cannot identify the peer of NAME: "), (.wait, "cannot wait for NAME: "),
        (.remove, "cannot remove NAME: "), (.encode, "cannot encode NAME: "), (.decode, "cannot decode NAME: "),
    ]

    func testEveryDescriptionNamesTheOperationAndTheName() {
        for code in codes {
            for (operation, beginning) in operations {
                let text = IPCError(code, operation: operation, name: "NAME").description
                XCTAssertTrue(text.hasPrefix(beginning), text)
                let nameless = IPCError(code, operation: operation).description
                XCTAssertEqual(text.replacingOccurrences(of: "NAME", with: "").count, text.count - 4, text)
                XCTAssertFalse(nameless.contains("NAME") || nameless.contains(" : "), nameless)
            }
        }
    }

    func testEveryDescriptionSaysWhatHappenedAndWhatToDo() {
        // Where the code alone knows no advice, a detail says what is wrong.
        let withoutAdvice: Set<IPCError.Code> = [
            .cancelled, .invalidName, .invalidArgument, .unsupported, .encodingFailed, .decodingFailed,
            .protocolViolation, .system,
        ]
        var texts: Set<String> = []
        for code in codes {
            let text = IPCError(code, operation: .read).description
            let parts = text.components(separatedBy: ": ")
            XCTAssertEqual(parts.count, withoutAdvice.contains(code) ? 2 : 3, text)
            XCTAssertGreaterThan(parts.last?.count ?? 0, 10, text)
            texts.insert(text)
        }
        XCTAssertEqual(texts.count, codes.count, "two codes read the same")
    }

    func testSystemCodesAreNamed() {
        let error = IPCError(result: -Int64(ECONNREFUSED), .connect, name: "@com.example.echo")
        XCTAssertEqual(error.code, .connectionRefused)
        XCTAssertEqual(
            error.description,
            "cannot connect to @com.example.echo: nobody listens there (ECONNREFUSED, 111): "
                + "start the server (the option waitsForServer waits for it)"
        )
    }

    func testTransferredBytesAreTold() {
        let error = IPCError(.timedOut, operation: .write, name: "x", bytesTransferred: 17)
        XCTAssertTrue(error.description.contains("after 17 bytes"), error.description)
        XCTAssertEqual(error.adding(bytesTransferred: 5).bytesTransferred, 22)
        XCTAssertEqual(error.adding(bytesTransferred: 5).name, "x")
        XCTAssertFalse(IPCError(.timedOut, operation: .write).description.contains("bytes"))
    }

    func testADetailReplacesTheMeaning() {
        let error = IPCError(.invalidArgument, .adopt, systemCode: 22, name: "descriptor 5", detail: "it is no pipe")
        XCTAssertEqual(error.description, "cannot adopt descriptor 5: it is no pipe (EINVAL, 22)")
        XCTAssertTrue(error.adding(bytesTransferred: 1).description.contains("it is no pipe"))
    }

    func testUnknownSystemCodesSurvive() {
        for code: Int64 in [9999, Int64(Int32.max), .max, 0x1_0000_0002] {
            let error = IPCError(result: -code, .open, name: nil)
            XCTAssertEqual(error.code, .system)
            XCTAssertEqual(error.systemCode, code)
            XCTAssertTrue(error.description.contains("(\(code))"), error.description)
        }
    }

    func testMeaningsOfSystemCodes() {
        let meanings: [(Int32, IPCError.Code)] = [
            (EAGAIN, .wouldBlock), (EWOULDBLOCK, .wouldBlock), (ETIMEDOUT, .timedOut), (EADDRINUSE, .addressInUse),
            (ENOENT, .notFound), (ENOTDIR, .notFound), (EEXIST, .alreadyExists), (EACCES, .permissionDenied),
            (EPERM, .permissionDenied), (EROFS, .permissionDenied), (ECONNREFUSED, .connectionRefused),
            (ECONNRESET, .connectionReset), (ECONNABORTED, .connectionReset), (ENOTCONN, .notConnected),
            (EPIPE, .brokenPipe), (ENAMETOOLONG, .nameTooLong), (EINVAL, .invalidArgument), (EBADF, .invalidArgument),
            (ENOTSOCK, .invalidArgument), (EMSGSIZE, .messageTooLarge), (ENOSYS, .unsupported),
            (EOPNOTSUPP, .unsupported), (EAFNOSUPPORT, .unsupported), (EMFILE, .resourcesExhausted),
            (ENFILE, .resourcesExhausted), (ENOMEM, .resourcesExhausted), (ENOSPC, .resourcesExhausted),
            (EBUSY, .busy), (EIO, .system), (ESRCH, .system),
        ]
        for (number, code) in meanings {
            XCTAssertEqual(IPCError.Code(systemCode: Int64(number)), code, "error \(number)")
            let name = String(cString: cip_code_name(Int64(number)))
            XCTAssertTrue(name.hasPrefix("E") || number == ENFILE, "error \(number) is \(name)")
        }
    }

    /// An error that is thrown as often as nothing is there makes no text: its name is the storage that the object has.
    func testWouldBlockSharesTheName() throws {
        let (one, other) = try LocalSocketStream.pair()
        other.setNonblocking(true)
        // Longer than a string that fits into its own two words.
        let name = "a name that needs storage of its own"
        let core = DescriptorCore(
            OwnedDescriptor(Int64(try other.detach())),
            name: name + String(repeating: "!", count: one.isClosed ? 1 : 2),
            waker: .shutdown
        )
        let side = ReceivingSide(core, .socket, nonblocking: true)
        for _ in 0..<3 {
            var memory: UInt8 = 0
            do {
                _ = try side.read(into: &memory, 1, side.settings.patience(nil))
                XCTFail("it did not throw")
            } catch {
                XCTAssertEqual(error.code, .wouldBlock)
                XCTAssertEqual(error.name, core.name)
                let words = (
                    unsafeBitCast(error.name, to: (UInt, UInt).self), unsafeBitCast(core.name, to: (UInt, UInt).self)
                )
                XCTAssertEqual(words.0.0, words.1.0)
                XCTAssertEqual(words.0.1, words.1.1, "the name was copied")
            }
        }
    }
}
