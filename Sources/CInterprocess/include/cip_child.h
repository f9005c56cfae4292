// SPDX-License-Identifier: MIT OR Apache-2.0
// Programs that this process starts, and how they end.
#ifndef CIP_CHILD_H
#define CIP_CHILD_H

#include "cip_base.h"

CIP_BEGIN

/// What a program has as its descriptors 0, 1, 2 and CIP_CHANNEL: one of this process's, or one of these.
enum { CIP_SAME = -1, CIP_NOTHING = -2 };
enum { CIP_CHANNEL = 3, CIP_PROGRAM_DESCRIPTORS = 4 };

/// A program to be started; the tables end with a null. (On Unix, and so are the three that follow.)
struct cip_program {
    /// A path; without a slash, looked for where PATH says.
    const char *file;
    /// The first one is the program's name.
    char *CIP_NULLABLE const *CIP_NULLABLE arguments;
    char *CIP_NULLABLE const *CIP_NULLABLE variables;
    int64_t descriptors[CIP_PROGRAM_DESCRIPTORS];
};

/// posix_spawnp(3): the number of the process. It blocks no signals, ignores none, and has no descriptors but those four
/// (where the system can see to that; elsewhere, those that are not close-on-exec).
int64_t cip_spawn(const struct cip_program *program);

/// kill(2) and waitpid(2): ends a child, and waits for it.
void cip_child_destroy(int64_t process);

/// The variables of this process: environ, which ends with a null.
char *CIP_NULLABLE const *CIP_NULLABLE cip_variables(void);
/// A program to be started on Windows, as are the four that follow; CreateProcessW changes the command line.
struct cip_windows_program {
    uint16_t *command_line;
    /// NAME=VALUE, each with a terminator, and one more.
    const uint16_t *variables;
    /// Handles; the last one is inherited as it is, and the others as what GetStdHandle tells.
    int64_t descriptors[CIP_PROGRAM_DESCRIPTORS];
    /// The number of the process, when it is started.
    int64_t number;
};

/// CreateProcessW, with a list of what is inherited (PROC_THREAD_ATTRIBUTE_HANDLE_LIST): a handle of the process.
int64_t cip_create_process(struct cip_windows_program *program);

/// DuplicateHandle: one that a program can inherit.
int64_t cip_duplicate_inheritable(int64_t handle);

/// GetEnvironmentStringsW: NAME=VALUE, each with a terminator, and one more. To be given back.
uint16_t *CIP_NULLABLE cip_wide_variables(void);
void cip_wide_variables_free(uint16_t *variables);

/// A descriptor that is readable from when a process has ended: of pidfd_open(2) (Linux 5.3), or a kqueue(2) with an
/// EVFILT_PROC. (On Windows the process's handle is one.)
int64_t cip_child_watch(int64_t process);

/// Added to the number of the signal that has ended a process.
static const int64_t cip_ended_by_signal = (int64_t)1 << 32;

/// How a process has ended, which can be asked once; EAGAIN while it runs, ECHILD if somebody else has asked. waitid(2) or
/// waitpid(2), which never takes another child's status; GetExitCodeProcess.
int64_t cip_child_reap(int64_t watch, int64_t process);

/// Ends a process whose end was not asked for yet: at once, or as it sees fit. pidfd_send_signal(2) or kill(2);
/// TerminateProcess.
int64_t cip_child_end(int64_t watch, int64_t process, bool at_once);

/// The number by which the one end of a stream is known to the program that inherits it: a socket's inode, or the number of
/// the process that has made the pipe.
int64_t cip_stream_identity(int64_t descriptor, uint64_t *identity);

CIP_END

#endif
