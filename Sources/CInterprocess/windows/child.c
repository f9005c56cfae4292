// SPDX-License-Identifier: MIT OR Apache-2.0
#include "windows.h"

#if CIP_WINDOWS
#include <stdlib.h>

int64_t cip_duplicate_inheritable(int64_t handle) {
    HANDLE made = NULL, own = GetCurrentProcess();
    BOOL done = DuplicateHandle(own, cip_handle(handle), own, &made, 0, TRUE, DUPLICATE_SAME_ACCESS);
    return done ? cip_made(made) : cip_last_error();
}

// A handle that the program can inherit; 0 where there is none to be had here either.
static int64_t make_standard(int64_t given, int number) {
    static const DWORD names[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    if (given == CIP_NOTHING) {
        SECURITY_ATTRIBUTES inheritable = {.nLength = sizeof inheritable, .bInheritHandle = TRUE};
        DWORD access = GENERIC_READ | GENERIC_WRITE, sharing = FILE_SHARE_READ | FILE_SHARE_WRITE;
        return cip_made(CreateFileW(L"NUL", access, sharing, &inheritable, OPEN_EXISTING, 0, NULL));
    }
    if (given != CIP_SAME) return cip_duplicate_inheritable(given);
    HANDLE own = GetStdHandle(names[number]);
    if (own == NULL || own == INVALID_HANDLE_VALUE) return 0;
    int64_t made = cip_duplicate_inheritable((int64_t)(intptr_t)own);
    return made < 0 ? 0 : made;
}

static int64_t create(struct cip_windows_program *program, STARTUPINFOEXW *startup, HANDLE *inherited, size_t count) {
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    LPPROC_THREAD_ATTRIBUTE_LIST list = malloc(size);
    if (list == NULL) return -(int64_t)ERROR_NOT_ENOUGH_MEMORY;
    if (!InitializeProcThreadAttributeList(list, 1, 0, &size)) {
        int64_t error = cip_last_error();
        free(list);
        return error;
    }
    startup->lpAttributeList = list;
    PROCESS_INFORMATION made;
    BOOL done = UpdateProcThreadAttribute(
        list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, inherited, count * sizeof *inherited, NULL, NULL
    );
    if (done) {
        done = CreateProcessW(
            NULL, (wchar_t *)program->command_line, NULL, NULL, TRUE,
            EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT, (void *)program->variables, NULL,
            &startup->StartupInfo, &made
        );
    }
    int64_t result = cip_checked(done);
    DeleteProcThreadAttributeList(list);
    free(list);
    if (!done) return result;
    CloseHandle(made.hThread);
    program->number = made.dwProcessId;
    return (int64_t)(intptr_t)made.hProcess;
}

int64_t cip_create_process(struct cip_windows_program *program) {
    STARTUPINFOEXW startup = {.StartupInfo = {.cb = sizeof startup, .dwFlags = STARTF_USESTDHANDLES}};
    HANDLE *standard[] = {
        &startup.StartupInfo.hStdInput, &startup.StartupInfo.hStdOutput, &startup.StartupInfo.hStdError
    };
    HANDLE inherited[CIP_PROGRAM_DESCRIPTORS];
    size_t count = 0;
    int64_t result = 0;
    for (int number = 0; number < CIP_CHANNEL && result >= 0; number++) {
        result = make_standard(program->descriptors[number], number);
        if (result > 0) inherited[count++] = *standard[number] = cip_handle(result);
    }
    inherited[count] = cip_handle(program->descriptors[CIP_CHANNEL]);
    if (result >= 0) result = create(program, &startup, inherited, count + 1);
    while (count > 0) CloseHandle(inherited[--count]);
    return result;
}

uint16_t *cip_wide_variables(void) { return (uint16_t *)GetEnvironmentStringsW(); }
void cip_wide_variables_free(uint16_t *variables) { FreeEnvironmentStringsW((wchar_t *)variables); }

int64_t cip_child_reap(int64_t watch, int64_t process) {
    (void)process;
    DWORD code = 0, found = WaitForSingleObject(cip_handle(watch), 0);
    if (found != WAIT_OBJECT_0) return found == WAIT_TIMEOUT ? -(int64_t)WAIT_TIMEOUT : cip_last_error();
    return GetExitCodeProcess(cip_handle(watch), &code) ? (int64_t)code : cip_last_error();
}

int64_t cip_child_end(int64_t watch, int64_t process, bool at_once) {
    (void)process, (void)at_once;
    if (TerminateProcess(cip_handle(watch), 1)) return 0;
    int64_t error = cip_last_error();
    // It is refused to a process that has ended.
    return WaitForSingleObject(cip_handle(watch), 0) == WAIT_OBJECT_0 ? 0 : error;
}

int64_t cip_stream_identity(int64_t descriptor, uint64_t *identity) {
    ULONG server = 0;
    if (!GetNamedPipeServerProcessId(cip_handle(descriptor), &server)) return cip_last_error();
    *identity = server;
    return 0;
}
#endif
