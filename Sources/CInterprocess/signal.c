// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Watching signals. The handler writes one record to the pipe of each watcher, and does nothing else; it takes no lock, for
// the thread that it interrupts may hold any.
#include "platform.h"

#if CIP_UNIX
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#if CIP_LINUX
#include <sys/syscall.h>
#endif

enum { MOST_SIGNALS = 128, WORDS = MOST_SIGNALS / 32 };

// A watcher's state: OPEN, and in the other bits how many handlers are using it. The last one to leave after it has been
// ended closes the pipe, so that no handler writes to a number that has come to mean something else; nobody waits for
// handlers, which may be kept from going on. Then it is FREE to be another watcher, but never given back: a handler may be
// looking at it.
static const uint32_t OPEN = 1u << 31, FREE = 1u << 30;

struct watch {
    struct watch *next;
    _Atomic uint32_t state;
    _Atomic uint32_t signals[WORDS];
    _Atomic uint32_t lost;
    _Atomic uint32_t birth;
    int sends, receives;
};

// What handlers touch must not be made atomic by a lock.
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_POINTER_LOCK_FREE == 2, "handlers need atomics without locks");
_Static_assert(sizeof(struct cip_signal_record) <= 512, "what is longer than any system's PIPE_BUF may be torn");

static _Atomic(struct watch *) watches;
// How many watchers there have been. A handler passes over those that came later than itself, for what it tells of may have
// been received, and its watcher ended, before they began.
static _Atomic uint32_t births;
// The process that the watchers are of: not one that vfork(2) has made, whose memory this is too.
static atomic_int owner;

static bool enter(struct watch *watch) {
    uint32_t old = atomic_load(&watch->state);
    while (old & OPEN) {
        if (atomic_compare_exchange_weak(&watch->state, &old, old + 1)) return true;
    }
    return false;
}

static void close_ends(struct watch *watch) {
    close(watch->sends);
    close(watch->receives);
    atomic_store(&watch->state, FREE);
}

static void leave(struct watch *watch) {
    if (atomic_fetch_sub(&watch->state, 1) == 1) close_ends(watch);
}

static bool watches_signal(struct watch *watch, int number) {
    return atomic_load(&watch->signals[number / 32]) >> number % 32 & 1;
}

static int16_t cause_of(int number, int code) {
    if (number == SIGCHLD) {
        switch (code) {
        case CLD_EXITED: return CIP_SIGNAL_BY_CHILD_EXITED;
        case CLD_KILLED: return CIP_SIGNAL_BY_CHILD_KILLED;
        case CLD_DUMPED: return CIP_SIGNAL_BY_CHILD_DUMPED;
        case CLD_TRAPPED: return CIP_SIGNAL_BY_CHILD_TRAPPED;
        case CLD_STOPPED: return CIP_SIGNAL_BY_CHILD_STOPPED;
        case CLD_CONTINUED: return CIP_SIGNAL_BY_CHILD_CONTINUED;
        }
    }
    switch (code) {
    case SI_USER: return CIP_SIGNAL_BY_KILL;
#if defined(SI_TKILL)
    case SI_TKILL: return CIP_SIGNAL_BY_THREAD;
#elif defined(SI_LWP)
    case SI_LWP: return CIP_SIGNAL_BY_THREAD;
#endif
#if !defined(__OpenBSD__)
    case SI_QUEUE: return CIP_SIGNAL_BY_QUEUE;
    case SI_TIMER: return CIP_SIGNAL_BY_TIMER;
    case SI_MESGQ: return CIP_SIGNAL_BY_MESSAGE_QUEUE;
    case SI_ASYNCIO: return CIP_SIGNAL_BY_ASYNCHRONOUS_IO;
#endif
    default: return CIP_SIGNAL_BY_SYSTEM;
    }
}

