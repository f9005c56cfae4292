// SPDX-License-Identifier: MIT OR Apache-2.0
#define _CRT_RAND_S
#include "windows_tests.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <process.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

// What Embedded Swift asks of a system.
int posix_memalign(void **made, size_t alignment, size_t size) {
    *made = alignment <= 16 ? malloc(size) : NULL;
    return *made == NULL ? ENOMEM : 0;
}
void arc4random_buf(void *memory, size_t count) {
    for (unsigned char *byte = memory; count-- > 0; byte++) {
        unsigned value;
        rand_s(&value);
        *byte = (unsigned char)value;
    }
}

void wt_print(const uint8_t *text, size_t count) {
    _setmode(_fileno(stdout), _O_BINARY);
    fwrite(text, 1, count, stdout);
    fputc('\n', stdout);
    fflush(stdout);
}

const char *wt_argument(int64_t index) { return index < __argc ? __argv[index] : ""; }

// The watchdog.

static SRWLOCK watch_lock = SRWLOCK_INIT;
static char watched[128];
static ULONGLONG watch_end;

static unsigned __stdcall watch(void *unused) {
    (void)unused;
    while (true) {
        Sleep(100);
        AcquireSRWLockShared(&watch_lock);
        if (GetTickCount64() > watch_end) {
            printf("FAILED: %s does not end\n0 passed, 1 failed\n", watched);
            fflush(stdout);
            TerminateProcess(GetCurrentProcess(), 1);
        }
        ReleaseSRWLockShared(&watch_lock);
    }
    return 0;
}

void wt_watch(const uint8_t *name, size_t count, int64_t seconds) {
    AcquireSRWLockExclusive(&watch_lock);
    bool is_first = watch_end == 0;
    if (count >= sizeof watched) count = sizeof watched - 1;
    memcpy(watched, name, count);
    watched[count] = 0;
    watch_end = GetTickCount64() + (ULONGLONG)seconds * 1000;
    ReleaseSRWLockExclusive(&watch_lock);
    if (is_first) CloseHandle((HANDLE)_beginthreadex(NULL, 0, watch, NULL, 0, NULL));
}

// Processes.

void wt_exit(int64_t code) { exit((int)code); }

int64_t wt_own_process_id(void) { return GetCurrentProcessId(); }

bool wt_is_wine(void) { return GetProcAddress(GetModuleHandleA("ntdll"), "wine_get_version") != NULL; }

// GetProcessHandleCount counts nothing under Wine. So all of the system's handles are asked for there.

struct handle {
    void *object;
    ULONG_PTR process, value;
    ULONG access;
    USHORT trace, type;
    ULONG attributes, reserved;
};
struct handles {
    ULONG_PTR count, reserved;
    struct handle handles[16384];
};
enum { SYSTEM_EXTENDED_HANDLE_INFORMATION = 64 };
LONG NTAPI NtQuerySystemInformation(int kind, void *memory, ULONG size, ULONG *needed);

int64_t wt_handle_count(void) {
    static struct handles found;
    DWORD own;
    if (!wt_is_wine()) return GetProcessHandleCount(GetCurrentProcess(), &own) ? (int64_t)own : -1;
    if (NtQuerySystemInformation(SYSTEM_EXTENDED_HANDLE_INFORMATION, &found, sizeof found, NULL) < 0) return -1;
    int64_t count = 0;
    for (ULONG_PTR index = 0; index < found.count; index++)
        count += found.handles[index].process == GetCurrentProcessId();
    return count;
}

int64_t wt_start(const char *program, const char *arguments) {
    char path[MAX_PATH], line[1024];
    GetModuleFileNameA(NULL, path, sizeof path);
    *(strrchr(path, '\\') + 1) = 0;
    snprintf(line, sizeof line, "\"%s%s\" %s", path, program, arguments);
    STARTUPINFOA startup = {.cb = sizeof startup};
    PROCESS_INFORMATION made;
    if (!CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &made)) return -(int64_t)GetLastError();
    CloseHandle(made.hThread);
    return (int64_t)(intptr_t)made.hProcess;
}

int64_t wt_process_id(int64_t process) { return GetProcessId((HANDLE)(intptr_t)process); }

