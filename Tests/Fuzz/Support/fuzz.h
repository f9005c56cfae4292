// SPDX-License-Identifier: MIT OR Apache-2.0
// What the drivers need of C.
#ifndef CIP_FUZZ_H
#define CIP_FUZZ_H

#include "CInterprocess.h"

CIP_BEGIN

/// Receives a message from a kernel that is made up: the input says what came, and what is wanted of it. Ends the program
/// when a descriptor is lost, or closed without reason.
void fuzz_receive(const uint8_t *bytes, size_t count);

/// Takes an address as a system gives it, and gives it back.
void fuzz_address(const uint8_t *bytes, size_t count);

/// SHA-256, written another time.
void fuzz_sha256(const uint8_t *message, size_t count, uint8_t *hash);

CIP_END

#endif
