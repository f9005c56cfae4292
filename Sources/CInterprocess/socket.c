// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#if CIP_LINUX
#include <sys/syscall.h>
#endif

#include "socket_internal.h"

int64_t cip_address_capacity(void) { return sizeof((struct sockaddr_un *)0)->sun_path; }
int64_t cip_has_abstract_names(void) { return CIP_LINUX; }
int64_t cip_shutdown_ends_datagrams(void) { return CIP_LINUX; }
int64_t cip_mode_before_bind(void) {
#if CIP_LINUX || defined(__OpenBSD__)
    return 1;
#else
    return 0;
#endif
}

static int native_type(int64_t type) {
    switch (type) {
    case CIP_DATAGRAM: return SOCK_DGRAM;
    case CIP_SEQUENCED_PACKETS: return SOCK_SEQPACKET;
    default: return SOCK_STREAM;
    }
}

int64_t cip_socket(int64_t type, bool nonblocking) {
#if CIP_HAS_ATOMIC_CLOEXEC
    return cip_complete_new(socket(AF_UNIX, native_type(type) | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), 0));
#else
    cip_hold_forks();
    int64_t made = cip_complete_new(socket(AF_UNIX, native_type(type), 0));
    cip_let_fork();
    int64_t result = made < 0 || !nonblocking ? 0 : cip_set_nonblocking(made, true);
    if (result >= 0) return made;
    close((int)made);
    return result;
#endif
}

static int64_t make_pair(int64_t type, int64_t *ends) {
    int made[2];
#if CIP_HAS_ATOMIC_CLOEXEC
    if (socketpair(AF_UNIX, native_type(type) | SOCK_CLOEXEC, 0, made) < 0) return -(int64_t)errno;
#else
    if (socketpair(AF_UNIX, native_type(type), 0, made) < 0) return -(int64_t)errno;
#endif
    for (int end = 0; end < 2; end++) {
        int64_t result = cip_complete_new(made[end]);
        if (result < 0) {
            close(made[1 - end]);
            return result;
        }
        ends[end] = made[end];
    }
    return 0;
}

int64_t cip_socket_pair(int64_t type, int64_t *ends) {
    cip_hold_forks();
    int64_t result = make_pair(type, ends);
    cip_let_fork();
    return result;
}

// The length counts what stands in sun_path, without a terminator: an abstract name must not be padded, and a path may
// fill sun_path to the last byte.
int64_t cip_fill_address(struct sockaddr_un *to, const uint8_t *address, size_t length) {
    if (length == 0) return -EINVAL;
    if (length > sizeof to->sun_path) return -ENAMETOOLONG;
    memset(to, 0, sizeof *to);
    to->sun_family = AF_UNIX;
    memcpy(to->sun_path, address, length);
    size_t total = offsetof(struct sockaddr_un, sun_path) + length;
#if !CIP_LINUX
    to->sun_len = (uint8_t)total;
#endif
    return (int64_t)total;
}

int64_t cip_bind(int64_t descriptor, const uint8_t *address, size_t length) {
    struct sockaddr_un to;
    int64_t total = cip_fill_address(&to, address, length);
    if (total < 0) return total;
    return cip_result(bind((int)descriptor, (const struct sockaddr *)&to, (socklen_t)total));
}

int64_t cip_bind_anywhere(int64_t descriptor) {
#if CIP_LINUX
    struct sockaddr_un none = {.sun_family = AF_UNIX};
    return cip_result(bind((int)descriptor, (const struct sockaddr *)&none, offsetof(struct sockaddr_un, sun_path)));
#else
    return (void)descriptor, -EINVAL;
#endif
}

int64_t cip_connect(int64_t descriptor, const uint8_t *address, size_t length) {
    struct sockaddr_un to;
    int64_t total = cip_fill_address(&to, address, length);
    if (total < 0) return total;
    return cip_result(connect((int)descriptor, (const struct sockaddr *)&to, (socklen_t)total));
}

