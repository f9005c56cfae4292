// SPDX-License-Identifier: MIT OR Apache-2.0
// Unix domain sockets.
//
// An address is the bytes of sun_path, no more and no fewer: a path without its terminator, or a NUL byte and a name in
// the abstract namespace. The address length handed to the kernel counts exactly these bytes.
#ifndef CIP_SOCKET_H
#define CIP_SOCKET_H

#include "cip_base.h"
#include "cip_credentials.h"

CIP_BEGIN

enum { CIP_STREAM = 1, CIP_DATAGRAM = 2, CIP_SEQUENCED_PACKETS = 3 };

/// The most bytes an address can have: sizeof sun_path.
int64_t cip_address_capacity(void);
/// 1 where the kernel has an abstract namespace.
int64_t cip_has_abstract_names(void);
/// 1 where fchmod(2) on a socket sets the mode of the file that bind(2) makes of it.
int64_t cip_mode_before_bind(void);

/// 1 where shutdown(2) ends calls that wait inside the kernel on a socket for datagrams, connected or not.
int64_t cip_shutdown_ends_datagrams(void);

/// socket(2). Writing to it never raises SIGPIPE.
int64_t cip_socket(int64_t type, bool nonblocking);
/// socketpair(2), both ends blocking.
int64_t cip_socket_pair(int64_t type, int64_t *ends);
/// bind(2).
int64_t cip_bind(int64_t descriptor, const uint8_t *address, size_t length);
/// bind(2) without an address: Linux chooses an abstract name; EINVAL elsewhere.
int64_t cip_bind_anywhere(int64_t descriptor);
/// listen(2); a negative backlog asks for the system's largest.
int64_t cip_listen(int64_t descriptor, int64_t backlog);
/// accept4(2); the new socket is blocking.
int64_t cip_accept(int64_t descriptor);
/// connect(2).
int64_t cip_connect(int64_t descriptor, const uint8_t *address, size_t length);
/// setsockopt(2) SO_SNDTIMEO, which also bounds a blocking connect(2) to a full backlog; 0: no limit.
int64_t cip_set_send_timeout(int64_t descriptor, int64_t nanoseconds);

/// recv(2) and send(2); without `wait`, EAGAIN instead of waiting.
int64_t cip_receive(int64_t descriptor, void *buffer, size_t count, bool wait);
int64_t cip_send(int64_t descriptor, const void *buffer, size_t count, bool wait);

enum { CIP_MAXIMUM_DESCRIPTORS = 253 };

/// A message with what travels beside its bytes. Zero it, then set what is wanted.
struct cip_message {
    struct cip_buffer *CIP_NULLABLE buffers;
    size_t buffer_count;
    /// Sending: descriptors to pass on, which stay open here. Receiving: room for `descriptor_count` of them.
    int64_t *CIP_NULLABLE descriptors;
    size_t descriptor_count;
    /// Sending: where to, if `address_length` is not 0. Receiving: room for cip_address_capacity() bytes of where from.
    uint8_t *CIP_NULLABLE address;
    size_t address_length;
    /// Sending: credentials to present, if has_credentials. Receiving: those that came, if it was set before the call
    /// (and CIP_OPTION_CREDENTIALS is on) and still is after it.
    struct cip_credentials credentials;
    bool has_credentials;
    /// Receiving: a pidfd for the sender, under the same conditions (CIP_OPTION_PROCESS).
    bool has_process;
    int64_t process;
    /// Receiving packets and datagrams: `size` becomes that of the whole message, where the system tells (Linux).
    bool is_measured;
    size_t size;
    /// Received: bytes were cut off (packets and datagrams), or descriptors were.
    bool truncated;
    bool descriptors_truncated;
    /// Received: descriptors came that could not be made for want of free numbers; none of them is left.
    bool descriptors_lost;
};

