// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hub/base/clock.h"
#include "hub/fanout/topic_index.h"
#include "hub/subscribe.h"
#include "sim/network.h"
#include "sim/witness.h"
#include "sse/decoder.h"

namespace vrelo::sim {

// One EventSource: it reads a stream, comes back with its last id when the stream ends, and has a
// witness for all it sees.
class Reader final : private sse::DecoderSink {
 public:
  // `wish.cursor` is that of the first request. A reader with Hello::kNamed keeps the ids of events
  // alone, as Firefox does. The ids of one with Ids::kOwn end in a proof, another one in each
  // stream.
  Reader(std::uint64_t number, const Store& store, Subscription wish, fanout::Ids ids);

  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  std::uint64_t number() const { return number_; }  // for people

  // What it asks for now: with the last id that it has, and the proof behind that.
  Subscription request();

  // Its request is under way on `link`.
  void connect(Network::LinkPtr link);

  bool is_connected() const { return link_ != nullptr; }
  Link& link() { return *link_; }

  // Takes up to `bytes` from its connection, and notices that it has ended.
  void take(std::size_t bytes, base::Clock::Steady now);

  // Ends the connection by itself, or sees it break.
  void disconnect(base::Clock::Steady now);

  // Its machine is gone, and the connection with it, which the hub is not told.
  void abandon(base::Clock::Steady now);

  // When it will ask again. While it is not connected.
  base::Clock::Steady returns_at() const { return returns_at_; }
  void return_at(base::Clock::Steady when) { returns_at_ = when; }

  bool stalled = false;  // it does not take what comes
  bool slow = false;     // it takes a few bytes at a time

  const Witness& witness() const { return witness_; }
  std::uint64_t digest() const { return digest_; }  // of all it was sent

  struct Seen {
    std::uint64_t events = 0;
    std::uint64_t gaps_at_begin = 0;
    std::uint64_t gaps = 0;
    std::uint64_t moves = 0;     // of the cursor alone
    std::uint64_t comments = 0;  // heartbeats, mostly
    std::uint64_t ends = 0;      // of its right
    std::uint64_t told = 0;      // that it ends soon
  };
  const Seen& seen() const { return seen_; }

 private:
  void on_event(const sse::Event& event) override;
  void on_retry(std::chrono::milliseconds delay) override;
  void on_hub_event(std::string_view type);
  std::string plain(std::string_view id);
  void keep(std::string_view id);
  void read(std::string_view bytes);
  void read_body(std::string_view bytes);
  void end_line();
  void end_block();

  const std::uint64_t number_;
  Subscription wish_;
  const fanout::Ids ids_;
  Witness witness_;
  std::optional<std::string> cursor_;
  std::string cursor_suffix_;  // what stood behind it
  std::uint32_t turn_ = 0;
  std::chrono::milliseconds retry_{1000};
  base::Clock::Steady returns_at_{};
  std::uint64_t digest_ = 0;
  Seen seen_;

  // Of the connection.
  Network::LinkPtr link_;
  std::string id_suffix_;
  std::uint64_t told_ = 0;
  bool ended_ = false;
  std::optional<sse::Decoder> decoder_;
  std::string head_;  // of the HTTP response, until it is whole
  bool head_read_ = false;
  bool begun_ = false;       // the first block was there
  bool dispatched_ = false;  // the current line brought an event
  bool block_open_ = false;  // the block has a field already
  std::string line_;
};

}  // namespace vrelo::sim
