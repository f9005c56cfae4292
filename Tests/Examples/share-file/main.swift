// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Has another process read a file's content in memory that both share: 1 GiB, which is never copied from one process to
// the other.
//
//     swift run share-file           1 GiB
//     swift run share-file SIZE      that many MiB
//
// The file is read into the slots of a pool, four of 4 MiB, over and over: the other process reads each slot in place,
// and lets go of it. Both add up what they have seen.

import Foundation
import Interprocess

/// What the other process is sent first.
struct Work: Codable, Sendable {
    var pool: SharedRegionPool.Reader
    var blocks: IPCReceiver<SharedRegionPool.Handle>
    var result: IPCSender<Checksum>
}

/// Reads a file into the pool, and compares what the other process makes of it.
func share(mebibytes: Int) throws {
    let file = try makeFile(mebibytes: mebibytes)
    let (pool, reader) = try SharedRegionPool.make(slotCount: 4, slotSize: 4 << 20)
    let (blocks, inbox) = try IPCChannel.make(of: SharedRegionPool.Handle.self)
    let (result, results) = try IPCChannel.make(of: Checksum.self)

    let child = try startReader(with: Work(pool: reader, blocks: inbox, result: result))
    result.close()
    let start = ContinuousClock.now
    var checksum = Checksum()
    while true {
        // Waits while the other process has not let go of any slot.
        var slot = try pool.take(timeout: .seconds(10))
        let count = slot.withUnsafeMutableBytes { memory in
            let count = max(0, read(file, memory.baseAddress, memory.count))
            checksum.add(UnsafeRawBufferPointer(rebasing: memory[..<count]))
            return count
        }
        if count == 0 { break }
        try blocks.send(slot.lend(byteCount: count))
    }
    close(file)
    // The end of the file.
    blocks.close()
    let theirs = try results.receive(timeout: .seconds(10))
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    child.waitUntilExit()
    say("process \(getpid()) has read \(checksum)")
    guard theirs == checksum, checksum.byteCount == mebibytes << 20 else {
        say("which is not what the other one has read")
        exit(1)
    }
    say("both agree, after \((seconds * 1000).rounded() / 1000) s")
}

/// Starts this program once more, with a channel for its standard input.
func startReader(with work: Work) throws -> Process {
    let (sender, receiver) = try IPCChannel.make(of: Work.self)
    let child = Process()
    child.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
    child.arguments = ["read"]
    child.standardInput = FileHandle(
        fileDescriptor: try receiver.withUnsafeDescriptor { dup($0) },
        closeOnDealloc: true
    )
    try child.run()
    // So that nobody else has it, and a child that dies is noticed.
    receiver.close()
    child.standardInput = nil
    try sender.send(work)
    return child
}

/// The other process: reads each block where it is.
func readBlocks() throws {
    let channel = try IPCReceiver<Work>(adopting: IPCDescriptor(adopting: 0))
    let work = try channel.receive(timeout: .seconds(10))
    var checksum = Checksum()
    while let handle = try nextBlock(work.blocks) {
        let block = try work.pool.open(handle)
        block.withUnsafeBytes { checksum.add($0) }
    }
    say("process \(getpid()) has read \(checksum)")
    try work.result.send(checksum)
}

/// The next block, or `nil` when there are no more.
func nextBlock(_ blocks: IPCReceiver<SharedRegionPool.Handle>) throws -> SharedRegionPool.Handle? {
    do {
        return try blocks.receive(timeout: .seconds(10))
    } catch  where error.code == .disconnected {
        return nil
    }
}

func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

switch (CommandLine.arguments.dropFirst().first, CommandLine.arguments.count) {
case (nil, _): try share(mebibytes: 1024)
case ("read", 2): try readBlocks()
case (let size?, 2) where Int(size).map { 1...1 << 20 ~= $0 } == true: try share(mebibytes: Int(size) ?? 0)
default:
    say("usage: share-file [SIZE]")
    exit(2)
}
