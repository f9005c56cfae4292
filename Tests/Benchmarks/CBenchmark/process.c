// SPDX-License-Identifier: MIT OR Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include "CBenchmark.h"

extern char **environ;

int64_t cb_process_id(void) { return getpid(); }

int64_t cb_duplicate_high(int32_t descriptor) {
    int made = fcntl(descriptor, F_DUPFD_CLOEXEC, 64);
    return made < 0 ? -(int64_t)errno : made;
}

int64_t cb_spawn(const char *const *arguments, int32_t input, int32_t output) {
#if defined(__linux__)
    const char *program = "/proc/self/exe";
#else
    const char *program = arguments[0];
#endif
    posix_spawn_file_actions_t actions;
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure) return -(int64_t)failure;
    if (input >= 0) failure = posix_spawn_file_actions_adddup2(&actions, input, 3);
    if (!failure && output >= 0) failure = posix_spawn_file_actions_adddup2(&actions, output, 4);
    pid_t process = 0;
    if (!failure) {
        failure = posix_spawn(&process, program, &actions, NULL, (char *const *)(uintptr_t)arguments, environ);
    }
    posix_spawn_file_actions_destroy(&actions);
    return failure ? -(int64_t)failure : process;
}

int64_t cb_wait(int64_t process) {
    int status;
    while (waitpid((pid_t)process, &status, 0) < 0) {
        if (errno != EINTR) return -(int64_t)errno;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void cb_end_with_parent(void) {
#if defined(__linux__)
    pid_t parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // It may have ended before the call.
    if (getppid() != parent) _exit(1);
#endif
}

static char scratch_directory[96];
static char scratch_file[sizeof scratch_directory + 2];

void cb_scratch_clear(void) { unlink(scratch_file); }

// Called in signal handlers too: only unlink and rmdir.
void cb_scratch_remove(void) {
    if (!scratch_directory[0]) return;
    unlink(scratch_file);
    rmdir(scratch_directory);
}

void cb_fail(void) {
    fflush(NULL);
    cb_scratch_remove();
    _exit(1);
}

static void end(int signal_number) {
    if (signal_number == SIGALRM) cb_complain("the measurement hangs: one step took longer than it ever should");
    cb_scratch_remove();
    _exit(128 + signal_number);
}

int64_t cb_scratch_create(char *path, size_t capacity) {
    const char *base = getenv("TMPDIR");
    // An address of a socket is short.
    if (!base || !base[0] || strlen(base) > 40) base = "/tmp";
    char directory[sizeof scratch_directory];
    snprintf(directory, sizeof directory, "%s/interprocess-benchmark-%d-XXXXXX", base, (int)getpid());
    if (!mkdtemp(directory)) return -(int64_t)errno;
    snprintf(scratch_file, sizeof scratch_file, "%s/s", directory);
    memcpy(scratch_directory, directory, sizeof directory);
    const int signals[] = {SIGALRM, SIGINT, SIGTERM, SIGHUP};
    for (size_t place = 0; place < sizeof signals / sizeof signals[0]; place++) signal(signals[place], end);
    return snprintf(path, capacity, "%s", scratch_file);
}

void cb_watch(int64_t seconds) { alarm((unsigned)seconds); }

struct start {
    void (*body)(void *);
    void *context;
};

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    start.body(start.context);
    return NULL;
}

int64_t cb_thread_start(void (*body)(void *), void *context, uint64_t *thread) {
    struct start *start = malloc(sizeof *start);
    if (!start) return -ENOMEM;
    *start = (struct start){body, context};
    pthread_t made;
    int failure = pthread_create(&made, NULL, run, start);
    if (failure) free(start);
    else *thread = (uint64_t)(uintptr_t)made;
    return -(int64_t)failure;
}

void cb_thread_join(uint64_t thread) { pthread_join((pthread_t)(uintptr_t)thread, NULL); }

int64_t cb_write_file(const char *path, const void *bytes, size_t count) {
    FILE *file = fopen(path, "w");
    if (!file) return -(int64_t)errno;
    size_t written = fwrite(bytes, 1, count, file);
    return fclose(file) != 0 || written < count ? -(int64_t)(errno ? errno : EIO) : 0;
}

// Called in signal handlers too.
void cb_complain(const char *text) {
    const char *parts[] = {"benchmark: ", text, "\n"};
    for (int part = 0; part < 3; part++) {
        if (write(STDERR_FILENO, parts[part], strlen(parts[part])) < 0) return;
    }
}
