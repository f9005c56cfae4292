// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX
#include <stdio.h>
#include <sys/mman.h>

#if CIP_LINUX
#include <sys/syscall.h>
#endif

// FreeBSD has them since 13, DragonFly has none.
#if CIP_LINUX || (defined(__FreeBSD__) && defined(F_ADD_SEALS))
#define CIP_HAS_SEALS 1
#else
#define CIP_HAS_SEALS 0
#endif

#if CIP_HAS_SEALS
static int make(void) {
#if CIP_LINUX
    // Of <linux/memfd.h>, which older ones lack: not executable, and never to be. Kernels before 6.3 do not know it.
    const unsigned not_executable = 8, close_on_exec = 1, allow_sealing = 2;
    int made = (int)syscall(SYS_memfd_create, "interprocess", close_on_exec | allow_sealing | not_executable);
    if (made >= 0 || errno != EINVAL) return made;
    return (int)syscall(SYS_memfd_create, "interprocess", close_on_exec | allow_sealing);
#else
    return memfd_create("interprocess", MFD_CLOEXEC | MFD_ALLOW_SEALING);
#endif
}

int64_t cip_region_share(const struct cip_region *region, int64_t sharing) {
    int descriptor = (int)region->writable;
    const int fixed = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    int result = -1;
#ifdef F_SEAL_FUTURE_WRITE
    // Linux has it since 5.1.
    if (sharing == CIP_REGION_LENT) result = fcntl(descriptor, F_ADD_SEALS, fixed | F_SEAL_FUTURE_WRITE);
    if (result < 0)
#endif
        result = fcntl(descriptor, F_ADD_SEALS, sharing == CIP_REGION_FROZEN ? fixed | F_SEAL_WRITE : fixed);
    return result < 0 ? -(int64_t)errno : descriptor;
}

static bool is_shared_so(int descriptor, int64_t sharing) {
    const int needed = F_SEAL_SHRINK | (sharing == CIP_REGION_FROZEN ? F_SEAL_WRITE | F_SEAL_GROW : 0);
    int seals = fcntl(descriptor, F_GET_SEALS);
    return seals >= 0 && (seals & needed) == needed;
}
#else
int64_t cip_region_share(const struct cip_region *region, int64_t sharing) {
    bool is_writable = sharing == CIP_REGION_WRITABLE;
    // Interrupted or not, it is closed.
    close((int)(is_writable ? region->readable : region->writable));
    return is_writable ? region->writable : region->readable;
}

static bool is_shared_so(int descriptor, int64_t sharing) {
    int mode = fcntl(descriptor, F_GETFL);
    return mode >= 0 && (mode & O_ACCMODE) == (sharing == CIP_REGION_WRITABLE ? O_RDWR : O_RDONLY);
}
#endif

// The two descriptors, which are one where there are seals.
static int64_t open_region(struct cip_region *region) {
#if CIP_HAS_SEALS
    int made = make();
    if (made < 0) return -(int64_t)errno;
    *region = (struct cip_region){.writable = made, .readable = made};
    return 0;
#else
    // As long as Darwin allows.
    char name[32];
    snprintf(name, sizeof name, "/ipc-%016llx", (unsigned long long)cip_random());
    cip_hold_forks();
    int64_t writable = cip_complete_new(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
    int64_t readable = writable < 0 ? writable : cip_complete_new(shm_open(name, O_RDONLY, 0));
    cip_let_fork();
    if (writable >= 0) shm_unlink(name);
    if (readable < 0) {
        if (writable >= 0) close((int)writable);
        return readable;
    }
    *region = (struct cip_region){.writable = writable, .readable = readable};
    return 0;
#endif
}

// Whether the machine can hold that at all: the kernel would begin, and end processes for want of memory.
static bool is_absurd(size_t size) {
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return size > (size_t)PTRDIFF_MAX || (pages > 0 && page > 0 && size / (size_t)page > (size_t)pages);
}

int64_t cip_region_create(size_t size, struct cip_region *region) {
    if (is_absurd(size)) return -ENOMEM;
    int64_t result = open_region(region);
    if (result < 0) return result;
    result = cip_result(ftruncate((int)region->writable, (off_t)size));
    if (result >= 0) return result;
    if (region->readable != region->writable) close((int)region->readable);
    close((int)region->writable);
    return result;
}

int64_t cip_region_reserve(const struct cip_region *region, size_t size) {
#if CIP_LINUX
    return size == 0 ? 0 : cip_result(fallocate((int)region->writable, 0, 0, (off_t)size));
#else
    (void)region, (void)size;
    return 0;
#endif
}

int64_t cip_region_size(int64_t descriptor, int64_t sharing) {
    struct stat found;
    if (fstat((int)descriptor, &found) < 0) return -(int64_t)errno;
    if (S_ISFIFO(found.st_mode) || S_ISSOCK(found.st_mode) || S_ISDIR(found.st_mode) || S_ISCHR(found.st_mode)
        || S_ISBLK(found.st_mode))
        return -EINVAL;
    return is_shared_so((int)descriptor, sharing) ? (int64_t)found.st_size : -EPERM;
}

int64_t cip_region_is_reserved(int64_t descriptor, size_t size) {
#if CIP_LINUX
    struct stat found;
    if (fstat((int)descriptor, &found) < 0) return -(int64_t)errno;
    return (uint64_t)found.st_blocks >= size / 512;
#else
    return (void)descriptor, (void)size, 1;
#endif
}

int64_t cip_region_map(int64_t descriptor, size_t size, bool to_fill, void **memory) {
    void *mapped = mmap(NULL, size, PROT_READ | (to_fill ? PROT_WRITE : 0), MAP_SHARED, (int)descriptor, 0);
    // EAGAIN means here that no more memory may be locked, and elsewhere that a call would have to wait.
    if (mapped == MAP_FAILED) return errno == EAGAIN ? -ENOMEM : -(int64_t)errno;
    *memory = mapped;
    return 0;
}

void cip_region_unmap(void *memory, size_t size) { munmap(memory, size); }
#endif
