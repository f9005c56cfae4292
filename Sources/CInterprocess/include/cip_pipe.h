// SPDX-License-Identifier: MIT OR Apache-2.0
// Pipes and FIFOs: calls that can say "do not wait" on a description that others may share, a private description where
// one can be had, and writing that never raises SIGPIPE.
#ifndef CIP_PIPE_H
#define CIP_PIPE_H

#include "cip_base.h"

CIP_BEGIN

/// pipe2(2): ends[0] receives, ends[1] sends.
int64_t cip_pipe(int64_t *ends);

/// fcntl(2) F_GETPIPE_SZ and F_SETPIPE_SZ, in bytes; ENOSYS where pipes have no size to set.
int64_t cip_pipe_capacity(int64_t descriptor);
int64_t cip_set_pipe_capacity(int64_t descriptor, int64_t bytes);

/// Reads what is there and never waits: EAGAIN when the pipe is empty, 0 when it is empty and no sender is left.
/// preadv2(2) with RWF_NOWAIT, which Linux 6.4 and later take on what pipe2(2) made; elsewhere read(2) in nonblocking
/// mode, or poll(2) and read(2), which can wait if another reader is faster.
int64_t cip_pipe_read(int64_t descriptor, void *buffer, size_t count);
/// The same into several pieces of memory.
int64_t cip_pipe_read_pieces(int64_t descriptor, const struct cip_buffer *pieces, size_t count);

/// read(2): waits as the descriptor's own mode says.
int64_t cip_read(int64_t descriptor, void *buffer, size_t count);
/// The same into several pieces of memory: readv(2).
int64_t cip_read_pieces(int64_t descriptor, const struct cip_buffer *pieces, size_t count);

/// Writes what fits and never waits: EAGAIN when nothing does. EPIPE is an error and never a signal. pwritev2(2) with
/// RWF_NOWAIT, as for reading, which a private description, being in nonblocking mode, does not need; elsewhere after
/// poll(2), which can wait if another writer is faster. And with RWF_NOSIGNAL; where the kernel has no such flag,
/// SIGPIPE is blocked on this thread for the call and taken if the call raised it; F_SETNOSIGPIPE on Darwin.
int64_t cip_pipe_write(int64_t descriptor, const void *buffer, size_t count, bool is_private);
/// The same from several pieces of memory.
int64_t cip_pipe_write_pieces(
    int64_t descriptor, const struct cip_buffer *pieces, size_t count, bool is_private
);

/// Opens a pipe's end once more, the same way but in nonblocking mode: a description that nobody else holds.
/// open(2) of /proc/thread-self/fd. EACCES where the pipe's mode forbids it, ENXIO for the sending end of a FIFO that
/// nobody has open to receive, EINVAL for a pipe of packets (O_DIRECT), ENOENT without /proc; ENOSYS on systems where
/// opening /dev/fd only duplicates.
int64_t cip_pipe_reopen(int64_t descriptor);

/// Opens the folder of this process's descriptors, by which a pipe's sending end can be had where only the receiving
/// end is: /proc/self/fd on Linux, ENOSYS elsewhere.
int64_t cip_open_own_descriptors(void);

/// Lets this process open a pipe's other end by that folder even when it has changed its user, or no more than its user
/// may. A pipe's mode counts for nothing else.
int64_t cip_pipe_set_reopening(int64_t descriptor, bool allowed);

/// Ends a call of read(2) that waits on this receiving end, by sending it a byte. Only for the last user of a pipe
/// whose receiving end nobody else holds: whatever is in it is about to be thrown away.
int64_t cip_pipe_wake_reader(int64_t folder, int64_t descriptor);

CIP_END

#endif
