// SPDX-License-Identifier: MIT OR Apache-2.0
// What Windows' handles can do beyond what every descriptor can. All operations are overlapped: a read that waits holds up
// no write, and each wait ends by a wake or in time. Defined on Windows alone.
#ifndef CIP_HANDLE_H
#define CIP_HANDLE_H

#include "cip_base.h"

CIP_BEGIN

/// DuplicateHandle into another process, given by a handle with PROCESS_DUP_HANDLE.
int64_t cip_duplicate_into(int64_t handle, int64_t process);
/// DuplicateHandle out of another process, given in the same way, where the handle is closed by it.
int64_t cip_move_from(int64_t process, int64_t handle);
/// DuplicateHandle, to no other end than to close a handle of another process.
int64_t cip_close_in(int64_t process, int64_t handle);
/// OpenProcess, with PROCESS_DUP_HANDLE.
int64_t cip_process_open(int64_t identifier);
/// GetHandleInformation: whether it is a handle of this process.
bool cip_is_handle(int64_t handle);

/// ReadFile: waits for `nanoseconds` (-1: without limit), or until the wake (-1: none) is signalled; then WAIT_TIMEOUT, and
/// nothing was received. ERROR_MORE_DATA: `received` bytes are the first part of a message.
int64_t cip_handle_read(
    int64_t handle, void *buffer, size_t count, int64_t wake, int64_t nanoseconds, size_t *received
);

/// WriteFile of all bytes, in the same way. When it is ended early, the peer may have got a part of them.
int64_t cip_handle_write(int64_t handle, const void *buffer, size_t count, int64_t wake, int64_t nanoseconds);

/// Writes that need not be waited for: each has a copy of its bytes, which are on their way once they are taken.
struct cip_outbox;
/// Makes one for a handle; allocates.
int64_t cip_outbox_create(struct cip_outbox *CIP_NULLABLE *CIP_NULLABLE made);
/// An event that is set while nothing is on its way; lives as long as the outbox.
int64_t cip_outbox_event(struct cip_outbox *outbox);
/// Takes up to CIP_OUTBOX_CAPACITY bytes, or a `whole` message of any size, and returns how many; WAIT_TIMEOUT while the
/// last ones are on their way; or the error that they have come to.
int64_t cip_outbox_write(struct cip_outbox *outbox, int64_t handle, const void *buffer, size_t count, bool whole);
/// Gives it up before the handle is closed. What is on its way still goes to the peer: the system's thread pool keeps a
/// handle open that long.
void cip_outbox_destroy(struct cip_outbox *outbox, int64_t handle);

enum { CIP_OUTBOX_CAPACITY = 65536 };

/// Reads of an end that reads messages, one at a time. What has come is kept until it is taken, so that no read has to be
/// cancelled to be put off; and none is of no bytes, for that would take an empty message away.
struct cip_inbox;
/// Makes one for a handle; allocates.
int64_t cip_inbox_create(struct cip_inbox *CIP_NULLABLE *CIP_NULLABLE made);
/// An event that is set while no read is under way: while it is worth trying; lives as long as the inbox.
int64_t cip_inbox_event(struct cip_inbox *inbox);
/// Takes a message, or its next part (ERROR_MORE_DATA). WAIT_TIMEOUT: a read is under way from then on; or, after a part,
/// the sender has taken back the rest.
int64_t cip_inbox_read(struct cip_inbox *inbox, int64_t handle, void *buffer, size_t count, size_t *received);
/// Ends the read that is under way; returns whether a part of a message, or an empty one, is kept: how many bytes of it,
/// and whether they are all that is left of it.
bool cip_inbox_withdraw(struct cip_inbox *inbox, int64_t handle, size_t *held, bool *is_whole);
/// Gives it up, with what it keeps, before the handle is closed.
void cip_inbox_destroy(struct cip_inbox *inbox, int64_t handle);

/// CreateEventW: an event that stays set until it is reset.
int64_t cip_event_create(void);
int64_t cip_event_set(int64_t event);
int64_t cip_event_reset(int64_t event);
/// Sets it after that time, by a timer of the thread pool's; allocates.
int64_t cip_event_set_later(int64_t event, int64_t nanoseconds);

/// FlushFileBuffers: blocks until the peer has read everything.
int64_t cip_handle_flush(int64_t handle);

CIP_END

#endif
