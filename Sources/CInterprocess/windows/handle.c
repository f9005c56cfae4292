// SPDX-License-Identifier: MIT OR Apache-2.0
#include "windows.h"

#if CIP_WINDOWS
int64_t cip_close(int64_t descriptor) { return cip_checked(CloseHandle(cip_handle(descriptor))); }

int64_t cip_duplicate(int64_t descriptor) {
    HANDLE made = NULL, own = GetCurrentProcess();
    BOOL done = DuplicateHandle(own, cip_handle(descriptor), own, &made, 0, FALSE, DUPLICATE_SAME_ACCESS);
    return done ? cip_made(made) : cip_last_error();
}

int64_t cip_duplicate_into(int64_t descriptor, int64_t process) {
    HANDLE made = NULL;
    BOOL done = DuplicateHandle(
        GetCurrentProcess(), cip_handle(descriptor), cip_handle(process), &made, 0, FALSE, DUPLICATE_SAME_ACCESS
    );
    return done ? cip_made(made) : cip_last_error();
}

int64_t cip_move_from(int64_t process, int64_t handle) {
    HANDLE made = NULL;
    BOOL done = DuplicateHandle(
        cip_handle(process), cip_handle(handle), GetCurrentProcess(), &made, 0, FALSE,
        DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE
    );
    return done ? cip_made(made) : cip_last_error();
}

int64_t cip_close_in(int64_t process, int64_t handle) {
    return cip_checked(
        DuplicateHandle(cip_handle(process), cip_handle(handle), NULL, NULL, 0, FALSE, DUPLICATE_CLOSE_SOURCE)
    );
}

int64_t cip_process_open(int64_t identifier) {
    return cip_made(OpenProcess(PROCESS_DUP_HANDLE, FALSE, (DWORD)identifier));
}

bool cip_is_handle(int64_t handle) {
    DWORD flags;
    return GetHandleInformation(cip_handle(handle), &flags);
}

int64_t cip_set_inheritable(int64_t descriptor, bool inheritable) {
    return cip_checked(SetHandleInformation(
        cip_handle(descriptor), HANDLE_FLAG_INHERIT, inheritable ? HANDLE_FLAG_INHERIT : 0
    ));
}

int64_t cip_adopt(int64_t descriptor) { return cip_set_inheritable(descriptor, false); }

// A wake is a semaphore: it is signalled while its count is not zero. A wait takes one away, which is given back.

int64_t cip_wake_create(void) { return cip_made(CreateSemaphoreW(NULL, 0, MAXLONG, NULL)); }

int64_t cip_wake_signal(int64_t wake) { return cip_checked(ReleaseSemaphore(cip_handle(wake), 1, NULL)); }

int64_t cip_wake_take(int64_t wake) {
    DWORD found = WaitForSingleObject(cip_handle(wake), 0);
    return found == WAIT_OBJECT_0 ? 0 : found == WAIT_TIMEOUT ? -WAIT_TIMEOUT : cip_last_error();
}

void cip_wake_destroy(int64_t wake) { CloseHandle(cip_handle(wake)); }

// An operation that is waited for has an event of its thread's own: no thread waits for two.
static DWORD events = FLS_OUT_OF_INDEXES;
static INIT_ONCE events_once = INIT_ONCE_STATIC_INIT;

static void NTAPI forget_event(void *event) {
    if (event != NULL) CloseHandle(event);
}

static BOOL CALLBACK make_room_for_events(INIT_ONCE *once, void *parameter, void **context) {
    (void)once, (void)parameter, (void)context;
    events = FlsAlloc(forget_event);
    return events != FLS_OUT_OF_INDEXES;
}

HANDLE cip_own_event(void) {
    if (!InitOnceExecuteOnce(&events_once, make_room_for_events, NULL, NULL)) return NULL;
    HANDLE event = FlsGetValue(events);
    if (event != NULL) return event;
    event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (event != NULL && !FlsSetValue(events, event)) {
        CloseHandle(event);
        return NULL;
    }
    return event;
}

// Waits for an operation's end; cancels it when the time is over or the wake is signalled. What was done until then
// counts, and so does what was done just before it was cancelled.
static int64_t finish(HANDLE handle, OVERLAPPED *operation, int64_t wake, int64_t nanoseconds) {
    HANDLE objects[2] = {cip_own_event(), cip_handle(wake)};
    DWORD ended = WAIT_TIMEOUT;
    if (nanoseconds != 0) {
        ended = WaitForMultipleObjects(wake < 0 ? 1 : 2, objects, FALSE, cip_milliseconds(nanoseconds));
        if (ended == WAIT_OBJECT_0 + 1) ReleaseSemaphore(objects[1], 1, NULL);
    }
    if (ended != WAIT_OBJECT_0) CancelIoEx(handle, operation);
    // The system uses the operation's memory until it has ended, so that nothing else can be waited for here.
    DWORD count = 0;
    if (GetOverlappedResult(handle, operation, &count, TRUE)) return count;
    DWORD error = GetLastError();
    if (error == ERROR_MORE_DATA) return -(int64_t)error;
    return error == ERROR_OPERATION_ABORTED ? -WAIT_TIMEOUT : -(int64_t)error;
}

