// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation
import XCTest

@testable import Interprocess

/// The fault campaign: each system call of each public operation fails with each error that its manual page has, is
/// interrupted, and comes up short.
///
/// What comes of it has to be the error's code or to be explained, has to leave nothing behind, and has to be what
/// the documentation says.
final class FaultCampaignTests: InterprocessTestCase {
    private func expect(_ section: FaultSection) throws {
        try FaultDocument.expect(section.title, section.table(in: self))
    }

    override func setUpWithError() throws {
        try super.setUpWithError()
        continueAfterFailure = true
    }

    override func tearDownWithError() throws {
        FaultInjection.clear()
        try super.tearDownWithError()
    }

    func testLegend() throws {
        let (errors, calls) = FaultTable.legend
        try FaultDocument.expect("Errors and their codes", errors)
        try FaultDocument.expect("Calls and their errors", calls)
    }

    func testListeners() throws { try expect(.localSocketListener) }
    func testStreams() throws { try expect(.localSocketStream) }
    func testBytesOfSockets() throws { try expect(.bytesOfSockets) }
    func testBytesOfPipes() throws { try expect(.bytesOfPipes) }
    func testPipes() throws { try expect(.unnamedPipe) }
    func testFIFOs() throws { try expect(.fifoFile) }
    func testUnixStream() throws { try expect(.unixStream) }
    func testUnixPackets() throws { try expect(.unixPackets) }
    func testUnixDatagrams() throws { try expect(.unixDatagrams) }
    func testSignals() throws { try expect(.signals) }
    func testChildren() throws { try expect(.children) }
    func testEventLoop() throws { try expect(.eventLoop) }
    func testChannels() throws { try expect(.channels) }
    func testGroups() throws { try expect(.groups) }
    func testRouters() throws { try expect(.routers) }
    func testConnections() throws { try expect(.connections) }
    func testServers() throws { try expect(.servers) }
    func testSharedMemory() throws { try expect(.sharedMemory) }
}
#endif
