// SPDX-License-Identifier: MIT OR Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "CBenchmark.h"

static int64_t fill_address(struct sockaddr_un *address, const char *path) {
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path) return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length + 1);
    return 0;
}

#if !defined(__linux__)
static int close_on_exec(int descriptor) {
    if (descriptor >= 0) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    return descriptor;
}
#endif

static int make_socket(int kind) {
#if defined(__linux__)
    return socket(AF_UNIX, kind | SOCK_CLOEXEC, 0);
#else
    return close_on_exec(socket(AF_UNIX, kind, 0));
#endif
}

// Closes what was made when the next step fails.
static int64_t finish(int descriptor, int result) {
    if (result >= 0) return descriptor;
    int64_t failure = -(int64_t)errno;
    close(descriptor);
    return failure;
}

static int64_t bind_to(const char *path, int kind) {
    struct sockaddr_un address;
    int64_t filled = fill_address(&address, path);
    if (filled < 0) return filled;
    int descriptor = make_socket(kind);
    if (descriptor < 0) return -(int64_t)errno;
    return finish(descriptor, bind(descriptor, (const struct sockaddr *)&address, sizeof address));
}

static int64_t listen_at(const char *path, int kind) {
    int64_t descriptor = bind_to(path, kind);
    return descriptor < 0 ? descriptor : finish((int)descriptor, listen((int)descriptor, INT32_MAX));
}

int64_t cb_listen(const char *path) { return listen_at(path, SOCK_STREAM); }

int64_t cb_listen_for_packets(const char *path) { return listen_at(path, SOCK_SEQPACKET); }

int64_t cb_bind_for_datagrams(const char *path) { return bind_to(path, SOCK_DGRAM); }

int64_t cb_accept(int32_t listener) {
    int descriptor;
    do {
#if defined(__linux__)
        descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
#else
        descriptor = close_on_exec(accept(listener, NULL, NULL));
#endif
    } while (descriptor < 0 && errno == EINTR);
    return descriptor < 0 ? -(int64_t)errno : descriptor;
}

static int64_t connect_to(const char *path, int kind) {
    struct sockaddr_un address;
    int64_t filled = fill_address(&address, path);
    if (filled < 0) return filled;
    int descriptor = make_socket(kind);
    if (descriptor < 0) return -(int64_t)errno;
    return finish(descriptor, connect(descriptor, (const struct sockaddr *)&address, sizeof address));
}

int64_t cb_connect(const char *path) { return connect_to(path, SOCK_STREAM); }

int64_t cb_connect_for_packets(const char *path) { return connect_to(path, SOCK_SEQPACKET); }

int64_t cb_connect_for_datagrams(const char *path) { return connect_to(path, SOCK_DGRAM); }

int64_t cb_socket_pair(int32_t *ends) {
    int made[2];
#if defined(__linux__)
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, made) < 0) return -(int64_t)errno;
#else
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, made) < 0) return -(int64_t)errno;
    close_on_exec(made[0]);
    close_on_exec(made[1]);
#endif
    ends[0] = made[0];
    ends[1] = made[1];
    return 0;
}

int64_t cb_pipe(int32_t *ends) {
    int made[2];
#if defined(__linux__)
    if (pipe2(made, O_CLOEXEC) < 0) return -(int64_t)errno;
#else
    if (pipe(made) < 0) return -(int64_t)errno;
    close_on_exec(made[0]);
    close_on_exec(made[1]);
#endif
    ends[0] = made[0];
    ends[1] = made[1];
    return 0;
}

int64_t cb_close(int32_t descriptor) { return close(descriptor) < 0 ? -(int64_t)errno : 0; }

int64_t cb_accept_and_close(int32_t listener, int64_t count) {
    for (int64_t done = 0; done < count; done++) {
        int64_t client = cb_accept(listener);
        if (client < 0) return client;
        close((int)client);
    }
    return count;
}

int64_t cb_connect_and_close(const char *path, int64_t count) {
    for (int64_t done = 0; done < count; done++) {
        int64_t server = cb_connect(path);
        if (server < 0) return server;
        close((int)server);
    }
    return count;
}

// Connects, and has one byte sent back.
static int64_t connect_and_ask(const char *path) {
    int64_t server = cb_connect(path);
    if (server < 0) return server;
    uint8_t byte = 0;
    struct cb_link link = {.input = (int32_t)server, .output = (int32_t)server, .is_socket = true};
    int64_t result = cb_round_trips(link, &byte, 1, 1, NULL);
    if (result >= 0) return server;
    close((int)server);
    return result;
}

int64_t cb_connect_echo_and_close(const char *path, int64_t count) {
    for (int64_t done = 0; done < count; done++) {
        int64_t server = connect_and_ask(path);
        if (server < 0) return server;
        close((int)server);
    }
    return count;
}

int64_t cb_connect_and_stay(const char *path, int64_t count) {
    for (int64_t done = 0; done < count; done++) {
        int64_t server = connect_and_ask(path);
        if (server < 0) return server;
    }
    return count;
}
