// SPDX-License-Identifier: MIT OR Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CBenchmark.h"

// Peers end on purpose only after the last byte, so a SIGPIPE where there is no such flag means a failed run anyway.
#if !defined(MSG_NOSIGNAL)
#define MSG_NOSIGNAL 0
#endif

static inline int64_t receive_some(struct cb_link link, uint8_t *memory, size_t size) {
    while (true) {
        ssize_t received = link.is_socket ? recv(link.input, memory, size, 0) : read(link.input, memory, size);
        if (received >= 0) return received;
        if (errno != EINTR) return -(int64_t)errno;
    }
}

// Returns less than `size` at the end of the stream.
static inline int64_t receive_all(struct cb_link link, uint8_t *memory, size_t size) {
    size_t filled = 0;
    while (filled < size) {
        int64_t received = receive_some(link, memory + filled, size - filled);
        if (received < 0) return received;
        if (received == 0) break;
        filled += (size_t)received;
    }
    return (int64_t)filled;
}

static inline int64_t send_all(struct cb_link link, const uint8_t *memory, size_t size) {
    size_t sent = 0;
    while (sent < size) {
        const uint8_t *rest = memory + sent;
        ssize_t part = link.is_socket ? send(link.output, rest, size - sent, MSG_NOSIGNAL)
                                      : write(link.output, rest, size - sent);
        if (part >= 0) sent += (size_t)part;
        else if (errno != EINTR) return -(int64_t)errno;
    }
    return (int64_t)sent;
}

int64_t cb_round_trips(struct cb_link link, uint8_t *memory, size_t size, int64_t count, int64_t *nanoseconds) {
    for (int64_t done = 0; done < count; done++) {
        int64_t start = cb_now();
        int64_t result = send_all(link, memory, size);
        if (result >= 0) result = receive_all(link, memory, size);
        if (result < 0) return result;
        if (result < (int64_t)size) return -EPIPE;
        if (nanoseconds) nanoseconds[done] = cb_now() - start;
    }
    return count;
}

int64_t cb_echo(struct cb_link link, uint8_t *memory, size_t size) {
    while (true) {
        int64_t result = receive_all(link, memory, size);
        if (result == 0) return 0;
        if (result > 0 && result < (int64_t)size) return -EPIPE;
        if (result > 0) result = send_all(link, memory, size);
        if (result < 0) return result;
    }
}

int64_t cb_pour(struct cb_link link, uint8_t *memory, size_t size, int64_t count) {
    for (int64_t done = 0; done < count; done++) {
        int64_t result = send_all(link, memory, size);
        if (result < 0) return result;
    }
    int64_t result = receive_all(link, memory, 1);
    return result == 0 ? -EPIPE : result;
}

int64_t cb_drain(struct cb_link link, uint8_t *memory, size_t size, int64_t count) {
    int64_t left = (int64_t)size * count;
    while (left > 0) {
        int64_t received = receive_some(link, memory, left < (int64_t)size ? (size_t)left : size);
        if (received < 0) return received;
        if (received == 0) return -EPIPE;
        left -= received;
    }
    return send_all(link, memory, 1);
}

int64_t cb_give(int32_t output, const void *bytes, size_t size) {
    return send_all((struct cb_link){.input = -1, .output = output, .is_socket = false}, bytes, size);
}

int64_t cb_take(int32_t input, void *bytes, size_t size) {
    return receive_all((struct cb_link){.input = input, .output = -1, .is_socket = false}, bytes, size);
}
