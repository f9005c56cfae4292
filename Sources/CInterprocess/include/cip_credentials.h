// SPDX-License-Identifier: MIT OR Apache-2.0
// Who is on the other side.
#ifndef CIP_CREDENTIALS_H
#define CIP_CREDENTIALS_H

#include "cip_base.h"

CIP_BEGIN

/// What the system says of a process; -1: it does not say.
struct cip_credentials {
    int64_t process;
    int64_t user;
    int64_t group;
};

/// The peer of a connected socket, as of connect(2) for a client and of listen(2) for a server. SO_PEERCRED (Linux,
/// OpenBSD), LOCAL_PEERCRED and LOCAL_PEERPID (Darwin), LOCAL_PEERCRED (FreeBSD, DragonFly), LOCAL_PEEREID (NetBSD).
int64_t cip_peer_credentials(int64_t descriptor, struct cip_credentials *credentials);

/// The peer's supplementary groups: SO_PEERGROUPS (Linux), LOCAL_PEERCRED (Darwin, FreeBSD, DragonFly). Returns their
/// number, and fills in as many as fit.
int64_t cip_peer_groups(int64_t descriptor, uint32_t *CIP_NULLABLE groups, size_t capacity);

/// The peer's security label, without a terminator: SO_PEERSEC (Linux). Returns its length; ERANGE if it does not fit.
int64_t cip_peer_label(int64_t descriptor, uint8_t *label, size_t capacity);

/// A pidfd for the peer: SO_PEERPIDFD (Linux 6.5).
int64_t cip_peer_process(int64_t descriptor);

/// getpid(2), geteuid(2), getegid(2).
int64_t cip_own_process(void);
int64_t cip_own_user(void);
int64_t cip_own_group(void);

CIP_END

#endif
