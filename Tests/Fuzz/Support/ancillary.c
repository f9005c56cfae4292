// SPDX-License-Identifier: MIT OR Apache-2.0
//
// message.c once more, in front of a kernel that is made up: what came beside a message is what the input says, be it what
// no kernel says. Descriptors are numbers that no process has, and each has to be handed over or closed, once.
#include "platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fuzz.h"

static ssize_t made_up_recvmsg(int descriptor, struct msghdr *header, int flags);
static int counted_close(int descriptor);

// The functions of the other one are in the same program.
#define cip_send_message fuzzed_send_message
#define cip_send_packet fuzzed_send_packet
#define cip_take_items fuzzed_take_items
#define cip_receive_message fuzzed_receive_message
#define cip_peek fuzzed_peek
#define cip_next_size fuzzed_next_size
#define recvmsg made_up_recvmsg
#define close counted_close
#include "message.c"
#undef close
#undef recvmsg

enum { FIRST_NUMBER = 100000, MOST_NUMBERS = 1024 };

// What is left of the input, and what became of the descriptors.
static struct {
    const uint8_t *bytes;
    size_t count;
    int made;
    uint8_t seen[MOST_NUMBERS];
    // Where the items are but bytes, their numbers mean nothing.
    bool is_noise;
} input;

static void die(const char *what) {
    fprintf(stderr, "found: %s\n", what);
    abort();
}

static uint8_t take_byte(void) {
    if (input.count == 0) return 0;
    input.count--;
    return *input.bytes++;
}

static size_t take_number(void) {
    size_t low = take_byte();
    return low | (size_t)take_byte() << 8;
}

static void see(int64_t number) {
    if (input.is_noise) return;
    if (number < FIRST_NUMBER || number >= FIRST_NUMBER + input.made) die("a descriptor that nobody has made");
    if (input.seen[number - FIRST_NUMBER]++ > 0) die("a descriptor is handed over, or closed, twice");
}

static int counted_close(int descriptor) { return see(descriptor), 0; }

static const struct {
    int level, type;
} kinds[] = {
    {SOL_SOCKET, SCM_RIGHTS}, {SOL_SOCKET, SCM_CREDENTIALS}, {SOL_SOCKET, SCM_PIDFD}, {SOL_SOCKET, SCM_TIMESTAMP}, {41, SCM_RIGHTS},
};

// Writes an item, of which the end may be missing; returns how much room it has taken.
static size_t put_item(char *to, size_t room) {
    uint8_t kind = take_byte();
    size_t index = kind % (sizeof kinds / sizeof *kinds), size = take_byte();
    struct cmsghdr head = {.cmsg_level = kinds[index].level, .cmsg_type = kinds[index].type};
    char data[256] = {0};
    bool is_rights = index == 0, is_process = index == 2;
    if (is_process) size = sizeof(int);
    size_t present = size < room - CMSG_LEN(0) ? size : room - CMSG_LEN(0);
    for (size_t at = 0; at < size; at++) data[at] = (char)(at * 7);
    // The kernel makes those alone for which there is room.
    for (size_t at = 0; (is_rights || is_process) && at + sizeof(int) <= present; at += sizeof(int)) {
        int number = is_process && kind >= 128 ? -1 - (int)take_byte() : FIRST_NUMBER + input.made++;
        memcpy(data + at, &number, sizeof number);
    }
    // Linux says what is left of it, Darwin what it was.
    head.cmsg_len = CMSG_LEN(kind % 2 == 0 ? present : size);
    memcpy(to, &head, sizeof head);
    memcpy(to + CMSG_LEN(0), data, present);
    size_t total = CMSG_SPACE(present);
    return total < room ? total : room;
}

