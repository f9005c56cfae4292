// SPDX-License-Identifier: MIT OR Apache-2.0
// Memory that several processes map: one makes and fills it, and freezes it before others get it.
#ifndef CIP_REGION_H
#define CIP_REGION_H

#include "cip_base.h"

CIP_BEGIN

/// A region while it is being filled. What others get is `readable`; it is `writable` itself where a region is frozen by
/// seals.
struct cip_region {
    int64_t writable;
    int64_t readable;
};

/// Makes a region of zeroes, of no more than the machine's memory. memfd_create(2) where there are seals (Linux,
/// FreeBSD); elsewhere shm_open(3), under a name that is gone at once; CreateFileMappingW.
int64_t cip_region_create(size_t size, struct cip_region *region);

/// Gives the region all the memory that it is to have, so that no access to it can fail for want of it. fallocate(2);
/// does nothing where there is no such call.
int64_t cip_region_reserve(const struct cip_region *region, size_t size);

/// What may still change once a region is shared.
enum {
    /// Neither its contents nor its size.
    CIP_REGION_FROZEN = 0,
    /// Its contents, by who has mapped it to fill it; others can only read.
    CIP_REGION_LENT = 1,
    /// Its contents, by everybody.
    CIP_REGION_WRITABLE = 2,
};

/// Shares a region from then on; one that is to be frozen must not be mapped to be filled. Returns the descriptor that
/// others get, and closes the other one, if they are two. Without seals, what others cannot do is what that descriptor
/// does not allow.
int64_t cip_region_share(const struct cip_region *region, int64_t sharing);

/// The size of a region that came from somebody else, who shares it so; EPERM when it is not, EINVAL when it is no
/// region. Where there are seals, none can be shared whose memory could be taken away from those who have mapped it.
/// Windows rounds the size up to whole pages.
int64_t cip_region_size(int64_t descriptor, int64_t sharing);

/// Whether a region that came from somebody else has all its memory, so that to read it takes none (Linux); 1 where the
/// system does not tell. Not on Windows.
int64_t cip_region_is_reserved(int64_t descriptor, size_t size);

/// mmap(2) of all of it, to read or to fill, and munmap(2).
int64_t cip_region_map(int64_t descriptor, size_t size, bool to_fill, void *CIP_NULLABLE *CIP_NULLABLE memory);
void cip_region_unmap(void *memory, size_t size);

/// Has every page of a mapping present before it is used, which takes longer than copying its contents.
static inline void cip_region_touch(void *memory, size_t size, bool to_fill) {
    for (size_t offset = 0; offset < size; offset += 4096) {
        volatile unsigned char *byte = (volatile unsigned char *)memory + offset;
        unsigned char value = *byte;
        if (to_fill) *byte = value;
    }
}

CIP_END

#endif