/// sendmsg(2). More than CIP_MAXIMUM_DESCRIPTORS descriptors: EINVAL, nothing sent.
int64_t cip_send_message(int64_t descriptor, const struct cip_message *message, bool wait);
/// send(2) or sendmsg(2): a head, as it is in memory, and bytes behind it.
int64_t cip_send_packet(int64_t descriptor, uint64_t head, const void *CIP_NULLABLE bytes, size_t count, bool wait);
/// recvmsg(2). `descriptor_count` becomes the number that came; descriptors for which there was no room do not come, or
/// are closed.
int64_t cip_receive_message(int64_t descriptor, struct cip_message *message, bool wait);
/// A datagram among many.
struct cip_datagram {
    /// Sending: its bytes. Receiving: room for them.
    struct cip_buffer buffer;
    /// Received: how many bytes came, and whether more did not fit.
    size_t size;
    bool truncated;
    /// As in cip_message.
    bool has_credentials;
    struct cip_credentials credentials;
    uint8_t *CIP_NULLABLE address;
    size_t address_length;
};

/// sendmmsg(2), or sendmsg(2) for each where there is none (Darwin, DragonFly), waiting (for as
/// long as SO_SNDTIMEO says) or not at all. Returns how many were sent, from the first; an error only if none was.
int64_t cip_send_datagrams(int64_t descriptor, const struct cip_datagram *datagrams, size_t count, bool wait);
/// recvmmsg(2), or recvmsg(2) for each, waiting for the first one or not at all. Returns how many came; an error only if
/// none did. Addresses and credentials come where senders are to be told; descriptors that were sent with them do not
/// come, and are not told.
int64_t cip_receive_datagrams(
    int64_t descriptor, struct cip_datagram *datagrams, size_t count, bool tell_senders, bool wait
);

/// recvmsg(2) MSG_PEEK: the bytes alone, which stay.
int64_t cip_peek(int64_t descriptor, struct cip_buffer *CIP_NULLABLE buffers, size_t buffer_count);
/// The size of the next packet or datagram: recv(2) MSG_PEEK | MSG_TRUNC (Linux); ENOTSUP elsewhere.
int64_t cip_next_size(int64_t descriptor);
/// Whether a socket for packets, of which 0 bytes were received, has come to its end: 0 if that was an empty packet. Empty
/// packets right before the end are part of it, and so are all where the system does not tell.
int64_t cip_packets_ended(int64_t descriptor);

/// SO_SNDBUF, SO_RCVBUF; SO_PASSCRED, SO_PASSPIDFD, SO_PEEK_OFF (Linux).
enum {
    CIP_OPTION_SEND_BUFFER,
    CIP_OPTION_RECEIVE_BUFFER,
    CIP_OPTION_CREDENTIALS,
    CIP_OPTION_PROCESS,
    CIP_OPTION_PEEK_OFFSET
};
/// getsockopt(2) and setsockopt(2); ENOTSUP for options that the system lacks.
int64_t cip_option(int64_t descriptor, int64_t option, int64_t *value);
int64_t cip_set_option(int64_t descriptor, int64_t option, int64_t value);

enum { CIP_SHUT_RECEIVE = 0, CIP_SHUT_SEND = 1, CIP_SHUT_BOTH = 2 };
/// shutdown(2).
int64_t cip_shutdown(int64_t descriptor, int64_t how);

/// SO_ERROR: the pending error as a positive code, or 0. Reading it clears it.
int64_t cip_socket_error(int64_t descriptor);
/// CIP_STREAM and so on; EAFNOSUPPORT when it is a socket of another family, ENOTSOCK when it is none.
int64_t cip_socket_type(int64_t descriptor);
/// SO_ACCEPTCONN: 1 when the socket listens.
int64_t cip_socket_listens(int64_t descriptor);
/// getsockname(2): copies the address's bytes to `address` (room for cip_address_capacity() bytes) and returns their
/// number.
int64_t cip_local_address(int64_t descriptor, uint8_t *address);
/// getpeername(2), in the same way.
int64_t cip_peer_address(int64_t descriptor, uint8_t *address);

CIP_END

#endif