// Takes those members only that the cause says are there: for other causes the memory means something else.
static struct cip_signal_record describe(int number, const siginfo_t *info) {
    struct cip_signal_record record = {
        .number = (int16_t)number, .cause = cause_of(number, info->si_code), .code = info->si_code
    };
    switch (record.cause) {
    case CIP_SIGNAL_BY_SYSTEM: break;
    case CIP_SIGNAL_BY_TIMER:
    case CIP_SIGNAL_BY_ASYNCHRONOUS_IO: record.value = info->si_value.sival_int; break;
    default:
        record.process = info->si_pid;
        record.user = info->si_uid;
        if (record.cause >= CIP_SIGNAL_BY_CHILD_EXITED) record.value = info->si_status;
        else if (record.cause != CIP_SIGNAL_BY_KILL && record.cause != CIP_SIGNAL_BY_THREAD)
            record.value = info->si_value.sival_int;
    }
    return record;
}

static void handle(int number, siginfo_t *info, void *context) {
    (void)context;
    int before = errno;
    if (getpid() == atomic_load(&owner)) {
        uint32_t latest = atomic_load(&births);
        struct cip_signal_record record = describe(number, info);
        for (struct watch *watch = atomic_load(&watches); watch != NULL; watch = watch->next) {
            if (!enter(watch)) continue;
            if (watches_signal(watch, number) && atomic_load(&watch->birth) <= latest) {
                record.lost = atomic_load(&watch->lost);
                if (write(watch->sends, &record, sizeof record) < 0) atomic_fetch_add(&watch->lost, 1);
            }
            leave(watch);
        }
    }
    errno = before;
}

// Dispositions, and what changes the list, under a lock that no handler takes.

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    size_t watchers;
    struct sigaction before;
#if CIP_LINUX
    // The same as the kernel has it, for what sigaction(3) puts back is not bit for bit what it got: it adds a flag and a
    // function of its own.
    _Alignas(uint64_t) char exactly[64];
#endif
} dispositions[MOST_SIGNALS];

#if CIP_LINUX
static void note_exactly(int number) {
    syscall(SYS_rt_sigaction, number, NULL, dispositions[number].exactly, (size_t)_NSIG / 8);
}
static void restore_exactly(int number) {
    syscall(SYS_rt_sigaction, number, dispositions[number].exactly, NULL, (size_t)_NSIG / 8);
}
#else
static void note_exactly(int number) { (void)number; }
static void restore_exactly(int number) { (void)number; }
#endif

static bool is_ours(const struct sigaction *action) {
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == handle;
}

static int64_t install(int number) {
    struct sigaction now;
    if (sigaction(number, NULL, &now) < 0) return -(int64_t)errno;
    if (!is_ours(&now)) {
        note_exactly(number);
        // No handler comes into another one, so that none takes long.
        struct sigaction ours = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
        sigfillset(&ours.sa_mask);
        if (sigaction(number, &ours, &dispositions[number].before) < 0) return -(int64_t)errno;
    }
    dispositions[number].watchers++;
    return 0;
}

static void uninstall(int number) {
    struct sigaction now;
    if (--dispositions[number].watchers > 0 || sigaction(number, NULL, &now) < 0 || !is_ours(&now)) return;
    if (sigaction(number, &dispositions[number].before, NULL) == 0) restore_exactly(number);
}

static void uninstall_all(struct watch *watch) {
    for (int number = 1; number < MOST_SIGNALS; number++) {
        if (watches_signal(watch, number)) uninstall(number);
    }
}

// A process that fork(2) makes has the handlers, and its parent's pipes: it must not write to them. So there all is as it
// was before anybody watched, and before any signal comes.

static sigset_t mask_at_fork;

static void before_fork(void) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_mutex_lock(&lock);
    mask_at_fork = before;
}

