// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
internal import CInterprocess

extension LocalSocketListener {
    /// Takes over the listening sockets that the program which started this one has passed to it, as systemd does
    /// ("socket activation"): those numbered from 3 that the environment variable `LISTEN_FDS` counts, if `LISTEN_PID`
    /// is this process.
    ///
    /// Call it once, early: each call takes the descriptors over anew. Closing the listeners neither disturbs the
    /// program that holds the sockets too, nor removes their files.
    ///
    /// - Returns: The listeners, in the order of their numbers; none when the process was not started this way. Sockets
    ///   that are no listening Unix stream sockets are left alone.
    /// - Throws: ``IPCError/Code/invalidArgument`` when the variables do not make sense;
    ///   ``IPCError/Code/resourcesExhausted``.
    public static func inherited() throws(IPCError) -> [LocalSocketListener] {
        guard let count = Environment["LISTEN_FDS"], let process = Environment["LISTEN_PID"] else { return [] }
        guard let count = number(count), let process = number(process), count <= 4096 else {
            throw IPCError(
                .invalidArgument,
                .adopt,
                detail: "the environment variables LISTEN_FDS and LISTEN_PID are not the numbers they should be"
            )
        }
        if process != cip_own_process() { return [] }
        var listeners: [LocalSocketListener] = []
        for descriptor in 0..<RawDescriptor(count) {
            do throws(IPCError) {
                listeners.append(try LocalSocketListener(adopting: 3 + descriptor))
            } catch {
                if error.code != .resourcesExhausted { continue }
                for listener in listeners { _ = try? listener.detach() }
                throw error
            }
        }
        return listeners
    }

    private static func number(_ digits: [UInt8]) -> Int64? {
        var value: Int64 = 0
        if digits.isEmpty || digits.count > 10 { return nil }
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = 10 * value + Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }
}
#endif
