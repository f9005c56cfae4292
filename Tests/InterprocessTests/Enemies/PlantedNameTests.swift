// SPDX-License-Identifier: MIT OR Apache-2.0

import Foundation
import Interprocess
import XCTest

/// Another user has put something where a user means to listen, in a directory that all may write to, or puts it there
/// later. (What the same user finds in its way is in `TakeoverRefusedTests`.)
final class PlantedNameTests: InterprocessTestCase {
    /// Root may do everything, so that both are other users.
    private static let (user, enemy) = ("1001", "65534")

    override func setUpWithError() throws {
        try super.setUpWithError()
        try requireRoot()
    }

    private func setMode(sticky: Bool) { XCTAssertEqual(chmod(directory, sticky ? 0o1777 : 0o777), 0) }

    private func plant(_ kind: String, expecting answer: String = "planted") throws {
        let enemy = try ChildProcess.helper("--uid", Self.enemy, "plant", kind, path())
        enemy.expect(answer)
        XCTAssertEqual(enemy.wait(), 0)
    }

    /// What a listener of the user meets, and what is there after it.
    private func listen(_ overwrite: String, expecting answer: String, line: UInt = #line) throws {
        let before = FileImage(path())
        let listener = try ChildProcess.helper("--uid", Self.user, "listen", path(), overwrite)
        listener.expect(answer, line: line)
        XCTAssertEqual(FileImage(path()), before, line: line)
        XCTAssertEqual(temporaryFiles, [], line: line)
        XCTAssertEqual(listener.wait(), 1, line: line)
    }

    private func clear() throws { try FileManager.default.removeItem(atPath: path()) }

    /// What is no socket stays as it is, and where a link leads to nothing is made.
    func testOtherFiles() throws {
        for sticky in [true, false] {
            setMode(sticky: sticky)
            for kind in ["file", "directory", "fifo", "link"] {
                try plant(kind)
                for overwrite in ["never", "ifStale", "always"] {
                    try listen(overwrite, expecting: "error addressInUse")
                    // Not even for root, who could.
                    assertThrows(.addressInUse, .listen) {
                        try LocalSocketListener(
                            try pathName(),
                            options: overwriting(overwrite == "always" ? .always : .ifStale)
                        )
                    }
                }
                let client = try ChildProcess.helper("--uid", Self.user, "connect", path())
                let answer = try XCTUnwrap(client.readLine())
                XCTAssertTrue(
                    ["error connectionRefused", "error notFound", "error permissionDenied"].contains(answer),
                    answer
                )
                XCTAssertNil(FileImage(path() + ".target"))
                try clear()
            }
        }
    }

    /// A dead socket of another user is replaced where that is allowed, and else keeps the name.
    func testADeadSocket() throws {
        setMode(sticky: true)
        try plant("socket")
        try listen("never", expecting: "error addressInUse")
        for overwrite in ["ifStale", "always"] { try listen(overwrite, expecting: "error permissionDenied") }
        setMode(sticky: false)
        let listener = try ChildProcess.helper("--uid", Self.user, "listen", path(), "ifStale")
        listener.expect("ready")
        XCTAssertEqual(FileImage(path())?.owner, 1001)
        XCTAssertEqual(FileImage(path())?.permissions, 0o600)
        listener.closeInput()
        XCTAssertEqual(listener.wait(), 0)
        XCTAssertNil(FileImage(path()))
    }

    /// In a directory with the sticky bit, what is there stays; without it, anybody can take a server's name away.
    func testTakingTheNameOfALiveServer() throws {
        for sticky in [true, false] {
            setMode(sticky: sticky)
            let server = try ChildProcess.helper("--uid", Self.user, "listen", path(), "ifStale")
            server.expect("ready")
            let before = FileImage(path())
            try plant("remove", expecting: sticky ? "error \(EPERM)" : "planted")
            let impostor = try ChildProcess.helper("--uid", Self.enemy, "pose", path())
            if sticky {
                impostor.expect("error addressInUse")
                XCTAssertEqual(FileImage(path()), before)
            } else {
                impostor.expect("ready")
                // Who asks for its own user does not talk to it; who does not, does.
                let careful = try ChildProcess.helper("--uid", Self.user, "call", path(), "own")
                careful.expect("error permissionDenied")
                impostor.expect("told 0")
                let careless = try ChildProcess.helper("--uid", Self.user, "call", path())
                careless.expect("told")
                impostor.expect("told 6")
            }
            let planted = FileImage(path())
            server.closeInput()
            XCTAssertEqual(server.wait(), 0)
            // The server removes its own file, and not another one.
            XCTAssertEqual(FileImage(path()), sticky ? nil : planted)
            impostor.closeInput()
            XCTAssertEqual(impostor.wait(), sticky ? 1 : 0)
        }
    }

    /// A link that another user has made leads clients to a server of its own, which is not theirs.
    func testALinkToAnImpostor() throws {
        setMode(sticky: true)
        let impostor = try ChildProcess.helper("--uid", Self.enemy, "pose", path() + ".target")
        impostor.expect("ready")
        try plant("link")
        let careful = try ChildProcess.helper("--uid", Self.user, "call", path(), "own")
        let answer = try XCTUnwrap(careful.readLine())
        // Linux does not even follow it there, where links are protected (fs.protected_symlinks).
        XCTAssertEqual(answer, "error permissionDenied")
        var options = LocalSocketStream.ConnectOptions()
        options.requiresPeer = .user(1001)
        assertThrows(.permissionDenied, .connect) { try LocalSocketStream.connect(to: pathName(), options: options) }
        impostor.closeInput()
        XCTAssertEqual(impostor.wait(), 0)
    }

    /// A name that another user has first is not the user's: its listener fails, and its clients say nothing there.
    func testSquattedNames() throws {
        setMode(sticky: true)
        for name in try bothNames() {
            let impostor = try ChildProcess.helper("--uid", Self.enemy, "pose", name.description)
            impostor.expect("ready")
            for overwrite in ["never", "ifStale"] {
                let listener = try ChildProcess.helper("--uid", Self.user, "listen", name.description, overwrite)
                listener.expect("error addressInUse")
            }
            let own = name.isNamespaced ? [] : ["own"]
            let careful = try ChildProcess.built(
                "test-helper",
                ["--uid", Self.user, "call", name.description] + own
            )
            careful.expect("error permissionDenied")
            // Other clients may have asked whether it lives.
            while let told = impostor.readNext(), told != "told 0" { XCTFail(told) }
            impostor.closeInput()
            XCTAssertEqual(impostor.wait(), 0)
        }
    }
}

extension ChildProcess {
    fileprivate func readNext() -> String? { readLine() }
}
