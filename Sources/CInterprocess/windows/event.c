// SPDX-License-Identifier: MIT OR Apache-2.0
#include "windows.h"

#if CIP_WINDOWS
int64_t cip_event_create(void) { return cip_made(CreateEventW(NULL, TRUE, FALSE, NULL)); }

int64_t cip_event_set(int64_t event) { return cip_checked(SetEvent(cip_handle(event))); }

int64_t cip_event_reset(int64_t event) { return cip_checked(ResetEvent(cip_handle(event))); }

static void CALLBACK set_now(PTP_CALLBACK_INSTANCE instance, void *event, PTP_TIMER timer) {
    (void)instance;
    SetEvent(event);
    CloseHandle(event);
    CloseThreadpoolTimer(timer);
}

int64_t cip_event_set_later(int64_t event, int64_t nanoseconds) {
    HANDLE own = GetCurrentProcess(), kept;
    // The event may be closed before that.
    if (!DuplicateHandle(own, cip_handle(event), own, &kept, 0, FALSE, DUPLICATE_SAME_ACCESS)) return cip_last_error();
    PTP_TIMER timer = CreateThreadpoolTimer(set_now, kept, NULL);
    if (timer == NULL) {
        int64_t error = cip_last_error();
        CloseHandle(kept);
        return error;
    }
    // In units of 100 ns; negative from now on.
    ULARGE_INTEGER delay = {.QuadPart = (ULONGLONG)(-nanoseconds / 100)};
    FILETIME due = {.dwLowDateTime = delay.LowPart, .dwHighDateTime = delay.HighPart};
    SetThreadpoolTimer(timer, &due, 0, 0);
    return 0;
}
#endif
