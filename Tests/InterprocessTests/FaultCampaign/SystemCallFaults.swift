// SPDX-License-Identifier: MIT OR Apache-2.0

#if INTERPROCESS_FAULT_INJECTION && os(Linux)
import Foundation

@testable import Interprocess

/// An error of the system, by its name.
struct SystemError: Hashable {
    let name: String
    let number: Int32

    init(_ name: String, _ number: Int32) {
        self.name = name
        self.number = number
    }
}

/// What can go wrong in the calls, as their manual pages tell.
enum SystemCallFaults {
    /// Every error that is tried, with the code that has to come of it.
    ///
    /// Those that only a defect of the library itself could cause (EBADF, EFAULT, ENOTSOCK) are left out.
    static let errors: [(error: SystemError, code: IPCError.Code)] = [
        (SystemError("E2BIG", E2BIG), .messageTooLarge),
        (SystemError("EACCES", EACCES), .permissionDenied),
        (SystemError("EADDRINUSE", EADDRINUSE), .addressInUse),
        (SystemError("EADDRNOTAVAIL", EADDRNOTAVAIL), .system),
        (SystemError("EAFNOSUPPORT", EAFNOSUPPORT), .unsupported),
        (SystemError("EAGAIN", EAGAIN), .wouldBlock),
        (SystemError("EBUSY", EBUSY), .busy),
        (SystemError("ECHILD", ECHILD), .system),
        (SystemError("ECONNABORTED", ECONNABORTED), .connectionReset),
        (SystemError("ECONNREFUSED", ECONNREFUSED), .connectionRefused),
        (SystemError("ECONNRESET", ECONNRESET), .connectionReset),
        (SystemError("EDQUOT", EDQUOT), .resourcesExhausted),
        (SystemError("EEXIST", EEXIST), .alreadyExists),
        (SystemError("EFBIG", EFBIG), .system),
        (SystemError("EINVAL", EINVAL), .invalidArgument),
        (SystemError("EIO", EIO), .system),
        (SystemError("EISDIR", EISDIR), .invalidArgument),
        (SystemError("ELOOP", ELOOP), .invalidArgument),
        (SystemError("EMFILE", EMFILE), .resourcesExhausted),
        (SystemError("EMSGSIZE", EMSGSIZE), .messageTooLarge),
        (SystemError("ENAMETOOLONG", ENAMETOOLONG), .nameTooLong),
        (SystemError("ENFILE", ENFILE), .resourcesExhausted),
        (SystemError("ENOBUFS", ENOBUFS), .resourcesExhausted),
        (SystemError("ENODATA", ENODATA), .system),
        (SystemError("ENODEV", ENODEV), .system),
        (SystemError("ENOENT", ENOENT), .notFound),
        (SystemError("ENOEXEC", ENOEXEC), .invalidArgument),
        (SystemError("ENOLCK", ENOLCK), .system),
        (SystemError("ENOMEM", ENOMEM), .resourcesExhausted),
        (SystemError("ENOPROTOOPT", ENOPROTOOPT), .unsupported),
        (SystemError("ENOSPC", ENOSPC), .resourcesExhausted),
        (SystemError("ENOSYS", ENOSYS), .unsupported),
        (SystemError("ENOTCONN", ENOTCONN), .notConnected),
        (SystemError("ENOTDIR", ENOTDIR), .notFound),
        (SystemError("ENXIO", ENXIO), .system),
        (SystemError("EOPNOTSUPP", EOPNOTSUPP), .unsupported),
        (SystemError("EOVERFLOW", EOVERFLOW), .system),
        (SystemError("EPERM", EPERM), .permissionDenied),
        (SystemError("EPIPE", EPIPE), .brokenPipe),
        (SystemError("EPROTO", EPROTO), .system),
        (SystemError("EPROTONOSUPPORT", EPROTONOSUPPORT), .unsupported),
        (SystemError("EPROTOTYPE", EPROTOTYPE), .invalidArgument),
        (SystemError("EROFS", EROFS), .permissionDenied),
        (SystemError("ESRCH", ESRCH), .system),
        (SystemError("ETIMEDOUT", ETIMEDOUT), .timedOut),
        (SystemError("ETOOMANYREFS", ETOOMANYREFS), .resourcesExhausted),
        (SystemError("ETXTBSY", ETXTBSY), .busy),
    ]

    static let codes = Dictionary(uniqueKeysWithValues: errors.map { ($0.error.name, $0.code) })

    /// What one kind of call stands for, and the errors of all of these together.
    struct Kind {
        let call: System.Call
        let calls: String
        let errors: [SystemError]

        init(_ call: System.Call, _ calls: String, _ errors: String) {
            self.call = call
            self.calls = calls
            let names = errors.split(separator: " ").map(String.init)
            self.errors = SystemCallFaults.errors.map(\.error).filter { names.contains($0.name) }
            assert(self.errors.count == names.count, "an error without a code")
        }
    }