static void after_fork(void) {
    sigset_t before = mask_at_fork;
    pthread_mutex_unlock(&lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void in_child(void) {
    sigset_t before = mask_at_fork;
    // The child has one thread, which is not the lock's holder as the system sees it.
    pthread_mutex_init(&lock, NULL);
    for (struct watch *watch = atomic_load(&watches); watch != NULL; watch = watch->next) {
        // Handlers that are using it are the parent's. So would be the one to close it, which exec does here.
        bool is_open = atomic_load(&watch->state) & OPEN;
        if (is_open) uninstall_all(watch);
        for (int word = 0; word < WORDS; word++) atomic_store(&watch->signals[word], 0);
        atomic_store(&watch->state, is_open ? OPEN : FREE);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void heed_forks(void) { pthread_atfork(before_fork, after_fork, in_child); }

// One that is free, or a new one, which stays. With the lock held.
static struct watch *free_watch(void) {
    for (struct watch *watch = atomic_load(&watches); watch != NULL; watch = watch->next) {
        if (atomic_load(&watch->state) == FREE) return watch;
    }
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) return NULL;
    watch->next = atomic_load(&watches);
    atomic_store(&watch->state, FREE);
    atomic_store(&watches, watch);
    return watch;
}

static int64_t install_all(struct watch *watch, const int32_t *numbers, size_t count) {
    for (size_t index = 0; index < count; index++) {
        int number = numbers[index];
        if (watches_signal(watch, number)) continue;
        int64_t result = install(number);
        if (result < 0) return result;
        atomic_fetch_or(&watch->signals[number / 32], 1u << number % 32);
    }
    return 0;
}

static void end(struct watch *watch) {
    uninstall_all(watch);
    // Instead of being open it has one more user, who leaves.
    atomic_fetch_sub(&watch->state, OPEN - 1);
    leave(watch);
}

int64_t cip_signal_watch(const int32_t *numbers, size_t count, int64_t sends, int64_t receives) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, heed_forks);
    pthread_mutex_lock(&lock);
    struct watch *watch = free_watch();
    if (watch == NULL) {
        pthread_mutex_unlock(&lock);
        close((int)sends);
        close((int)receives);
        return -ENOMEM;
    }
    atomic_store(&owner, getpid());
    watch->sends = (int)sends;
    watch->receives = (int)receives;
    atomic_store(&watch->lost, 0);
    atomic_store(&watch->birth, atomic_load(&births) + 1);
    atomic_fetch_add(&births, 1);
    for (int word = 0; word < WORDS; word++) atomic_store(&watch->signals[word], 0);
    // Open before the first signal can come.
    atomic_store(&watch->state, OPEN);
    int64_t result = install_all(watch, numbers, count);
    if (result < 0) end(watch);
    pthread_mutex_unlock(&lock);
    return result < 0 ? result : (int64_t)(intptr_t)watch;
}

void cip_signal_unwatch(int64_t watch) {
    pthread_mutex_lock(&lock);
    end((struct watch *)(intptr_t)watch);
    pthread_mutex_unlock(&lock);
}

int64_t cip_signal_lost(int64_t watch) {
    return (int64_t)atomic_load(&((struct watch *)(intptr_t)watch)->lost);
}

int64_t cip_signal_send(int64_t target, int64_t number) { return cip_result(kill((pid_t)target, (int)number)); }

#if CIP_LINUX
int64_t cip_signal_send_to_thread(int64_t process, int64_t thread, int64_t number) {
    return cip_result(syscall(SYS_tgkill, (pid_t)process, (pid_t)thread, (int)number));
}
#else
int64_t cip_signal_send_to_thread(int64_t process, int64_t thread, int64_t number) {
    return (void)process, (void)thread, (void)number, -ENOSYS;
}
#endif

#if CIP_LINUX || defined(__FreeBSD__) || defined(__NetBSD__)
int64_t cip_signal_queue(int64_t process, int64_t number, int32_t value) {
    // All of it, for it is larger than a number.
    union sigval whole = {.sival_ptr = NULL};
    whole.sival_int = value;
    return cip_result(sigqueue((pid_t)process, (int)number, whole));
}
#else
int64_t cip_signal_queue(int64_t process, int64_t number, int32_t value) {
    return (void)process, (void)number, (void)value, -ENOSYS;
}
#endif
#endif
