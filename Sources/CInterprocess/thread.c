// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#if defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__DragonFly__)
#include <pthread_np.h>
#endif

struct beginning {
    char name[16];  // the most that Linux takes
    void (*body)(void *);
    void *context;
};

static void *begin(void *argument) {
    struct beginning beginning = *(struct beginning *)argument;
    free(argument);
#if CIP_DARWIN
    pthread_setname_np(beginning.name);
#elif CIP_LINUX
    pthread_setname_np(pthread_self(), beginning.name);
#elif defined(__NetBSD__)
    pthread_setname_np(pthread_self(), "%s", (void *)(uintptr_t)beginning.name);
#else
    pthread_set_name_np(pthread_self(), beginning.name);
#endif
    beginning.body(beginning.context);
    return NULL;
}

// All signals but those that a thread brings on itself, and the one that profilers send to every thread.
static void fill_with_foreign_signals(sigset_t *signals) {
    static const int own[] = {SIGILL, SIGTRAP, SIGFPE, SIGBUS, SIGSEGV, SIGSYS, SIGPIPE, SIGPROF};
    sigfillset(signals);
    for (size_t index = 0; index < sizeof own / sizeof own[0]; index++) sigdelset(signals, own[index]);
}

int64_t cip_thread_start(const char *name, void (*body)(void *), void *context) {
    struct beginning *beginning = malloc(sizeof *beginning);
    if (beginning == NULL) return -ENOMEM;
    *beginning = (struct beginning){.body = body, .context = context};
    snprintf(beginning->name, sizeof beginning->name, "%s", name);
    sigset_t foreign, before;
    fill_with_foreign_signals(&foreign);
    pthread_sigmask(SIG_BLOCK, &foreign, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, begin, beginning);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        free(beginning);
        // EAGAIN means here that the system has no more threads, and elsewhere that a call would have to wait.
        return error == EAGAIN ? -ENOMEM : -(int64_t)error;
    }
    pthread_detach(thread);
    return 0;
}

uint64_t cip_thread_current(void) { return (uint64_t)(uintptr_t)pthread_self(); }

static _Thread_local uintptr_t mark;
uintptr_t cip_thread_mark(void) { return mark; }
void cip_thread_set_mark(uintptr_t value) { mark = value; }
#endif
