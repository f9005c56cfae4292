// SPDX-License-Identifier: MIT OR Apache-2.0
#include "windows.h"

#if CIP_WINDOWS
int64_t cip_region_create(size_t size, struct cip_region *region) {
    // A mapping of nothing cannot be made.
    uint64_t bytes = size == 0 ? 1 : size;
    HANDLE writable = CreateFileMappingW(
        INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_COMMIT, (DWORD)(bytes >> 32), (DWORD)bytes, NULL
    );
    if (writable == NULL) return cip_last_error();
    HANDLE own = GetCurrentProcess(), readable;
    if (!DuplicateHandle(own, writable, own, &readable, FILE_MAP_READ, FALSE, 0)) {
        int64_t result = cip_last_error();
        CloseHandle(writable);
        return result;
    }
    *region = (struct cip_region){.writable = cip_made(writable), .readable = cip_made(readable)};
    return 0;
}

int64_t cip_region_reserve(const struct cip_region *region, size_t size) {
    // It is committed.
    (void)region, (void)size;
    return 0;
}

int64_t cip_region_share(const struct cip_region *region, int64_t sharing) {
    bool is_writable = sharing == CIP_REGION_WRITABLE;
    int64_t result = cip_checked(CloseHandle(cip_handle(is_writable ? region->readable : region->writable)));
    return result < 0 ? result : is_writable ? region->writable : region->readable;
}

int64_t cip_region_size(int64_t descriptor, int64_t sharing) {
    void *memory = NULL;
    int64_t result = cip_region_map(descriptor, 0, sharing == CIP_REGION_WRITABLE, &memory);
    if (result < 0) return result;
    MEMORY_BASIC_INFORMATION found;
    result = VirtualQuery(memory, &found, sizeof found) == 0 ? cip_last_error() : (int64_t)found.RegionSize;
    UnmapViewOfFile(memory);
    return result;
}

int64_t cip_region_map(int64_t descriptor, size_t size, bool to_fill, void **memory) {
    void *mapped = MapViewOfFile(cip_handle(descriptor), FILE_MAP_READ | (to_fill ? FILE_MAP_WRITE : 0), 0, 0, size);
    if (mapped == NULL) return cip_last_error();
    *memory = mapped;
    return 0;
}

void cip_region_unmap(void *memory, size_t size) {
    (void)size;
    UnmapViewOfFile(memory);
}
#endif
