// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "hub/base/metrics.h"
#include "hub/fanout/fan_out.h"
#include "hub/log/log.h"

namespace vrelo::api {

// The node at one moment.
struct NodeFigures {
  std::span<const base::ShardMetrics* const> shards;
  std::span<const fanout::FanOutStats> fan_outs;  // of each shard
  std::size_t connections = 0;                    // open now
  std::uint64_t key_fetches = 0;                  // that brought a set
  std::uint64_t key_fetches_failed = 0;
  std::size_t issuers_without_keys = 0;  // of those whose keys are fetched
  std::size_t window_bytes = 0;
  log::Position window_end = {};
  log::Position log_begin = {};
  log::Position log_end = {};
};

// Returns what /metrics shows, in the text format of Prometheus: sums over the shards.
std::string metrics_page(const NodeFigures& figures);

}  // namespace vrelo::api
