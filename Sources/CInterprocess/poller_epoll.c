// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_LINUX
#include <limits.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

// Of <asm/unistd.h>, for C libraries whose headers are older than the kernel: the same number on all processors.
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

static const uint64_t wake_token = UINT64_MAX;

int64_t cip_poller_create(struct cip_poller *poller) {
    int queue = epoll_create1(EPOLL_CLOEXEC);
    if (queue < 0) return -(int64_t)errno;
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    // Edge-triggered, so that it tells of each signal once, and need not be read.
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = wake_token};
    if (wake < 0 || epoll_ctl(queue, EPOLL_CTL_ADD, wake, &event) < 0) {
        int64_t result = -(int64_t)errno;
        close(queue);
        if (wake >= 0) close(wake);
        return result;
    }
    *poller = (struct cip_poller){.queue = queue, .wake = wake};
    return 0;
}

void cip_poller_destroy(const struct cip_poller *poller) {
    close((int)poller->wake);
    close((int)poller->queue);
}

int64_t cip_poller_set(
    const struct cip_poller *poller, int64_t descriptor, int64_t sends, int64_t before, int64_t now, uint64_t token
) {
    (void)sends;
    if (before == now) return 0;
    uint32_t wanted = (now & CIP_READABLE ? EPOLLIN | EPOLLRDHUP : 0) | (now & CIP_WRITABLE ? EPOLLOUT : 0);
    // A hang-up is told of whether it is wanted or not: where nothing is wanted, at least not over and over.
    struct epoll_event event = {.events = wanted == 0 ? EPOLLET : wanted, .data.u64 = token};
    int change = now == 0 ? EPOLL_CTL_DEL : before == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    return cip_result(epoll_ctl((int)poller->queue, change, (int)descriptor, &event));
}

int64_t cip_poller_wake(const struct cip_poller *poller) {
    return cip_result(eventfd_write((int)poller->wake, 1));
}

// Without the C library, which makes each wait a point at which a thread can be cancelled: no loop's thread is.
static int wait_milliseconds(int queue, struct epoll_event *events, int milliseconds) {
    return (int)syscall(SYS_epoll_pwait, queue, events, CIP_POLLER_CAPACITY, milliseconds, NULL, (size_t)0);
}

static int wait_for_events(int queue, struct epoll_event *events, int64_t nanoseconds) {
    if (nanoseconds <= 0) return wait_milliseconds(queue, events, nanoseconds < 0 ? -1 : 0);
    // Learned once: kernels before 5.11 lack it, and sandboxes that are older forbid it.
    static atomic_bool lacks_nanoseconds;
    if (!atomic_load_explicit(&lacks_nanoseconds, memory_order_relaxed)) {
        // The kernel's timespec, which has 64 bits also where the C library's has fewer.
        struct { int64_t seconds, nanoseconds; } limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
        long ready = syscall(SYS_epoll_pwait2, queue, events, CIP_POLLER_CAPACITY, &limit, NULL, (size_t)0);
        if (ready >= 0 || (errno != ENOSYS && errno != EPERM)) return (int)ready;
        atomic_store_explicit(&lacks_nanoseconds, true, memory_order_relaxed);
    }
    int64_t milliseconds = nanoseconds / 1000000 + (nanoseconds % 1000000 > 0);
    return wait_milliseconds(queue, events, milliseconds > INT_MAX ? INT_MAX : (int)milliseconds);
}

int64_t cip_poller_wait(const struct cip_poller *poller, struct cip_event *events, int64_t nanoseconds) {
    struct epoll_event found[CIP_POLLER_CAPACITY];
    int count = wait_for_events((int)poller->queue, found, nanoseconds);
    if (count < 0) return -(int64_t)errno;
    int64_t stored = 0;
    for (int index = 0; index < count; index++) {
        uint32_t bits = found[index].events;
        if (found[index].data.u64 == wake_token) continue;
        events[stored++] = (struct cip_event){
            .token = found[index].data.u64,
            .ready = (bits & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP) ? CIP_READABLE : 0)
                   | (bits & (EPOLLOUT | EPOLLERR | EPOLLHUP) ? CIP_WRITABLE : 0),
        };
    }
    return stored;
}
#endif
