// SPDX-License-Identifier: MIT OR Apache-2.0
// What the tests need of Windows beyond what the library itself asks it for.
#ifndef WINDOWS_TESTS_H
#define WINDOWS_TESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/// Prints a line.
void wt_print(const uint8_t *text, size_t count);
/// The argument of this program with that number, or an empty text; lives as long as the program.
const char *wt_argument(int64_t index);

/// Ends the program after so many seconds, unless it is called again before; the test's name is printed then.
void wt_watch(const uint8_t *name, size_t count, int64_t seconds);

/// Whether this is Wine, and not Windows itself.
bool wt_is_wine(void);

/// Ends the program.
void wt_exit(int64_t code);

int64_t wt_own_process_id(void);
/// How many handles this process has open.
int64_t wt_handle_count(void);

/// Starts a program of the folder that this one is in, with arguments, and lets it inherit what may be inherited.
int64_t wt_start(const char *program, const char *arguments);
int64_t wt_process_id(int64_t process);
/// Waits for a program's end, and returns its exit code.
int64_t wt_wait(int64_t process);

/// Whether this thread acts as somebody.
bool wt_has_thread_token(void);

/// Both ends of a pipe that knows no overlapped operations.
bool wt_make_synchronous_pipe(int64_t *receiver, int64_t *sender);

/// A file that is no pipe.
int64_t wt_open_own_program(void);

/// raise: in this thread.
void wt_raise(int32_t number);
/// What the C runtime has for a signal.
int64_t wt_signal_handler(int32_t number);
/// Has a signal ignored, or do what it does by default, and returns what it had before.
int64_t wt_ignore_signal(int32_t number, bool ignored);
/// Tells the library of an event as the console would, and returns whether that is taken care of. (Wine has no console
/// without a terminal.)
bool wt_console_event(int64_t event);

/// What CreateNamedPipeW was last called with.
struct wt_creation {
    uint32_t open;
    uint32_t mode;
    uint32_t instance_limit;
    uint32_t send_buffer;
    uint32_t receive_buffer;
    uint32_t default_wait;
    bool is_inheritable;
};
struct wt_creation wt_last_creation(void);
/// The same of the last call for a first instance.
struct wt_creation wt_first_creation(void);
/// Lets the next calls of CreateNamedPipeW fail, for what Wine does not enforce.
void wt_fail_creations(int64_t times, uint32_t error);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif
