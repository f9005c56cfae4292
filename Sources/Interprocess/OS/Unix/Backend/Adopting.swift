// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

extension OwnedDescriptor {
    /// Takes over a descriptor from outside, if it passes; otherwise it stays the caller's, as it was.
    ///
    /// The check answers whether it is what it has to be: 1, or 0, or the negated error of looking.
    init(
        adopting raw: RawDescriptor,
        detail: StaticString,
        _ check: (Int64) -> Int64
    ) throws(IPCError) {
        let result = check(Int64(raw))
        if result < 0 { throw IPCError(result: result, .adopt, name: "descriptor \(raw)", detail: detail) }
        if result == 0 { throw IPCError(.invalidArgument, .adopt, name: "descriptor \(raw)", detail: detail) }
        let adopted = System.call(.option) { cip_adopt(Int64(raw)) }
        if adopted < 0 { throw IPCError(result: adopted, .adopt, name: "descriptor \(raw)") }
        self.init(Int64(raw))
    }

    /// Takes over a socket of the Unix family and a kind, one that listens, or one that does not.
    init(adoptingSocket raw: RawDescriptor, _ kind: UnixSocketKind, listening: Bool) throws(IPCError) {
        try self.init(
            adopting: raw,
            detail: kind.description(listening: listening)
        ) { descriptor in
            let type = System.call(.option) { cip_socket_type(descriptor) }
            // Of another family, as of another type: it is not what it has to be.
            if type == -cip_codes.other_family { return 0 }
            if type < 0 { return type }
            if type != kind.native { return 0 }
            if !kind.listens { return 1 }
            let listens = System.call(.option) { cip_socket_listens(descriptor) }
            return listens < 0 ? listens : (listens != 0) == listening ? 1 : 0
        }
    }

    /// Takes over an end of a pipe or FIFO that is open in the right direction.
    init(adoptingPipe raw: RawDescriptor, toReceive: Bool) throws(IPCError) {
        try self.init(
            adopting: raw,
            detail: toReceive ? "it is not the receiving end of a pipe" : "it is not the sending end of a pipe"
        ) { descriptor in
            var status = cip_file_status()
            let found = System.call(.file) { unsafe cip_descriptor_status(descriptor, &status) }
            if found < 0 { return found }
            if status.kind != Int64(CIP_KIND_FIFO) { return 0 }
            let mode = System.call(.option) { cip_access_mode(descriptor) }
            return mode < 0 ? mode : mode & (toReceive ? 1 : 2) != 0 ? 1 : 0
        }
    }
}
#endif
