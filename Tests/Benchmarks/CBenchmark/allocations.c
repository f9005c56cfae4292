// SPDX-License-Identifier: MIT OR Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "CBenchmark.h"

static atomic_bool is_counting;
static _Atomic int64_t allocations;

void cb_count_allocations(bool on) {
    if (on) atomic_store(&allocations, 0);
    atomic_store(&is_counting, on);
}

int64_t cb_allocations(void) { return atomic_load(&allocations); }

#if defined(__GLIBC__)
// A program's own definitions of these take the place of glibc's for all of the libraries that it loads; glibc's stay
// reachable by these names.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void *__libc_valloc(size_t);
extern void *__libc_pvalloc(size_t);
extern void __libc_free(void *);

bool cb_can_count_allocations(void) { return true; }

static inline void count(void) {
    if (atomic_load_explicit(&is_counting, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    }
}

void *malloc(size_t size) { return count(), __libc_malloc(size); }
void *calloc(size_t number, size_t size) { return count(), __libc_calloc(number, size); }
void *realloc(void *memory, size_t size) { return count(), __libc_realloc(memory, size); }
void *memalign(size_t alignment, size_t size) { return count(), __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return count(), __libc_memalign(alignment, size); }
void *valloc(size_t size) { return count(), __libc_valloc(size); }
void *pvalloc(size_t size) { return count(), __libc_pvalloc(size); }
void free(void *memory) { __libc_free(memory); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1))) return EINVAL;
    count();
    void *made = __libc_memalign(alignment, size);
    if (!made) return ENOMEM;
    *memory = made;
    return 0;
}
#else
bool cb_can_count_allocations(void) { return false; }
#endif
