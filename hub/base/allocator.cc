// SPDX-License-Identifier: Apache-2.0
#include "hub/base/allocator.h"

#include <malloc.h>

namespace vrelo::base {
namespace {

// What the heap grows by, and what stays with it when it shrinks. Not touched before it is used.
constexpr int kStepBytes = 1 << 20;

// What is larger is the system's business, and goes back to it at once.
constexpr int kOwnMappingBytes = 1 << 20;

}  // namespace

void set_up_allocator() {
  // The sanitizers' allocators refuse all of it, and nothing but time depends on it.
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TOP_PAD, kStepBytes);
  ::mallopt(M_TRIM_THRESHOLD, 2 * kStepBytes);
  ::mallopt(M_MMAP_THRESHOLD, kOwnMappingBytes);  // which any of the others would leave at 128 KiB
}

}  // namespace vrelo::base
