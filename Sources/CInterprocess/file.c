// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX
#include <stdio.h>
#include <sys/file.h>

static int at(int64_t directory) { return directory == CIP_NO_DIRECTORY ? AT_FDCWD : (int)directory; }

int64_t cip_file_status(int64_t directory, const char *path, struct cip_file_status *status) {
    struct stat found;
    if (fstatat(at(directory), path, &found, AT_SYMLINK_NOFOLLOW) < 0) return -(int64_t)errno;
    cip_fill_status(status, &found);
    return 0;
}

int64_t cip_unlink(int64_t directory, const char *path) { return cip_result(unlinkat(at(directory), path, 0)); }

int64_t cip_rename(int64_t directory, const char *from, const char *to) {
    return cip_result(renameat(at(directory), from, at(directory), to));
}

int64_t cip_make_directory(const char *path, uint32_t mode) { return cip_result(mkdir(path, (mode_t)mode)); }

int64_t cip_change_descriptor_mode(int64_t descriptor, uint32_t mode) {
    return cip_result(fchmod((int)descriptor, (mode_t)mode));
}

int64_t cip_change_file_mode(int64_t directory, const char *path, uint32_t mode) {
    if (fchmodat(at(directory), path, (mode_t)mode, AT_SYMLINK_NOFOLLOW) == 0) return 0;
    if (errno != ENOTSUP && errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) return -(int64_t)errno;
    // A C library that cannot do it (or needs a /proc that is not there): look first.
    struct stat found;
    if (fstatat(at(directory), path, &found, AT_SYMLINK_NOFOLLOW) < 0) return -(int64_t)errno;
    if (S_ISLNK(found.st_mode)) return -ELOOP;
    return cip_result(fchmodat(at(directory), path, (mode_t)mode, 0));
}

int64_t cip_open_directory(const char *path) {
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
#if defined(O_PATH)
    if (descriptor < 0 && errno == EACCES) descriptor = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
#elif defined(O_SEARCH)
    if (descriptor < 0 && errno == EACCES) descriptor = open(path, O_SEARCH | O_DIRECTORY | O_CLOEXEC);
#endif
    return cip_result(descriptor);
}

int64_t cip_try_lock(int64_t descriptor) { return cip_result(flock((int)descriptor, LOCK_EX | LOCK_NB)); }
int64_t cip_unlock(int64_t descriptor) { return cip_result(flock((int)descriptor, LOCK_UN)); }

int64_t cip_make_fifo(int64_t directory, const char *path, uint32_t mode) {
    struct stat made;
    if (mkfifoat(at(directory), path, (mode_t)mode) < 0) return -(int64_t)errno;
    // The umask may have taken bits away: give them back, if it still is what was made. Failing that, leave nothing
    // behind.
    if (fstatat(at(directory), path, &made, AT_SYMLINK_NOFOLLOW) < 0) return -(int64_t)errno;
    if (!S_ISFIFO(made.st_mode) || made.st_uid != geteuid()) return -EEXIST;
    if ((made.st_mode & 07777) == (mode_t)mode) return 0;
    int64_t result = cip_change_file_mode(directory, path, mode);
    if (result < 0) unlinkat(at(directory), path, 0);
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