static ssize_t made_up_recvmsg(int descriptor, struct msghdr *header, int flags) {
    (void)descriptor, (void)flags;
    uint8_t form = take_byte();
    char *control = header->msg_control;
    size_t room = header->msg_controllen, used = 0, left = 0;
    if (form % 8 == 7) return errno = form % 16 == 7 ? EAGAIN : EMSGSIZE, -1;
    for (size_t index = 0; index < (size_t)header->msg_iovlen; index++) {
        memset(header->msg_iov[index].iov_base, form, header->msg_iov[index].iov_len);
        left += header->msg_iov[index].iov_len;
    }
    // Longer than the room for it, where the kernel has cut it off.
    size_t length = take_byte();
    for (size_t at = 0; header->msg_name != NULL && at < length && at < header->msg_namelen; at++)
        ((uint8_t *)header->msg_name)[at] = at < sizeof(sa_family_t) ? AF_UNIX : take_byte();
    if (header->msg_name != NULL) header->msg_namelen = (socklen_t)length;
    size_t result = take_number();
    header->msg_flags = (form & 8 ? MSG_CTRUNC : 0) | (result > left ? MSG_TRUNC : 0);
    if (result > left && !(flags & MSG_TRUNC)) result = left;
    input.is_noise = form & 16;
    while (input.is_noise && used < room && input.count > 0) control[used++] = (char)take_byte();
    while (!input.is_noise && input.count > 0 && room - used >= CMSG_LEN(0) && input.made < MOST_NUMBERS / 2)
        used += put_item(control + used, room - used);
    header->msg_controllen = used;
    return (ssize_t)result;
}

void fuzz_receive(const uint8_t *bytes, size_t count) {
    memset(&input, 0, sizeof input);
    input.bytes = bytes;
    input.count = count;
    uint8_t wishes = take_byte();
    size_t room = take_byte();
    // Each with nothing behind it that may be written.
    char *memory = malloc(64);
    int64_t *numbers = malloc(room * sizeof *numbers);
    uint8_t *address = malloc((size_t)cip_address_capacity());
    if (memory == NULL || numbers == NULL || address == NULL) die("no memory");
    struct cip_buffer buffers[] = {{memory, 24}, {memory + 24, 40}};
    struct cip_message message = {
        .buffers = buffers,
        .buffer_count = 2,
        .descriptors = numbers,
        .descriptor_count = room,
        .address = wishes & 1 ? address : NULL,
        .has_credentials = (wishes & 2) != 0,
        .has_process = (wishes & 4) != 0,
        .is_measured = (wishes & 8) != 0,
    };
    int64_t result = cip_receive_message(0, &message, wishes & 16);
    if (result > 64) die("more came than there is room for");
    if (result >= 0) {
        if (message.descriptor_count > room) die("more descriptors than there is room for");
        if (message.address_length > (size_t)cip_address_capacity()) die("a longer address than there is");
        if (message.descriptors_lost && (message.descriptor_count > 0 || message.has_process))
            die("some descriptors of a message that has lost others");
        if (message.has_process && !(wishes & 4)) die("a process that nobody wants");
        for (size_t index = 0; index < message.descriptor_count; index++) see(numbers[index]);
        if (message.has_process) see(message.process);
        for (int number = 0; number < input.made && !input.is_noise; number++)
            if (input.seen[number] == 0) die("a descriptor is lost");
    }
    free(memory);
    free(numbers);
    free(address);
}

void fuzz_address(const uint8_t *bytes, size_t count) {
    size_t capacity = (size_t)cip_address_capacity();
    uint8_t *taken = malloc(capacity);
    struct sockaddr_un from, to;
    if (taken == NULL) die("no memory");
    if (count == 0) return free(taken);
    // Its length is the kernel's, which may tell of more than it has stored.
    socklen_t size = bytes[0];
    memset(&from, 0x55, sizeof from);
    memcpy(&from, bytes + 1, count - 1 < sizeof from ? count - 1 : sizeof from);
    from.sun_family = AF_UNIX;
    size_t length = cip_take_address(&from, size, taken);
    if (length > capacity) die("a longer address than there is");
    if (length + offsetof(struct sockaddr_un, sun_path) > size && length > 0) die("bytes that are none of the address");
    int64_t total = cip_fill_address(&to, taken, length);
    if (length == 0 ? total != -EINVAL : total != (int64_t)(offsetof(struct sockaddr_un, sun_path) + length))
        die("an address of another length");
    if (length > 0 && memcmp(to.sun_path, from.sun_path, length) != 0) die("an address has changed");
    if (length > 0 && taken[0] != 0 && memchr(taken, 0, length) != NULL) die("a path with a NUL in it");
    uint8_t *again = malloc(capacity);
    if (again == NULL) die("no memory");
    if (length > 0 && (cip_take_address(&to, (socklen_t)total, again) != length || memcmp(taken, again, length) != 0))
        die("an address is not what it was");
    free(again);
    free(taken);
}
