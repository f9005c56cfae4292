// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Where descriptors cannot be made close-on-exec at birth (Darwin), no thread of this process forks between that and the
// call that makes them so: their makers share a lock, which fork(2) takes for itself. posix_spawn(2) forks nothing, and
// goes past it; POSIX_SPAWN_CLOEXEC_DEFAULT is what keeps descriptors from what it starts.
#include "platform.h"

#if CIP_DARWIN
#include <pthread.h>

static pthread_rwlock_t makers = PTHREAD_RWLOCK_INITIALIZER;

static void before_fork(void) { pthread_rwlock_wrlock(&makers); }
static void after_fork(void) { pthread_rwlock_unlock(&makers); }
// The child has one thread, which is not the lock's holder as the system sees it.
static void in_child(void) { pthread_rwlock_init(&makers, NULL); }

static void install(void) { pthread_atfork(before_fork, after_fork, in_child); }

void cip_hold_forks(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    pthread_rwlock_rdlock(&makers);
}

void cip_let_fork(void) { pthread_rwlock_unlock(&makers); }
#endif
