// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What each system has, as macros of value 0 or 1, for the .c files only. Must be included first.
#ifndef CIP_PLATFORM_H
#define CIP_PLATFORM_H

#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#if defined(__linux__)
#define CIP_LINUX 1
#else
#define CIP_LINUX 0
#endif

#if defined(__APPLE__)
#define CIP_DARWIN 1
#else
#define CIP_DARWIN 0
#endif

#if defined(__FreeBSD__) || defined(__DragonFly__)
#define CIP_FREEBSD_LIKE 1
#else
#define CIP_FREEBSD_LIKE 0
#endif

#if !defined(_WIN32)
#define CIP_UNIX 1
#else
#define CIP_UNIX 0
#endif

// SOCK_CLOEXEC, accept4, pipe2, MSG_CMSG_CLOEXEC and ppoll: everywhere but on Darwin.
#define CIP_HAS_ATOMIC_CLOEXEC (CIP_UNIX && !CIP_DARWIN)

#if CIP_UNIX
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <sys/uio.h>

#include "CInterprocess.h"

_Static_assert(sizeof(struct cip_buffer) == sizeof(struct iovec), "cip_buffer stands for iovec");
_Static_assert(offsetof(struct cip_buffer, base) == offsetof(struct iovec, iov_base), "cip_buffer stands for iovec");
_Static_assert(offsetof(struct cip_buffer, count) == offsetof(struct iovec, iov_len), "cip_buffer stands for iovec");

// The one way in which a call's outcome becomes a result.
static inline int64_t cip_result(int64_t value) { return value < 0 ? -(int64_t)errno : value; }

static inline void cip_fill_status(struct cip_file_status *to, const struct stat *found) {
    to->device = (uint64_t)found->st_dev;
    to->inode = (uint64_t)found->st_ino;
    to->kind = S_ISFIFO(found->st_mode)   ? CIP_KIND_FIFO
               : S_ISSOCK(found->st_mode) ? CIP_KIND_SOCKET
               : S_ISDIR(found->st_mode)  ? CIP_KIND_DIRECTORY
                                          : CIP_KIND_OTHER;
    to->mode = (uint32_t)(found->st_mode & 07777);
    to->owner = (uint32_t)found->st_uid;
}

// Between these no other thread forks, where descriptors cannot be made close-on-exec at birth: see fork_lock.c.
#if CIP_DARWIN
void cip_hold_forks(void);
void cip_let_fork(void);
#else
static inline void cip_hold_forks(void) {}
static inline void cip_let_fork(void) {}
#endif

// Gives a new descriptor what it could not be given at birth; on failure closes it. Darwin has no flags for it: there
// this makes it close-on-exec, and keeps writes to it from raising SIGPIPE.
static inline int64_t cip_complete_new(int descriptor) {
    if (descriptor < 0) return -(int64_t)errno;
#if CIP_DARWIN
    int64_t result = cip_adopt(descriptor);
    if (result < 0) {
        close(descriptor);
        return result;
    }
#endif
    return descriptor;
}
#endif

#endif
