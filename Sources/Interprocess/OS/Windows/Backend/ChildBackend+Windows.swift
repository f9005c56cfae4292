// SPDX-License-Identifier: MIT OR Apache-2.0

#if os(Windows)
internal import CInterprocess

/// Programs that this process starts.
///
/// Each system's backend has a type of this name with these members.
enum ChildBackend {
    /// Starts a program.
    ///
    /// - Parameters:
    ///   - program: A path; without a backslash, looked for where the system looks.
    ///   - arguments: What follows the program's name.
    ///   - variables: `NAME=VALUE`.
    ///   - standard: Its standard handles: ones of this process, or `CIP_SAME` or `CIP_NOTHING`.
    ///   - channel: The end of a stream that it inherits.
    ///   - name: The variable that says which that is.
    /// - Returns: The process's number, and its handle.
    /// - Throws: The system's error, and then nothing runs.
    static func start(
        _ program: [UInt8],
        _ arguments: [[UInt8]],
        _ variables: [[UInt8]],
        standard: [Int64],
        channel: Int64,
        named name: [UInt8]
    ) throws(IPCError) -> (number: Int64, core: DescriptorCore) {
        let label = String(decoding: program, as: UTF8.self)
        let made = System.call(.duplicate) { cip_duplicate_inheritable(channel) }
        let inherited = try OwnedDescriptor(result: made, .spawn, name: label)
        let mark = Array("=\(made):\(identity(of: channel) ?? 0)".utf8)
        var line = units(commandLine([program] + arguments))
        let block = (variables + [name + mark]).flatMap(units) + [0]
        var number: Int64 = 0
        let result = unsafe line.withUnsafeMutableBufferPointer { line in
            unsafe block.withUnsafeBufferPointer { block in
                var request = unsafe cip_windows_program(
                    command_line: line.baseAddress.unsafelyUnwrapped,
                    variables: block.baseAddress.unsafelyUnwrapped,
                    descriptors: (standard[0], standard[1], standard[2], inherited.raw),
                    number: 0
                )
                defer { number = unsafe request.number }
                return System.call(.spawn) { unsafe cip_create_process(&request) }
            }
        }
        let process = try OwnedDescriptor(result: result, .spawn, name: label)
        return (number, DescriptorCore(process, name: label, waker: .poll))
    }

    /// With a terminator.
    private static func units(_ text: [UInt8]) -> [UInt16] { String(decoding: text, as: UTF8.self).utf16 + [0] }

    /// What programs take apart into the same texts, as the C runtime's do: in quotes, with a backslash before each quote,
    /// and twice as many where there are some before a quote.
    static func commandLine(_ texts: [[UInt8]]) -> [UInt8] {
        let (quote, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
        var line: [UInt8] = []
        for text in texts {
            if !line.isEmpty { line.append(UInt8(ascii: " ")) }
            line.append(quote)
            var backslashes = 0
            for byte in text {
                if byte == quote { line += [UInt8](repeating: backslash, count: backslashes + 1) }
                backslashes = byte == backslash ? backslashes + 1 : 0
                line.append(byte)
            }
            line += [UInt8](repeating: backslash, count: backslashes) + [quote]
        }
        return line
    }

    /// What tells an inherited end of a stream from whatever else may have its number: who has made it.
    static func identity(of descriptor: Int64) -> UInt64? {
        var identity: UInt64 = 0
        let result = System.call(.file) { unsafe cip_stream_identity(descriptor, &identity) }
        return result < 0 ? nil : identity
    }

    /// The variables of this process, as `NAME=VALUE`.
    static func variables() -> [[UInt8]] {
        guard let memory = unsafe cip_wide_variables() else { return [] }
        defer { unsafe cip_wide_variables_free(memory) }
        var variables: [[UInt8]] = []
        var place = 0
        while unsafe memory[place] != 0 {
            var units: [UInt16] = []
            while case let unit = unsafe memory[place], unit != 0 {
                units.append(unit)
                place += 1
            }
            variables.append(Array(String(decoding: units, as: UTF16.self).utf8))
            place += 1
        }
        return variables
    }
}
#endif
