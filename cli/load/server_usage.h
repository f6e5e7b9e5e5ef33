// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include <sys/types.h>

#include "sse/client/errc.h"

namespace vrelo::cli::load {

// What processes have used since they began, and hold now, together.
struct ServerUsage {
  std::chrono::nanoseconds user{0};  // by the system's statistics, in steps of 10 ms
  std::chrono::nanoseconds system{0};
  std::chrono::nanoseconds run{0};  // time on a processor, to the nanosecond: both of them
  std::uint64_t resident_bytes = 0;
};

// Whether the memory is wanted too, which the kernel takes its time to add up.
enum class Memory { kNo, kYes };

// Errors: the system's, where one of `processes` has gone.
// Source: proc(5), proc_pid_stat, proc_pid_schedstat, proc_pid_smaps.
sse::client::Result<ServerUsage> usage_of(std::span<const pid_t> processes, Memory memory);

}  // namespace vrelo::cli::load
