// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX
#include <string.h>
#include <sys/socket.h>

#include "socket_internal.h"

// Of <linux/socket.h>, for C libraries whose headers are older than the kernel.
#if CIP_LINUX && !defined(SCM_PIDFD)
#define SCM_PIDFD 0x04
#endif

// Room for the most descriptors that one message can carry, credentials and a pidfd, aligned as headers must be.
union control {
    struct cmsghdr alignment;
    char space[CMSG_SPACE(CIP_MAXIMUM_DESCRIPTORS * sizeof(int)) + CIP_CREDENTIALS_SPACE + CMSG_SPACE(sizeof(int))];
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
    struct sockaddr_un to;
    if (message->descriptor_count > CIP_MAXIMUM_DESCRIPTORS) return -EINVAL;
    if (message->address_length > 0) {
        int64_t total = cip_fill_address(&to, message->address, message->address_length);
        if (total < 0) return total;
        header.msg_name = &to;
        header.msg_namelen = (socklen_t)total;
    }
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
    int flags = CIP_NO_SIGNAL | (wait ? 0 : MSG_DONTWAIT);
    if (header.msg_control == NULL && header.msg_name == NULL && message->buffer_count == 1) {
        // The same with less for the kernel to copy.
        return cip_result(send((int)descriptor, message->buffers->base, message->buffers->count, flags));
    }
    return cip_result(sendmsg((int)descriptor, &header, flags));
}

// What is copied together in less time than the kernel takes to look at two pieces of memory.
enum { CIP_SMALL_PACKET = 512 };

