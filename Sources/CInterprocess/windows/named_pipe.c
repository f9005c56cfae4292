// SPDX-License-Identifier: MIT OR Apache-2.0
#include "windows.h"

#if CIP_WINDOWS
_Static_assert(CIP_CLIENT_TO_SERVER == PIPE_ACCESS_INBOUND, "directions are those of the system");
_Static_assert(CIP_SERVER_TO_CLIENT == PIPE_ACCESS_OUTBOUND, "directions are those of the system");
_Static_assert(CIP_DUPLEX == PIPE_ACCESS_DUPLEX, "directions are those of the system");

int64_t cip_named_pipe_create(const uint16_t *path, const struct cip_named_pipe_options *options) {
    SECURITY_ATTRIBUTES attributes = {
        .nLength = sizeof attributes,
        .lpSecurityDescriptor = (void *)(uintptr_t)options->security,
        .bInheritHandle = options->is_inheritable,
    };
    DWORD open = options->direction | FILE_FLAG_OVERLAPPED
               | (options->is_first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0)
               | (options->write_through ? FILE_FLAG_WRITE_THROUGH : 0);
    DWORD mode = (options->stores_messages ? PIPE_TYPE_MESSAGE : PIPE_TYPE_BYTE)
               | (options->reads_messages ? PIPE_READMODE_MESSAGE : PIPE_READMODE_BYTE)
               | (options->accepts_remote_clients ? PIPE_ACCEPT_REMOTE_CLIENTS : PIPE_REJECT_REMOTE_CLIENTS);
    return cip_made(CreateNamedPipeW(
        (LPCWSTR)path, open, mode, options->instance_limit, options->send_buffer, options->receive_buffer,
        options->default_wait, &attributes
    ));
}

int64_t cip_named_pipe_open(const uint16_t *path, bool receives, bool sends, bool reads_messages, int64_t allowed) {
    static const DWORD levels[] = {SECURITY_ANONYMOUS, SECURITY_IDENTIFICATION, SECURITY_IMPERSONATION, SECURITY_DELEGATION};
    // To change how it reads takes the right to change its attributes, which an end that only receives lacks.
    DWORD access = (receives ? GENERIC_READ : 0) | (sends ? GENERIC_WRITE : 0)
                 | (reads_messages ? FILE_WRITE_ATTRIBUTES : 0);
    DWORD flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | levels[allowed & 3];
    // To ask about a pipe takes the right to read its attributes, which one who may only write does not always have.
    DWORD most = access | (receives ? 0 : FILE_READ_ATTRIBUTES);
    HANDLE handle = CreateFileW((LPCWSTR)path, most, 0, NULL, OPEN_EXISTING, flags, NULL);
    if (handle == INVALID_HANDLE_VALUE && most != access && GetLastError() == ERROR_ACCESS_DENIED)
        handle = CreateFileW((LPCWSTR)path, access, 0, NULL, OPEN_EXISTING, flags, NULL);
    int64_t result = cip_made(handle);
    if (result < 0 || !reads_messages) return result;
    int64_t failure = cip_named_pipe_set_reads_messages(result, true);
    if (failure >= 0) return result;
    CloseHandle(handle);
    return failure;
}

int64_t cip_named_pipe_wait(const uint16_t *path, int64_t nanoseconds) {
    // 0 would mean the server's choice.
    DWORD milliseconds = cip_milliseconds(nanoseconds);
    return cip_checked(WaitNamedPipeW((LPCWSTR)path, milliseconds == 0 ? 1 : milliseconds));
}

int64_t cip_named_pipe_status(int64_t handle, struct cip_named_pipe_status *status) {
    DWORD flags, send, receive, limit, mode;
    if (!GetNamedPipeInfo(cip_handle(handle), &flags, &send, &receive, &limit)) return cip_last_error();
    *status = (struct cip_named_pipe_status){
        .is_server = (flags & PIPE_SERVER_END) != 0,
        .stores_messages = (flags & PIPE_TYPE_MESSAGE) != 0,
        .reads_messages = GetNamedPipeHandleStateW(cip_handle(handle), &mode, NULL, NULL, NULL, NULL, 0)
                       && (mode & PIPE_READMODE_MESSAGE) != 0,
        .receive_buffer = receive,
        .send_buffer = send,
        .instance_limit = limit,
    };
    return 0;
}

int64_t cip_named_pipe_set_reads_messages(int64_t handle, bool reads_messages) {
    DWORD mode = reads_messages ? PIPE_READMODE_MESSAGE : PIPE_READMODE_BYTE;
    return cip_checked(SetNamedPipeHandleState(cip_handle(handle), &mode, NULL, NULL));
}

int64_t cip_named_pipe_peek(int64_t handle, void *buffer, size_t count, size_t *available, size_t *left_in_message) {
    DWORD copied = 0, total = 0, left = 0;
    BOOL done = PeekNamedPipe(cip_handle(handle), buffer, buffer == NULL ? 0 : (DWORD)count, &copied, &total, &left);
    if (!done) return cip_last_error();
    *available = total;
    *left_in_message = left;
    return copied;
}

int64_t cip_named_pipe_process(int64_t handle, bool of_server) {
    ULONG process = 0;
    BOOL done = of_server ? GetNamedPipeServerProcessId(cip_handle(handle), &process)
                          : GetNamedPipeClientProcessId(cip_handle(handle), &process);
    return done ? (int64_t)process : cip_last_error();
}

int64_t cip_named_pipe_session(int64_t handle, bool of_server) {
    ULONG session = 0;
    BOOL done = of_server ? GetNamedPipeServerSessionId(cip_handle(handle), &session)
                          : GetNamedPipeClientSessionId(cip_handle(handle), &session);
    return done ? (int64_t)session : cip_last_error();
}

int64_t cip_impersonate(int64_t handle) { return cip_checked(ImpersonateNamedPipeClient(cip_handle(handle))); }
int64_t cip_revert(void) { return cip_checked(RevertToSelf()); }

int64_t cip_is_pipe(int64_t handle) { return GetFileType(cip_handle(handle)) == FILE_TYPE_PIPE; }

typedef LONG(NTAPI *query_file)(HANDLE, void *status, void *found, ULONG size, int kind);
enum { FILE_MODE = 16, SYNCHRONOUS = 0x10 | 0x20 };

bool cip_is_overlapped(int64_t handle) {
    query_file query = (query_file)(void *)GetProcAddress(GetModuleHandleW(L"ntdll"), "NtQueryInformationFile");
    ULONG_PTR status[2];
    ULONG mode = 0;
    return query(cip_handle(handle), status, &mode, sizeof mode, FILE_MODE) < 0 || !(mode & SYNCHRONOUS);
}

int64_t cip_handle_flush(int64_t handle) { return cip_checked(FlushFileBuffers(cip_handle(handle))); }
#endif
