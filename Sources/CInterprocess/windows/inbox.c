// SPDX-License-Identifier: MIT OR Apache-2.0
#include "windows.h"

#if CIP_WINDOWS
#include <stdlib.h>
#include <string.h>

struct cip_inbox {
    OVERLAPPED operation;
    HANDLE event;
    bool is_under_way;
    // Whether a message, or its first part, is here; and whether the pipe has the rest of it.
    bool holds;
    bool is_within;
    size_t start;
    size_t end;
    char bytes[4096];
};

int64_t cip_inbox_create(struct cip_inbox **made) {
    struct cip_inbox *inbox = calloc(1, sizeof *inbox);
    if (inbox == NULL) return -ERROR_NOT_ENOUGH_MEMORY;
    inbox->event = CreateEventW(NULL, TRUE, TRUE, NULL);
    if (inbox->event == NULL) {
        int64_t error = cip_last_error();
        free(inbox);
        return error;
    }
    *made = inbox;
    return 0;
}

int64_t cip_inbox_event(struct cip_inbox *inbox) { return (int64_t)(intptr_t)inbox->event; }

// What has come of the read that is under way.
static int64_t end(struct cip_inbox *inbox, HANDLE handle, bool waits) {
    DWORD count = 0;
    DWORD error = GetOverlappedResult(handle, &inbox->operation, &count, waits) ? ERROR_SUCCESS : GetLastError();
    if (error == ERROR_IO_INCOMPLETE) return -WAIT_TIMEOUT;
    inbox->is_under_way = false;
    if (error != ERROR_SUCCESS && error != ERROR_MORE_DATA) return -(int64_t)error;
    inbox->holds = true;
    inbox->is_within = error == ERROR_MORE_DATA;
    inbox->start = 0;
    inbox->end = count;
    return 0;
}

static int64_t look(struct cip_inbox *inbox, HANDLE handle) {
    while (true) {
        if (!inbox->is_under_way) {
            inbox->operation = (OVERLAPPED){.hEvent = cip_untold(inbox->event)};
            BOOL done = ReadFile(handle, inbox->bytes, sizeof inbox->bytes, NULL, &inbox->operation);
            DWORD error = done ? ERROR_SUCCESS : GetLastError();
            // The system does not set it when the call has failed.
            if (error != ERROR_IO_PENDING) SetEvent(inbox->event);
            if (!done && error != ERROR_IO_PENDING && error != ERROR_MORE_DATA) return -(int64_t)error;
            inbox->is_under_way = true;
        }
        int64_t result = end(inbox, handle, false);
        // It ended with the thread that had begun it.
        if (result != -ERROR_OPERATION_ABORTED) return result;
    }
}

int64_t cip_inbox_read(struct cip_inbox *inbox, int64_t descriptor, void *buffer, size_t count, size_t *received) {
    *received = 0;
    if (!inbox->holds && inbox->is_within) {
        // It is there, unless its sender has taken it back.
        int64_t result = cip_handle_read(descriptor, buffer, count, -1, 0, received);
        inbox->is_within = result == -ERROR_MORE_DATA;
        return result;
    }
    int64_t result = inbox->holds ? 0 : look(inbox, cip_handle(descriptor));
    if (result < 0) return result;
    size_t part = inbox->end - inbox->start;
    if (part > count) part = count;
    memcpy(buffer, inbox->bytes + inbox->start, part);
    inbox->start += part;
    *received = part;
    inbox->holds = inbox->start < inbox->end;
    return inbox->holds || inbox->is_within ? -ERROR_MORE_DATA : 0;
}

bool cip_inbox_withdraw(struct cip_inbox *inbox, int64_t descriptor, size_t *held, bool *is_whole) {
    HANDLE handle = cip_handle(descriptor);
    if (inbox->is_under_way) {
        CancelIoEx(handle, &inbox->operation);
        // What has come until then counts; an error comes again.
        end(inbox, handle, true);
    }
    *held = inbox->holds ? inbox->end - inbox->start : 0;
    *is_whole = !inbox->is_within;
    return inbox->holds;
}

void cip_inbox_destroy(struct cip_inbox *inbox, int64_t descriptor) {
    size_t held;
    bool is_whole;
    cip_inbox_withdraw(inbox, descriptor, &held, &is_whole);
    CloseHandle(inbox->event);
    free(inbox);
}
#endif
