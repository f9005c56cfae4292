// SPDX-License-Identifier: MIT OR Apache-2.0
// What an event loop stands on: a queue of the kernel's that many descriptors are watched by, and a thread.
#ifndef CIP_POLLER_H
#define CIP_POLLER_H

#include "cip_base.h"

CIP_BEGIN

/// A queue of events, what wakes its waiter, and its alarm.
struct cip_poller {
    int64_t queue;
    int64_t wake;
    int64_t alarm;
};

/// As the one bit of what is ready: the alarm has rung. Its token is nobody's.
enum { CIP_ALARM = 8 };

/// What has become ready: bits of CIP_READABLE and CIP_WRITABLE. One that has failed or was hung up on is both, for then
/// the next call on it tells.
struct cip_event {
    uint64_t token;
    int64_t ready;
};

/// Makes a poller: epoll, kqueue, or a completion port.
int64_t cip_poller_create(struct cip_poller *poller);
void cip_poller_destroy(const struct cip_poller *poller);

/// Makes a queue alone, which can neither be woken nor has an alarm, but is readable itself while something is ready.
/// Windows has none: ERROR_NOT_SUPPORTED.
int64_t cip_poller_create_queue(struct cip_poller *poller);

/// In a set of interests: the descriptor is known to the poller, even if nothing is wanted of it now.
enum { CIP_WATCHED = 4 };

/// Changes what is wanted of a descriptor (which receives and sends; on Windows, sending is watched by an event), from
/// one set of CIP_READABLE, CIP_WRITABLE and CIP_WATCHED to another. What is wanted is told of again and again while it
/// is so (level-triggered); an empty set takes the descriptor out.
int64_t cip_poller_set(
    const struct cip_poller *poller, int64_t receives, int64_t sends, int64_t before, int64_t now, uint64_t token
);

/// Ends a wait, the present one or the next.
int64_t cip_poller_wake(const struct cip_poller *poller);

/// Sets the moment (of cip_now) at which the poller tells of its alarm, instead of the one that was set before. It may
/// tell too early, or of one that was moved. The kernel keeps the time, so that a wait need not ask for it.
int64_t cip_poller_set_alarm(const struct cip_poller *poller, int64_t time);

enum { CIP_POLLER_CAPACITY = 256 };

/// Asks what is ready; waits until something is, or until it is woken, if it may. Returns how many events were stored,
/// up to CIP_POLLER_CAPACITY; fewer than there were if one was a wake.
int64_t cip_poller_wait(const struct cip_poller *poller, struct cip_event *events, bool may_wait);

/// Starts a thread, for which nobody waits, of that name, of which the first 15 bytes count. It leaves signals to others: two
/// threads that take them would take them out of order.
int64_t cip_thread_start(const char *name, void (*body)(void *), void *context);

/// What tells the calling thread from all others that run: pthread_self(3), GetCurrentThreadId.
uint64_t cip_thread_current(void);

/// A mark that each thread has for itself, 0 at first.
uintptr_t cip_thread_mark(void);
void cip_thread_set_mark(uintptr_t mark);

CIP_END

#endif
