// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#if CIP_LINUX
#include <sys/syscall.h>
#else
#include <sys/event.h>
#include <sys/param.h>
#endif
#if CIP_DARWIN
#include <crt_externs.h>
#endif

// Closing all that is open from a number on, in the child.
#if defined(__GLIBC__)
#define CIP_HAS_CLOSE_FROM __GLIBC_PREREQ(2, 34)
#elif defined(__FreeBSD__)
#define CIP_HAS_CLOSE_FROM (__FreeBSD_version >= 1301000)
#else
#define CIP_HAS_CLOSE_FROM 0
#endif

static int describe(posix_spawn_file_actions_t *actions, const int *descriptors) {
    int error = 0;
    for (int number = 0; number < CIP_PROGRAM_DESCRIPTORS && error == 0; number++) {
        if (descriptors[number] >= 0) error = posix_spawn_file_actions_adddup2(actions, descriptors[number], number);
        if (descriptors[number] == CIP_NOTHING)
            error = posix_spawn_file_actions_addopen(actions, number, "/dev/null", O_RDWR, 0);
#if CIP_DARWIN
        if (descriptors[number] == CIP_SAME && fcntl(number, F_GETFD) >= 0)
            error = posix_spawn_file_actions_addinherit_np(actions, number);
#endif
    }
#if CIP_HAS_CLOSE_FROM
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(actions, CIP_PROGRAM_DESCRIPTORS);
#endif
    return error;
}

// A thread may block signals, and its process ignore them: programs inherit both.
static void have_usual_signals(posix_spawnattr_t *attributes) {
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(attributes, &signals);
    for (int number = 1; number < 32; number++)
        if (number != SIGKILL && number != SIGSTOP) sigaddset(&signals, number);
#if defined(SIGRTMIN) && defined(SIGRTMAX)
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) sigaddset(&signals, number);
#endif
    posix_spawnattr_setsigdefault(attributes, &signals);
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
#if defined(POSIX_SPAWN_CLOEXEC_DEFAULT)
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
    posix_spawnattr_setflags(attributes, (short)flags);
}

static int64_t spawn(const struct cip_program *program, const int *descriptors) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return -(int64_t)error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        pid_t process = 0;
        have_usual_signals(&attributes);
        error = describe(&actions, descriptors);
        if (error == 0)
            error = posix_spawnp(&process, program->file, &actions, &attributes, program->arguments, program->variables);
        posix_spawnattr_destroy(&attributes);
        posix_spawn_file_actions_destroy(&actions);
        // EAGAIN means here that there may be no more processes, and elsewhere that a call would have to wait.
        return error == 0 ? process : error == EAGAIN ? -ENOMEM : -(int64_t)error;
    }
    posix_spawn_file_actions_destroy(&actions);
    return -(int64_t)error;
}

int64_t cip_spawn(const struct cip_program *program) {
    int descriptors[CIP_PROGRAM_DESCRIPTORS], copies[CIP_PROGRAM_DESCRIPTORS];
    int64_t result = 0;
    for (int number = 0; number < CIP_PROGRAM_DESCRIPTORS; number++) {
        descriptors[number] = (int)program->descriptors[number];
        copies[number] = -1;
        // What is among the numbers that are given out must not be replaced before its turn.
        if (result < 0 || descriptors[number] < 0 || descriptors[number] >= CIP_PROGRAM_DESCRIPTORS) continue;
        result = cip_result(fcntl(descriptors[number], F_DUPFD_CLOEXEC, CIP_PROGRAM_DESCRIPTORS));
        descriptors[number] = copies[number] = (int)result;
    }
    if (result >= 0) result = spawn(program, descriptors);
    for (int number = 0; number < CIP_PROGRAM_DESCRIPTORS; number++)
        if (copies[number] >= 0) close(copies[number]);
    return result;
}

char *const *cip_variables(void) {
#if CIP_DARWIN
    return *_NSGetEnviron();
#else
    extern char **environ;
    return environ;
#endif
}

static int64_t wait_for(int64_t process, int options) {
    int status = 0;
    pid_t found = waitpid((pid_t)process, &status, options);
    if (found < 0) return -(int64_t)errno;
    if (found == 0) return -EAGAIN;
    return WIFSIGNALED(status) ? cip_ended_by_signal + WTERMSIG(status) : WEXITSTATUS(status);
}

void cip_child_destroy(int64_t process) {
    kill((pid_t)process, SIGKILL);
    while (wait_for(process, 0) == -EINTR) {}
}

#if CIP_LINUX
// The same on every architecture; older headers lack them.
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

int64_t cip_child_watch(int64_t process) {
    return cip_result(syscall(SYS_pidfd_open, (pid_t)process, 0));  // close-on-exec, as every pidfd
}

int64_t cip_child_reap(int64_t watch, int64_t process) {
    (void)process;
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid((idtype_t)3 /* P_PIDFD */, (id_t)watch, &info, WEXITED | WNOHANG) < 0) return -(int64_t)errno;
    if (info.si_pid == 0) return -EAGAIN;
    return info.si_code == CLD_EXITED ? info.si_status : cip_ended_by_signal + info.si_status;
}

int64_t cip_child_end(int64_t watch, int64_t process, bool at_once) {
    (void)process;
    return cip_result(syscall(SYS_pidfd_send_signal, (int)watch, at_once ? SIGKILL : SIGTERM, NULL, 0));
}
#else
int64_t cip_child_watch(int64_t process) {
    struct cip_poller poller;
    int64_t queue = cip_poller_create_queue(&poller);
    if (queue < 0) return queue;
    struct kevent change;
    EV_SET(&change, (uintptr_t)process, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, 0);
    // The event is never taken out, so that the queue stays readable.
    int64_t result = cip_result(kevent((int)queue, &change, 1, NULL, 0, NULL));
    if (result >= 0) return queue;
    close((int)queue);
    if (result != -ESRCH) return result;
    // It has ended already: then anything does that is readable for ever.
    int64_t ends[2];
    result = cip_pipe(ends);
    if (result < 0) return result;
    close((int)ends[1]);
    return ends[0];
}

// The end is told a moment before the status is there.
int64_t cip_child_reap(int64_t watch, int64_t process) {
    (void)watch;
    return wait_for(process, 0);
}

int64_t cip_child_end(int64_t watch, int64_t process, bool at_once) {
    (void)watch;
    return cip_result(kill((pid_t)process, at_once ? SIGKILL : SIGTERM));
}
#endif

int64_t cip_stream_identity(int64_t descriptor, uint64_t *identity) {
    struct stat found;
    if (fstat((int)descriptor, &found) < 0) return -(int64_t)errno;
    *identity = (uint64_t)found.st_ino;
    return S_ISSOCK(found.st_mode) ? 0 : -ENOTSOCK;
}
#endif
