// SPDX-License-Identifier: MIT OR Apache-2.0
// The files that sockets and FIFOs are found by. Paths are C strings, relative to a directory that is held open: whoever
// controls a directory on the way to a file cannot make one call mean another file than the call before.
// CIP_NO_DIRECTORY stands for the current directory, as ever.
#ifndef CIP_FILE_H
#define CIP_FILE_H

#include "cip_base.h"
#include "cip_descriptor.h"

CIP_BEGIN

enum { CIP_NO_DIRECTORY = -1 };

/// fstatat(2) that does not follow a symbolic link.
int64_t cip_file_status(int64_t directory, const char *path, struct cip_file_status *status);
/// unlinkat(2), renameat(2) within the directory, mkdir(2).
int64_t cip_unlink(int64_t directory, const char *path);
int64_t cip_rename(int64_t directory, const char *from, const char *to);
int64_t cip_make_directory(const char *path, uint32_t mode);
/// fchmod(2), which for a socket not yet bound sets the mode of its file, less the umask (where cip_mode_before_bind).
int64_t cip_change_descriptor_mode(int64_t descriptor, uint32_t mode);
/// fchmodat(2) that does not follow a symbolic link.
int64_t cip_change_file_mode(int64_t directory, const char *path, uint32_t mode);
/// open(2) of a directory, to name files in, and to lock if it may be read.
int64_t cip_open_directory(const char *path);
/// flock(2) LOCK_EX | LOCK_NB: EAGAIN when somebody else holds it; released by close.
int64_t cip_try_lock(int64_t descriptor);
/// flock(2) LOCK_UN.
int64_t cip_unlock(int64_t descriptor);

/// mkfifo(3) with a mode that no umask narrows: the FIFO is made with no more than `mode`, then given exactly it.
int64_t cip_make_fifo(int64_t directory, const char *path, uint32_t mode);
/// open(2) with O_NONBLOCK, refusing (EINVAL) what is no FIFO.
int64_t cip_open_fifo(const char *path, bool to_receive);

CIP_END

#endif
