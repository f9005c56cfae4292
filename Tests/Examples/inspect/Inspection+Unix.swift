// SPDX-License-Identifier: MIT OR Apache-2.0

#if !os(Windows)
import Foundation
import Interprocess

extension Inspection {
    func unix() -> [Finding] {
        var kernel = utsname()
        uname(&kernel)
        let release = withUnsafeBytes(of: kernel.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        var findings = [
            Finding(subject: "kernel", result: release),
            look(at: "packets (SOCK_SEQPACKET)") {
                let (near, far) = try UnixPacketSocket.pair()
                try near.send([1, 2])
                try near.send([3])
                return try far.receive(upTo: 64).bytes == [1, 2] ? "yes" : "without boundaries"
            },
            look(at: "a socket's mode keeps strangers out") { try enforcement() },
            look(at: "buffers of a stream, bytes") {
                let (near, _) = try UnixStream.pair()
                return "\(try near.sendBufferSize()) to send, \(try near.receiveBufferSize()) to receive"
            },
            look(at: "descriptors") {
                var limit = rlimit()
                #if canImport(Glibc)
                let failed = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0
                #else
                let failed = getrlimit(RLIMIT_NOFILE, &limit) != 0
                #endif
                return failed ? "not known" : "\(limit.rlim_cur) at most, \(limit.rlim_max) if asked for"
            },
        ]
        #if os(Linux)
        findings += [
            look(at: "a pipe is asked without changing its mode") { try leavesModeAlone() },
            look(at: "credentials with messages") {
                let (near, far) = try UnixStream.pair()
                try far.setReceivesCredentials(true)
                try near.writeAll([1])
                let (_, message) = try far.receive(upTo: 1)
                return message.credentials == nil ? "none came" : "yes"
            },
            setting("connections that wait to be accepted, at most", "/proc/sys/net/core/somaxconn"),
            setting("datagrams that wait, at most", "/proc/sys/net/unix/max_dgram_qlen"),
            setting("a pipe's buffer at most, bytes", "/proc/sys/fs/pipe-max-size"),
        ]
        #endif
        return findings
    }

    /// Tries to connect to a socket to which nobody may.
    private func enforcement() throws -> String {
        let directory = NSTemporaryDirectory() + "inspect-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let name = try LocalSocketName.path(directory + "/s")
        var options = LocalSocketListener.Options()
        options.mode = 0
        let listener = try LocalSocketListener(name, options: options)
        defer { listener.close() }
        // Root may always: for a moment this is somebody else.
        let isRoot = geteuid() == 0
        if isRoot {
            chmod(directory, 0o755)
            guard seteuid(65_534) == 0 else { return "not known: root may always" }
        }
        defer { if isRoot { _ = seteuid(0) } }
        do throws(IPCError) {
            _ = try LocalSocketStream.connect(to: name)
            return "no"
        } catch {
            if error.code == .permissionDenied { return "yes" }
            throw error
        }
    }

    #if os(Linux)
    private func setting(_ subject: String, _ path: String) -> Finding {
        look(at: subject) {
            try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    /// What RWF_NOWAIT is for.
    private func leavesModeAlone() throws -> String {
        let (sender, receiver) = try UnnamedPipe.create()
        defer { sender.close() }
        _ = try? receiver.read(upTo: 1, timeout: .zero)
        let flags = try receiver.withUnsafeDescriptor { fcntl($0, F_GETFL) }
        return flags & O_NONBLOCK == 0 ? "yes" : "no: it is in nonblocking mode then"
    }
    #endif
}
#endif
