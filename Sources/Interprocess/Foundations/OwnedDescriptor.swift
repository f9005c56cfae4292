// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// A descriptor between the call that made it and the object that will own it: closed unless it is released.
struct OwnedDescriptor: ~Copyable, Sendable {
    private(set) var raw: Int64

    init(_ raw: Int64) { self.raw = raw }

    /// Takes the result of a call that makes a descriptor.
    ///
    /// - Throws: The call's error.
    init(result: Int64, _ operation: IPCError.Operation, name: String?) throws(IPCError) {
        if result < 0 { throw IPCError(result: result, operation, name: name) }
        raw = result
    }

    consuming func release() -> Int64 {
        let raw = raw
        // `discard self` would say it better, and is not part of Embedded Swift.
        self.raw = -1
        return raw
    }

    deinit { if raw >= 0 { _ = cip_close(raw) } }
}
