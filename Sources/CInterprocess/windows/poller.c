// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Readiness over a completion port. A pipe is readable when a read of no bytes has ended, for which it waits; what has no
// bytes to read is an event, and the thread pool waits for that. Both are done once, and again before the next wait if
// that is still wanted, which makes it level-triggered. A pipe keeps the first port that it was given, also for its
// duplicates: what has another one's is read with an event.
#include "windows.h"

#if CIP_WINDOWS
#include <stdlib.h>

enum { WAKE_KEY = 1, READ_KEY = 2, EVENT_KEY = 3, ALARM_KEY = 4 };
enum { READABLE = 0, WRITABLE = 1 };
static const int64_t interests[2] = {CIP_READABLE, CIP_WRITABLE};

struct state;

// Something that is watched: as long as operations of it are under way, or packets about it, it cannot go.
struct watched {
    OVERLAPPED reading;
    struct state *state;
    struct watched *next_ended;
    uint64_t token;
    int64_t wanted;
    int64_t pending;
    HANDLE objects[2];
    PTP_WAIT waits[2];
    bool is_pipe;
    // Set when a read has ended that the port is not told of; NULL for others.
    HANDLE read_event;
    bool is_armed[2];
    bool is_ended;
    bool is_gone;
};

struct state {
    SRWLOCK lock;
    HANDLE port;
    struct watched **slots;
    size_t capacity;
    // Those that have told of something, and have to be armed again.
    struct watched *ended;
};

static struct state *state_of(const struct cip_poller *poller) { return (struct state *)(intptr_t)poller->wake; }

static PTP_TIMER alarm_of(const struct cip_poller *poller) { return (PTP_TIMER)(intptr_t)poller->alarm; }

static void CALLBACK ring(PTP_CALLBACK_INSTANCE instance, void *state, PTP_TIMER timer) {
    (void)instance, (void)timer;
    PostQueuedCompletionStatus(((struct state *)state)->port, 0, ALARM_KEY, NULL);
}

int64_t cip_poller_create(struct cip_poller *poller) {
    struct state *state = calloc(1, sizeof *state);
    if (state == NULL) return -ERROR_NOT_ENOUGH_MEMORY;
    InitializeSRWLock(&state->lock);
    state->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    PTP_TIMER alarm = state->port == NULL ? NULL : CreateThreadpoolTimer(ring, state, NULL);
    if (alarm == NULL) {
        int64_t error = cip_last_error();
        if (state->port != NULL) CloseHandle(state->port);
        free(state);
        return error;
    }
    *poller = (struct cip_poller){
        .queue = (int64_t)(intptr_t)state->port,
        .wake = (int64_t)(intptr_t)state,
        .alarm = (int64_t)(intptr_t)alarm,
    };
    return 0;
}

int64_t cip_poller_create_queue(struct cip_poller *poller) { return (void)poller, -ERROR_NOT_SUPPORTED; }

void cip_poller_destroy(const struct cip_poller *poller) {
    struct state *state = state_of(poller);
    SetThreadpoolTimer(alarm_of(poller), NULL, 0, 0);
    WaitForThreadpoolTimerCallbacks(alarm_of(poller), TRUE);
    CloseThreadpoolTimer(alarm_of(poller));
    // What is not watched any more goes with its last packet.
    struct cip_event ignored[CIP_POLLER_CAPACITY];
    while (cip_poller_wait(poller, ignored, false) > 0) {}
    CloseHandle(state->port);
    free(state->slots);
    free(state);
}

int64_t cip_poller_wake(const struct cip_poller *poller) {
    return cip_checked(PostQueuedCompletionStatus(cip_handle(poller->queue), 0, WAKE_KEY, NULL));
}

int64_t cip_poller_set_alarm(const struct cip_poller *poller, int64_t time) {
    int64_t left = time - cip_now();
    // Negative is from now on, in units of 100 ns.
    ULARGE_INTEGER due = {.QuadPart = (ULONGLONG)(left <= 0 ? -1 : -(left / 100 + 1))};
    FILETIME moment = {.dwLowDateTime = due.LowPart, .dwHighDateTime = due.HighPart};
    SetThreadpoolTimer(alarm_of(poller), &moment, 0, 0);
    return 0;
}

// With the lock held.
static void release(struct watched *watched) {
    if (watched->is_gone && watched->pending == 0) free(watched);
}

