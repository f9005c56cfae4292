// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

/// Programs that this process starts.
///
/// Each system's backend has a type of this name with these members.
enum ChildBackend {
    /// Starts a program.
    ///
    /// - Parameters:
    ///   - program: A path; without a slash, looked for where `PATH` says.
    ///   - arguments: What follows the program's name.
    ///   - variables: `NAME=VALUE`.
    ///   - standard: Its descriptors 0, 1 and 2: ones of this process, or `CIP_SAME` or `CIP_NOTHING`.
    ///   - channel: The end of a stream that it inherits.
    ///   - name: The variable that says which that is.
    /// - Returns: The process's number, and what is readable once it has ended.
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
        // Without it the program could not tell that the connection is its own.
        var identity: UInt64 = 0
        let told = System.call(.file) { unsafe cip_stream_identity(channel, &identity) }
        if told < 0 { throw IPCError(result: told, .spawn, name: label) }
        let mark = Array("=\(CIP_CHANNEL):\(identity)".utf8)
        // Whether it can be watched shows before it runs, and there will be room for that.
        let reserve = try watch(cip_own_process(), label)
        let number = CStrings([program]).withTable { file in
            CStrings([program] + arguments).withTable { arguments in
                CStrings(variables + [name + mark]).withTable { variables in
                    var request = unsafe cip_program(
                        file: file[0].unsafelyUnwrapped,
                        arguments: arguments,
                        variables: variables,
                        descriptors: (standard[0], standard[1], standard[2], channel)
                    )
                    return System.call(.spawn) { unsafe cip_spawn(&request) }
                }
            }
        }
        if number < 0 { throw IPCError(result: number, .spawn, name: label) }
        _ = consume reserve
        do throws(IPCError) {
            return (number, DescriptorCore(try watch(number, label), name: label, waker: .poll))
        } catch {
            // Another thread was faster to take what the reserve has left.
            cip_child_destroy(number)
            throw error
        }
    }

    private static func watch(_ process: Int64, _ label: String) throws(IPCError) -> OwnedDescriptor {
        try OwnedDescriptor(result: System.call(.process) { cip_child_watch(process) }, .spawn, name: label)
    }

    /// What tells an inherited end of a stream from whatever else may have its number.
    static func identity(of descriptor: Int64) -> UInt64? {
        var identity: UInt64 = 0
        let result = System.call(.file) { unsafe cip_stream_identity(descriptor, &identity) }
        return result < 0 ? nil : identity
    }

    /// The variables of this process, as `NAME=VALUE`.
    static func variables() -> [[UInt8]] {
        guard var next = unsafe cip_variables() else { return [] }
        var variables: [[UInt8]] = []
        while let variable = unsafe next.pointee {
            variables.append(unsafe Array(String(cString: variable).utf8))
            unsafe next += 1
        }
        return variables
    }
}

/// Texts as C takes them: each with a terminator, and a table of them that ends with a null.
@safe
private struct CStrings: ~Copyable {
    private let table: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>

    init(_ texts: [[UInt8]]) {
        unsafe table = .allocate(capacity: texts.count + 1)
        unsafe table.initialize(repeating: nil)
        for (index, text) in texts.enumerated() {
            let memory = UnsafeMutablePointer<CChar>.allocate(capacity: text.count + 1)
            for (place, byte) in text.enumerated() { unsafe memory[place] = CChar(bitPattern: byte) }
            unsafe memory[text.count] = 0
            unsafe table[index] = memory
        }
    }

    deinit {
        unsafe table.forEach { unsafe $0?.deallocate() }
        unsafe table.deallocate()
    }

    @safe
    func withTable<Value>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value) -> Value {
        unsafe body(UnsafePointer(table.baseAddress.unsafelyUnwrapped))
    }
}
#endif
