// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sse/client/connection.h"
#include "sse/client/event_source.h"
#include "sse/client/response_reader.h"
#include "sse/client/task.h"
#include "sse/client/url.h"

namespace vrelo::cli {

// Receives what becomes of the events of one publish(). The calls must not throw.
class PublisherObserver {
 public:
  // The hub has the event, the `index`th of those given, under this id.
  virtual void on_published(std::size_t index, std::string_view id) = 0;

  // The hub does not take it, now or ever; a status of success: the answer is no event's id, as of
  // something that is no hub.
  virtual void on_refused(std::size_t index, const sse::client::Failure& failure) = 0;

  // Some are still without an answer; the next attempt is in `delay`.
  virtual void on_wait(const sse::client::Failure& failure, std::chrono::milliseconds delay) = 0;

 protected:
  ~PublisherObserver() = default;  // the publisher does not own its observer
};

// Publishes over one connection that is kept open: the requests of a batch leave together, and then
// their answers are read. A batch that a broken connection leaves without answers is sent again,
// and so is what a hub refuses that is busy (429, 502, 503, 504, 507): events that are to be stored
// once need an id of their own. Nothing is sent anew where there never was a connection, and 7
// attempts without any answer but such refusals, over about half a minute, are the last.
//
// Threads: one, that of its loop.
// Lifetime: must outlive its operations; `network` and `observer` must outlive it.
// Order: events are sent in the order given; only where a busy hub refuses one and takes a later
// one of the same batch do the two change places.
class Publisher {
 public:
  static constexpr std::size_t kBatchMax =
      128;  // answers that no reader takes must fit into buffers
  static constexpr std::chrono::seconds kOpenTime{15};
  static constexpr std::chrono::seconds kAnswerTime{30};  // for the next bytes, either way
  static constexpr unsigned kAttemptsMax = 7;

  // `fields`: further ones of each request.
  Publisher(const sse::client::Network& network,
            sse::client::Url url,
            std::span<const std::pair<std::string, std::string>> fields,
            PublisherObserver& observer,
            std::uint32_t seed);

  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // Publishes events, each given as the body of its request, at most kBatchMax of them. Returns why
  // some are without an answer; nullopt: all have been handed to the observer, in order.
  //
  // Order: one publish() at a time; none after one that returned a failure.
  sse::client::Task<std::optional<sse::client::Failure>> publish(std::vector<std::string> forms);

 private:
  using Milliseconds = std::chrono::milliseconds;

  // One event of the batch.
  struct Item {
    std::string request;
    std::optional<std::string> id;                // once it is published
    std::optional<sse::client::Failure> refusal;  // once it is refused

    bool is_answered() const { return id || refusal; }
  };

  sse::client::Task<boost::system::error_code> attempt();
  sse::client::Task<boost::system::error_code> connect();
  sse::client::Task<boost::system::error_code> write_requests();
  sse::client::Task<boost::system::error_code> read_answers();
  sse::client::Task<boost::system::error_code> read_answer();
  void take_answer(Item& item);
  void report_in_order();
  void report_rest();
  sse::client::Task<void> wait(Milliseconds delay);
  void report(std::size_t index);
  std::size_t answered_count() const;
  static bool is_final(const boost::system::error_code& error);
  Milliseconds next_delay();

  const sse::client::Network& network_;
  const sse::client::Url url_;
  const std::string head_;  // of each request, up to the length of its body
  PublisherObserver& observer_;
  std::minstd_rand random_;

  std::vector<Item> items_;
  std::size_t reported_ = 0;  // how many of them, from the first, the observer knows of
  std::optional<sse::client::Failure> busy_;  // what the last refusal said that passes by itself
  std::optional<Milliseconds> retry_after_;
  unsigned attempts_ = 0;  // since the last answer that counts

  std::optional<sse::client::Connection> connection_;  // nullopt: none is open
  std::vector<char> buffer_;
  std::string received_;  // what has come beyond the answers that were read
  sse::client::ResponseReader reader_;
  std::unique_ptr<sse::client::Alarm> deadline_;
  bool is_late_ = false;
  bool was_connected_ = false;  // at least once
  bool had_answer_ = false;     // at least once

  std::unique_ptr<sse::client::Alarm> delay_alarm_;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>,
                                    sse::client::Executor>
      wake_;
};

}  // namespace vrelo::cli