int64_t cip_send_packet(int64_t descriptor, uint64_t head, const void *bytes, size_t count, bool wait) {
    int flags = CIP_NO_SIGNAL | (wait ? 0 : MSG_DONTWAIT);
    if (count <= CIP_SMALL_PACKET) {
        char packet[sizeof head + CIP_SMALL_PACKET];
        memcpy(packet, &head, sizeof head);
        if (count > 0 && bytes != NULL) memcpy(packet + sizeof head, bytes, count);
        return cip_result(send((int)descriptor, packet, sizeof head + count, flags));
    }
    struct iovec parts[] = {{&head, sizeof head}, {(void *)bytes, count}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    return cip_result(sendmsg((int)descriptor, &header, flags));
}

// Takes over the descriptors of one SCM_RIGHTS item: kept while there is room, else closed and told.
static void take_descriptors(struct cip_message *message, size_t *taken, struct cmsghdr *item, size_t size) {
    for (size_t index = 0; index < size / sizeof(int); index++) {
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

// What the control buffer has room for: no more than what is wanted, for without room for them the kernel makes no
// descriptors of what a peer sends unasked, or no more than fit the room for something else that does not come.
static size_t control_space(const struct cip_message *message) {
    if (message->descriptor_count > 0) return sizeof(union control);
    return (message->has_credentials ? CIP_CREDENTIALS_SPACE : 0) +
           (CIP_LINUX && message->has_process ? CMSG_SPACE(sizeof(int)) : 0);
}

static bool take_credentials(struct cip_credentials *credentials, struct cmsghdr *item, size_t size) {
#if CIP_LINUX
    struct ucred sender;
    if (item->cmsg_type != SCM_CREDENTIALS || size < sizeof sender) return false;
    memcpy(&sender, CMSG_DATA(item), sizeof sender);
    credentials->process = sender.pid > 0 ? sender.pid : -1;
    credentials->user = sender.uid;
    credentials->group = sender.gid;
    return true;
#else
    return (void)credentials, (void)item, (void)size, false;
#endif
}

// The socket may have been set to tell of processes by whoever had it before: what nobody wants is closed.
static void take_process(struct cip_message *message, struct cmsghdr *item, size_t size, bool is_wanted) {
#if CIP_LINUX
    int process;
    if (item->cmsg_type != SCM_PIDFD || size < sizeof process) return;
    memcpy(&process, CMSG_DATA(item), sizeof process);
    if (!is_wanted || message->has_process) {
        if (process >= 0) close(process);
        return;
    }
    // An error code in its place: the sender has ended, or there was no free number.
    if (process == -EMFILE || process == -ENFILE) message->descriptors_lost = true;
    message->process = process;
    message->has_process = process >= 0;
#else
    (void)message, (void)item, (void)size, (void)is_wanted;
#endif
}

// How many bytes of an item there are: where it did not fit, Linux tells what is left of it, and Darwin what it was.
static size_t item_size(const struct msghdr *header, struct cmsghdr *item) {
    const char *data = (const char *)CMSG_DATA(item), *end = (const char *)header->msg_control + header->msg_controllen;
    size_t present = data < end ? (size_t)(end - data) : 0, told = item->cmsg_len - CMSG_LEN(0);
    return told < present ? told : present;
}

size_t cip_take_items(struct msghdr *header, struct cip_message *message) {
    bool wants_process = message->has_process;
    size_t taken = 0;
    message->has_credentials = message->has_process = false;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(header); item != NULL; item = CMSG_NXTHDR(header, item)) {
        // Nothing tells where the next one begins.
        if (item->cmsg_len < CMSG_LEN(0)) break;
        if (item->cmsg_level != SOL_SOCKET) continue;
        size_t size = item_size(header, item);
        if (item->cmsg_type == SCM_RIGHTS) take_descriptors(message, &taken, item, size);
        if (take_credentials(&message->credentials, item, size)) message->has_credentials = true;
        take_process(message, item, size, wants_process);
    }
    return taken;
}

// Closes everything that came with a message which lacks something.
static void discard(struct cip_message *message, size_t *taken) {
    while (*taken > 0) close((int)message->descriptors[--*taken]);
    if (message->has_process) close((int)message->process);
    message->has_process = false;
}

static size_t room(const struct cip_message *message) {
    size_t total = 0;
    for (size_t index = 0; index < message->buffer_count; index++) total += message->buffers[index].count;
    return total;
}

static int64_t receive(int64_t descriptor, struct cip_message *message, bool wait) {
    union control control;
    struct sockaddr_un from;
    struct msghdr header = {
        .msg_iov = (struct iovec *)(void *)message->buffers,
        .msg_iovlen = message->buffer_count,
        .msg_controllen = control_space(message),
    };
    if (header.msg_controllen > 0) header.msg_control = &control;
    if (message->address != NULL) {
        header.msg_name = &from;
        header.msg_namelen = sizeof from;
    }
    message->descriptors_lost = message->descriptors_truncated = false;
    bool is_complete = header.msg_controllen == sizeof control;
    int flags = wait ? 0 : MSG_DONTWAIT;
#if CIP_HAS_ATOMIC_CLOEXEC
    flags |= MSG_CMSG_CLOEXEC;
#endif
    if (CIP_LINUX && message->is_measured) flags |= MSG_TRUNC;
    int64_t result = cip_result(recvmsg((int)descriptor, &header, flags));
    // So the BSDs and Darwin say that descriptors came for which there was no free number.
    if (!CIP_LINUX && result == -EMSGSIZE) return -EMFILE;
    if (result < 0) return result;
    message->truncated = (header.msg_flags & MSG_TRUNC) != 0;
    message->size = (size_t)result;
    if (message->truncated && CIP_LINUX && message->is_measured) result = (int64_t)room(message);
    size_t taken = cip_take_items(&header, message);
    if (header.msg_flags & MSG_CTRUNC) {
        // Where there was room for all that a message can carry, what lacked was free numbers.
        if (CIP_LINUX && is_complete) message->descriptors_lost = true;
        else message->descriptors_truncated = true;
    }
    if (message->descriptors_lost) discard(message, &taken);
    message->descriptor_count = taken;
    if (message->address != NULL) {
        message->address_length = header.msg_namelen > 0 ? cip_take_address(&from, header.msg_namelen, message->address) : 0;
    }
    return result;
}

int64_t cip_receive_message(int64_t descriptor, struct cip_message *message, bool wait) {
    // A call that waits must not keep others from forking meanwhile.
    bool makes_descriptors = !wait && message->descriptor_count > 0;
    if (makes_descriptors) cip_hold_forks();
    int64_t result = receive(descriptor, message, wait);
    if (makes_descriptors) cip_let_fork();
    return result;
}

int64_t cip_peek(int64_t descriptor, struct cip_buffer *buffers, size_t buffer_count) {
    struct msghdr header = {.msg_iov = (struct iovec *)(void *)buffers, .msg_iovlen = buffer_count};
    return cip_result(recvmsg((int)descriptor, &header, MSG_PEEK | MSG_DONTWAIT));
}

int64_t cip_next_size(int64_t descriptor) {
#if CIP_LINUX
    char nothing;
    return cip_result(recv((int)descriptor, &nothing, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT));
#else
    return (void)descriptor, -ENOTSUP;
#endif
}
#endif
