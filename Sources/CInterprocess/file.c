// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

int64_t cip_path_status(const char *path, struct cip_file_status *status) {
    struct stat found;
    if (lstat(path, &found) < 0) return -(int64_t)errno;
    cip_fill_status(status, &found);
    return 0;
}

int64_t cip_unlink(const char *path) { return cip_result(unlink(path)); }
int64_t cip_rename(const char *from, const char *to) { return cip_result(rename(from, to)); }
int64_t cip_make_directory(const char *path, uint32_t mode) { return cip_result(mkdir(path, (mode_t)mode)); }

int64_t cip_change_descriptor_mode(int64_t descriptor, uint32_t mode) {
    return cip_result(fchmod((int)descriptor, (mode_t)mode));
}

int64_t cip_change_path_mode(const char *path, uint32_t mode) {
    if (fchmodat(AT_FDCWD, path, (mode_t)mode, AT_SYMLINK_NOFOLLOW) == 0) return 0;
    if (errno != ENOTSUP && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) return -(int64_t)errno;
    // A C library that cannot do it (or needs a /proc that is not there): look first.
    struct stat found;
    if (lstat(path, &found) < 0) return -(int64_t)errno;
    if (S_ISLNK(found.st_mode)) return -ELOOP;
    return cip_result(chmod(path, (mode_t)mode));
}

int64_t cip_current_directory(char *path, size_t capacity) {
    return getcwd(path, capacity) == NULL ? -(int64_t)errno : (int64_t)strlen(path);
}

int64_t cip_open_directory(const char *path) { return cip_result(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }

int64_t cip_try_lock(int64_t descriptor) { return cip_result(flock((int)descriptor, LOCK_EX | LOCK_NB)); }

int64_t cip_make_fifo(const char *path, uint32_t mode) {
    struct stat made;
    if (mkfifo(path, (mode_t)mode) < 0) return -(int64_t)errno;
    // The umask may have taken bits away: give them back. Failing that, leave nothing behind.
    if (lstat(path, &made) == 0 && (made.st_mode & 07777) == (mode_t)mode) return 0;
    int64_t result = cip_change_path_mode(path, mode);
    if (result < 0) unlink(path);
    return result;
}

int64_t cip_open_fifo(const char *path, bool to_receive) {
    struct stat found;
    // Looked at first, so that no device is opened for the mere question, and again once open.
    if (stat(path, &found) < 0) return -(int64_t)errno;
    if (!S_ISFIFO(found.st_mode)) return -EINVAL;
    int descriptor = open(path, (to_receive ? O_RDONLY : O_WRONLY) | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) return -(int64_t)errno;
    if (fstat(descriptor, &found) == 0 && S_ISFIFO(found.st_mode)) return cip_complete_new(descriptor);
    close(descriptor);
    return -EINVAL;
}
#endif
