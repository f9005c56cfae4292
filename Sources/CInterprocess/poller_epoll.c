// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_LINUX
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

static const uint64_t wake_token = UINT64_MAX;
static const uint64_t alarm_token = UINT64_MAX - 1;

// Edge-triggered, so that it tells of each signal once, and need not be read.
static bool is_watched(int queue, int signal, uint64_t token) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = token};
    return signal >= 0 && epoll_ctl(queue, EPOLL_CTL_ADD, signal, &event) == 0;
}

int64_t cip_poller_create(struct cip_poller *poller) {
    int queue = epoll_create1(EPOLL_CLOEXEC);
    if (queue < 0) return -(int64_t)errno;
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), alarm = -1;
    bool is_whole = is_watched(queue, wake, wake_token);
    if (is_whole) {
        alarm = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        is_whole = is_watched(queue, alarm, alarm_token);
    }
    if (!is_whole) {
        int64_t result = -(int64_t)errno;
        close(queue);
        if (wake >= 0) close(wake);
        if (alarm >= 0) close(alarm);
        return result;
    }
    *poller = (struct cip_poller){.queue = queue, .wake = wake, .alarm = alarm};
    return 0;
}

int64_t cip_poller_create_queue(struct cip_poller *poller) {
    int queue = epoll_create1(EPOLL_CLOEXEC);
    *poller = (struct cip_poller){.queue = queue, .wake = -1, .alarm = -1};
    return cip_result(queue);
}

void cip_poller_destroy(const struct cip_poller *poller) {
    close((int)poller->alarm);
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

int64_t cip_poller_set_alarm(const struct cip_poller *poller, int64_t time) {
    if (time < 1) time = 1;  // 0 would switch it off
    struct itimerspec moment = {
        .it_value = {.tv_sec = (time_t)(time / 1000000000), .tv_nsec = (long)(time % 1000000000)},
    };
    return cip_result(timerfd_settime((int)poller->alarm, TFD_TIMER_ABSTIME, &moment, NULL));
}

int64_t cip_poller_wait(const struct cip_poller *poller, struct cip_event *events, bool may_wait) {
    struct epoll_event found[CIP_POLLER_CAPACITY];
    // Without the C library, which makes each wait a point at which a thread can be cancelled: no loop's thread is.
    long count = syscall(
        SYS_epoll_pwait, (int)poller->queue, found, CIP_POLLER_CAPACITY, may_wait ? -1 : 0, NULL, (size_t)0
    );
    if (count < 0) return -(int64_t)errno;
    int64_t stored = 0;
    for (long index = 0; index < count; index++) {
        uint32_t bits = found[index].events;
        uint64_t token = found[index].data.u64;
        if (token == wake_token) continue;
        if (token == alarm_token) {
            events[stored++] = (struct cip_event){.token = token, .ready = CIP_ALARM};
            continue;
        }
        events[stored++] = (struct cip_event){
            .token = token,
            .ready = (bits & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP) ? CIP_READABLE : 0)
                   | (bits & (EPOLLOUT | EPOLLERR | EPOLLHUP) ? CIP_WRITABLE : 0),
        };
    }
    return stored;
}
#endif
