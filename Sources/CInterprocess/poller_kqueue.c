// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX && !CIP_LINUX
#include <sys/event.h>
#include <sys/time.h>
#include <time.h>

// EVFILT_USER wakes where there is one; OpenBSD has none, and NetBSD only of late: there it is a pipe.
#if CIP_DARWIN || CIP_FREEBSD_LIKE
#define CIP_HAS_USER_EVENTS 1
#else
#define CIP_HAS_USER_EVENTS 0
#endif

// The type of udata differs: a pointer, or an integer of its size.
#define CIP_UDATA(token) ((__typeof__(((struct kevent *)0)->udata))(uintptr_t)(token))

static const uint64_t wake_token = UINT64_MAX;

static struct kevent change_of(uintptr_t identifier, int filter, int flags, uint64_t token) {
    struct kevent change;
    EV_SET(&change, identifier, filter, flags, 0, 0, CIP_UDATA(token));
    return change;
}

static int64_t apply(int queue, const struct kevent *change) {
    return cip_result(kevent(queue, change, 1, NULL, 0, NULL));
}

int64_t cip_poller_create(struct cip_poller *poller) {
    int queue = kqueue();
    if (queue < 0) return -(int64_t)errno;
    *poller = (struct cip_poller){.queue = queue, .wake = -1};
    int64_t result = cip_result(fcntl(queue, F_SETFD, FD_CLOEXEC));
#if CIP_HAS_USER_EVENTS
    struct kevent change = change_of(0, EVFILT_USER, EV_ADD | EV_CLEAR, wake_token);
#else
    if (result >= 0) poller->wake = result = cip_wake_create();
    struct kevent change = change_of((uintptr_t)(result & 0x7fffffff), EVFILT_READ, EV_ADD | EV_CLEAR, wake_token);
#endif
    if (result >= 0) result = apply(queue, &change);
    if (result < 0) {
        close(queue);
        if (poller->wake >= 0) cip_wake_destroy(poller->wake);
    }
    return result < 0 ? result : 0;
}

void cip_poller_destroy(const struct cip_poller *poller) {
    if (poller->wake >= 0) cip_wake_destroy(poller->wake);
    close((int)poller->queue);
}

int64_t cip_poller_set(
    const struct cip_poller *poller, int64_t descriptor, int64_t sends, int64_t before, int64_t now, uint64_t token
) {
    (void)sends;
    static const struct {
        int64_t interest;
        int filter;
    } filters[2] = {{CIP_READABLE, EVFILT_READ}, {CIP_WRITABLE, EVFILT_WRITE}};
    for (int index = 0; index < 2; index++) {
        int64_t interest = filters[index].interest;
        if ((before & interest) == (now & interest)) continue;
        int flags = now & interest ? EV_ADD : EV_DELETE;
        struct kevent change = change_of((uintptr_t)descriptor, filters[index].filter, flags, token);
        int64_t result = apply((int)poller->queue, &change);
        if (result < 0) return result;
    }
    return 0;
}

int64_t cip_poller_wake(const struct cip_poller *poller) {
#if CIP_HAS_USER_EVENTS
    struct kevent change;
    EV_SET(&change, 0, EVFILT_USER, 0, NOTE_TRIGGER, 0, CIP_UDATA(wake_token));
    return apply((int)poller->queue, &change);
#else
    int64_t result = cip_wake_signal(poller->wake);
    return result == -EAGAIN ? 0 : result;  // full of signals: then it is signalled
#endif
}

int64_t cip_poller_wait(const struct cip_poller *poller, struct cip_event *events, int64_t nanoseconds) {
    struct kevent found[CIP_POLLER_CAPACITY];
    // Some of these systems refuse to wait for more than some years; waking in vain once a day does no harm.
    const int64_t day = INT64_C(86400000000000);
    if (nanoseconds > day) nanoseconds = day;
    struct timespec limit = {.tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = nanoseconds % 1000000000};
    int count =
        kevent((int)poller->queue, NULL, 0, found, CIP_POLLER_CAPACITY, nanoseconds < 0 ? NULL : &limit);
    if (count < 0) return -(int64_t)errno;
    int64_t stored = 0;
    for (int index = 0; index < count; index++) {
        uint64_t token = (uint64_t)(uintptr_t)found[index].udata;
        if (token == (uint64_t)(uintptr_t)wake_token) {
#if !CIP_HAS_USER_EVENTS
            while (cip_wake_take(poller->wake) >= 0) {}
#endif
            continue;
        }
        events[stored++] = (struct cip_event){
            .token = token,
            .ready = found[index].filter == EVFILT_READ ? CIP_READABLE : CIP_WRITABLE,
        };
    }
    return stored;
}
#endif
