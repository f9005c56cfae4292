// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX
#include <string.h>
#include <sys/socket.h>

#include "socket_internal.h"

#if CIP_LINUX
#define CIP_CREDENTIALS_SIZE sizeof(struct ucred)
#else
#define CIP_CREDENTIALS_SIZE 0
#endif

// Room for the most descriptors that one message can carry, and credentials, aligned as headers must be.
union control {
    struct cmsghdr alignment;
    char space[CMSG_SPACE(CIP_MAXIMUM_DESCRIPTORS * sizeof(int)) + CMSG_SPACE(CIP_CREDENTIALS_SIZE)];
};

// Starts the next item in a zeroed control buffer, and counts it in.
static void *add_item(struct msghdr *header, int type, size_t size) {
    struct cmsghdr *item = (struct cmsghdr *)((char *)header->msg_control + header->msg_controllen);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = type;
    item->cmsg_len = CMSG_LEN(size);
    header->msg_controllen += CMSG_SPACE(size);
    return CMSG_DATA(item);
}

int64_t cip_send_message(int64_t descriptor, const struct cip_message *message, bool wait) {
    union control control;
    struct msghdr header = {.msg_iov = (struct iovec *)(void *)message->buffers, .msg_iovlen = message->buffer_count};
    if (message->descriptor_count > CIP_MAXIMUM_DESCRIPTORS) return -EINVAL;
    if (message->descriptor_count > 0 || message->has_credentials) {
        memset(&control, 0, sizeof control);
        header.msg_control = &control;
    }
    if (message->has_credentials) {
#if CIP_LINUX
        struct ucred own = {
            .pid = (pid_t)message->credentials.process,
            .uid = (uid_t)message->credentials.user,
            .gid = (gid_t)message->credentials.group,
        };
        memcpy(add_item(&header, SCM_CREDENTIALS, sizeof own), &own, sizeof own);
#else
        return -ENOTSUP;
#endif
    }
    if (message->descriptor_count > 0) {
        void *data = add_item(&header, SCM_RIGHTS, message->descriptor_count * sizeof(int));
        for (size_t index = 0; index < message->descriptor_count; index++) {
            int passed = (int)message->descriptors[index];
            memcpy((char *)data + index * sizeof passed, &passed, sizeof passed);
        }
    }
    return cip_result(sendmsg((int)descriptor, &header, CIP_NO_SIGNAL | (wait ? 0 : MSG_DONTWAIT)));
}

// Takes over the descriptors of one SCM_RIGHTS item: kept while there is room, else closed and told.
static void take_descriptors(struct cip_message *message, size_t *taken, struct cmsghdr *item) {
    size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t index = 0; index < count; index++) {
        int passed;
        memcpy(&passed, CMSG_DATA(item) + index * sizeof passed, sizeof passed);
        if (*taken < message->descriptor_count) {
#if !CIP_HAS_ATOMIC_CLOEXEC
            (void)cip_adopt(passed);
#endif
            message->descriptors[(*taken)++] = passed;
        } else {
            close(passed);
            message->descriptors_truncated = true;
        }
    }
}

static int64_t receive(int64_t descriptor, struct cip_message *message, bool wait) {
    union control control;
    struct msghdr header = {
        .msg_iov = (struct iovec *)(void *)message->buffers,
        .msg_iovlen = message->buffer_count,
    };
    // Without room for them, the kernel never makes descriptors of what a peer sends unasked.
    if (message->descriptor_count > 0 || message->has_credentials) {
        header.msg_control = &control;
        header.msg_controllen = sizeof control;
    }
    int flags = wait ? 0 : MSG_DONTWAIT;
#if CIP_HAS_ATOMIC_CLOEXEC
    flags |= MSG_CMSG_CLOEXEC;
#endif
    int64_t result = cip_result(recvmsg((int)descriptor, &header, flags));
    if (result < 0) return result;
    size_t taken = 0;
    message->has_credentials = false;
    message->truncated = (header.msg_flags & MSG_TRUNC) != 0;
    message->descriptors_truncated = (header.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(&header); item != NULL; item = CMSG_NXTHDR(&header, item)) {
        if (item->cmsg_level != SOL_SOCKET) continue;
        if (item->cmsg_type == SCM_RIGHTS) take_descriptors(message, &taken, item);
#if CIP_LINUX
        if (item->cmsg_type == SCM_CREDENTIALS) {
            struct ucred sender;
            memcpy(&sender, CMSG_DATA(item), sizeof sender);
            message->credentials.process = sender.pid;
            message->credentials.user = sender.uid;
            message->credentials.group = sender.gid;
            message->has_credentials = true;
        }
#endif
    }
    message->descriptor_count = taken;
    return result;
}

int64_t cip_receive_message(int64_t descriptor, struct cip_message *message, bool wait) {
    // A call that waits must not keep others from forking meanwhile.
    if (wait || message->descriptor_count == 0) return receive(descriptor, message, wait);
    cip_hold_forks();
    int64_t result = receive(descriptor, message, false);
    cip_let_fork();
    return result;
}

int64_t cip_set_receives_credentials(int64_t descriptor, bool on) {
#if CIP_LINUX
    int value = on;
    return cip_result(setsockopt((int)descriptor, SOL_SOCKET, SO_PASSCRED, &value, sizeof value));
#else
    return (void)descriptor, (void)on, -ENOTSUP;
#endif
}
#endif
