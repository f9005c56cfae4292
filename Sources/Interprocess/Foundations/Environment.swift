// SPDX-License-Identifier: MIT OR Apache-2.0

internal import CInterprocess

/// The variables that this process was started with.
enum Environment {
    static subscript(name: StaticString) -> [UInt8]? {
        name.withUTF8Buffer { memory in
            guard let base = memory.baseAddress else { return nil }
            return unsafe UnsafeRawPointer(base).withMemoryRebound(to: CChar.self, capacity: memory.count + 1) {
                guard let value = unsafe cip_environment($0) else { return nil }
                return unsafe Array(String(cString: value).utf8)
            }
        }
    }
}
