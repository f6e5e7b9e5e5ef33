// SPDX-License-Identifier: Apache-2.0
#include "hub/api/metrics_page.h"

#include <cstdint>
#include <string_view>

namespace vrelo::api {
namespace {

using fanout::FanOutStats;

// A count of fan-out, as it is shown.
struct Shown {
  std::uint64_t FanOutStats::*count;
  std::string_view name;
  std::string_view help;
};

constexpr Shown kShown[] = {
    {&FanOutStats::opened, "vrelo_streams_opened_total", "Streams opened."},
    {&FanOutStats::gaps, "vrelo_gaps_total",
     "Streams that were told that events between their cursor and the history are gone."},
    {&FanOutStats::rounds, "vrelo_rounds_total", "Rounds of delivery."},
    {&FanOutStats::sends, "vrelo_sends_total", "Writes to streams."},
    {&FanOutStats::sent_bytes, "vrelo_sent_bytes_total", "Bytes written to streams."},
    {&FanOutStats::wakes, "vrelo_wakes_total", "Times that the window woke a shard."},
    {&FanOutStats::window_hits, "vrelo_window_hits_total",
     "Pieces of history that readers took from the window, in memory."},
    {&FanOutStats::page_cache_hits, "vrelo_page_cache_hits_total",
     "Pieces of older history that another reader had brought."},
    {&FanOutStats::storage_reads, "vrelo_storage_reads_total",
     "Pieces of older history that were read from the log."},
    {&FanOutStats::failed_reads, "vrelo_storage_reads_failed_total",
     "Such reads that failed; they are tried again, and the streams wait for them."},
};

// Why a stream was closed.
struct Closed {
  std::uint64_t FanOutStats::*count;
  std::string_view reason;
};

constexpr Closed kClosed[] = {
    {&FanOutStats::closed_gone, "gone"},         {&FanOutStats::closed_silent, "silent"},
    {&FanOutStats::closed_stalled, "stalled"},   {&FanOutStats::closed_record_gone, "record gone"},
    {&FanOutStats::closed_ended, "right ended"}, {&FanOutStats::closed_replaced, "replaced"},
    {&FanOutStats::closed_drain, "drain"},       {&FanOutStats::closed_log, "log stopped"},
};

std::uint64_t sum(std::span<const FanOutStats> shards, std::uint64_t FanOutStats::*count) {
  std::uint64_t total = 0;
  for (const FanOutStats& shard : shards) {
    total += shard.*count;
  }
  return total;
}

void expose_level(base::Exposition& exposition,
                  std::string_view name,
                  std::string_view help,
                  std::uint64_t value) {
  exposition.gauge(name, help, static_cast<double>(value));
}

}  // namespace

std::string metrics_page(const NodeFigures& figures) {
  base::Exposition exposition;
  base::expose(figures.shards, exposition);
  expose_level(exposition, "vrelo_open_connections", "Connections open, streams among them.",
               figures.connections);
  expose_level(exposition, "vrelo_streams", "Streams open: readers.",
               sum(figures.fan_outs, &FanOutStats::streams));
  expose_level(exposition, "vrelo_stream_groups",
               "Groups of streams, on each shard, that have the same selectors and rights and so "
               "share what is written.",
               sum(figures.fan_outs, &FanOutStats::groups));
  for (const Shown& shown : kShown) {
    exposition.counter(shown.name, shown.help, sum(figures.fan_outs, shown.count));
  }
  for (const Closed& closed : kClosed) {
    exposition.counter("vrelo_streams_closed_total", "Streams closed.",
                       sum(figures.fan_outs, closed.count), {{"reason", closed.reason}});
  }
  constexpr std::string_view kFetches = "vrelo_key_fetches_total";
  constexpr std::string_view kFetchesHelp = "Fetches of the keys of issuers, from a jwks_url.";
  exposition.counter(kFetches, kFetchesHelp, figures.key_fetches, {{"result", "taken"}});
  exposition.counter(kFetches, kFetchesHelp, figures.key_fetches_failed, {{"result", "failed"}});
  expose_level(exposition, "vrelo_issuers_without_keys",
               "Issuers whose keys could not be fetched from a jwks_url, or not for a day.",
               figures.issuers_without_keys);
  expose_level(exposition, "vrelo_window_bytes", "Memory that the window uses, about.",
               figures.window_bytes);
  expose_level(exposition, "vrelo_window_end_offset",
               "Offset of the newest record that was shown to readers.", figures.window_end.offset);
  expose_level(exposition, "vrelo_log_end_offset", "Offset of the newest record.",
               figures.log_end.offset);
  expose_level(exposition, "vrelo_log_begin_offset",
               "Offset of the newest record that retention removed.", figures.log_begin.offset);
  return exposition.text();
}

}  // namespace vrelo::api
