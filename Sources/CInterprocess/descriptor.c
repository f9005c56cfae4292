// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#if CIP_LINUX
#include <sys/eventfd.h>
#endif

int64_t cip_close(int64_t descriptor) { return cip_result(close((int)descriptor)); }

int64_t cip_duplicate(int64_t descriptor) { return cip_result(fcntl((int)descriptor, F_DUPFD_CLOEXEC, 0)); }

int64_t cip_set_inheritable(int64_t descriptor, bool inheritable) {
    return cip_result(fcntl((int)descriptor, F_SETFD, inheritable ? 0 : FD_CLOEXEC));
}

int64_t cip_adopt(int64_t descriptor) {
    int64_t result = cip_set_inheritable(descriptor, false);
#if CIP_DARWIN
    if (result >= 0) result = cip_result(fcntl((int)descriptor, F_SETNOSIGPIPE, 1));
#endif
    return result;
}

int64_t cip_set_nonblocking(int64_t descriptor, bool nonblocking) {
    int wanted = nonblocking;
    return cip_result(ioctl((int)descriptor, FIONBIO, &wanted));
}

int64_t cip_descriptor_status(int64_t descriptor, struct cip_file_status *status) {
    struct stat found;
    if (fstat((int)descriptor, &found) < 0) return -(int64_t)errno;
    cip_fill_status(status, &found);
    return 0;
}

int64_t cip_access_mode(int64_t descriptor) {
    int flags = fcntl((int)descriptor, F_GETFL);
    if (flags < 0) return -(int64_t)errno;
    switch (flags & O_ACCMODE) {
    case O_RDONLY: return 1;
    case O_WRONLY: return 2;
    default: return 3;
    }
}

// A wake is packed as (descriptor to signal) << 32 | (descriptor to poll).
static int wake_polled(int64_t wake) { return (int)(wake & 0x7fffffff); }
static int wake_signalled(int64_t wake) { return (int)(wake >> 32); }

int64_t cip_wake_create(void) {
#if CIP_LINUX
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
    return descriptor < 0 ? -(int64_t)errno : (int64_t)descriptor << 32 | descriptor;
#else
    int64_t ends[2];
    int64_t result = cip_pipe(ends);
    if (result < 0) return result;
    (void)cip_set_nonblocking(ends[0], true);
    (void)cip_set_nonblocking(ends[1], true);
    return ends[1] << 32 | ends[0];
#endif
}

// An eventfd counts in eight bytes, a pipe in one.
#define CIP_SIGNAL_SIZE (CIP_LINUX ? sizeof(uint64_t) : 1)

int64_t cip_wake_signal(int64_t wake) {
    uint64_t one = 1;
    return cip_result(write(wake_signalled(wake), &one, CIP_SIGNAL_SIZE));
}

int64_t cip_wake_take(int64_t wake) {
    uint64_t one;
    return cip_result(read(wake_polled(wake), &one, CIP_SIGNAL_SIZE));
}

void cip_wake_destroy(int64_t wake) {
    close(wake_polled(wake));
    if (wake_signalled(wake) != wake_polled(wake)) close(wake_signalled(wake));
}

int64_t cip_poll(int64_t descriptor, int64_t interest, int64_t wake, int64_t nanoseconds) {
    // Entries with a negative descriptor are ignored by poll.
    struct pollfd entries[2] = {
        {.fd = descriptor < 0 ? -1 : wake_polled(descriptor), .events = interest == CIP_READABLE ? POLLIN : POLLOUT},
        {.fd = wake < 0 ? -1 : wake_polled(wake), .events = POLLIN},
    };
    nfds_t count = wake < 0 ? 1 : 2;
#if CIP_HAS_ATOMIC_CLOEXEC && !defined(__NetBSD__)
    struct timespec limit = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int ready = ppoll(entries, count, nanoseconds < 0 ? NULL : &limit, NULL);
#else
    int64_t milliseconds = nanoseconds / 1000000 + (nanoseconds % 1000000 > 0);
    int ready = poll(entries, count, nanoseconds < 0 ? -1 : milliseconds > INT32_MAX ? INT32_MAX : (int)milliseconds);
#endif
    if (ready < 0) return -(int64_t)errno;
    return (entries[0].revents ? CIP_POLL_READY : 0) | (entries[1].revents ? CIP_POLL_WOKEN : 0);
}
#endif
