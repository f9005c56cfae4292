// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What the .c files of this folder share. Must be included first; on other systems they are empty.
#ifndef CIP_WINDOWS_H
#define CIP_WINDOWS_H

#if defined(_WIN32)
#define CIP_WINDOWS 1
#define WIN32_LEAN_AND_MEAN 1
#define _CRT_SECURE_NO_WARNINGS 1
#if !defined(_WIN32_WINNT)
#define _WIN32_WINNT 0x0A00
#endif
#include <windows.h>

#include "CInterprocess.h"

static inline HANDLE cip_handle(int64_t descriptor) { return (HANDLE)(intptr_t)descriptor; }

// The ways in which a call's outcome becomes a result.
static inline int64_t cip_last_error(void) { return -(int64_t)GetLastError(); }
static inline int64_t cip_checked(BOOL succeeded) { return succeeded ? 0 : cip_last_error(); }
static inline int64_t cip_made(HANDLE handle) {
    return handle == NULL || handle == INVALID_HANDLE_VALUE ? cip_last_error() : (int64_t)(intptr_t)handle;
}

// An operation with such an event is not told to the completion port that the handle may belong to.
static inline HANDLE cip_untold(HANDLE event) { return (HANDLE)((uintptr_t)event | 1); }

// Milliseconds, rounded up, as Windows' waits take them.
static inline DWORD cip_milliseconds(int64_t nanoseconds) {
    if (nanoseconds < 0) return INFINITE;
    int64_t milliseconds = nanoseconds / 1000000 + (nanoseconds % 1000000 > 0);
    return milliseconds >= INFINITE ? INFINITE - 1 : (DWORD)milliseconds;
}
// An event that only this thread waits for, so that there is one for all; NULL when there is no memory.
HANDLE cip_own_event(void);

// Makes a call that begins an operation, in a thread that never ends: with a thread, the system ends all that it has begun.
int64_t cip_begin_lasting(int64_t (*begin)(void *), void *context);
#else
#define CIP_WINDOWS 0
#endif

#endif