int64_t wt_wait(int64_t process) {
    DWORD code = 0;
    WaitForSingleObject((HANDLE)(intptr_t)process, INFINITE);
    GetExitCodeProcess((HANDLE)(intptr_t)process, &code);
    CloseHandle((HANDLE)(intptr_t)process);
    return code;
}

bool wt_has_thread_token(void) {
    HANDLE token;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) return false;
    CloseHandle(token);
    return true;
}

bool wt_make_synchronous_pipe(int64_t *receiver, int64_t *sender) {
    HANDLE ends[2];
    bool is_made = CreatePipe(&ends[0], &ends[1], NULL, 0);
    *receiver = (int64_t)(intptr_t)ends[0];
    *sender = (int64_t)(intptr_t)ends[1];
    return is_made;
}

int64_t wt_open_own_program(void) {
    char path[MAX_PATH];
    GetModuleFileNameA(NULL, path, sizeof path);
    return (int64_t)(intptr_t)CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
}

// Signals.

void wt_raise(int32_t number) { raise(number); }

int64_t wt_signal_handler(int32_t number) {
    void (*present)(int) = signal(number, SIG_IGN);
    signal(number, present);
    return (int64_t)(intptr_t)present;
}

int64_t wt_ignore_signal(int32_t number, bool ignored) {
    return (int64_t)(intptr_t)signal(number, ignored ? SIG_IGN : SIG_DFL);
}

// The handler of the library's, which is put in as the library calls for it: tests are the console.

typedef BOOL(WINAPI *set_console_handler)(PHANDLER_ROUTINE, BOOL);
static PHANDLER_ROUTINE console_handler;

static BOOL WINAPI note_console_handler(PHANDLER_ROUTINE handler, BOOL adds) {
    console_handler = handler;
    set_console_handler call =
        (set_console_handler)(void *)GetProcAddress(GetModuleHandleA("kernel32"), "SetConsoleCtrlHandler");
    return call(handler, adds);
}
set_console_handler __imp_SetConsoleCtrlHandler = note_console_handler;

bool wt_console_event(int64_t event) { return console_handler((DWORD)event); }

// CreateNamedPipeW as the library calls it: noted, and passed on. Calls of a system's function go through a pointer of this
// name, which the linker takes from here.

static SRWLOCK creation_lock = SRWLOCK_INIT;
static struct wt_creation last_creation, first_creation;
static int64_t failures;
static uint32_t failure;

static struct wt_creation copy(const struct wt_creation *creation) {
    AcquireSRWLockShared(&creation_lock);
    struct wt_creation made = *creation;
    ReleaseSRWLockShared(&creation_lock);
    return made;
}
struct wt_creation wt_last_creation(void) { return copy(&last_creation); }
struct wt_creation wt_first_creation(void) { return copy(&first_creation); }

void wt_fail_creations(int64_t times, uint32_t error) {
    AcquireSRWLockExclusive(&creation_lock);
    failures = times;
    failure = error;
    ReleaseSRWLockExclusive(&creation_lock);
}

typedef HANDLE(WINAPI *create_named_pipe)(LPCWSTR, DWORD, DWORD, DWORD, DWORD, DWORD, DWORD, SECURITY_ATTRIBUTES *);

static HANDLE WINAPI note_creation(
    LPCWSTR path, DWORD open, DWORD mode, DWORD limit, DWORD send, DWORD receive, DWORD wait, SECURITY_ATTRIBUTES *attributes
) {
    AcquireSRWLockExclusive(&creation_lock);
    last_creation = (struct wt_creation){open, mode, limit, send, receive, wait, attributes->bInheritHandle};
    if (open & FILE_FLAG_FIRST_PIPE_INSTANCE) first_creation = last_creation;
    bool fails = failures > 0;
    if (fails) failures -= 1;
    ReleaseSRWLockExclusive(&creation_lock);
    if (fails) {
        SetLastError(failure);
        return INVALID_HANDLE_VALUE;
    }
    create_named_pipe call =
        (create_named_pipe)(void *)GetProcAddress(GetModuleHandleA("kernel32"), "CreateNamedPipeW");
    return call(path, open, mode, limit, send, receive, wait, attributes);
}
create_named_pipe __imp_CreateNamedPipeW = note_creation;
