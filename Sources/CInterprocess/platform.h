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

#include "CInterprocess.h"

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

// Makes a new descriptor close-on-exec where it could not be from birth; on failure closes it.
static inline int64_t cip_adopt_new(int descriptor) {
    if (descriptor < 0) return -(int64_t)errno;
#if !CIP_HAS_ATOMIC_CLOEXEC
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0) {
        int code = errno;
        close(descriptor);
        return -(int64_t)code;
    }
#endif
    return descriptor;
}
#endif

#endif