static void post(struct watched *watched, int kind, ULONG_PTR key) {
    watched->pending++;
    if (!PostQueuedCompletionStatus(watched->state->port, (DWORD)kind, key, &watched->reading)) watched->pending--;
}

static void tell_of_event(struct watched *watched, int kind) {
    AcquireSRWLockExclusive(&watched->state->lock);
    if (!watched->is_gone) post(watched, kind, EVENT_KEY);
    ReleaseSRWLockExclusive(&watched->state->lock);
}

static void CALLBACK readable(PTP_CALLBACK_INSTANCE instance, void *watched, PTP_WAIT wait, TP_WAIT_RESULT result) {
    (void)instance, (void)wait, (void)result;
    tell_of_event(watched, READABLE);
}

static void CALLBACK writable(PTP_CALLBACK_INSTANCE instance, void *watched, PTP_WAIT wait, TP_WAIT_RESULT result) {
    (void)instance, (void)wait, (void)result;
    tell_of_event(watched, WRITABLE);
}

static void arm_read(struct watched *watched) {
    static char nothing;
    HANDLE event = watched->read_event;
    watched->reading = (OVERLAPPED){.hEvent = event == NULL ? NULL : cip_untold(event)};
    if (event == NULL) watched->pending++;
    BOOL done = ReadFile(watched->objects[READABLE], &nothing, 0, NULL, &watched->reading);
    // What has failed is ready: the next call tells.
    bool has_failed = !done && GetLastError() != ERROR_IO_PENDING;
    if (has_failed) watched->reading = (OVERLAPPED){0};
    if (event != NULL) {
        if (has_failed) SetEvent(event);
        SetThreadpoolWait(watched->waits[READABLE], event, NULL);
    } else if (has_failed) {
        watched->pending--;
        post(watched, READABLE, READ_KEY);
    }
}

// With the lock held.
static void arm(struct watched *watched) {
    for (int kind = READABLE; kind <= WRITABLE; kind++) {
        if (!(watched->wanted & interests[kind]) || watched->is_armed[kind]) continue;
        watched->is_armed[kind] = true;
        if (kind == READABLE && watched->is_pipe) arm_read(watched);
        else SetThreadpoolWait(watched->waits[kind], watched->objects[kind], NULL);
    }
}

static int64_t forget(struct watched *watched) {
    struct state *state = watched->state;
    AcquireSRWLockExclusive(&state->lock);
    watched->is_gone = true;
    watched->wanted = 0;
    for (struct watched **place = &state->ended; *place != NULL; place = &(*place)->next_ended) {
        if (*place != watched) continue;
        *place = watched->next_ended;
        break;
    }
    bool is_reading = watched->is_pipe && watched->is_armed[READABLE];
    // Until the packets are taken, it stays.
    watched->pending++;
    ReleaseSRWLockExclusive(&state->lock);
    if (is_reading) CancelIoEx(watched->objects[READABLE], &watched->reading);
    DWORD ignored;
    if (is_reading && watched->read_event != NULL)
        GetOverlappedResult(watched->objects[READABLE], &watched->reading, &ignored, TRUE);
    for (int kind = READABLE; kind <= WRITABLE; kind++) {
        if (watched->waits[kind] == NULL) continue;
        SetThreadpoolWait(watched->waits[kind], NULL, NULL);
        WaitForThreadpoolWaitCallbacks(watched->waits[kind], TRUE);
        CloseThreadpoolWait(watched->waits[kind]);
    }
    if (watched->read_event != NULL) CloseHandle(watched->read_event);
    AcquireSRWLockExclusive(&state->lock);
    watched->pending--;
    release(watched);
    ReleaseSRWLockExclusive(&state->lock);
    return 0;
}

static struct watched *make(struct state *state, int64_t receives, int64_t sends, uint64_t token) {
    struct watched *watched = calloc(1, sizeof *watched);
    if (watched == NULL) return NULL;
    watched->state = state;
    watched->token = token;
    watched->objects[READABLE] = cip_handle(receives);
    watched->objects[WRITABLE] = cip_handle(sends);
    watched->is_pipe = GetFileType(watched->objects[READABLE]) == FILE_TYPE_PIPE;
    bool has_port = watched->is_pipe && CreateIoCompletionPort(watched->objects[READABLE], state->port, READ_KEY, 0);
    if (watched->is_pipe && !has_port) watched->read_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!has_port) watched->waits[READABLE] = CreateThreadpoolWait(readable, watched, NULL);
    if (sends >= 0) watched->waits[WRITABLE] = CreateThreadpoolWait(writable, watched, NULL);
    bool is_whole = (has_port || watched->waits[READABLE] != NULL)
                 && (has_port || !watched->is_pipe || watched->read_event != NULL)
                 && (sends < 0 || watched->waits[WRITABLE] != NULL);
    if (is_whole) return watched;
    DWORD error = GetLastError();
    if (watched->read_event != NULL) CloseHandle(watched->read_event);
    for (int kind = READABLE; kind <= WRITABLE; kind++) {
        if (watched->waits[kind] != NULL) CloseThreadpoolWait(watched->waits[kind]);
    }
    free(watched);
    SetLastError(error);
    return NULL;
}

