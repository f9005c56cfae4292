// SPDX-License-Identifier: MIT OR Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <unistd.h>

#include "CBenchmark.h"

#if defined(__linux__)
#include "waiting.h"

// One for each event: there is another event while there is another client.
static int64_t let_in(int poller, int32_t listener) {
    int64_t client = cb_accept(listener);
    return client < 0 ? client : watch(poller, (int)client, (epoll_data_t){.fd = (int)client});
}

static int64_t serve(int poller, int32_t listener, int32_t control) {
    static uint8_t memory[64 << 10];
    struct epoll_event events[EVENTS];
    while (true) {
        int64_t ready = wait_for_events(poller, events);
        if (ready < 0) return ready;
        for (int64_t place = 0; place < ready; place++) {
            int descriptor = events[place].data.fd;
            if (descriptor == control) return 0;
            if (descriptor == listener) {
                int64_t result = let_in(poller, listener);
                if (result < 0) return result;
            } else if (echo_now(descriptor, memory, sizeof memory) <= 0) {
                close(descriptor);
            }
        }
    }
}

int64_t cb_epoll_serve(int32_t listener, int32_t control) {
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0) return -(int64_t)errno;
    int64_t result = watch(poller, listener, (epoll_data_t){.fd = listener});
    if (result >= 0) result = watch(poller, control, (epoll_data_t){.fd = control});
    if (result >= 0) result = serve(poller, listener, control);
    close(poller);
    return result;
}
#else
int64_t cb_epoll_serve(int32_t listener, int32_t control) { return (void)listener, (void)control, -ENOSYS; }
#endif
