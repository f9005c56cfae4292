// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX && !CIP_LINUX
#include <sys/event.h>
#include <sys/time.h>

// EVFILT_USER wakes where there is one; OpenBSD has none, and NetBSD only of late: there it is a pipe.
#if CIP_DARWIN || CIP_FREEBSD_LIKE
#define CIP_HAS_USER_EVENTS 1
#else
#define CIP_HAS_USER_EVENTS 0
#endif

// The type of udata differs: a pointer, or an integer of its size.
#define CIP_UDATA(token) ((__typeof__(((struct kevent *)0)->udata))(uintptr_t)(token))

static const uint64_t wake_token = UINT64_MAX;

// The finest unit that a timer can have: what is there without a name is the millisecond.
#ifdef NOTE_NSECONDS
static const unsigned alarm_unit = NOTE_NSECONDS;
static const int64_t nanoseconds_of_unit = 1;
#else
static const unsigned alarm_unit = 0;
static const int64_t nanoseconds_of_unit = 1000000;
#endif

static struct kevent change_of(uintptr_t identifier, int filter, int flags, uint64_t token) {
    struct kevent change;
    EV_SET(&change, identifier, filter, flags, 0, 0, CIP_UDATA(token));
    return change;
}

static int64_t apply(int queue, const struct kevent *change) {
    return cip_result(kevent(queue, change, 1, NULL, 0, NULL));
}

int64_t cip_poller_create_queue(struct cip_poller *poller) {
    int queue = kqueue();
    if (queue < 0) return -(int64_t)errno;
    *poller = (struct cip_poller){.queue = queue, .wake = -1, .alarm = -1};
    int64_t result = cip_result(fcntl(queue, F_SETFD, FD_CLOEXEC));
    if (result < 0) close(queue);
    return result < 0 ? result : queue;
}

int64_t cip_poller_create(struct cip_poller *poller) {
    int64_t result = cip_poller_create_queue(poller);
    if (result < 0) return result;
    int queue = (int)result;
#if CIP_HAS_USER_EVENTS
    struct kevent change = change_of(0, EVFILT_USER, EV_ADD | EV_CLEAR, wake_token);
#else
    if (result >= 0) poller->wake = result = cip_wake_create();
    struct kevent change = change_of((uintptr_t)(result & 0x7fffffff), EVFILT_READ, EV_ADD | EV_CLEAR, wake_token);
#endif
    if (result >= 0) result = apply(queue, &change);
    if (result >= 0) result = cip_poller_set_alarm(poller, INT64_MAX);
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

// It rings over and over, for one that rings once takes memory each time that it is set, which can be refused.
int64_t cip_poller_set_alarm(const struct cip_poller *poller, int64_t time) {
    // Some of these systems refuse to wait for more than some years; ringing in vain once a day does no harm.
    const int64_t day = INT64_C(86400000000000);
    int64_t left = time == INT64_MAX ? day : time - cip_now();
    if (left > day) left = day;
    int64_t units = left <= 0 ? 1 : (left + nanoseconds_of_unit - 1) / nanoseconds_of_unit;
    struct kevent change;
    EV_SET(&change, 0, EVFILT_TIMER, EV_ADD | EV_CLEAR, alarm_unit, units, CIP_UDATA(wake_token));
    return apply((int)poller->queue, &change);
}

int64_t cip_poller_wait(const struct cip_poller *poller, struct cip_event *events, bool may_wait) {
    struct kevent found[CIP_POLLER_CAPACITY];
    const struct timespec at_once = {0};
    int count = kevent((int)poller->queue, NULL, 0, found, CIP_POLLER_CAPACITY, may_wait ? NULL : &at_once);
    if (count < 0) return -(int64_t)errno;
    int64_t stored = 0;
    for (int index = 0; index < count; index++) {
        uint64_t token = (uint64_t)(uintptr_t)found[index].udata;
        if (found[index].filter == EVFILT_TIMER) {
            events[stored++] = (struct cip_event){.token = wake_token, .ready = CIP_ALARM};
            continue;
        }
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
