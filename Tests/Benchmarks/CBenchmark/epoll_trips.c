// SPDX-License-Identifier: MIT OR Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <unistd.h>

#include "CBenchmark.h"

#if defined(__linux__)
#include "waiting.h"

// Waits first and receives then, until `size` bytes have come. What happens on `far`, unless that is negative, is
// answered meanwhile.
static int64_t receive_awaited(int poller, int near, int far, uint8_t *memory, size_t size) {
    struct epoll_event events[EVENTS];
    size_t received = 0;
    while (received < size) {
        int64_t ready = wait_for_events(poller, events);
        if (ready < 0) return ready;
        for (int64_t place = 0; place < ready; place++) {
            bool is_near = events[place].data.fd == near;
            int64_t part = is_near ? receive_now(near, memory, size - received) : echo_now(far, memory, size);
            if (part <= 0) return part < 0 ? part : -EPIPE;
            if (is_near) received += (size_t)part;
        }
    }
    return (int64_t)received;
}

static int64_t trips(int near, int far, uint8_t *memory, size_t size, int64_t count, int64_t *nanoseconds) {
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0) return -(int64_t)errno;
    int64_t result = watch(poller, near, (epoll_data_t){.fd = near});
    if (result >= 0 && far >= 0) result = watch(poller, far, (epoll_data_t){.fd = far});
    for (int64_t done = 0; result >= 0 && done < count; done++) {
        int64_t start = cb_now();
        result = send_now(near, memory, size);
        if (result >= 0) result = receive_awaited(poller, near, far, memory, size);
        if (nanoseconds) nanoseconds[done] = cb_now() - start;
    }
    close(poller);
    return result < 0 ? result : count;
}

int64_t cb_epoll_round_trips(int32_t socket, uint8_t *memory, size_t size, int64_t count, int64_t *nanoseconds) {
    return trips(socket, -1, memory, size, count, nanoseconds);
}

int64_t cb_epoll_loopback(
    const int32_t *ends, uint8_t *memory, size_t size, int64_t count, int64_t *nanoseconds
) {
    return trips(ends[0], ends[1], memory, size, count, nanoseconds);
}
#else
int64_t cb_epoll_round_trips(int32_t socket, uint8_t *memory, size_t size, int64_t count, int64_t *nanoseconds) {
    return (void)socket, (void)memory, (void)size, (void)count, (void)nanoseconds, -ENOSYS;
}

int64_t cb_epoll_loopback(
    const int32_t *ends, uint8_t *memory, size_t size, int64_t count, int64_t *nanoseconds
) {
    return (void)ends, (void)memory, (void)size, (void)count, (void)nanoseconds, -ENOSYS;
}
#endif
