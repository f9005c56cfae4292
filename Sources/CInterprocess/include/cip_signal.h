// SPDX-License-Identifier: MIT OR Apache-2.0
// Signals: a handler that writes what came to the pipes of its watchers, and sending.
#ifndef CIP_SIGNAL_H
#define CIP_SIGNAL_H

#include "cip_base.h"

CIP_BEGIN

/// What is known of a signal that came; small, for many of them are to fit into a pipe.
struct cip_signal_record {
    int16_t number;
    int16_t cause;    // CIP_SIGNAL_BY_
    int32_t code;     // si_code
    int32_t process;  // 0 where there is none to be told of
    uint32_t user;
    int32_t value;  // what came with it; of a child, its status
    uint32_t lost;  // how many the watcher had lost until then
};

enum {
    CIP_SIGNAL_BY_SYSTEM,
    CIP_SIGNAL_BY_KILL,
    CIP_SIGNAL_BY_THREAD,
    CIP_SIGNAL_BY_QUEUE,
    CIP_SIGNAL_BY_TIMER,
    CIP_SIGNAL_BY_MESSAGE_QUEUE,
    CIP_SIGNAL_BY_ASYNCHRONOUS_IO,
    CIP_SIGNAL_BY_CHILD_EXITED,
    CIP_SIGNAL_BY_CHILD_KILLED,
    CIP_SIGNAL_BY_CHILD_DUMPED,
    CIP_SIGNAL_BY_CHILD_TRAPPED,
    CIP_SIGNAL_BY_CHILD_STOPPED,
    CIP_SIGNAL_BY_CHILD_CONTINUED
};

/// Whether a signal can be watched, and if not, why not.
enum {
    CIP_SIGNAL_CATCHABLE,
    CIP_SIGNAL_UNKNOWN,
    CIP_SIGNAL_UNCATCHABLE,
    CIP_SIGNAL_SYNCHRONOUS,  // it comes of an instruction, which a handler that returns would run again
    CIP_SIGNAL_RESERVED      // the C library uses it
};
int64_t cip_signal_nature(int64_t number);

/// The signal's name in the system's headers, such as "SIGINT", or "" for one that is not listed. Lives for ever.
const char *cip_signal_name(int64_t number);

/// Begins to watch signals, all of them catchable: sigaction(2), where nobody watches them yet. Each one that comes from
/// then on is written to the pipe `sends`, which must not block, as a cip_signal_record. Both ends belong to the watcher
/// from the call on, even if it fails: the receiving one keeps those writes from raising SIGPIPE. Returns what stands for
/// the watcher; allocates, once for each of those that there are at the same time. On failure no signal's disposition has
/// changed.
int64_t cip_signal_watch(const int32_t *numbers, size_t count, int64_t sends, int64_t receives);

/// The same on Windows, where the C runtime and the console tell of signals (signal, SetConsoleCtrlHandler), and up to
/// `capacity` wait to be taken. The event, which is not the watcher's, is set while some do.
int64_t cip_signal_watch_by_event(const int32_t *numbers, size_t count, int64_t event, int64_t capacity);
/// Takes the next one from the watcher with that event: its size; 0 when that has ended; WAIT_TIMEOUT.
int64_t cip_signal_take(int64_t event, struct cip_signal_record *record);
/// The number of a console's event (CTRL_CLOSE_EVENT) that the C runtime has no signal for.
enum { CIP_SIGNAL_CONSOLE = 256 };

/// Ends a watcher. What each signal did before comes back with the end of its last one, unless somebody else has changed
/// it meanwhile. On Unix the pipe closes once no handler uses it.
void cip_signal_unwatch(int64_t watch);

/// How many did not find room until now.
int64_t cip_signal_lost(int64_t watch);

/// kill(2), with the number 0 only asking whether it could; a negative target is a group.
int64_t cip_signal_send(int64_t target, int64_t number);
/// tgkill(2): Linux.
int64_t cip_signal_send_to_thread(int64_t process, int64_t thread, int64_t number);
/// sigqueue(3): Linux, FreeBSD, NetBSD.
int64_t cip_signal_queue(int64_t process, int64_t number, int32_t value);

/// The first and the last of the real-time signals that programs may use; ENOSYS where there are none.
int64_t cip_signal_first_real_time(void);
int64_t cip_signal_last_real_time(void);

/// Unix systems' numbers; 0 where there is no such signal.
struct cip_signals {
    int32_t hangup;
    int32_t interrupt;
    int32_t quit;
    int32_t illegal_instruction;
    int32_t trap;
    int32_t abort;
    int32_t emulator_trap;
    int32_t bus_error;
    int32_t floating_point_exception;
    int32_t kill;
    int32_t user1;
    int32_t segmentation_fault;
    int32_t user2;
    int32_t pipe;
    int32_t alarm;
    int32_t terminate;
    int32_t stack_fault;
    int32_t child;
    int32_t continue_;
    int32_t stop;
    int32_t terminal_stop;
    int32_t terminal_input;
    int32_t terminal_output;
    int32_t urgent;
    int32_t processor_limit;
    int32_t file_size_limit;
    int32_t virtual_alarm;
    int32_t profiling_alarm;
    int32_t window_change;
    int32_t io;
    int32_t power;
    int32_t information;
    int32_t bad_system_call;
};
extern const struct cip_signals cip_signals;

CIP_END

#endif
