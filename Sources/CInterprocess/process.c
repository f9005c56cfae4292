// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if CIP_LINUX
#include <sched.h>
#include <sys/syscall.h>
#endif

int64_t cip_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t cip_usable_processors(void) {
#if CIP_LINUX
    // Of the first thread, from which the others have it unless told otherwise; not of whichever happens to ask. It
    // fails where there are more processors than the set has room for.
    cpu_set_t allowed;
    if (sched_getaffinity(getpid(), sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
    return cip_result(sysconf(_SC_NPROCESSORS_ONLN));
}

const char *cip_environment(const char *name) { return getenv(name); }

uint64_t cip_random(void) {
    uint64_t value;
#if CIP_LINUX
    // getrandom fails only before the system has gathered entropy; then time and a counter still tell names apart.
    static _Atomic uint64_t count;
    if (syscall(SYS_getrandom, &value, sizeof value, 1 /* GRND_NONBLOCK */) != sizeof value)
        value = ((uint64_t)cip_now() << 20) ^ ((uint64_t)getpid() << 8) ^ atomic_fetch_add(&count, 1);
#else
    arc4random_buf(&value, sizeof value);
#endif
    return value;
}

int64_t cip_index_of(uint8_t byte, const void *memory, size_t count) {
    const char *found = memchr(memory, byte, count);
    return found == NULL ? -1 : found - (const char *)memory;
}

const struct cip_codes cip_codes = {
    .interrupted = EINTR,
    .would_block = EAGAIN,
    .in_progress = EINPROGRESS,
    .is_connected = EISCONN,
    .connection_refused = ECONNREFUSED,
    .connection_aborted = ECONNABORTED,
    .address_in_use = EADDRINUSE,
    .not_found = ENOENT,
    .no_reader = ENXIO,
    .no_descriptors = EMFILE,
    .no_descriptors_in_system = ENFILE,
    .invalid_argument = EINVAL,
    .other_family = EAFNOSUPPORT,
    .no_process = ESRCH,
    .no_child = ECHILD,
    // Linux says EAGAIN.
    .queue_full = CIP_LINUX ? INT32_MAX : ENOBUFS,
};

int64_t cip_meaning(int64_t code) {
    switch (code) {
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case EAGAIN: return CIP_MEANS_WOULD_BLOCK;
    case ETIMEDOUT: return CIP_MEANS_TIMED_OUT;
    case EADDRINUSE: return CIP_MEANS_ADDRESS_IN_USE;
    case ENOENT:
    case ENOTDIR: return CIP_MEANS_NOT_FOUND;
    case EEXIST: return CIP_MEANS_ALREADY_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS: return CIP_MEANS_PERMISSION_DENIED;
    case ECONNREFUSED: return CIP_MEANS_CONNECTION_REFUSED;
    case ECONNABORTED:
    case ECONNRESET: return CIP_MEANS_CONNECTION_RESET;
    case ENOTCONN: return CIP_MEANS_NOT_CONNECTED;
    case EPIPE: return CIP_MEANS_BROKEN_PIPE;
    case ENAMETOOLONG: return CIP_MEANS_NAME_TOO_LONG;
    case EINVAL:
    case EBADF:
    case ELOOP:
    case EISDIR:
    case ENOTSOCK:
    case EPROTOTYPE:
    case EDESTADDRREQ:
    case ENOEXEC: return CIP_MEANS_INVALID_ARGUMENT;
    case EMSGSIZE:
    case E2BIG: return CIP_MEANS_MESSAGE_TOO_LARGE;
    case ENOSYS:
#if EOPNOTSUPP != ENOTSUP
    case EOPNOTSUPP:
#endif
    case ENOTSUP:
    case ENOPROTOOPT:
    case EPROTONOSUPPORT:
    case EAFNOSUPPORT: return CIP_MEANS_UNSUPPORTED;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case ENOSPC:
#if defined(ETOOMANYREFS)
    case ETOOMANYREFS:
#endif
    case EDQUOT: return CIP_MEANS_RESOURCES_EXHAUSTED;
    case EBUSY:
    case ETXTBSY: return CIP_MEANS_BUSY;
    default: return CIP_MEANS_OTHER;
    }
}

#define CIP_NAME(code) \
    case code: return #code

const char *cip_code_name(int64_t code) {
    switch (code) {
        CIP_NAME(E2BIG);
        CIP_NAME(EACCES);
        CIP_NAME(EADDRINUSE);
        CIP_NAME(EAFNOSUPPORT);
        CIP_NAME(EAGAIN);
        CIP_NAME(EALREADY);
        CIP_NAME(EBADF);
        CIP_NAME(EBUSY);
        CIP_NAME(ECONNABORTED);
        CIP_NAME(ECONNREFUSED);
        CIP_NAME(ECONNRESET);
        CIP_NAME(EDESTADDRREQ);
        CIP_NAME(EDQUOT);
        CIP_NAME(EEXIST);
        CIP_NAME(EFAULT);
        CIP_NAME(EINPROGRESS);
        CIP_NAME(EINTR);
        CIP_NAME(EINVAL);
        CIP_NAME(EIO);
        CIP_NAME(EISCONN);
        CIP_NAME(EISDIR);
        CIP_NAME(ELOOP);
        CIP_NAME(EMFILE);
        CIP_NAME(EMSGSIZE);
        CIP_NAME(ENAMETOOLONG);
        CIP_NAME(ENFILE);
        CIP_NAME(ENOBUFS);
        CIP_NAME(ENOENT);
        CIP_NAME(ENOEXEC);
        CIP_NAME(ENOMEM);
        CIP_NAME(ENOPROTOOPT);
        CIP_NAME(ENOSPC);
        CIP_NAME(ENOSYS);
        CIP_NAME(ENOTCONN);
        CIP_NAME(ENOTDIR);
        CIP_NAME(ENOTSOCK);
        CIP_NAME(ENXIO);
        CIP_NAME(EOPNOTSUPP);
        CIP_NAME(EPERM);
        CIP_NAME(EPIPE);
        CIP_NAME(EPROTONOSUPPORT);
        CIP_NAME(EPROTOTYPE);
        CIP_NAME(ERANGE);
        CIP_NAME(EROFS);
        CIP_NAME(ESRCH);
        CIP_NAME(ETIMEDOUT);
        CIP_NAME(ETXTBSY);
    default: return "";
    }
}

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(struct cip_lock), "cip_lock holds a pthread_mutex_t");
static pthread_mutex_t *mutex(struct cip_lock *lock) { return (pthread_mutex_t *)(void *)lock->storage; }
void cip_lock_create(struct cip_lock *lock) { pthread_mutex_init(mutex(lock), NULL); }
void cip_lock_destroy(struct cip_lock *lock) { pthread_mutex_destroy(mutex(lock)); }
void cip_lock_acquire(struct cip_lock *lock) { pthread_mutex_lock(mutex(lock)); }
void cip_lock_release(struct cip_lock *lock) { pthread_mutex_unlock(mutex(lock)); }
#endif
