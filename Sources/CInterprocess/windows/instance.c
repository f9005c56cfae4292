// SPDX-License-Identifier: MIT OR Apache-2.0
#include "windows.h"

#if CIP_WINDOWS
#include <stdlib.h>

struct cip_instance {
    OVERLAPPED operation;
    HANDLE handle;
    HANDLE event;
};

// Lets the instance wait for a client. When one comes, the event is set.
static int64_t wait_for_client(void *context) {
    struct cip_instance *instance = context;
    if (ConnectNamedPipe(instance->handle, &instance->operation)) return 0;
    switch (GetLastError()) {
    case ERROR_IO_PENDING: return 0;
    case ERROR_PIPE_CONNECTED:
    case ERROR_NO_DATA:
        // One is there, or came and left, and what it wrote is still to be read. There is no operation that could tell.
        instance->operation.Internal = 0;
        return cip_checked(SetEvent(instance->event));
    default: return cip_last_error();
    }
}

int64_t cip_instance_create(
    const uint16_t *path, const struct cip_named_pipe_options *options, int64_t event, struct cip_instance **made
) {
    struct cip_instance *instance = calloc(1, sizeof *instance);
    if (instance == NULL) return -ERROR_NOT_ENOUGH_MEMORY;
    int64_t result = cip_named_pipe_create(path, options);
    if (result < 0) {
        free(instance);
        return result;
    }
    instance->handle = cip_handle(result);
    instance->event = cip_handle(event);
    instance->operation.hEvent = cip_untold(instance->event);
    result = cip_begin_lasting(wait_for_client, instance);
    if (result >= 0) *made = instance;
    else cip_instance_destroy(instance);
    return result;
}

void cip_instance_destroy(struct cip_instance *instance) {
    if (instance->handle != NULL) {
        // Its end cannot be waited for by the event, which may be set by other instances. It comes at once.
        if (!HasOverlappedIoCompleted(&instance->operation)) CancelIoEx(instance->handle, &instance->operation);
        while (!HasOverlappedIoCompleted((volatile OVERLAPPED *)&instance->operation)) SwitchToThread();
        CloseHandle(instance->handle);
    }
    free(instance);
}

bool cip_instance_is_taken(struct cip_instance *instance) { return HasOverlappedIoCompleted(&instance->operation); }

int64_t cip_instance_take(struct cip_instance *instance) {
    if (!HasOverlappedIoCompleted(&instance->operation)) return -WAIT_TIMEOUT;
    DWORD ignored;
    // The operation has ended, or there never was one.
    if (!GetOverlappedResult(instance->handle, &instance->operation, &ignored, FALSE)) return cip_last_error();
    int64_t taken = (int64_t)(intptr_t)instance->handle;
    instance->handle = NULL;
    return taken;
}
#endif