    static let interruption = SystemError("EINTR", EINTR)

    static let kinds: [Kind] = [
        Kind(.socket, "socket, socketpair", "EACCES EAFNOSUPPORT EINVAL EMFILE ENFILE ENOBUFS ENOMEM EPROTONOSUPPORT"),
        Kind(
            .bind,
            "bind",
            "EACCES EADDRINUSE EADDRNOTAVAIL EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EROFS"
        ),
        Kind(.listen, "listen", "EADDRINUSE EINVAL ENOBUFS EOPNOTSUPP"),
        Kind(
            .accept,
            "accept4, and the poll that looks for a client",
            "EAGAIN ECONNABORTED EINVAL EMFILE ENFILE ENOBUFS ENOMEM EPERM EPROTO"
        ),
        Kind(
            .connect,
            "connect",
            "EACCES EAGAIN ECONNREFUSED ELOOP ENOBUFS ENOENT ENOMEM ENOTDIR EPERM EPROTOTYPE ETIMEDOUT"
        ),
        Kind(.receive, "recv, read, preadv2", "EAGAIN ECONNREFUSED ECONNRESET EINVAL EIO ENOMEM ENOTCONN"),
        Kind(.send, "send, write, pwritev2", "EAGAIN ECONNRESET EINVAL EIO EMSGSIZE ENOBUFS ENOMEM ENOTCONN EPIPE"),
        Kind(
            .message,
            "sendmsg, recvmsg, sendmmsg, recvmmsg",
            """
            EACCES EAGAIN ECONNREFUSED ECONNRESET EINVAL EMSGSIZE ENOBUFS ENOENT ENOMEM ENOTCONN EPERM EPIPE \
            EPROTOTYPE ETOOMANYREFS
            """
        ),
        Kind(.poll, "ppoll, epoll_wait", "EINVAL ENOMEM"),
        Kind(.pipe, "pipe2", "EMFILE ENFILE"),
        Kind(.pipeRead, "read, from the pipe of a signal watcher", "EAGAIN EINVAL EIO"),
        Kind(.duplicate, "fcntl F_DUPFD_CLOEXEC", "EBUSY EINVAL EMFILE"),
        Kind(
            .wake,
            "eventfd, epoll_create1, epoll_ctl, timerfd_create, and a channel's own bell",
            "EEXIST EINVAL ELOOP EMFILE ENFILE ENODEV ENOENT ENOMEM ENOSPC EPERM"
        ),
        Kind(
            .file,
            "openat, fstat, fstatat, fchmod, fchmodat, mkfifoat, renameat, unlinkat",
            """
            EACCES EBUSY EDQUOT EEXIST EINVAL EIO EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT ENOMEM ENOSPC \
            ENOTDIR ENXIO EOVERFLOW EPERM EROFS
            """
        ),
        Kind(
            .option,
            "getsockopt, setsockopt, getsockname, getpeername, shutdown, fcntl",
            "EACCES EBUSY EINVAL ENOBUFS ENOMEM ENOPROTOOPT ENOTCONN EPERM"
        ),
        Kind(
            .credentials,
            "getsockopt SO_PEERCRED, SO_PEERGROUPS, SO_PEERSEC, SO_PEERPIDFD",
            "EINVAL EMFILE ENFILE ENODATA ENOMEM ENOPROTOOPT ENOTCONN EOPNOTSUPP ESRCH"
        ),
        Kind(.lock, "flock", "EAGAIN EINVAL EIO ENOLCK"),
        Kind(
            .memory,
            "memfd_create, ftruncate, fallocate, fcntl F_ADD_SEALS, openat, fstat, mmap (whose EAGAIN becomes ENOMEM)",
            "EACCES EBUSY EFBIG EINVAL EIO EMFILE ENFILE ENODEV ENOMEM ENOSPC EOVERFLOW EPERM"
        ),
        Kind(.watch, "epoll_ctl, of an event loop", "EEXIST EINVAL ELOOP ENOENT ENOMEM ENOSPC EPERM"),
        Kind(.thread, "pthread_create (whose EAGAIN becomes ENOMEM)", "EINVAL ENOMEM EPERM"),
        Kind(.signal, "sigaction, kill, tgkill, sigqueue", "EAGAIN EINVAL EPERM ESRCH"),
        Kind(
            .spawn,
            "fork, execve (whose EAGAIN becomes ENOMEM)",
            """
            E2BIG EACCES EINVAL EIO EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT ENOEXEC ENOMEM ENOTDIR \
            EPERM ETXTBSY
            """
        ),
        Kind(
            .process,
            "pidfd_open, waitid, pidfd_send_signal",
            "ECHILD EINVAL EMFILE ENFILE ENODEV ENOMEM ENOSYS EPERM ESRCH"
        ),
    ]

    static func errors(of call: System.Call) -> [SystemError] { kinds.first { $0.call == call }?.errors ?? [] }
}
#endif
