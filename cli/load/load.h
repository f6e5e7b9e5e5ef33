// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "cli/load/histogram.h"
#include "cli/load/publishers.h"
#include "cli/load/readers.h"
#include "cli/load/server_usage.h"
#include "cli/load/workload.h"
#include "sse/client/errc.h"

namespace vrelo::cli::load {

enum class Phase { kOpening, kSettling, kPublishing, kCatchingUp };

// How far a run is.
struct Progress {
  Phase phase = Phase::kOpening;
  std::size_t open = 0;
  std::size_t refused = 0;
  std::uint64_t sent = 0;  // events
  std::uint64_t delivered = 0;
};

// What the servers' processes have used.
struct ServerReport {
  ServerUsage opening;     // while the streams were opened, up to the first publish; its memory
                           // is what they hold more than before
  ServerUsage publishing;  // from the first publish to the last delivery
  std::uint64_t before_bytes = 0;   // resident, before the first stream
  std::uint64_t stalled_bytes = 0;  // resident, when all but the stalled readers had everything
  std::uint64_t end_bytes = 0;      // resident, at the end
};

// What a run has shown.
struct Report {
  ReaderCounts readers;
  PublisherCounts publishers;
  std::uint64_t expected = 0;  // deliveries: one for each stream and accepted event

  std::chrono::nanoseconds opening{0};     // from the first connect to the last stream's head
  std::chrono::nanoseconds publishing{0};  // from the first publish to the last answer
  std::chrono::nanoseconds delivering{0};  // from the first publish to the last delivery
  std::chrono::nanoseconds reading{0};     // processor time of the thread that reads meanwhile

  Histogram latency;  // from an event's time to its reading, without the stalled readers
  Histogram answers;  // from an event's time to the publisher's answer

  std::optional<ServerReport> server;  // nullopt: no processes are known, or one of them has gone
  bool is_stopped = false;             // by whoever watched it
};

// Loads a server: opens the streams, publishes, and reads until each stream has every event that
// was accepted, or until nothing has come for as long as the workload's patience.
//
// `go_on` is called several times a second; the run stops early when it returns false.
//
// Errors: the system's, where the run could not begin, or no further stream be opened. What the
// server does, refusals too, is in the report.
// Cost: two threads, this one and another. Each works at full speed where the server lets it.
sse::client::Result<Report> run_load(const Workload& workload,
                                     const std::function<bool(const Progress&)>& go_on);

}  // namespace vrelo::cli::load
