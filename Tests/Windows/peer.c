// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A program of another make: it talks through named pipes by the system's calls, and knows nothing of the library. Its
// arguments are a role, a path or handle, and what the role takes beyond. It ends with 0 if all went as it should, or else with
// the line that found out.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#define MUST(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "peer.c:%d: %s (%lu)\n", __LINE__, #condition, GetLastError()); \
            exit(__LINE__); \
        } \
    } while (0)

enum { LARGE = 1 << 20 };
static char buffer[LARGE + 1];

static void put(HANDLE pipe, const void *bytes, DWORD count) {
    DWORD written;
    MUST(WriteFile(pipe, bytes, count, &written, NULL) && written == count);
}

static DWORD get(HANDLE pipe) {
    DWORD count = 0;
    while (true) {
        DWORD part;
        if (ReadFile(pipe, buffer + count, sizeof buffer - count, &part, NULL)) return count + part;
        MUST(GetLastError() == ERROR_MORE_DATA);
        count += part;
    }
}

static void get_line(HANDLE pipe, const char *expected) {
    size_t count = 0;
    DWORD one;
    do MUST(ReadFile(pipe, buffer + count, 1, &one, NULL) && one == 1);
    while (buffer[count++] != '\n');
    MUST(count == strlen(expected) && memcmp(buffer, expected, count) == 0);
}

static HANDLE connect_to(const wchar_t *path, DWORD access) {
    HANDLE pipe = CreateFileW(path, access, 0, NULL, OPEN_EXISTING, 0, NULL);
    MUST(pipe != INVALID_HANDLE_VALUE);
    return pipe;
}

static HANDLE serve(const wchar_t *path, DWORD mode, const wchar_t *ready) {
    HANDLE pipe = CreateNamedPipeW(path, PIPE_ACCESS_DUPLEX, mode, 1, 4096, 4096, 0, NULL);
    MUST(pipe != INVALID_HANDLE_VALUE);
    // Somebody waits to be told that there is a pipe.
    CloseHandle(connect_to(ready, GENERIC_WRITE));
    MUST(ConnectNamedPipe(pipe, NULL) || GetLastError() == ERROR_PIPE_CONNECTED);
    return pipe;
}

int wmain(int count, wchar_t **arguments) {
    MUST(count >= 3);
    const wchar_t *role = arguments[1], *path = arguments[2];
    if (wcscmp(role, L"serve-bytes") == 0) {
        HANDLE pipe = serve(path, PIPE_TYPE_BYTE, arguments[3]);
        get_line(pipe, "hello\n");
        // A write of nothing is not the end of anything.
        put(pipe, "", 0);
        put(pipe, "world\n", 6);
        get_line(pipe, "bye\n");
    } else if (wcscmp(role, L"serve-messages") == 0) {
        HANDLE pipe = serve(path, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE, arguments[3]);
        for (int round = 0; round < 3; round++) put(pipe, buffer, get(pipe));
        FlushFileBuffers(pipe);
    } else if (wcscmp(role, L"talk-bytes") == 0) {
        HANDLE pipe = connect_to(path, GENERIC_READ | GENERIC_WRITE);
        put(pipe, "hello\n", 6);
        get_line(pipe, "world\n");
        DWORD received;
        MUST(!ReadFile(pipe, buffer, 1, &received, NULL) && GetLastError() == ERROR_BROKEN_PIPE);
    } else if (wcscmp(role, L"talk-messages") == 0) {
        HANDLE pipe = connect_to(path, GENERIC_READ | GENERIC_WRITE);
        DWORD mode = PIPE_READMODE_MESSAGE;
        MUST(SetNamedPipeHandleState(pipe, &mode, NULL, NULL));
        put(pipe, "", 0);
        MUST(get(pipe) == 0);
        put(pipe, "ten bytes!", 10);
        MUST(get(pipe) == 10 && memcmp(buffer, "ten bytes!", 10) == 0);
        memset(buffer, 'x', LARGE);
        put(pipe, buffer, LARGE);
        buffer[0] = 0;
        MUST(get(pipe) == LARGE && buffer[0] == 'x' && buffer[LARGE - 1] == 'x');
    } else if (wcscmp(role, L"write-and-end") == 0) {
        put(connect_to(path, GENERIC_WRITE), "last words", 10);
        ExitProcess(0);
    } else if (wcscmp(role, L"inherit") == 0) {
        DWORD written;
        HANDLE pipe = (HANDLE)(intptr_t)_wtoi64(path);
        // Not there is what the test may be after.
        if (!WriteFile(pipe, "inherited\n", 10, &written, NULL)) return 1;
    } else if (wcscmp(role, L"be-given") == 0) {
        HANDLE pipe = connect_to(path, GENERIC_READ);
        DWORD received;
        MUST(ReadFile(pipe, buffer, 31, &received, NULL));
        buffer[received] = 0;
        put((HANDLE)(intptr_t)_strtoi64(buffer, NULL, 10), "given\n", 6);
    } else {
        return 2;
    }
    return 0;
}
