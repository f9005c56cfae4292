// SPDX-License-Identifier: MIT OR Apache-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#endif

#include "CBenchmark.h"

int64_t cb_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t cb_cpu_count(void) { return sysconf(_SC_NPROCESSORS_ONLN); }

#if defined(__linux__)
// What the process was allowed before it was pinned.
static bool is_saved;
static cpu_set_t saved;

static int64_t save(void) {
    if (!is_saved && sched_getaffinity(0, sizeof saved, &saved) < 0) return -(int64_t)errno;
    is_saved = true;
    return 0;
}

int64_t cb_allowed_cpu(int64_t place) {
    int64_t result = save();
    if (result < 0) return result;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &saved) && place-- == 0) return cpu;
    }
    return -ENOENT;
}

int64_t cb_pin(int64_t cpu) {
    int64_t result = save();
    if (result < 0) return result;
    cpu_set_t wanted = saved;
    if (cpu >= 0) {
        CPU_ZERO(&wanted);
        CPU_SET((int)cpu, &wanted);
    }
    if (sched_setaffinity(0, sizeof wanted, &wanted) < 0) return -(int64_t)errno;
    // Some sandboxes accept the call and do nothing.
    return cpu < 0 || sched_getcpu() == (int)cpu ? 0 : -ENOTSUP;
}
#else
int64_t cb_allowed_cpu(int64_t place) { return (void)place, -ENOSYS; }
int64_t cb_pin(int64_t cpu) { return cpu < 0 ? 0 : -ENOSYS; }
#endif

int64_t cb_kernel(char *text, size_t capacity) {
    struct utsname names;
    if (uname(&names) < 0) return -(int64_t)errno;
    return snprintf(text, capacity, "%s %s %s", names.sysname, names.release, names.machine);
}

int64_t cb_open_descriptors(void) {
    DIR *directory = opendir("/dev/fd");
    if (!directory) return -(int64_t)errno;
    int64_t count = 0;
    while (readdir(directory)) count++;
    closedir(directory);
    // Not ".", "..", and the directory's own.
    return count - 3;
}

int64_t cb_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -(int64_t)errno;
    limit.rlim_cur = limit.rlim_max;
    // Some systems refuse what they call the maximum; what was allowed before stays then.
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && getrlimit(RLIMIT_NOFILE, &limit) < 0) return -(int64_t)errno;
    return limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
}

#if defined(__linux__)
int64_t cb_resident_bytes(int64_t process) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/statm", (long long)process);
    FILE *file = fopen(path, "r");
    if (!file) return -(int64_t)errno;
    long long all, resident;
    int found = fscanf(file, "%lld %lld", &all, &resident);
    fclose(file);
    return found == 2 ? resident * sysconf(_SC_PAGESIZE) : -EIO;
}
#else
int64_t cb_resident_bytes(int64_t process) { return (void)process, -ENOSYS; }
#endif
