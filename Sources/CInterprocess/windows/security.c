// SPDX-License-Identifier: MIT OR Apache-2.0
#include "windows.h"

#if CIP_WINDOWS
#include <accctrl.h>
#include <aclapi.h>
#include <sddl.h>
#include <string.h>

#define CIP_PARTS (OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION)

// Stores a text that the system has allocated, and frees it.
static int64_t store_text(LPWSTR found, uint16_t *text, size_t capacity) {
    size_t length = wcslen(found);
    if (length <= capacity && length > 0) memcpy(text, found, length * sizeof *text);
    LocalFree(found);
    return (int64_t)length;
}

// The same for a self-relative descriptor.
static int64_t store_descriptor(PSECURITY_DESCRIPTOR found, uint8_t *bytes, size_t capacity) {
    size_t length = GetSecurityDescriptorLength(found);
    if (length <= capacity) memcpy(bytes, found, length);
    LocalFree(found);
    return (int64_t)length;
}

int64_t cip_security_from_text(const uint16_t *text, uint8_t *bytes, size_t capacity) {
    PSECURITY_DESCRIPTOR found;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW((LPCWSTR)text, SDDL_REVISION_1, &found, NULL))
        return cip_last_error();
    return store_descriptor(found, bytes, capacity);
}

int64_t cip_security_to_text(const void *descriptor, uint16_t *text, size_t capacity) {
    LPWSTR found;
    PSECURITY_DESCRIPTOR source = (void *)(uintptr_t)descriptor;
    if (!ConvertSecurityDescriptorToStringSecurityDescriptorW(
            source, SDDL_REVISION_1, CIP_PARTS | LABEL_SECURITY_INFORMATION, &found, NULL))
        return cip_last_error();
    return store_text(found, text, capacity);
}

int64_t cip_security_of_handle(int64_t handle, uint8_t *bytes, size_t capacity) {
    PSECURITY_DESCRIPTOR found;
    DWORD error = GetSecurityInfo(cip_handle(handle), SE_KERNEL_OBJECT, CIP_PARTS, NULL, NULL, NULL, NULL, &found);
    return error == ERROR_SUCCESS ? store_descriptor(found, bytes, capacity) : -(int64_t)error;
}

// Who the thread or process is, of one kind. A SID has at most 68 bytes, and its pointer comes first in all of them.
union own {
    TOKEN_USER user;
    TOKEN_OWNER owner;
    TOKEN_PRIMARY_GROUP group;
    uint8_t room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
};

static int64_t find_own(TOKEN_INFORMATION_CLASS what, union own *found) {
    HANDLE token;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)
        && !OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return cip_last_error();
    DWORD length;
    int64_t result = cip_checked(GetTokenInformation(token, what, found, sizeof *found, &length));
    CloseHandle(token);
    return result;
}

int64_t cip_own_sid(bool of_group, uint16_t *text, size_t capacity) {
    union own found = {0};
    LPWSTR sid;
    int64_t result = find_own(of_group ? TokenPrimaryGroup : TokenUser, &found);
    if (result < 0) return result;
    return ConvertSidToStringSidW(found.owner.Owner, &sid) ? store_text(sid, text, capacity) : cip_last_error();
}

int64_t cip_security_is_own(int64_t handle) {
    union own user = {0}, owner = {0};
    int64_t result = find_own(TokenUser, &user);
    if (result >= 0) result = find_own(TokenOwner, &owner);
    if (result < 0) return result;
    PSID found;
    PSECURITY_DESCRIPTOR descriptor;
    DWORD error = GetSecurityInfo(
        cip_handle(handle), SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &found, NULL, NULL, NULL, &descriptor
    );
    if (error != ERROR_SUCCESS) return -(int64_t)error;
    // What an administrator makes belongs to all of them, unless it is told otherwise.
    bool is_own = EqualSid(found, user.user.User.Sid) || EqualSid(found, owner.owner.Owner)
               || IsWellKnownSid(found, WinLocalSystemSid) || IsWellKnownSid(found, WinBuiltinAdministratorsSid);
    LocalFree(descriptor);
    return is_own;
}
#endif
