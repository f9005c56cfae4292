// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef CIP_BASE_H
#define CIP_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Pointers are never null unless marked so; compilers other than clang see no marks.
#if defined(__clang__)
#define CIP_BEGIN _Pragma("clang assume_nonnull begin")
#define CIP_END _Pragma("clang assume_nonnull end")
#define CIP_NULLABLE _Nullable
#else
#define CIP_BEGIN
#define CIP_END
#define CIP_NULLABLE
#endif

/// A piece of memory, laid out as an iovec.
struct cip_buffer {
    void *CIP_NULLABLE base;
    size_t count;
};

#endif
