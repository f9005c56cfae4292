// SPDX-License-Identifier: MIT OR Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "CBenchmark.h"

#if defined(__linux__)
#include <sys/eventfd.h>

#include "waiting.h"

static const char *const names[CB_PRICE_COUNT] = {
    "send and recv of 64 B within one thread",
    "recv that finds nothing",
    "epoll_wait that finds nothing",
    "epoll_wait that finds one event",
    "epoll_ctl, to change what is wanted",
    "write to an eventfd",
    "clock_gettime",
    "pthread mutex, locked and unlocked",
    "malloc and free of 64 B",
};

const char *cb_price_name(int64_t price) { return names[price]; }

int64_t cb_price(int64_t price, int64_t count) {
    int ends[2];
    uint8_t memory[64] = {0};
    struct epoll_event events[EVENTS], change = {.events = EPOLLIN};
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return -(int64_t)errno;
    int poller = epoll_create1(EPOLL_CLOEXEC), event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (poller < 0 || event < 0) return -(int64_t)errno;
    watch(poller, ends[0], (epoll_data_t){.fd = ends[0]});
    if (price == CB_PRICE_ONE_EVENT) send_now(ends[1], memory, 1);
    int64_t start = cb_now();
    for (int64_t done = 0; done < count; done++) {
        switch (price) {
        case CB_PRICE_TRANSFER:
            send_now(ends[1], memory, sizeof memory);
            receive_now(ends[0], memory, sizeof memory);
            break;
        case CB_PRICE_VAIN_RECEIVE: receive_now(ends[0], memory, sizeof memory); break;
        case CB_PRICE_NO_EVENT:
        case CB_PRICE_ONE_EVENT: epoll_wait(poller, events, EVENTS, 0); break;
        case CB_PRICE_INTEREST:
            change.events ^= EPOLLOUT;
            epoll_ctl(poller, EPOLL_CTL_MOD, ends[0], &change);
            break;
        case CB_PRICE_WAKE: eventfd_write(event, 1); break;
        case CB_PRICE_CLOCK: (void)cb_now(); break;
        case CB_PRICE_LOCK:
            pthread_mutex_lock(&mutex);
            pthread_mutex_unlock(&mutex);
            break;
        case CB_PRICE_ALLOCATION: {
            void *volatile block = malloc(64);
            free(block);
            break;
        }
        }
    }
    int64_t nanoseconds = cb_now() - start;
    close(ends[0]);
    close(ends[1]);
    close(poller);
    close(event);
    return nanoseconds;
}
#else
const char *cb_price_name(int64_t price) { return (void)price, ""; }
int64_t cb_price(int64_t price, int64_t count) { return (void)price, (void)count, -ENOSYS; }
#endif
