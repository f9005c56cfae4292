// SPDX-License-Identifier: MIT OR Apache-2.0
#include "platform.h"

#if CIP_UNIX
#include <signal.h>

#if defined(SIGRTMIN)
int64_t cip_signal_first_real_time(void) { return SIGRTMIN; }
int64_t cip_signal_last_real_time(void) { return SIGRTMAX; }
#else
int64_t cip_signal_first_real_time(void) { return -ENOSYS; }
int64_t cip_signal_last_real_time(void) { return -ENOSYS; }
#endif

const struct cip_signals cip_signals = {
    .hangup = SIGHUP,
    .interrupt = SIGINT,
    .quit = SIGQUIT,
    .illegal_instruction = SIGILL,
    .trap = SIGTRAP,
    .abort = SIGABRT,
#if defined(SIGEMT)
    .emulator_trap = SIGEMT,
#endif
    .bus_error = SIGBUS,
    .floating_point_exception = SIGFPE,
    .kill = SIGKILL,
    .user1 = SIGUSR1,
    .segmentation_fault = SIGSEGV,
    .user2 = SIGUSR2,
    .pipe = SIGPIPE,
    .alarm = SIGALRM,
    .terminate = SIGTERM,
#if defined(SIGSTKFLT)
    .stack_fault = SIGSTKFLT,
#endif
    .child = SIGCHLD,
    .continue_ = SIGCONT,
    .stop = SIGSTOP,
    .terminal_stop = SIGTSTP,
    .terminal_input = SIGTTIN,
    .terminal_output = SIGTTOU,
    .urgent = SIGURG,
    .processor_limit = SIGXCPU,
    .file_size_limit = SIGXFSZ,
    .virtual_alarm = SIGVTALRM,
    .profiling_alarm = SIGPROF,
    .window_change = SIGWINCH,
    .io = SIGIO,
#if defined(SIGPWR)
    .power = SIGPWR,
#endif
#if defined(SIGINFO)
    .information = SIGINFO,
#endif
    .bad_system_call = SIGSYS,
};

int64_t cip_signal_nature(int64_t number) {
    switch (number) {
    case SIGKILL:
    case SIGSTOP: return CIP_SIGNAL_UNCATCHABLE;
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGTRAP: return CIP_SIGNAL_SYNCHRONOUS;
    }
    if (cip_signal_name(number)[0] != 0) return CIP_SIGNAL_CATCHABLE;
    int64_t first = cip_signal_first_real_time(), last = cip_signal_last_real_time();
    if (first > 0 && number >= first && number <= last) return CIP_SIGNAL_CATCHABLE;
    // Between the signals that have names and those for programs are those that libraries make threads with.
    return number >= 32 && number < (first > 0 ? first : NSIG) ? CIP_SIGNAL_RESERVED : CIP_SIGNAL_UNKNOWN;
}

#define CIP_NAME(number) \
    case number: return #number

const char *cip_signal_name(int64_t number) {
    switch (number) {
        CIP_NAME(SIGHUP);
        CIP_NAME(SIGINT);
        CIP_NAME(SIGQUIT);
        CIP_NAME(SIGILL);
        CIP_NAME(SIGTRAP);
        CIP_NAME(SIGABRT);
#if defined(SIGEMT)
        CIP_NAME(SIGEMT);
#endif
        CIP_NAME(SIGBUS);
        CIP_NAME(SIGFPE);
        CIP_NAME(SIGKILL);
        CIP_NAME(SIGUSR1);
        CIP_NAME(SIGSEGV);
        CIP_NAME(SIGUSR2);
        CIP_NAME(SIGPIPE);
        CIP_NAME(SIGALRM);
        CIP_NAME(SIGTERM);
#if defined(SIGSTKFLT)
        CIP_NAME(SIGSTKFLT);
#endif
        CIP_NAME(SIGCHLD);
        CIP_NAME(SIGCONT);
        CIP_NAME(SIGSTOP);
        CIP_NAME(SIGTSTP);
        CIP_NAME(SIGTTIN);
        CIP_NAME(SIGTTOU);
        CIP_NAME(SIGURG);
        CIP_NAME(SIGXCPU);
        CIP_NAME(SIGXFSZ);
        CIP_NAME(SIGVTALRM);
        CIP_NAME(SIGPROF);
        CIP_NAME(SIGWINCH);
        CIP_NAME(SIGIO);
#if defined(SIGPWR)
        CIP_NAME(SIGPWR);
#endif
#if defined(SIGINFO)
        CIP_NAME(SIGINFO);
#endif
        CIP_NAME(SIGSYS);
    default: return "";
    }
}
#endif
