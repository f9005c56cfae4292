// SPDX-License-Identifier: MIT OR Apache-2.0

// What the library is measured against: the same work in plain C. And what measuring takes that Swift has no module
// for. A function that can fail returns 0 or more, or a negated errno.

#ifndef CBENCHMARK_H
#define CBENCHMARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Sockets and pipes. All descriptors are close-on-exec.
int64_t cb_listen(const char *path);
int64_t cb_accept(int32_t listener);
int64_t cb_connect(const char *path);
int64_t cb_listen_for_packets(const char *path);
int64_t cb_connect_for_packets(const char *path);
int64_t cb_bind_for_datagrams(const char *path);
int64_t cb_connect_for_datagrams(const char *path);
int64_t cb_socket_pair(int32_t *ends);
int64_t cb_pipe(int32_t *ends);
int64_t cb_close(int32_t descriptor);

// Moving bytes: send and recv for sockets, write and read for pipes. A socket is given as both input and output.
struct cb_link {
    int32_t input;
    int32_t output;
    bool is_socket;
};

// Sends `size` bytes and receives as many, `count` times; how long each took goes to `nanoseconds`, which may be null.
int64_t cb_round_trips(struct cb_link link, uint8_t *memory, size_t size, int64_t count, int64_t *nanoseconds);
// Sends back `size` bytes whenever they have come, until the other side ends.
int64_t cb_echo(struct cb_link link, uint8_t *memory, size_t size);
// Sends `size` bytes `count` times, and waits for one byte which says that all have come.
int64_t cb_pour(struct cb_link link, uint8_t *memory, size_t size, int64_t count);
// Receives `size` bytes `count` times, however they are cut, and says so by one byte.
int64_t cb_drain(struct cb_link link, uint8_t *memory, size_t size, int64_t count);
// Accepts and closes `count` connections.
int64_t cb_accept_and_close(int32_t listener, int64_t count);
// Connects and closes `count` times.
int64_t cb_connect_and_close(const char *path, int64_t count);
// Connects, has one byte sent back, and closes, `count` times.
int64_t cb_connect_echo_and_close(const char *path, int64_t count);
// The same, but closes nothing: the connections stay until the process ends.
int64_t cb_connect_and_stay(const char *path, int64_t count);

// Datagrams of `size` bytes, `count` of them, up to CB_DATAGRAMS by each call, which waits for room or for the first one.
// All that are sent stand in the same memory; those received need CB_DATAGRAMS times `size`. Linux alone has it here.
enum { CB_DATAGRAMS = 32 };
int64_t cb_send_datagrams(int32_t socket, uint8_t *memory, size_t size, int64_t count);
int64_t cb_receive_datagrams(int32_t socket, uint8_t *memory, size_t size, int64_t count);

// The same by epoll, level-triggered, always waiting before receiving. Linux alone has it; elsewhere it is -ENOSYS.

// As cb_round_trips, on a socket.
int64_t cb_epoll_round_trips(int32_t socket, uint8_t *memory, size_t size, int64_t count, int64_t *nanoseconds);
// Round trips between both ends of a socket pair, which wait together in this one thread.
int64_t cb_epoll_loopback(const int32_t *ends, uint8_t *memory, size_t size, int64_t count, int64_t *nanoseconds);
// Accepts whoever connects and sends back what they send, until `control` can be read or ends.
int64_t cb_epoll_serve(int32_t listener, int32_t control);
// Keeps one message under way on each of as many connections; returns how many nanoseconds it took for `count` of them
// to come back, after `warm_up` others (at least one).
int64_t cb_epoll_load(const char *path, int64_t connections, size_t size, int64_t warm_up, int64_t count);

// What one process tells another through a pipe: all of the bytes.
int64_t cb_give(int32_t output, const void *bytes, size_t size);
// Returns less than `size` when the other one has closed its end.
int64_t cb_take(int32_t input, void *bytes, size_t size);

// What the parts of an awaited round trip cost. Returns how many nanoseconds `count` of them took. Linux only.
enum {
    CB_PRICE_TRANSFER,
    CB_PRICE_VAIN_RECEIVE,
    CB_PRICE_NO_EVENT,
    CB_PRICE_ONE_EVENT,
    CB_PRICE_INTEREST,
    CB_PRICE_WAKE,
    CB_PRICE_CLOCK,
    CB_PRICE_LOCK,
    CB_PRICE_ALLOCATION,
    CB_PRICE_COUNT
};
int64_t cb_price(int64_t price, int64_t count);
const char *cb_price_name(int64_t price);

// The machine and its clock.
int64_t cb_now(void);
int64_t cb_cpu_count(void);
// The number of the CPU at that place among those that this process may use.
int64_t cb_allowed_cpu(int64_t place);
// Moves the calling thread, and what it starts from then on, to that CPU alone; -1 undoes it.
int64_t cb_pin(int64_t cpu);
int64_t cb_kernel(char *text, size_t capacity);
int64_t cb_open_descriptors(void);
// Lets this process, and what it starts, have as many descriptors as the system allows; returns how many.
int64_t cb_raise_descriptor_limit(void);
// How much memory that process has in use. Linux only.
int64_t cb_resident_bytes(int64_t process);

// Processes and threads.
int64_t cb_process_id(void);
// Starts this program again. Descriptors that are not negative become the new process's 3 and 4.
int64_t cb_spawn(const char *const *arguments, int32_t input, int32_t output);
// Another number for the descriptor, out of the way of 3 and 4.
int64_t cb_duplicate_high(int32_t descriptor);
// Waits for the process's end; returns its exit status, or 128 and the signal.
int64_t cb_wait(int64_t process);
void cb_end_with_parent(void);
// Ends the process, with a message, if it is not called again within that time. 0 ends the watch.
void cb_watch(int64_t seconds);
int64_t cb_thread_start(void (*body)(void *), void *context, uint64_t *thread);
void cb_thread_join(uint64_t thread);

// Files. The scratch directory goes with the process, whichever way that ends, if nothing but one file `s` is in it.
int64_t cb_scratch_create(char *path, size_t capacity);
// Removes that file alone.
void cb_scratch_clear(void);
void cb_scratch_remove(void);
// Ends the process at once, from any thread.
void cb_fail(void);
int64_t cb_write_file(const char *path, const void *bytes, size_t count);
void cb_complain(const char *text);

// Allocations, by whatever code of the process, on any thread.
bool cb_can_count_allocations(void);
void cb_count_allocations(bool on);
int64_t cb_allocations(void);

#endif
