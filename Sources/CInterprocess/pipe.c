// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#if CIP_LINUX
#include <sys/syscall.h>
// Of <linux/fs.h>, for C libraries whose headers are older than the kernel.
#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif
#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x00000100
#endif
#endif

static int64_t make_pipe(int64_t *ends) {
    int made[2];
#if CIP_HAS_ATOMIC_CLOEXEC
    if (pipe2(made, O_CLOEXEC) < 0) return -(int64_t)errno;
#else
    if (pipe(made) < 0) return -(int64_t)errno;
    for (int end = 0; end < 2; end++) {
        int64_t result = cip_complete_new(made[end]);
        if (result < 0) {
            close(made[1 - end]);
            return result;
        }
    }
#endif
    ends[0] = made[0];
    ends[1] = made[1];
    return 0;
}

int64_t cip_pipe(int64_t *ends) {
    cip_hold_forks();
    int64_t result = make_pipe(ends);
    cip_let_fork();
    return result;
}

#if CIP_LINUX
int64_t cip_pipe_capacity(int64_t descriptor) { return cip_result(fcntl((int)descriptor, F_GETPIPE_SZ)); }
int64_t cip_set_pipe_capacity(int64_t descriptor, int64_t bytes) {
    if (bytes < 0 || bytes > INT_MAX) return -EINVAL;
    return cip_result(fcntl((int)descriptor, F_SETPIPE_SZ, (int)bytes));
}
#else
int64_t cip_pipe_capacity(int64_t descriptor) { return (void)descriptor, -ENOSYS; }
int64_t cip_set_pipe_capacity(int64_t descriptor, int64_t bytes) { return (void)descriptor, (void)bytes, -ENOSYS; }
#endif

int64_t cip_read(int64_t descriptor, void *buffer, size_t count) {
    return cip_result(read((int)descriptor, buffer, count));
}

int64_t cip_read_pieces(int64_t descriptor, const struct cip_buffer *pieces, size_t count) {
    return cip_result(readv((int)descriptor, (const struct iovec *)(const void *)pieces, (int)count));
}

// Whether the descriptor is ready now: 1, or -EAGAIN.
static int64_t ready_now(int descriptor, short events) {
    struct pollfd entry = {.fd = descriptor, .events = events};
    int ready = poll(&entry, 1, 0);
    return ready < 0 ? -(int64_t)errno : ready == 0 ? -EAGAIN : 1;
}

#if CIP_LINUX
// preadv2 and pwritev2 at "the current position", which is all that a pipe has.
static int64_t vectored(long call, int descriptor, const struct cip_buffer *pieces, size_t count, int flags) {
    return cip_result(syscall(call, descriptor, pieces, count, -1L, -1L, flags));
}
#endif

int64_t cip_pipe_read_pieces(int64_t descriptor, const struct cip_buffer *pieces, size_t count) {
#if CIP_LINUX
    int64_t result = vectored(SYS_preadv2, (int)descriptor, pieces, count, RWF_NOWAIT);
    if (result != -EOPNOTSUPP && result != -ENOSYS) return result;
#endif
    // What was opened by a path knows no RWF_NOWAIT, only what pipe2 made does. One in nonblocking mode is asked
    // directly, for poll does not tell "nobody has it open to send" from "nothing is there".
    int flags = fcntl((int)descriptor, F_GETFL);
    if (flags < 0) return -(int64_t)errno;
    int64_t ready = flags & O_NONBLOCK ? 1 : ready_now((int)descriptor, POLLIN);
    return ready < 0 ? ready : cip_read_pieces(descriptor, pieces, count);
}

int64_t cip_pipe_read(int64_t descriptor, void *buffer, size_t count) {
    struct cip_buffer piece = {.base = buffer, .count = count};
    return cip_pipe_read_pieces(descriptor, &piece, 1);
}

