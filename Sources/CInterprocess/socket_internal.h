// SPDX-License-Identifier: MIT OR Apache-2.0
// What the socket files share.
#ifndef CIP_SOCKET_INTERNAL_H
#define CIP_SOCKET_INTERNAL_H

#include <sys/socket.h>

// Darwin says it once for each descriptor, by F_SETNOSIGPIPE: see cip_adopt.
#if defined(MSG_NOSIGNAL)
#define CIP_NO_SIGNAL MSG_NOSIGNAL
#else
#define CIP_NO_SIGNAL 0
#endif

#endif
