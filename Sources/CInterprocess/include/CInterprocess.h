// SPDX-License-Identifier: MIT OR Apache-2.0
//
// The one door between Swift and the operating system.
//
// The contract of every function here, unless its comment says otherwise:
//   - it makes one system call (or the shortest fixed series that has one effect), and does not retry it;
//   - it returns a value >= 0, or the negated error code of its system, so that errno never reaches Swift;
//   - it takes fixed-width types only; a descriptor is an int64_t;
//   - it allocates nothing and keeps no pointer;
//   - every descriptor that it makes is close-on-exec, from birth where the system can.
//
// Platform headers are included by the .c files alone (through platform.h), so that these declarations, and with them
// all of the Swift code, read the same on every system.
#ifndef CINTERPROCESS_H
#define CINTERPROCESS_H

#include "cip_child.h"
#include "cip_credentials.h"
#include "cip_descriptor.h"
#include "cip_file.h"
#include "cip_handle.h"
#include "cip_named_pipe.h"
#include "cip_pipe.h"
#include "cip_poller.h"
#include "cip_process.h"
#include "cip_region.h"
#include "cip_security.h"
#include "cip_signal.h"
#include "cip_socket.h"

#endif