// Writes without waiting, also where the system cannot be told not to wait: a pipe that polls writable takes PIPE_BUF
// bytes at once, and one in nonblocking mode, as a private one is, takes what fits. The signal is raised, or not, as
// `signal_flag` says.
static int64_t write_what_fits(
    int descriptor, const struct cip_buffer *pieces, size_t count, bool is_private, int signal_flag
) {
    int flags = O_NONBLOCK;
    struct cip_buffer first;
    if (!is_private) {
#if CIP_LINUX
        int64_t result = vectored(SYS_pwritev2, descriptor, pieces, count, RWF_NOWAIT | signal_flag);
        if (result != -EOPNOTSUPP && result != -ENOSYS) return result;
#endif
        flags = fcntl(descriptor, F_GETFL);
        if (flags < 0) return -(int64_t)errno;
    }
    if (!(flags & O_NONBLOCK)) {
        int64_t ready = ready_now(descriptor, POLLOUT);
        if (ready < 0) return ready;
        while (count > 1 && pieces->count == 0) pieces++, count--;
        first = *pieces;
        if (first.count > PIPE_BUF) first.count = PIPE_BUF;
        pieces = &first;
        count = 1;
    }
#if CIP_LINUX
    if (signal_flag != 0) return vectored(SYS_pwritev2, descriptor, pieces, count, signal_flag);
#endif
    (void)signal_flag;
    return cip_result(writev(descriptor, (const struct iovec *)(const void *)pieces, (int)count));
}

#if !CIP_DARWIN
// Calls write_what_fits with SIGPIPE blocked on this thread, and takes the signal if this call raised it. One that was
// pending before is left as it was.
static int64_t write_without_signal(
    int descriptor, const struct cip_buffer *pieces, size_t count, bool is_private
) {
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    int was_pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    int64_t result = write_what_fits(descriptor, pieces, count, is_private, 0);
    if (result == -EPIPE && !was_pending) {
#if defined(__OpenBSD__)
        sigpending(&pending);
        int signal_number;
        if (sigismember(&pending, SIGPIPE)) sigwait(&pipe_signal, &signal_number);
#else
        struct timespec at_once = {0};
        while (sigtimedwait(&pipe_signal, NULL, &at_once) < 0 && errno == EINTR) {}
#endif
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}
#endif

int64_t cip_pipe_write_pieces(
    int64_t descriptor, const struct cip_buffer *pieces, size_t count, bool is_private
) {
#if CIP_DARWIN
    // F_SETNOSIGPIPE is on since the descriptor was made or adopted.
    return write_what_fits((int)descriptor, pieces, count, is_private, 0);
#else
#if CIP_LINUX
    // Learned once: a kernel before 6.18 refuses the flag, without writing anything, whatever else is asked for.
    static atomic_bool kernel_lacks_flag;
    if (!atomic_load_explicit(&kernel_lacks_flag, memory_order_relaxed)) {
        int64_t result = write_what_fits((int)descriptor, pieces, count, is_private, RWF_NOSIGNAL);
        if (result != -EOPNOTSUPP && result != -ENOSYS) return result;
        atomic_store_explicit(&kernel_lacks_flag, true, memory_order_relaxed);
    }
#endif
    return write_without_signal((int)descriptor, pieces, count, is_private);
#endif
}

int64_t cip_pipe_write(int64_t descriptor, const void *buffer, size_t count, bool is_private) {
    struct cip_buffer piece = {.base = (void *)(uintptr_t)buffer, .count = count};
    return cip_pipe_write_pieces(descriptor, &piece, 1, is_private);
}

#if CIP_LINUX
int64_t cip_pipe_reopen(int64_t descriptor) {
    int flags = fcntl((int)descriptor, F_GETFL);
    if (flags < 0) return -(int64_t)errno;
    char path[40];
    snprintf(path, sizeof path, "/proc/thread-self/fd/%d", (int)descriptor);
    return cip_result(open(path, flags | O_NONBLOCK | O_CLOEXEC));
}

int64_t cip_open_own_descriptors(void) {
    return cip_result(open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

int64_t cip_pipe_set_reopening(int64_t descriptor, bool allowed) {
    return cip_result(fchmod((int)descriptor, allowed ? 0622 : 0600));
}

int64_t cip_pipe_wake_reader(int64_t folder, int64_t descriptor) {
    char name[16];
    snprintf(name, sizeof name, "%d", (int)descriptor);
    int sender = openat((int)folder, name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (sender < 0) return -(int64_t)errno;
    (void)cip_pipe_write(sender, "", 1, true);  // if it is full, nobody waits
    close(sender);
    return 0;
}
#else
int64_t cip_pipe_reopen(int64_t descriptor) { return (void)descriptor, -ENOSYS; }
int64_t cip_open_own_descriptors(void) { return -ENOSYS; }
int64_t cip_pipe_set_reopening(int64_t descriptor, bool allowed) { return (void)descriptor, (void)allowed, 0; }
int64_t cip_pipe_wake_reader(int64_t folder, int64_t descriptor) { return (void)folder, (void)descriptor, -ENOSYS; }
#endif
#endif
