// SPDX-License-Identifier: MIT OR Apache-2.0
// Windows' security descriptors, self-relative, which is one piece of memory without pointers; their texts (SDDL) are
// UTF-16. Each function returns the length of the whole, of which it stores as much as there is room for. Defined on
// Windows alone.
#ifndef CIP_SECURITY_H
#define CIP_SECURITY_H

#include "cip_base.h"

CIP_BEGIN

/// ConvertStringSecurityDescriptorToSecurityDescriptorW, of a text with a terminator; in bytes.
int64_t cip_security_from_text(const uint16_t *text, uint8_t *CIP_NULLABLE bytes, size_t capacity);
/// ConvertSecurityDescriptorToStringSecurityDescriptorW, of owner, group, DACL and label; in units without the terminator.
int64_t cip_security_to_text(const void *descriptor, uint16_t *CIP_NULLABLE text, size_t capacity);
/// GetSecurityInfo of a handle: owner, group and DACL; in bytes.
int64_t cip_security_of_handle(int64_t handle, uint8_t *CIP_NULLABLE bytes, size_t capacity);
/// The user that this thread acts as, or else this process, or its primary group, as the text of a SID; in units without
/// the terminator.
int64_t cip_own_sid(bool of_group, uint16_t *CIP_NULLABLE text, size_t capacity);

/// Whether what the handle stands for belongs to that user, or to the system or its administrators: 1 or 0.
int64_t cip_security_is_own(int64_t handle);

CIP_END

#endif
