// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "cli/load/histogram.h"
#include "cli/load/message.h"
#include "cli/load/workload.h"
#include "hub/base/descriptor.h"
#include "sse/client/response_reader.h"
#include "sse/decoder.h"

namespace vrelo::cli::load {

// What readers have seen so far.
struct ReaderCounts {
  std::size_t connected = 0;
  std::size_t open = 0;     // streams whose head has come, those that were cut since included
  std::size_t refused = 0;  // that never came to be
  std::size_t cut = 0;      // that ended
  std::string first_refusal;

  std::uint64_t delivered = 0;          // events of this run
  std::uint64_t delivered_stalled = 0;  // of them: to the readers that were to stall
  std::uint64_t doubled = 0;            // those that came again
  std::uint64_t reordered = 0;  // that came after a later one of the same publishing connection
  std::uint64_t foreign = 0;    // events of others
  std::chrono::steady_clock::time_point last_delivery;
};

// Many readers in one thread.
//
// Lifetime: `workload` and `messages` must outlive it.
class Readers {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  Readers(const Workload& workload, const Messages& messages);

  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  // Begins to open streams, as long as no more than connecting_max are underway.
  // Errors: the system's; no more can then be opened.
  boost::system::error_code open_more();
  bool is_opening() const { return counts_.open + counts_.refused < workload_.readers; }

  // Reads what has come. Waits for it, no longer than `wait`.
  void poll(std::chrono::milliseconds wait);

  // The stalled ones stop reading, and read again.
  void stall();
  void resume();

  const ReaderCounts& counts() const { return counts_; }
  const Histogram& latency() const { return latency_; }  // of all but the stalled readers

 private:
  enum class State { kConnecting, kHead, kBody, kClosed };

  class Reader final : public sse::DecoderSink {
   public:
    Reader(Readers& all, std::size_t its_number) : number(its_number), all_(all) {}

    void on_event(const sse::Event& event) override { all_.count(*this, event.data); }
    void on_retry(std::chrono::milliseconds /*delay*/) override {}

    const std::size_t number;
    State state = State::kConnecting;
    base::Descriptor socket;
    sse::client::ResponseReader response;
    sse::Decoder decoder{*this, {.event_bytes_max = std::size_t{64} << 20}};

   private:
    Readers& all_;
  };

  boost::system::error_code open(Reader& reader);
  void send_request(Reader& reader);
  void read(Reader& reader);
  void take(Reader& reader, std::string_view bytes);
  void read_head(Reader& reader);
  void count(const Reader& reader, std::string_view data);
  void refuse(Reader& reader, std::string_view why);
  void close(Reader& reader);
  void watch_stalled(int operation);

  const Workload& workload_;
  const Messages& messages_;
  base::Descriptor epoll_;
  std::deque<Reader> readers_;  // those that were begun
  std::vector<char> buffer_;
  std::string body_;  // what has come of one stream, without its framing

  ReaderCounts counts_;
  Histogram latency_;
  Steady read_at_;
  std::vector<std::size_t> next_number_;  // by reader and publisher: the least that is not late
  std::vector<bool> seen_;                // by reader and event; empty: too many to keep
};

}  // namespace vrelo::cli::load
