// SPDX-License-Identifier: MIT OR Apache-2.0
// What the socket files share.
#ifndef CIP_SOCKET_INTERNAL_H
#define CIP_SOCKET_INTERNAL_H

#include <sys/socket.h>
#include <sys/un.h>

// Darwin says it once for each descriptor, by F_SETNOSIGPIPE: see cip_adopt.
#if defined(MSG_NOSIGNAL)
#define CIP_NO_SIGNAL MSG_NOSIGNAL
#else
#define CIP_NO_SIGNAL 0
#endif

// What of a message says who has sent it.
#if CIP_LINUX
#define CIP_CREDENTIALS_SPACE CMSG_SPACE(sizeof(struct ucred))
#else
#define CIP_CREDENTIALS_SPACE 0
#endif

// Takes what came beside a message's bytes; what is not wanted, or has no room, is closed. Returns the number of
// descriptors that were stored.
size_t cip_take_items(struct msghdr *header, struct cip_message *message);

// Between the bytes of sun_path and what the calls take: returns the length that counts, or a negated error.
int64_t cip_fill_address(struct sockaddr_un *to, const uint8_t *address, size_t length);
// The other way; returns the number of bytes.
size_t cip_take_address(const struct sockaddr_un *from, socklen_t size, uint8_t *address);

#endif