int64_t cip_listen(int64_t descriptor, int64_t backlog) {
    // Linux cuts a backlog to net.core.somaxconn, the BSDs and Darwin to kern.ipc.somaxconn.
    return cip_result(listen((int)descriptor, backlog < 0 || backlog > INT32_MAX ? INT32_MAX : (int)backlog));
}

int64_t cip_accept(int64_t descriptor) {
#if CIP_HAS_ATOMIC_CLOEXEC
    return cip_complete_new(accept4((int)descriptor, NULL, NULL, SOCK_CLOEXEC));
#else
    // A listener's socket is in nonblocking mode, so that no fork is held up for long. Unlike accept4, this passes the mode on.
    cip_hold_forks();
    int64_t made = cip_complete_new(accept((int)descriptor, NULL, NULL));
    cip_let_fork();
    int64_t result = made < 0 ? made : cip_set_nonblocking(made, false);
    if (result >= 0) return made;
    if (made >= 0) close((int)made);
    return result;
#endif
}

int64_t cip_set_send_timeout(int64_t descriptor, int64_t nanoseconds) {
    struct timeval limit = {
        .tv_sec = (time_t)(nanoseconds / 1000000000),
        .tv_usec = (suseconds_t)((nanoseconds % 1000000000 + 999) / 1000),
    };
    if (limit.tv_usec == 1000000) limit.tv_sec++, limit.tv_usec = 0;
    return cip_result(setsockopt((int)descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
}

// The C library's functions are points where a thread can be cancelled, and where there is more than one thread they pay
// for it with two atomic operations. Nobody cancels Swift's threads.
int64_t cip_receive(int64_t descriptor, void *buffer, size_t count, bool wait) {
    int flags = wait ? 0 : MSG_DONTWAIT;
#if CIP_LINUX && defined(SYS_recvfrom)
    return cip_result(syscall(SYS_recvfrom, (int)descriptor, buffer, count, flags, NULL, NULL));
#else
    return cip_result(recv((int)descriptor, buffer, count, flags));
#endif
}

int64_t cip_send(int64_t descriptor, const void *buffer, size_t count, bool wait) {
    int flags = CIP_NO_SIGNAL | (wait ? 0 : MSG_DONTWAIT);
#if CIP_LINUX && defined(SYS_sendto)
    return cip_result(syscall(SYS_sendto, (int)descriptor, buffer, count, flags, NULL, 0));
#else
    return cip_result(send((int)descriptor, buffer, count, flags));
#endif
}

int64_t cip_shutdown(int64_t descriptor, int64_t how) {
    int native = how == CIP_SHUT_RECEIVE ? SHUT_RD : how == CIP_SHUT_SEND ? SHUT_WR : SHUT_RDWR;
    return cip_result(shutdown((int)descriptor, native));
}

static int64_t integer_option(int64_t descriptor, int option) {
    int value = 0;
    socklen_t size = sizeof value;
    return cip_result(getsockopt((int)descriptor, SOL_SOCKET, option, &value, &size) < 0 ? -1 : value);
}

int64_t cip_socket_error(int64_t descriptor) { return integer_option(descriptor, SO_ERROR); }

int64_t cip_socket_type(int64_t descriptor) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    int64_t native = integer_option(descriptor, SO_TYPE);
    if (native < 0) return native;
    if (getsockname((int)descriptor, (struct sockaddr *)&address, &size) < 0) return -(int64_t)errno;
    if (address.ss_family != AF_UNIX) return -EAFNOSUPPORT;
    return native == SOCK_DGRAM ? CIP_DATAGRAM : native == SOCK_SEQPACKET ? CIP_SEQUENCED_PACKETS : CIP_STREAM;
}

int64_t cip_socket_listens(int64_t descriptor) {
#if defined(SO_ACCEPTCONN)
    int64_t listens = integer_option(descriptor, SO_ACCEPTCONN);
    if (listens != -ENOPROTOOPT) return listens;
#endif
    // Darwin and OpenBSD have the flag but do not answer for it: only a connected socket has a peer.
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    return getpeername((int)descriptor, (struct sockaddr *)&peer, &size) < 0 && errno == ENOTCONN;
}

size_t cip_take_address(const struct sockaddr_un *from, socklen_t size, uint8_t *address) {
    size_t header = offsetof(struct sockaddr_un, sun_path);
    size_t length = size > header ? size - header : 0;
    if (length > sizeof from->sun_path) length = sizeof from->sun_path;
    // The kernel adds a terminator to a path, and none to an abstract name.
    if (length > 0 && from->sun_path[0] != 0) length = strnlen(from->sun_path, length);
    else if (!CIP_LINUX) length = 0;
    memcpy(address, from->sun_path, length);
    return length;
}

int64_t cip_local_address(int64_t descriptor, uint8_t *address) {
    struct sockaddr_un found = {0};
    socklen_t size = sizeof found;
    if (getsockname((int)descriptor, (struct sockaddr *)&found, &size) < 0) return -(int64_t)errno;
    return found.sun_family == AF_UNIX ? (int64_t)cip_take_address(&found, size, address) : -EAFNOSUPPORT;
}

int64_t cip_peer_address(int64_t descriptor, uint8_t *address) {
    struct sockaddr_un found = {.sun_family = AF_UNIX};
    socklen_t size = sizeof found;
    if (getpeername((int)descriptor, (struct sockaddr *)&found, &size) < 0) return -(int64_t)errno;
    return (int64_t)cip_take_address(&found, size, address);
}

int64_t cip_packets_ended(int64_t descriptor) {
#if defined(POLLRDHUP)
    struct pollfd entry = {.fd = (int)descriptor, .events = POLLRDHUP};
    if (poll(&entry, 1, 0) < 0) return -(int64_t)errno;
    if (!(entry.revents & (POLLRDHUP | POLLHUP))) return 0;
    // It has come, but perhaps not yet to be received: how many bytes are there still, in all packets?
    int left;
    return ioctl((int)descriptor, FIONREAD, &left) < 0 ? -(int64_t)errno : left == 0;
#else
    return (void)descriptor, 1;
#endif
}

// Of <asm-generic/socket.h>, for C libraries whose headers are older than the kernel.
#if CIP_LINUX && !defined(SO_PASSPIDFD) && !defined(__sparc__) && !defined(__hppa__)
#define SO_PASSPIDFD 76
#endif

// -1: the system lacks it.
static int native_option(int64_t option) {
    switch (option) {
    case CIP_OPTION_SEND_BUFFER: return SO_SNDBUF;
    case CIP_OPTION_RECEIVE_BUFFER: return SO_RCVBUF;
    case CIP_OPTION_SEND_LOW_WATER: return SO_SNDLOWAT;
#if CIP_LINUX
    case CIP_OPTION_CREDENTIALS: return SO_PASSCRED;
    case CIP_OPTION_PEEK_OFFSET: return SO_PEEK_OFF;
#if defined(SO_PASSPIDFD)
    case CIP_OPTION_PROCESS: return SO_PASSPIDFD;
#endif
#endif
    default: return -1;
    }
}

int64_t cip_option(int64_t descriptor, int64_t option, int64_t *value) {
    int native = native_option(option), found = 0;
    socklen_t size = sizeof found;
    if (native < 0) return -ENOTSUP;
    if (getsockopt((int)descriptor, SOL_SOCKET, native, &found, &size) < 0) return -(int64_t)errno;
    *value = found;
    return 0;
}

int64_t cip_set_option(int64_t descriptor, int64_t option, int64_t value) {
    int native = native_option(option), wanted = value > INT32_MAX ? INT32_MAX : (int)value;
    if (native < 0) return -ENOTSUP;
    return cip_result(setsockopt((int)descriptor, SOL_SOCKET, native, &wanted, sizeof wanted));
}
#endif
