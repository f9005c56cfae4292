// SPDX-License-Identifier: MIT OR Apache-2.0

// What the programs that wait by epoll have in common. Linux only.

#ifndef CBENCHMARK_WAITING_H
#define CBENCHMARK_WAITING_H

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

// As many events as are taken at once.
enum { EVENTS = 256 };

static inline int64_t watch(int poller, int descriptor, epoll_data_t data) {
    // Level-triggered; interest in writing would wake the process at every read of the peer's.
    struct epoll_event event = {.events = EPOLLIN, .data = data};
    return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) < 0 ? -(int64_t)errno : 0;
}

static inline int64_t wait_for_events(int poller, struct epoll_event *events) {
    while (1) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        if (ready >= 0) return ready;
        if (errno != EINTR) return -(int64_t)errno;
    }
}

// 0 is the end of the stream.
static inline int64_t receive_now(int socket, uint8_t *memory, size_t size) {
    while (1) {
        ssize_t received = recv(socket, memory, size, MSG_DONTWAIT);
        if (received >= 0) return received;
        if (errno != EINTR) return -(int64_t)errno;
    }
}

// The messages of these programs fit the kernel's buffer; where one should not, it is waited for, whoever else waits.
static inline int64_t send_now(int socket, const uint8_t *memory, size_t size) {
    size_t sent = 0;
    while (sent < size) {
        ssize_t part = send(socket, memory + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (part >= 0) {
            sent += (size_t)part;
        } else if (errno == EAGAIN) {
            struct pollfd room = {.fd = socket, .events = POLLOUT};
            poll(&room, 1, -1);
        } else if (errno != EINTR) {
            return -(int64_t)errno;
        }
    }
    return (int64_t)sent;
}

// Sends back what has come; 0 at the end of the stream.
static inline int64_t echo_now(int socket, uint8_t *memory, size_t size) {
    int64_t received = receive_now(socket, memory, size);
    return received <= 0 ? received : send_now(socket, memory, (size_t)received);
}

#endif
