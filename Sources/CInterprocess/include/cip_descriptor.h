// SPDX-License-Identifier: MIT OR Apache-2.0
// What any descriptor can do, and waiting.
#ifndef CIP_DESCRIPTOR_H
#define CIP_DESCRIPTOR_H

#include "cip_base.h"

CIP_BEGIN

/// close(2). Never to be retried: after EINTR the number may be somebody else's.
int64_t cip_close(int64_t descriptor);

/// fcntl(2) F_DUPFD_CLOEXEC: another number for the same open file description.
int64_t cip_duplicate(int64_t descriptor);

/// fcntl(2) F_SETFD: whether programs started by exec keep the descriptor.
int64_t cip_set_inheritable(int64_t descriptor, bool inheritable);

/// Makes a descriptor from outside what those made here are: close-on-exec, and silent (F_SETNOSIGPIPE) where the flags
/// of the single calls do not see to that.
int64_t cip_adopt(int64_t descriptor);

/// Sets or clears O_NONBLOCK, which every holder of the open file description sees. ioctl(2) FIONBIO: of sockets and
/// pipes the same as fcntl(2) F_SETFL on every system, in one call, and without touching the other flags.
int64_t cip_set_nonblocking(int64_t descriptor, bool nonblocking);

/// What a file is: of fstat(2) for a descriptor, of lstat(2) for a path.
enum { CIP_KIND_OTHER = 0, CIP_KIND_FIFO = 1, CIP_KIND_SOCKET = 2, CIP_KIND_DIRECTORY = 3 };

/// Identifies a file for as long as it exists.
struct cip_file_status {
    uint64_t device;
    uint64_t inode;
    int64_t kind;
    uint32_t mode;   // permission bits only
    uint32_t owner;  // user id
};

/// fstat(2).
int64_t cip_descriptor_status(int64_t descriptor, struct cip_file_status *status);

/// Whether the descriptor was opened for reading (1), for writing (2), or both (3): fcntl(2) F_GETFL.
int64_t cip_access_mode(int64_t descriptor);

// A wake: a counter of signals that is readable while it is not zero, so that another thread can end a poll. An eventfd
// where there is one, else a pipe; both descriptors are packed in the one number.

/// A new wake, or a negated error.
int64_t cip_wake_create(void);
/// Adds a signal.
int64_t cip_wake_signal(int64_t wake);
/// Takes a signal away; EAGAIN if there is none.
int64_t cip_wake_take(int64_t wake);
/// Closes the wake's descriptors.
void cip_wake_destroy(int64_t wake);

enum { CIP_READABLE = 1, CIP_WRITABLE = 2 };
enum { CIP_POLL_READY = 1, CIP_POLL_WOKEN = 2 };

/// Waits until the descriptor is ready for `interest` (or has failed: then the next call on it tells), until the wake
/// (-1: none) is signalled, or until `nanoseconds` have passed (-1: without limit); a descriptor of -1 is left out.
/// A wake can stand in the place of the descriptor, too.
/// Returns CIP_POLL_ bits, or 0 when the time is over. ppoll(2), or poll(2) with milliseconds rounded up.
int64_t cip_poll(int64_t descriptor, int64_t interest, int64_t wake, int64_t nanoseconds);

CIP_END

#endif
