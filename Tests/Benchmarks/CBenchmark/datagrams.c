// SPDX-License-Identifier: MIT OR Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "CBenchmark.h"

#if defined(__linux__)
struct batch {
    struct mmsghdr headers[CB_DATAGRAMS];
    struct iovec pieces[CB_DATAGRAMS];
};

// `step` is how far one datagram's memory is from the next one's.
static unsigned fill(struct batch *batch, uint8_t *memory, size_t size, size_t step, int64_t left) {
    unsigned count = left < CB_DATAGRAMS ? (unsigned)left : CB_DATAGRAMS;
    for (unsigned place = 0; place < count; place++) {
        batch->pieces[place] = (struct iovec){.iov_base = memory + place * step, .iov_len = size};
        struct msghdr *header = &batch->headers[place].msg_hdr;
        memset(header, 0, sizeof *header);
        header->msg_iov = &batch->pieces[place];
        header->msg_iovlen = 1;
    }
    return count;
}

int64_t cb_send_datagrams(int32_t socket, uint8_t *memory, size_t size, int64_t count) {
    struct batch batch;
    for (int64_t done = 0; done < count;) {
        int sent = sendmmsg(socket, batch.headers, fill(&batch, memory, size, 0, count - done), MSG_NOSIGNAL);
        if (sent >= 0) done += sent;
        else if (errno != EINTR) return -(int64_t)errno;
    }
    return count;
}

int64_t cb_receive_datagrams(int32_t socket, uint8_t *memory, size_t size, int64_t count) {
    struct batch batch;
    for (int64_t done = 0; done < count;) {
        unsigned room = fill(&batch, memory, size, size, count - done);
        int received = recvmmsg(socket, batch.headers, room, MSG_WAITFORONE, NULL);
        if (received < 0 && errno != EINTR) return -(int64_t)errno;
        for (int place = 0; place < received; place++) {
            if (batch.headers[place].msg_len != size) return -EMSGSIZE;
        }
        if (received > 0) done += received;
    }
    return count;
}
#else
int64_t cb_send_datagrams(int32_t socket, uint8_t *memory, size_t size, int64_t count) {
    (void)socket, (void)memory, (void)size, (void)count;
    return -ENOSYS;
}

int64_t cb_receive_datagrams(int32_t socket, uint8_t *memory, size_t size, int64_t count) {
    (void)socket, (void)memory, (void)size, (void)count;
    return -ENOSYS;
}
#endif
