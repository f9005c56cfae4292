// SPDX-License-Identifier: MIT OR Apache-2.0
// The files that sockets and FIFOs are found by. Paths are C strings.
#ifndef CIP_FILE_H
#define CIP_FILE_H

#include "cip_base.h"
#include "cip_descriptor.h"

CIP_BEGIN

/// lstat(2).
int64_t cip_path_status(const char *path, struct cip_file_status *status);
/// unlink(2), rename(2), mkdir(2).
int64_t cip_unlink(const char *path);
int64_t cip_rename(const char *from, const char *to);
int64_t cip_make_directory(const char *path, uint32_t mode);
/// fchmod(2), which for a socket not yet bound sets the mode of its file, less the umask (where cip_mode_before_bind).
int64_t cip_change_descriptor_mode(int64_t descriptor, uint32_t mode);
/// fchmodat(2) that does not follow a symbolic link.
int64_t cip_change_path_mode(const char *path, uint32_t mode);
/// getcwd(3); returns the length, ERANGE if it does not fit.
int64_t cip_current_directory(char *path, size_t capacity);

/// open(2) of a directory, to lock or to name files in.
int64_t cip_open_directory(const char *path);
/// flock(2) LOCK_EX | LOCK_NB: EAGAIN when somebody else holds it; released by close.
int64_t cip_try_lock(int64_t descriptor);

/// mkfifo(3) with a mode that no umask narrows: the FIFO is made with no more than `mode`, then given exactly it.
int64_t cip_make_fifo(const char *path, uint32_t mode);
/// open(2) with O_NONBLOCK, refusing (EINVAL) what is no FIFO.
int64_t cip_open_fifo(const char *path, bool to_receive);

CIP_END

#endif
