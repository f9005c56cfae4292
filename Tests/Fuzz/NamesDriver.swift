// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Linux)
internal import CFuzz
internal import CInterprocess

/// Names and addresses: which are taken, what the system is told, and what becomes of what the system tells.
///
/// The first byte says which kind is meant.
func driveNames(_ input: UnsafeRawBufferPointer) {
    guard let first = input.first else { return }
    let bytes = Array(input.dropFirst())
    let text = String(decoding: bytes, as: UTF8.self)
    switch first % 9 {
    case 0: check(bytes, prefix: [], isPath: true, limit: 108) { () throws(IPCError) in try .path(bytes: bytes) }
    case 1: check(Array(text.utf8), prefix: [], isPath: true, limit: 108) { () throws(IPCError) in try .path(text) }
    case 2:
        check(Array(text.utf8), prefix: [0], isPath: false, limit: 107) { () throws(IPCError) in try .namespaced(text) }
    case 3:
        check(Array(text.utf8), prefix: [0], isPath: false, limit: 107) { () throws(IPCError) in try .abstract(text) }
    case 4: checkRuntime(text)
    case 5: checkAddress(bytes)
    case 6: fuzz_address(bytes, bytes.count)
    case 7: checkPipe(bytes, path: bytes) { () throws(IPCError) in try PipeAddress(path: bytes) }
    default:
        checkPipe(bytes, path: Array(#"\\.\pipe\"#.utf8) + bytes) { () throws(IPCError) in
            try PipeAddress(namespaced: bytes)
        }
    }
}

/// Why a name is refused, as it is written in the documentation.
private func refusal(_ bytes: [UInt8], limit: Int) -> IPCError.Code? {
    bytes.isEmpty || bytes.contains(0) ? .invalidName : bytes.count > limit ? .nameTooLong : nil
}

private func check(
    _ bytes: [UInt8],
    prefix: [UInt8],
    isPath: Bool,
    limit: Int,
    _ make: () throws(IPCError) -> LocalSocketName
) {
    let name: LocalSocketName
    do throws(IPCError) { name = try make() } catch {
        if error.code != refusal(bytes, limit: limit) { die("refused: \(error)") }
        return
    }
    if refusal(bytes, limit: limit) != nil { die("taken: \(name)") }
    if name.address.bytes != prefix + bytes { die("the system is told something else") }
    if name.isPath != isPath || name.isNamespaced == isPath { die("another kind of name") }
    if name.description != (isPath ? "" : "@") + String(decoding: bytes, as: UTF8.self) { die("another text") }
    checkBack(name)
}

/// What the system tells of a socket that is bound to a name is that name.
private func checkBack(_ name: LocalSocketName) {
    let bytes = name.address.bytes
    let last = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).last ?? []
    let isTemporary = name.isPath && last.starts(with: ".ipc-".utf8)
    let again = LocalSocketName(boundTo: bytes)
    if isTemporary != (again == nil) { die("a name of its own for the time of taking over") }
    if let again, again != name || again.hashValue != name.hashValue { die("two names for one socket") }
}

private func checkRuntime(_ text: String) {
    let directory = UnixSocketAddress.runtimeDirectory()
    let bytes = Array(text.utf8)
    let leaves = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        .contains { $0.elementsEqual("..".utf8) }
    let expected = leaves ? .invalidName : refusal(bytes, limit: 108 - directory.count)
    do throws(IPCError) {
        let name = try LocalSocketName.runtimeDirectory(text)
        if expected != nil { die("taken: \(name)") }
        if name.address.bytes != directory + bytes { die("the system is told something else") }
        if !name.isPath || name.isNamespaced || !name.isInRuntimeDirectory { die("another kind of name") }
        checkBack(name)
    } catch { if error.code != expected { die("refused: \(error)") } }
}

/// An abstract address of any bytes, which the kernel has to tell as it was told.
private func checkAddress(_ bytes: [UInt8]) {
    let address: UnixSocketAddress
    do throws(IPCError) { address = try .abstract(bytes: bytes) } catch {
        if error.code != .nameTooLong || bytes.count <= 107 { die("refused: \(error)") }
        return
    }
    if bytes.count > 107 { die("taken: \(address)") }
    if address.abstractBytes != bytes || address.pathBytes != nil || address.isUnnamed { die("another address") }
    if address.description != "@" + String(decoding: bytes, as: UTF8.self) { die("another text") }
    do throws(IPCError) {
        let socket = try UnixDatagramSocket(address: address)
        if try socket.localAddress() != address { die("the kernel has another address") }
        try socket.connect(to: address)
        if try socket.peerAddress() != address { die("the kernel has another peer") }
    } catch { if error.code != .addressInUse { die("it cannot be bound: \(error)") } }
}

/// Written another way: two backslashes, a host, "pipe" in any case, and a name.
private func checkPipe(_ bytes: [UInt8], path: [UInt8], _ make: () throws(IPCError) -> PipeAddress) {
    let parts = path.split(separator: UInt8(ascii: "\\"), maxSplits: 4, omittingEmptySubsequences: false)
    let isPipe = parts.count == 5 && parts[0].isEmpty && parts[1].isEmpty && isPipe(host: parts[2], parts[3], parts[4])
    let text = String(decoding: path, as: UTF8.self)
    let expected: IPCError.Code? =
        !isPipe || path.contains(0) ? .invalidName : text.utf16.count > 256 ? .nameTooLong : nil
    do throws(IPCError) {
        let address = try make()
        if expected != nil { die("taken: \(address.description)") }
        if address.units != Array(text.utf16) + [0] || address.description != text { die("another path") }
    } catch { if error.code != expected { die("refused: \(error)") } }
}

private func isPipe(host: ArraySlice<UInt8>, _ word: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
    let lowercase = word.map { (65...90).contains($0) ? $0 + 32 : $0 }
    return !host.isEmpty && lowercase.elementsEqual("pipe".utf8) && !name.isEmpty
}

func nameSeeds() throws -> [[UInt8]] {
    let long = String(repeating: "n", count: 108)
    let names = ["/tmp/s", "relative/.ipc-x", "com.example.echo", "a/../b", "..", "ä\0b", long]
    let pipes = [#"\\.\pipe\x"#, #"\\HOST\PIPE\a\b"#, #"\\.\pipe\"# + long + long + "ä", #"\\\pipe\x"#, "x"]
    var seeds: [[UInt8]] = []
    for kind in UInt8(0)..<6 { for name in names { seeds.append([kind] + Array(name.utf8)) } }
    for kind in UInt8(7)..<9 { for pipe in pipes { seeds.append([kind] + Array(pipe.utf8)) } }
    for (size, path) in [(UInt8(9), "/tmp/s\0"), (6, "\0abc"), (255, long)] {
        seeds.append([6, size, 1, 0] + Array(path.utf8))
    }
    return seeds
}
#endif
