// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Watching what the C runtime and the console call signals. Their handlers run as ordinary code does, on the thread that
// raises a signal, or on one of the console's own: so they may take a lock.
#include "windows.h"

#if CIP_WINDOWS
#include <signal.h>
#include <stdlib.h>

struct watch {
    struct watch *next;
    HANDLE event;
    uint32_t signals;  // a bit for each place in the list below
    uint32_t lost;
    size_t capacity, first, count;
    struct cip_signal_record records[];
};

static const struct {
    int32_t number;
    bool is_console;
    const char *name;
} known[] = {
    {SIGINT, false, "SIGINT"},
    {SIGTERM, false, "SIGTERM"},
    {SIGABRT, false, "SIGABRT"},
    {SIGBREAK, false, "SIGBREAK"},
    {CIP_SIGNAL_CONSOLE + CTRL_CLOSE_EVENT, true, "CTRL_CLOSE_EVENT"},
    {CIP_SIGNAL_CONSOLE + CTRL_LOGOFF_EVENT, true, "CTRL_LOGOFF_EVENT"},
    {CIP_SIGNAL_CONSOLE + CTRL_SHUTDOWN_EVENT, true, "CTRL_SHUTDOWN_EVENT"},
    {SIGILL, false, "SIGILL"},
    {SIGFPE, false, "SIGFPE"},
    {SIGSEGV, false, "SIGSEGV"},
};
enum { KNOWN = sizeof known / sizeof known[0], CATCHABLE = KNOWN - 3 };

static int place(int64_t number) {
    for (int at = 0; at < KNOWN; at++) {
        if (known[at].number == number) return at;
    }
    return -1;
}

int64_t cip_signal_nature(int64_t number) {
    int at = place(number);
    return at < 0 ? CIP_SIGNAL_UNKNOWN : at < CATCHABLE ? CIP_SIGNAL_CATCHABLE : CIP_SIGNAL_SYNCHRONOUS;
}

const char *cip_signal_name(int64_t number) {
    int at = place(number);
    return at < 0 ? "" : known[at].name;
}

typedef void (*handler)(int);

static SRWLOCK lock = SRWLOCK_INIT;
static struct watch *watches;
static size_t watchers[KNOWN];
static handler before[KNOWN];

// Has all watchers of a signal know of it; returns whether there is one. With the lock held.
static bool tell(int at) {
    for (struct watch *watch = watches; watch != NULL; watch = watch->next) {
        if (!(watch->signals >> at & 1)) continue;
        if (watch->count == watch->capacity) {
            watch->lost++;
            continue;
        }
        watch->records[(watch->first + watch->count++) % watch->capacity] =
            (struct cip_signal_record){.number = (int16_t)known[at].number, .lost = watch->lost};
        SetEvent(watch->event);
    }
    return watchers[at] > 0;
}

static void handle(int number) {
    int at = place(number);
    AcquireSRWLockExclusive(&lock);
    // The runtime has taken the handler out before it called it.
    if (tell(at)) signal(number, handle);
    ReleaseSRWLockExclusive(&lock);
}

static BOOL WINAPI handle_console(DWORD event) {
    int64_t number = event == CTRL_C_EVENT       ? SIGINT
                     : event == CTRL_BREAK_EVENT ? SIGBREAK
                                                 : CIP_SIGNAL_CONSOLE + (int64_t)event;
    int at = place(number);
    AcquireSRWLockExclusive(&lock);
    bool is_watched = at >= 0 && tell(at);
    ReleaseSRWLockExclusive(&lock);
    // With the return from here the process ends: this leaves it the time that the system gives, some seconds.
    if (is_watched && known[at].is_console) Sleep(INFINITE);
    return is_watched;
}

// Once, and for good: to take it out could wait for a handler that does not return. Without watchers it does nothing.
static BOOL CALLBACK install_console(INIT_ONCE *once, void *parameter, void **context) {
    (void)once, (void)parameter, (void)context;
    // The last one that was put in is asked first. The runtime puts its own in at the first call for this signal, and takes
    // the console's end for Ctrl-Break.
    handler present = signal(SIGINT, SIG_IGN);
    if (present != SIG_ERR) signal(SIGINT, present);
    return SetConsoleCtrlHandler(handle_console, TRUE);
}

static int64_t install(int at) {
    if (watchers[at] == 0 && !known[at].is_console) {
        handler present = signal(known[at].number, handle);
        if (present == SIG_ERR) return -ERROR_INVALID_PARAMETER;
        if (present != handle) before[at] = present;
    }
    watchers[at]++;
    return 0;
}

static void uninstall(int at) {
    if (--watchers[at] > 0 || known[at].is_console) return;
    handler present = signal(known[at].number, before[at]);
    // Somebody else has put theirs in.
    if (present != handle) signal(known[at].number, present);
}

static void uninstall_all(const struct watch *watch) {
    for (int at = 0; at < KNOWN; at++) {
        if (watch->signals >> at & 1) uninstall(at);
    }
}

static int64_t install_all(struct watch *watch, const int32_t *numbers, size_t count) {
    for (size_t index = 0; index < count; index++) {
        int at = place(numbers[index]);
        if (watch->signals >> at & 1) continue;
        int64_t result = install(at);
        if (result < 0) return result;
        watch->signals |= 1u << at;
    }
    return 0;
}

int64_t cip_signal_watch_by_event(const int32_t *numbers, size_t count, int64_t event, int64_t capacity) {
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    if (!InitOnceExecuteOnce(&once, install_console, NULL, NULL)) return cip_last_error();
    struct watch *watch = calloc(1, sizeof *watch + (size_t)capacity * sizeof watch->records[0]);
    if (watch == NULL) return -ERROR_NOT_ENOUGH_MEMORY;
    watch->event = cip_handle(event);
    watch->capacity = (size_t)capacity;
    AcquireSRWLockExclusive(&lock);
    int64_t result = install_all(watch, numbers, count);
    if (result < 0) uninstall_all(watch);
    else {
        watch->next = watches;
        watches = watch;
    }
    ReleaseSRWLockExclusive(&lock);
    if (result < 0) free(watch);
    return result < 0 ? result : (int64_t)(intptr_t)watch;
}

int64_t cip_signal_take(int64_t event, struct cip_signal_record *record) {
    AcquireSRWLockExclusive(&lock);
    struct watch *watch = watches;
    while (watch != NULL && watch->event != cip_handle(event)) watch = watch->next;
    int64_t result = 0;
    if (watch != NULL && watch->count > 0) {
        *record = watch->records[watch->first];
        watch->first = (watch->first + 1) % watch->capacity;
        watch->count--;
        result = sizeof *record;
    } else if (watch != NULL) {
        ResetEvent(watch->event);
        result = -WAIT_TIMEOUT;
    }
    ReleaseSRWLockExclusive(&lock);
    return result;
}

void cip_signal_unwatch(int64_t ended) {
    struct watch *watch = (struct watch *)(intptr_t)ended;
    AcquireSRWLockExclusive(&lock);
    uninstall_all(watch);
    struct watch **link = &watches;
    while (*link != watch) link = &(*link)->next;
    *link = watch->next;
    ReleaseSRWLockExclusive(&lock);
    free(watch);
}

int64_t cip_signal_lost(int64_t handle) {
    AcquireSRWLockShared(&lock);
    int64_t lost = ((struct watch *)(intptr_t)handle)->lost;
    ReleaseSRWLockShared(&lock);
    return lost;
}
#endif
