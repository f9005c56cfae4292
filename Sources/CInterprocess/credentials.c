// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/un.h>
#if CIP_DARWIN || CIP_FREEBSD_LIKE
#include <sys/ucred.h>
#endif

// Of <asm-generic/socket.h>, for C libraries whose headers are older than the kernel. sparc and parisc number them
// otherwise.
#if CIP_LINUX && !defined(__sparc__) && !defined(__hppa__)
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#endif

int64_t cip_own_process(void) { return getpid(); }
int64_t cip_own_user(void) { return geteuid(); }
int64_t cip_own_group(void) { return getegid(); }

#if CIP_LINUX || defined(__OpenBSD__)
int64_t cip_peer_credentials(int64_t descriptor, struct cip_credentials *credentials) {
#if CIP_LINUX
    struct ucred peer;
#else
    struct sockpeercred peer;
#endif
    socklen_t size = sizeof peer;
    if (getsockopt((int)descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -(int64_t)errno;
    // The kernel says "nobody" as pid 0, and also for a peer in a pid namespace that is not visible from here.
    credentials->process = peer.pid > 0 ? peer.pid : -1;
    credentials->user = peer.uid == (uid_t)-1 ? -1 : (int64_t)peer.uid;
    credentials->group = peer.gid == (gid_t)-1 ? -1 : (int64_t)peer.gid;
    return 0;
}
#elif defined(__NetBSD__)
int64_t cip_peer_credentials(int64_t descriptor, struct cip_credentials *credentials) {
    struct unpcbid peer;
    socklen_t size = sizeof peer;
    if (getsockopt((int)descriptor, 0, LOCAL_PEEREID, &peer, &size) < 0) return -(int64_t)errno;
    credentials->process = peer.unp_pid > 0 ? peer.unp_pid : -1;
    credentials->user = peer.unp_euid;
    credentials->group = peer.unp_egid;
    return 0;
}
#else
// Darwin and the FreeBSD family keep these options at level 0, which Darwin calls SOL_LOCAL.
static int64_t peer_record(int64_t descriptor, struct xucred *peer) {
    socklen_t size = sizeof *peer;
    if (getsockopt((int)descriptor, 0, LOCAL_PEERCRED, peer, &size) < 0) return -(int64_t)errno;
    return peer->cr_version == XUCRED_VERSION ? 0 : -EINVAL;
}

int64_t cip_peer_credentials(int64_t descriptor, struct cip_credentials *credentials) {
    struct xucred peer;
    int64_t result = peer_record(descriptor, &peer);
    if (result < 0) return result;
    credentials->process = -1;
    credentials->user = peer.cr_uid;
    credentials->group = peer.cr_ngroups > 0 ? (int64_t)peer.cr_groups[0] : -1;
#if CIP_DARWIN
    pid_t process = -1;
    socklen_t size = sizeof process;
    // Unlike the rest it is asked of the peer's socket, which may be closed already.
    if (getsockopt((int)descriptor, 0, LOCAL_PEERPID, &process, &size) < 0 && errno != ENOTCONN) return -(int64_t)errno;
    if (process > 0) credentials->process = process;
#elif defined(__FreeBSD__)
    if (peer.cr_pid > 0) credentials->process = peer.cr_pid;
#endif
    return 0;
}
#endif

int64_t cip_peer_groups(int64_t descriptor, uint32_t *groups, size_t capacity) {
#if defined(SO_PEERGROUPS)
    _Static_assert(sizeof(gid_t) == sizeof(uint32_t), "groups are copied as they are");
    socklen_t size = (socklen_t)(capacity * sizeof(gid_t));
    // With too little room the kernel says how much it needs, and fails.
    int result = getsockopt((int)descriptor, SOL_SOCKET, SO_PEERGROUPS, groups, &size);
    if (result < 0 && errno != ERANGE) return -(int64_t)errno;
    return (int64_t)(size / sizeof(gid_t));
#elif CIP_DARWIN || CIP_FREEBSD_LIKE
    struct xucred peer;
    int64_t result = peer_record(descriptor, &peer);
    if (result < 0) return result;
    size_t count = (size_t)peer.cr_ngroups;
    for (size_t index = 0; index < count && index < capacity; index++) groups[index] = peer.cr_groups[index];
    return (int64_t)count;
#else
    return (void)descriptor, (void)groups, (void)capacity, -ENOTSUP;
#endif
}

int64_t cip_peer_label(int64_t descriptor, uint8_t *label, size_t capacity) {
#if defined(SO_PEERSEC)
    socklen_t size = (socklen_t)capacity;
    if (getsockopt((int)descriptor, SOL_SOCKET, SO_PEERSEC, label, &size) < 0) return -(int64_t)errno;
    return (int64_t)strnlen((const char *)label, size);
#else
    return (void)descriptor, (void)label, (void)capacity, -ENOTSUP;
#endif
}

int64_t cip_peer_process(int64_t descriptor) {
#if defined(SO_PEERPIDFD)
    int process = -1;
    socklen_t size = sizeof process;
    if (getsockopt((int)descriptor, SOL_SOCKET, SO_PEERPIDFD, &process, &size) < 0) return -(int64_t)errno;
    return process;  // close-on-exec, as every pidfd
#else
    return (void)descriptor, -ENOTSUP;
#endif
}
#endif
