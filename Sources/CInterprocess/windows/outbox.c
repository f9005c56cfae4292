// SPDX-License-Identifier: MIT OR Apache-2.0
#include "windows.h"

#if CIP_WINDOWS
#include <stdlib.h>
#include <string.h>

struct cip_outbox {
    OVERLAPPED operation;
    HANDLE event;
    bool is_under_way;
    void *bytes;
    size_t room;
    // While it outlives its owner: the handle that the operation is made on.
    HANDLE handle;
};

int64_t cip_outbox_create(struct cip_outbox **made) {
    struct cip_outbox *outbox = calloc(1, sizeof *outbox);
    if (outbox == NULL) return -ERROR_NOT_ENOUGH_MEMORY;
    outbox->event = CreateEventW(NULL, TRUE, TRUE, NULL);
    if (outbox->event == NULL) {
        int64_t error = cip_last_error();
        free(outbox);
        return error;
    }
    *made = outbox;
    return 0;
}

int64_t cip_outbox_event(struct cip_outbox *outbox) { return (int64_t)(intptr_t)outbox->event; }

// Sees to it that there is room for a number of bytes.
static bool make_room(struct cip_outbox *outbox, size_t count) {
    if (count <= outbox->room) return true;
    void *larger = realloc(outbox->bytes, count);
    if (larger == NULL) return false;
    outbox->bytes = larger;
    outbox->room = count;
    return true;
}

// What the outbox holds, sent by a thread that never ends.
struct write {
    struct cip_outbox *outbox;
    HANDLE handle;
    DWORD count;
};

static int64_t begin_write(void *context) {
    struct write *write = context;
    struct cip_outbox *outbox = write->outbox;
    if (WriteFile(write->handle, outbox->bytes, write->count, NULL, &outbox->operation)) return write->count;
    int64_t error = cip_last_error();
    outbox->is_under_way = error == -ERROR_IO_PENDING;
    return outbox->is_under_way ? write->count : error;
}

int64_t cip_outbox_write(struct cip_outbox *outbox, int64_t descriptor, const void *buffer, size_t count, bool whole) {
    HANDLE handle = cip_handle(descriptor);
    if (outbox->is_under_way) {
        DWORD written;
        BOOL done = GetOverlappedResult(handle, &outbox->operation, &written, FALSE);
        if (!done && GetLastError() == ERROR_IO_INCOMPLETE) return -WAIT_TIMEOUT;
        outbox->is_under_way = false;
        if (!done) return cip_last_error();
    }
    if (!whole && count > CIP_OUTBOX_CAPACITY) count = CIP_OUTBOX_CAPACITY;
    if (!make_room(outbox, count)) return -ERROR_NOT_ENOUGH_MEMORY;
    if (count > 0) memcpy(outbox->bytes, buffer, count);
    outbox->operation = (OVERLAPPED){.hEvent = cip_untold(outbox->event)};
    struct write write = {.outbox = outbox, .handle = handle, .count = (DWORD)count};
    int64_t result = cip_begin_lasting(begin_write, &write);
    if (result < 0) SetEvent(outbox->event);
    return result;
}

static void forget(struct cip_outbox *outbox) {
    CloseHandle(outbox->event);
    free(outbox->bytes);
    free(outbox);
}

static void CALLBACK end(PTP_CALLBACK_INSTANCE instance, void *context, PTP_WAIT wait, TP_WAIT_RESULT result) {
    struct cip_outbox *outbox = context;
    (void)instance, (void)result;
    CloseThreadpoolWait(wait);
    CloseHandle(outbox->handle);
    forget(outbox);
}

void cip_outbox_destroy(struct cip_outbox *outbox, int64_t descriptor) {
    HANDLE handle = cip_handle(descriptor), own = GetCurrentProcess();
    if (!outbox->is_under_way || HasOverlappedIoCompleted(&outbox->operation)) return forget(outbox);
    PTP_WAIT wait = CreateThreadpoolWait(end, outbox, NULL);
    if (wait != NULL && DuplicateHandle(own, handle, own, &outbox->handle, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        SetThreadpoolWait(wait, outbox->event, NULL);
        return;
    }
    // There is no memory for more than to end it here.
    if (wait != NULL) CloseThreadpoolWait(wait);
    DWORD written;
    CancelIoEx(handle, &outbox->operation);
    GetOverlappedResult(handle, &outbox->operation, &written, TRUE);
    forget(outbox);
}
#endif
