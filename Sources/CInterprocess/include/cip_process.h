// SPDX-License-Identifier: MIT OR Apache-2.0
// The process itself: time, environment, the meaning of error codes, and a lock.
#ifndef CIP_PROCESS_H
#define CIP_PROCESS_H

#include "cip_base.h"

CIP_BEGIN

/// Nanoseconds on a clock that never goes back (CLOCK_MONOTONIC).
int64_t cip_now(void);
/// On how many processors this process may run: sched_getaffinity(2), or else those that are there (sysconf(3)).
int64_t cip_usable_processors(void);
/// getenv(3).
const char *CIP_NULLABLE cip_environment(const char *name);
/// 64 bits that nobody else has chosen, for names of temporary files.
uint64_t cip_random(void);

/// Where a byte is first found in memory, or -1: memchr(3).
int64_t cip_index_of(uint8_t byte, const void *memory, size_t count);

/// The codes that Swift compares results with; what the system lacks is a number that no result can be.
struct cip_codes {
    int64_t interrupted;
    int64_t would_block;
    int64_t in_progress;
    int64_t is_connected;
    int64_t connection_refused;
    int64_t connection_aborted;
    int64_t address_in_use;
    int64_t not_found;
    int64_t no_reader;
    int64_t no_descriptors;
    int64_t no_descriptors_in_system;
    int64_t invalid_argument;
    int64_t other_family;
    int64_t no_process;
    int64_t no_child;
    /// Of a datagram: the receiver's queue is full, and nothing tells when it is not (BSDs, Darwin).
    int64_t queue_full;
};
extern const struct cip_codes cip_codes;

/// What a system's error code means, whatever its number there.
enum {
    CIP_MEANS_OTHER,
    CIP_MEANS_WOULD_BLOCK,
    CIP_MEANS_TIMED_OUT,
    CIP_MEANS_ADDRESS_IN_USE,
    CIP_MEANS_NOT_FOUND,
    CIP_MEANS_ALREADY_EXISTS,
    CIP_MEANS_PERMISSION_DENIED,
    CIP_MEANS_CONNECTION_REFUSED,
    CIP_MEANS_CONNECTION_RESET,
    CIP_MEANS_NOT_CONNECTED,
    CIP_MEANS_BROKEN_PIPE,
    CIP_MEANS_NAME_TOO_LONG,
    CIP_MEANS_INVALID_ARGUMENT,
    CIP_MEANS_MESSAGE_TOO_LARGE,
    CIP_MEANS_UNSUPPORTED,
    CIP_MEANS_RESOURCES_EXHAUSTED,
    CIP_MEANS_BUSY
};
int64_t cip_meaning(int64_t code);

/// The code's name in the system's headers, such as "ECONNREFUSED", or "" for one that is not listed. Lives for ever.
const char *cip_code_name(int64_t code);

/// A lock for critical sections that never wait: a pthread mutex in place. (Synchronization's Mutex is not part of
/// Embedded Swift.) Must not move after cip_lock_create.
struct cip_lock {
    uint64_t storage[12];
};
void cip_lock_create(struct cip_lock *lock);
void cip_lock_destroy(struct cip_lock *lock);
void cip_lock_acquire(struct cip_lock *lock);
void cip_lock_release(struct cip_lock *lock);

CIP_END

#endif
