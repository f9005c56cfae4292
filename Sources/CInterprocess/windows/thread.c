// SPDX-License-Identifier: MIT OR Apache-2.0
#include "windows.h"

#if CIP_WINDOWS
#include <process.h>
#include <stdlib.h>

struct beginning {
    void (*body)(void *);
    void *context;
};

static unsigned __stdcall begin(void *argument) {
    struct beginning beginning = *(struct beginning *)argument;
    free(argument);
    beginning.body(beginning.context);
    return 0;
}

int64_t cip_thread_start(const char *name, void (*body)(void *), void *context) {
    struct beginning *beginning = malloc(sizeof *beginning);
    if (beginning == NULL) return -ERROR_NOT_ENOUGH_MEMORY;
    *beginning = (struct beginning){.body = body, .context = context};
    HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, begin, beginning, 0, NULL);
    if (thread == NULL) {
        free(beginning);
        return -ERROR_NO_SYSTEM_RESOURCES;
    }
    // Its name would take SetThreadDescription, which MinGW's libraries do not all have.
    (void)name;
    CloseHandle(thread);
    return 0;
}

// Begins what is to last. It sleeps; others have it woken by what they queue.
static HANDLE keeper;
static INIT_ONCE keeper_once = INIT_ONCE_STATIC_INIT;

static unsigned __stdcall sleep_for_ever(void *unused) {
    (void)unused;
    while (true) SleepEx(INFINITE, TRUE);
    return 0;
}

static BOOL CALLBACK start_keeper(INIT_ONCE *once, void *parameter, void **context) {
    (void)once, (void)parameter, (void)context;
    keeper = (HANDLE)_beginthreadex(NULL, 65536, sleep_for_ever, NULL, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    return keeper != NULL;
}

struct lasting {
    int64_t (*begin)(void *);
    void *context;
    int64_t result;
    HANDLE done;
};

static void CALLBACK carry_out(ULONG_PTR argument) {
    struct lasting *call = (struct lasting *)argument;
    call->result = call->begin(call->context);
    SetEvent(call->done);
}

int64_t cip_begin_lasting(int64_t (*begin)(void *), void *context) {
    struct lasting call = {.begin = begin, .context = context, .done = cip_own_event()};
    if (call.done == NULL || !InitOnceExecuteOnce(&keeper_once, start_keeper, NULL, NULL))
        return -ERROR_NOT_ENOUGH_MEMORY;
    ResetEvent(call.done);
    if (!QueueUserAPC(carry_out, keeper, (ULONG_PTR)&call)) return -ERROR_NOT_ENOUGH_MEMORY;
    WaitForSingleObject(call.done, INFINITE);
    return call.result;
}

uint64_t cip_thread_current(void) { return GetCurrentThreadId(); }

static _Thread_local uintptr_t mark;
uintptr_t cip_thread_mark(void) { return mark; }
void cip_thread_set_mark(uintptr_t value) { mark = value; }
#endif
