// SPDX-License-Identifier: MIT OR Apache-2.0
// Windows' named pipes. Paths are UTF-16 with a terminator. Defined on Windows alone.
#ifndef CIP_NAMED_PIPE_H
#define CIP_NAMED_PIPE_H

#include "cip_base.h"

CIP_BEGIN

/// The directions in which bytes go, as PIPE_ACCESS_ has them.
enum { CIP_CLIENT_TO_SERVER = 1, CIP_SERVER_TO_CLIENT = 2, CIP_DUPLEX = 3 };

struct cip_named_pipe_options {
    /// CIP_CLIENT_TO_SERVER and so on.
    uint32_t direction;
    /// How many instances there may be at once; 255: any number.
    uint32_t instance_limit;
    /// In bytes.
    uint32_t receive_buffer;
    uint32_t send_buffer;
    /// How long clients wait that leave it to the server, in milliseconds; 0: 50.
    uint32_t default_wait;
    /// Whether what is written stays in messages, and whether this end reads them so.
    bool stores_messages;
    bool reads_messages;
    bool write_through;
    bool accepts_remote_clients;
    bool is_first;
    bool is_inheritable;
    /// A security descriptor; NULL is the system's default.
    const void *CIP_NULLABLE security;
};

/// CreateNamedPipeW: one instance.
int64_t cip_named_pipe_create(const uint16_t *path, const struct cip_named_pipe_options *options);

/// An instance that waits for a client.
struct cip_instance;
/// CreateNamedPipeW and ConnectNamedPipe, which goes on in the background, and resets the event when it begins; it is set
/// when a client has come, also of other instances, and has to outlive this one. Allocates.
int64_t cip_instance_create(
    const uint16_t *path, const struct cip_named_pipe_options *options, int64_t event,
    struct cip_instance *CIP_NULLABLE *CIP_NULLABLE made
);
/// Whether a client has come.
bool cip_instance_is_taken(struct cip_instance *instance);
/// The handle of the connected instance, which is the caller's from then on; WAIT_TIMEOUT while there is no client. One that
/// came and left counts: what it wrote can be read.
int64_t cip_instance_take(struct cip_instance *instance);
/// Closes the instance, unless it was taken; ends the waiting.
void cip_instance_destroy(struct cip_instance *instance);

enum { CIP_ALLOW_ANONYMOUS = 0, CIP_ALLOW_IDENTIFICATION = 1, CIP_ALLOW_IMPERSONATION = 2, CIP_ALLOW_DELEGATION = 3 };

/// CreateFileW of a pipe's client end, which lets the server do with the client's identity what `allowed` says. Does not
/// wait: ERROR_PIPE_BUSY.
int64_t cip_named_pipe_open(const uint16_t *path, bool receives, bool sends, bool reads_messages, int64_t allowed);

/// WaitNamedPipeW: until an instance is free, or ERROR_SEM_TIMEOUT. Blocks, at least a millisecond, and nothing ends it.
int64_t cip_named_pipe_wait(const uint16_t *path, int64_t nanoseconds);

/// GetNamedPipeInfo and GetNamedPipeHandleState, and what else is known of an end.
struct cip_named_pipe_status {
    bool is_server;
    bool stores_messages;
    /// Whether this end reads them so; not known of one that may not receive.
    bool reads_messages;
    uint32_t receive_buffer;
    uint32_t send_buffer;
    uint32_t instance_limit;
};
int64_t cip_named_pipe_status(int64_t handle, struct cip_named_pipe_status *status);

/// SetNamedPipeHandleState: whether reads keep to messages. Waiting is left as it is.
int64_t cip_named_pipe_set_reads_messages(int64_t handle, bool reads_messages);

/// PeekNamedPipe: copies up to `count` bytes without taking them, and returns how many; `available` is how many there are,
/// and `left_in_message` how many of the first message are left beyond those copied.
int64_t cip_named_pipe_peek(
    int64_t handle, void *CIP_NULLABLE buffer, size_t count, size_t *available, size_t *left_in_message
);

/// GetNamedPipeClientProcessId and its like.
int64_t cip_named_pipe_process(int64_t handle, bool of_server);
int64_t cip_named_pipe_session(int64_t handle, bool of_server);

/// ImpersonateNamedPipeClient and RevertToSelf, both for this thread.
int64_t cip_impersonate(int64_t handle);
int64_t cip_revert(void);

/// SetNamedPipeHandleState and the like need a handle that is a pipe: 1 if it is one.
int64_t cip_is_pipe(int64_t handle);

/// NtQueryInformationFile: whether the handle was opened for overlapped operations, without which nothing ends a call that
/// waits. True as well if the system does not tell.
bool cip_is_overlapped(int64_t handle);

CIP_END

#endif
