// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX
#include <string.h>
#include <sys/socket.h>

#include "socket_internal.h"

#if CIP_LINUX || defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__)
#define CIP_HAS_MANY_MESSAGES 1
#else
#define CIP_HAS_MANY_MESSAGES 0
// What the systems that have it call so.
struct mmsghdr {
    struct msghdr msg_hdr;
    unsigned msg_len;
};
#endif

// So many go through one call: more are not faster, and take room on the stack. In the first one go fewer, for queues hold
// 11 on Linux as a rule, and what a call is told of and does not move costs as much as what it moves.
enum { CIP_DATAGRAMS_AT_FIRST = 16, CIP_DATAGRAMS_AT_ONCE = 64 };

static size_t at_once(size_t moved) { return moved == 0 ? CIP_DATAGRAMS_AT_FIRST : CIP_DATAGRAMS_AT_ONCE; }

// What the headers point to.
struct surroundings {
    struct sockaddr_un address;
    union {
        struct cmsghdr alignment;
        char space[CIP_CREDENTIALS_SPACE + 1];
    } control;
};

static int64_t send_some(int descriptor, struct mmsghdr *headers, size_t count, bool wait) {
    int flags = CIP_NO_SIGNAL | (wait ? 0 : MSG_DONTWAIT);
#if CIP_HAS_MANY_MESSAGES
    return cip_result(sendmmsg(descriptor, headers, (unsigned)count, flags));
#else
    size_t sent = 0;
    while (sent < count && sendmsg(descriptor, &headers[sent].msg_hdr, flags) >= 0) sent++;
    return sent > 0 ? (int64_t)sent : -(int64_t)errno;
#endif
}

static int64_t receive_some(int descriptor, struct mmsghdr *headers, size_t count, bool wait) {
#if CIP_HAS_MANY_MESSAGES
    int flags = MSG_CMSG_CLOEXEC | (wait ? MSG_WAITFORONE : MSG_DONTWAIT);
    return cip_result(recvmmsg(descriptor, headers, (unsigned)count, flags, NULL));
#else
    size_t received = 0;
    for (; received < count; received++) {
        ssize_t result = recvmsg(descriptor, &headers[received].msg_hdr, wait && received == 0 ? 0 : MSG_DONTWAIT);
        if (result < 0) break;
        headers[received].msg_len = (unsigned)result;
    }
    return received > 0 ? (int64_t)received : -(int64_t)errno;
#endif
}

int64_t cip_send_datagrams(int64_t descriptor, const struct cip_datagram *datagrams, size_t count, bool wait) {
    struct mmsghdr headers[CIP_DATAGRAMS_AT_ONCE];
    struct sockaddr_un addresses[CIP_DATAGRAMS_AT_ONCE];
    size_t sent = 0;
    while (sent < count) {
        size_t part = 0;
        for (; part < at_once(wait ? count : sent) && sent + part < count; part++) {
            const struct cip_datagram *datagram = &datagrams[sent + part];
            struct msghdr *header = &headers[part].msg_hdr;
            memset(header, 0, sizeof *header);
            header->msg_iov = (struct iovec *)(void *)&datagram->buffer;
            header->msg_iovlen = 1;
            if (datagram->address_length == 0) continue;
            int64_t total = cip_fill_address(&addresses[part], datagram->address, datagram->address_length);
            if (total < 0) return sent > 0 ? (int64_t)sent : total;
            header->msg_name = &addresses[part];
            header->msg_namelen = (socklen_t)total;
        }
        int64_t result = send_some((int)descriptor, headers, part, wait);
        if (result < 0) return sent > 0 ? (int64_t)sent : result;
        sent += (size_t)result;
        if ((size_t)result < part) break;
    }
    return (int64_t)sent;
}

static void take(struct cip_datagram *datagram, struct mmsghdr *from, const struct surroundings *around) {
    struct msghdr *header = &from->msg_hdr;
    datagram->size = from->msg_len;
    datagram->truncated = (header->msg_flags & MSG_TRUNC) != 0;
    datagram->address_length =
        header->msg_namelen > 0 ? cip_take_address(&around->address, header->msg_namelen, datagram->address) : 0;
    // Without credentials there is room for descriptors that somebody has sent: nobody wants them.
    struct cip_message nothing = {0};
    (void)cip_take_items(header, &nothing);
    datagram->has_credentials = nothing.has_credentials;
    datagram->credentials = nothing.credentials;
}

int64_t cip_receive_datagrams(
    int64_t descriptor, struct cip_datagram *datagrams, size_t count, bool tell_senders, bool wait
) {
    struct mmsghdr headers[CIP_DATAGRAMS_AT_ONCE];
    struct surroundings around[CIP_DATAGRAMS_AT_ONCE];
    size_t received = 0;
    while (received < count) {
        size_t part = 0;
        for (; part < at_once(received) && received + part < count; part++) {
            struct msghdr *header = &headers[part].msg_hdr;
            memset(header, 0, sizeof *header);
            header->msg_iov = (struct iovec *)(void *)&datagrams[received + part].buffer;
            header->msg_iovlen = 1;
            if (!tell_senders) continue;
            header->msg_name = &around[part].address;
            header->msg_namelen = sizeof around[part].address;
            header->msg_control = &around[part].control;
            header->msg_controllen = CIP_CREDENTIALS_SPACE;
        }
        int64_t result = receive_some((int)descriptor, headers, part, wait && received == 0);
        if (result < 0) return received > 0 ? (int64_t)received : result;
        for (int64_t index = 0; index < result; index++)
            take(&datagrams[received + (size_t)index], &headers[index], &around[index]);
        received += (size_t)result;
        if ((size_t)result < part) break;
    }
    return (int64_t)received;
}
#endif