static int64_t begin(OVERLAPPED *operation) {
    HANDLE event = cip_own_event();
    *operation = (OVERLAPPED){.hEvent = cip_untold(event)};
    return event == NULL ? cip_last_error() : 0;
}

int64_t cip_handle_read(
    int64_t descriptor, void *buffer, size_t count, int64_t wake, int64_t nanoseconds, size_t *received
) {
    OVERLAPPED operation;
    int64_t result = begin(&operation);
    if (result < 0) return result;
    HANDLE handle = cip_handle(descriptor);
    BOOL done = ReadFile(handle, buffer, (DWORD)count, NULL, &operation);
    DWORD error = done ? ERROR_SUCCESS : GetLastError();
    if (done || error == ERROR_IO_PENDING) result = finish(handle, &operation, wake, done ? -1 : nanoseconds);
    else result = -(int64_t)error;
    // A part of a message has come as well when the call says that there is more of it.
    *received = result >= 0 ? (size_t)result : result == -ERROR_MORE_DATA ? operation.InternalHigh : 0;
    return result < 0 ? result : 0;
}

int64_t cip_handle_write(
    int64_t descriptor, const void *buffer, size_t count, int64_t wake, int64_t nanoseconds
) {
    OVERLAPPED operation;
    int64_t result = begin(&operation);
    if (result < 0) return result;
    HANDLE handle = cip_handle(descriptor);
    BOOL done = WriteFile(handle, buffer, (DWORD)count, NULL, &operation);
    if (!done && GetLastError() != ERROR_IO_PENDING) return cip_last_error();
    return finish(handle, &operation, wake, done ? -1 : nanoseconds);
}

int64_t cip_poll(int64_t descriptor, int64_t interest, int64_t wake, int64_t nanoseconds) {
    if (descriptor >= 0 && interest == CIP_READABLE && GetFileType(cip_handle(descriptor)) == FILE_TYPE_PIPE) {
        // To read nothing takes as long as there is nothing to read.
        size_t received;
        char nothing;
        int64_t result = cip_handle_read(descriptor, &nothing, 0, wake, nanoseconds, &received);
        // What has failed is ready: the next call tells.
        return result == -WAIT_TIMEOUT ? 0 : CIP_POLL_READY;
    }
    HANDLE objects[2];
    DWORD count = 0;
    if (descriptor >= 0) objects[count++] = cip_handle(descriptor);
    if (wake >= 0) objects[count++] = cip_handle(wake);
    if (count == 0) {
        Sleep(cip_milliseconds(nanoseconds));
        return 0;
    }
    DWORD found = WaitForMultipleObjects(count, objects, FALSE, cip_milliseconds(nanoseconds));
    if (found == WAIT_TIMEOUT) return 0;
    if (found == WAIT_FAILED) return cip_last_error();
    bool is_wake = wake >= 0 && found == WAIT_OBJECT_0 + count - 1;
    // A semaphore's count was taken by the wait; another wake, or an event, is none the worse for it.
    if (is_wake || interest == CIP_READABLE) ReleaseSemaphore(objects[found - WAIT_OBJECT_0], 1, NULL);
    return is_wake ? CIP_POLL_WOKEN : CIP_POLL_READY;
}

// The ways in which blocked calls are ended on other systems. Here each wait has the wake in it.
int64_t cip_shutdown(int64_t descriptor, int64_t how) { return (void)descriptor, (void)how, -ERROR_CALL_NOT_IMPLEMENTED; }
int64_t cip_set_send_timeout(int64_t descriptor, int64_t nanoseconds) {
    return (void)descriptor, (void)nanoseconds, -ERROR_CALL_NOT_IMPLEMENTED;
}
int64_t cip_open_own_descriptors(void) { return -ERROR_CALL_NOT_IMPLEMENTED; }
int64_t cip_pipe_set_reopening(int64_t descriptor, bool allowed) {
    return (void)descriptor, (void)allowed, -ERROR_CALL_NOT_IMPLEMENTED;
}
int64_t cip_pipe_wake_reader(int64_t folder, int64_t descriptor) {
    return (void)folder, (void)descriptor, -ERROR_CALL_NOT_IMPLEMENTED;
}
#endif
