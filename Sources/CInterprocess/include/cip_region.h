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

/// Lets nobody change the region's contents or size any more, and closes `writable`, unless that is `readable`. There
/// must be no writable mapping. Without seals it is `readable` alone that nothing can be changed by.
int64_t cip_region_freeze(const struct cip_region *region);

/// The size of a frozen region that came from somebody else; EPERM when it is not frozen, EINVAL when it is no region.
/// Windows rounds it up to whole pages.
int64_t cip_region_size(int64_t descriptor);

/// mmap(2) of all of it, to read or to fill, and munmap(2).
int64_t cip_region_map(int64_t descriptor, size_t size, bool to_fill, void *CIP_NULLABLE *CIP_NULLABLE memory);
void cip_region_unmap(void *memory, size_t size);

CIP_END

#endif
