// SPDX-License-Identifier: MIT OR Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "CBenchmark.h"

#if defined(__linux__)
#include "waiting.h"

struct line {
    int socket;
    // Of the message that is under way.
    size_t missing;
};

static int64_t open_lines(int poller, const char *path, struct line *lines, int64_t connections) {
    for (int64_t place = 0; place < connections; place++) {
        int64_t socket = cb_connect(path);
        if (socket < 0) return socket;
        lines[place].socket = (int)socket;
        int64_t result = watch(poller, (int)socket, (epoll_data_t){.ptr = &lines[place]});
        if (result < 0) return result;
    }
    return 0;
}

static int64_t ask(struct line *line, const uint8_t *memory, size_t size) {
    line->missing = size;
    return send_now(line->socket, memory, size);
}

// Messages go on until the last measured one has come back; then those that are still under way are waited for, so that
// the server is left with none. Returns how long the measured ones took.
static int64_t load(
    int poller, struct line *lines, int64_t connections, size_t size, int64_t warm_up, int64_t count
) {
    static uint8_t memory[64 << 10];
    struct epoll_event events[EVENTS];
    int64_t start = 0, elapsed = 0, done = 0, under_way = connections, result = 0;
    for (int64_t place = 0; place < connections; place++) {
        result = ask(&lines[place], memory, size);
        if (result < 0) return result;
    }
    while (under_way > 0) {
        int64_t ready = wait_for_events(poller, events);
        if (ready < 0) return ready;
        for (int64_t place = 0; place < ready; place++) {
            struct line *line = events[place].data.ptr;
            int64_t received = receive_now(line->socket, memory, line->missing);
            if (received <= 0) return received < 0 ? received : -EPIPE;
            line->missing -= (size_t)received;
            if (line->missing > 0) continue;
            done++;
            if (done == warm_up) start = cb_now();
            if (done == warm_up + count) elapsed = cb_now() - start;
            if (done < warm_up + count) result = ask(line, memory, size);
            else under_way--;
            if (result < 0) return result;
        }
    }
    return elapsed;
}

int64_t cb_epoll_load(const char *path, int64_t connections, size_t size, int64_t warm_up, int64_t count) {
    if (size > 64 << 10 || warm_up < 1 || connections < 1) return -EINVAL;
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0) return -(int64_t)errno;
    struct line *lines = malloc((size_t)connections * sizeof *lines);
    int64_t result = lines ? 0 : -ENOMEM;
    for (int64_t place = 0; lines && place < connections; place++) lines[place].socket = -1;
    if (result >= 0) result = open_lines(poller, path, lines, connections);
    if (result >= 0) result = load(poller, lines, connections, size, warm_up, count);
    for (int64_t place = 0; lines && place < connections; place++) {
        if (lines[place].socket >= 0) close(lines[place].socket);
    }
    free(lines);
    close(poller);
    return result;
}
#else
int64_t cb_epoll_load(const char *path, int64_t connections, size_t size, int64_t warm_up, int64_t count) {
    return (void)path, (void)connections, (void)size, (void)warm_up, (void)count, -ENOSYS;
}
#endif
