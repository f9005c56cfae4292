// SPDX-License-Identifier: MIT OR Apache-2.0
#include "windows.h"

#if CIP_WINDOWS
#include <stdlib.h>
#include <string.h>

// RtlGenRandom, which no import library has under that name.
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

int64_t cip_now(void) {
    LARGE_INTEGER frequency, count;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&count);
    int64_t seconds = count.QuadPart / frequency.QuadPart, rest = count.QuadPart % frequency.QuadPart;
    return seconds * 1000000000 + rest * 1000000000 / frequency.QuadPart;
}

int64_t cip_usable_processors(void) { return GetActiveProcessorCount(ALL_PROCESSOR_GROUPS); }

const char *cip_environment(const char *name) { return getenv(name); }

uint64_t cip_random(void) {
    uint64_t value;
    if (!SystemFunction036(&value, sizeof value)) {
        static volatile LONG64 count;
        value = ((uint64_t)cip_now() << 20) ^ ((uint64_t)GetCurrentProcessId() << 8) ^ (uint64_t)InterlockedIncrement64(&count);
    }
    return value;
}

int64_t cip_index_of(uint8_t byte, const void *memory, size_t count) {
    const char *found = memchr(memory, byte, count);
    return found == NULL ? -1 : found - (const char *)memory;
}

int64_t cip_own_process(void) { return GetCurrentProcessId(); }

// Windows' calls are not interrupted, and its pipes know no connection that is under way: no result is this negated.
#define NONE INT64_MAX
const struct cip_codes cip_codes = {
    .interrupted = NONE,
    .would_block = WAIT_TIMEOUT,
    .in_progress = NONE,
    .is_connected = ERROR_PIPE_CONNECTED,
    .connection_refused = ERROR_PIPE_BUSY,
    .connection_aborted = NONE,
    .address_in_use = NONE,
    .not_found = ERROR_FILE_NOT_FOUND,
    .no_reader = NONE,
    .no_descriptors = ERROR_TOO_MANY_OPEN_FILES,
    .no_descriptors_in_system = ERROR_NO_SYSTEM_RESOURCES,
    .invalid_argument = ERROR_INVALID_PARAMETER,
    .other_family = NONE,
    .no_process = NONE,
    .no_child = NONE,
    .queue_full = NONE,
};

int64_t cip_meaning(int64_t code) {
    switch (code) {
    case WAIT_TIMEOUT: return CIP_MEANS_WOULD_BLOCK;
    case ERROR_SEM_TIMEOUT: return CIP_MEANS_TIMED_OUT;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_BAD_NETPATH: return CIP_MEANS_NOT_FOUND;
    case ERROR_ALREADY_EXISTS:
    case ERROR_FILE_EXISTS: return CIP_MEANS_ALREADY_EXISTS;
    case ERROR_ACCESS_DENIED:
    case ERROR_PRIVILEGE_NOT_HELD:
    case ERROR_CANNOT_IMPERSONATE: return CIP_MEANS_PERMISSION_DENIED;
    case ERROR_BROKEN_PIPE:
    case ERROR_NO_DATA: return CIP_MEANS_BROKEN_PIPE;
    case ERROR_PIPE_NOT_CONNECTED:
    case ERROR_PIPE_LISTENING: return CIP_MEANS_NOT_CONNECTED;
    case ERROR_FILENAME_EXCED_RANGE: return CIP_MEANS_NAME_TOO_LONG;
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
    case ERROR_INVALID_HANDLE:
    case ERROR_INVALID_ACL:
    case ERROR_INVALID_SID:
    case ERROR_INVALID_SECURITY_DESCR:
    case ERROR_BAD_PIPE:
    case ERROR_INVALID_PARAMETER: return CIP_MEANS_INVALID_ARGUMENT;
    case ERROR_MORE_DATA: return CIP_MEANS_MESSAGE_TOO_LARGE;
    case ERROR_CALL_NOT_IMPLEMENTED:
    case ERROR_INVALID_FUNCTION:
    case ERROR_NOT_SUPPORTED: return CIP_MEANS_UNSUPPORTED;
    case ERROR_TOO_MANY_OPEN_FILES:
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_NOT_ENOUGH_QUOTA:
    case ERROR_WORKING_SET_QUOTA:
    case ERROR_COMMITMENT_LIMIT: return CIP_MEANS_RESOURCES_EXHAUSTED;
    case ERROR_PIPE_BUSY:
    case ERROR_BUSY: return CIP_MEANS_BUSY;
    default: return CIP_MEANS_OTHER;
    }
}

#define CIP_NAME(code) \
    case code: return #code

const char *cip_code_name(int64_t code) {
    switch (code) {
        CIP_NAME(ERROR_ACCESS_DENIED);
        CIP_NAME(ERROR_ALREADY_EXISTS);
        CIP_NAME(ERROR_BAD_PATHNAME);
        CIP_NAME(ERROR_BAD_PIPE);
        CIP_NAME(ERROR_BROKEN_PIPE);
        CIP_NAME(ERROR_BUSY);
        CIP_NAME(ERROR_CALL_NOT_IMPLEMENTED);
        CIP_NAME(ERROR_CANNOT_IMPERSONATE);
        CIP_NAME(ERROR_FILENAME_EXCED_RANGE);
        CIP_NAME(ERROR_FILE_NOT_FOUND);
        CIP_NAME(ERROR_INVALID_FUNCTION);
        CIP_NAME(ERROR_INVALID_HANDLE);
        CIP_NAME(ERROR_INVALID_NAME);
        CIP_NAME(ERROR_INVALID_PARAMETER);
        CIP_NAME(ERROR_INVALID_SECURITY_DESCR);
        CIP_NAME(ERROR_MORE_DATA);
        CIP_NAME(ERROR_NOT_ENOUGH_MEMORY);
        CIP_NAME(ERROR_NOT_SUPPORTED);
        CIP_NAME(ERROR_NO_DATA);
        CIP_NAME(ERROR_NO_SYSTEM_RESOURCES);
        CIP_NAME(ERROR_OPERATION_ABORTED);
        CIP_NAME(ERROR_PATH_NOT_FOUND);
        CIP_NAME(ERROR_PIPE_BUSY);
        CIP_NAME(ERROR_PIPE_CONNECTED);
        CIP_NAME(ERROR_PIPE_LISTENING);
        CIP_NAME(ERROR_PIPE_NOT_CONNECTED);
        CIP_NAME(ERROR_SEM_TIMEOUT);
        CIP_NAME(ERROR_TOO_MANY_OPEN_FILES);
        CIP_NAME(WAIT_TIMEOUT);
    default: return "";
    }
}

_Static_assert(sizeof(SRWLOCK) <= sizeof(struct cip_lock), "cip_lock holds an SRWLOCK");
static SRWLOCK *slim(struct cip_lock *lock) { return (SRWLOCK *)(void *)lock->storage; }
void cip_lock_create(struct cip_lock *lock) { InitializeSRWLock(slim(lock)); }
void cip_lock_destroy(struct cip_lock *lock) { (void)lock; }
void cip_lock_acquire(struct cip_lock *lock) { AcquireSRWLockExclusive(slim(lock)); }
void cip_lock_release(struct cip_lock *lock) { ReleaseSRWLockExclusive(slim(lock)); }
#endif