// The place of a token's slot. With the lock held.
static struct watched **slot(struct state *state, uint64_t token) {
    size_t index = (size_t)(token & UINT32_MAX);
    if (index >= state->capacity) {
        size_t capacity = state->capacity == 0 ? 16 : state->capacity;
        while (capacity <= index) capacity *= 2;
        struct watched **larger = realloc(state->slots, capacity * sizeof *larger);
        if (larger == NULL) return NULL;
        for (size_t place = state->capacity; place < capacity; place++) larger[place] = NULL;
        state->slots = larger;
        state->capacity = capacity;
    }
    return &state->slots[index];
}

int64_t cip_poller_set(
    const struct cip_poller *poller, int64_t receives, int64_t sends, int64_t before, int64_t now, uint64_t token
) {
    if (before == now) return 0;
    struct state *state = state_of(poller);
    AcquireSRWLockExclusive(&state->lock);
    struct watched **place = slot(state, token);
    int64_t result = place == NULL ? -ERROR_NOT_ENOUGH_MEMORY : 0;
    struct watched *gone = NULL;
    if (result >= 0 && before == 0) {
        *place = make(state, receives, sends, token);
        if (*place == NULL) result = GetLastError() == 0 ? -ERROR_NOT_ENOUGH_MEMORY : cip_last_error();
    }
    if (result >= 0 && now == 0) {
        gone = *place;
        *place = NULL;
    } else if (result >= 0) {
        (*place)->wanted = now;
        arm(*place);
    }
    ReleaseSRWLockExclusive(&state->lock);
    return gone == NULL ? result : forget(gone);
}

// Takes a packet; returns whether there is something to be told. With the lock held.
static bool take(const OVERLAPPED_ENTRY *packet, struct cip_event *event) {
    if (packet->lpCompletionKey == ALARM_KEY) {
        *event = (struct cip_event){.token = UINT64_MAX, .ready = CIP_ALARM};
        return true;
    }
    if (packet->lpCompletionKey == WAKE_KEY || packet->lpOverlapped == NULL) return false;
    struct watched *watched = (struct watched *)(void *)packet->lpOverlapped;
    int kind = packet->lpCompletionKey == EVENT_KEY ? (int)packet->dwNumberOfBytesTransferred : READABLE;
    watched->pending--;
    watched->is_armed[kind] = false;
    if (watched->is_gone || !(watched->wanted & interests[kind])) {
        release(watched);
        return false;
    }
    if (!watched->is_ended) {
        watched->is_ended = true;
        watched->next_ended = watched->state->ended;
        watched->state->ended = watched;
    }
    *event = (struct cip_event){.token = watched->token, .ready = interests[kind]};
    return true;
}

int64_t cip_poller_wait(const struct cip_poller *poller, struct cip_event *events, bool may_wait) {
    struct state *state = state_of(poller);
    AcquireSRWLockExclusive(&state->lock);
    while (state->ended != NULL) {
        struct watched *watched = state->ended;
        state->ended = watched->next_ended;
        watched->is_ended = false;
        arm(watched);
    }
    ReleaseSRWLockExclusive(&state->lock);
    OVERLAPPED_ENTRY packets[CIP_POLLER_CAPACITY];
    ULONG count = 0;
    if (!GetQueuedCompletionStatusEx(
            state->port, packets, CIP_POLLER_CAPACITY, &count, may_wait ? INFINITE : 0, FALSE))
        return GetLastError() == WAIT_TIMEOUT ? 0 : cip_last_error();
    int64_t stored = 0;
    AcquireSRWLockExclusive(&state->lock);
    for (ULONG index = 0; index < count; index++) {
        if (take(&packets[index], &events[stored])) stored++;
    }
    ReleaseSRWLockExclusive(&state->lock);
    return stored;
}
#endif
