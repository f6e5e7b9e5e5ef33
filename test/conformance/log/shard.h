// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/system/result.hpp>

#include "hub/log/log.h"

namespace vrelo::log {

template <typename T>
using Result = boost::system::result<T>;

// What an operation that was started will give.
template <typename T>
class Pending {
 public:
  bool is_done() const { return result_->has_value(); }

 private:
  friend class Shard;

  std::shared_ptr<std::optional<Result<T>>> result_ = std::make_shared<std::optional<Result<T>>>();
};

// A shard of a node, with its log: its loop turns while the test waits for something.
//
// Threads: one, the same for all calls.
// Lifetime: the store outlives it; it outlives its tails.
class Shard {
 public:
  explicit Shard(Store& store);
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  ~Shard();

  Log& log() { return *log_; }
  Position end() const { return log_->end(); }
  Position begin() const { return log_->begin(); }

  // Returns the position at `offset` of the log's epoch.
  Position at(std::uint64_t offset) const { return {.epoch = end().epoch, .offset = offset}; }

  // These start an operation. It goes on while the loop turns.
  Pending<Appended> start_append(Event event);
  Pending<Page> start_read(Position after, Selection selection, ReadLimits limits = {});
  Pending<std::optional<Position>> start_find(std::string event_id);
  Pending<std::vector<RecordPtr>> start_next(Tail& tail, ReadLimits limits = {});

  // Lets the loop turn for as long as it has something to do at once.
  void poll();

  // Lets the loop turn until the operation has completed, and returns what it gave.
  template <typename T>
  Result<T> wait(Pending<T> pending) {
    while (!pending.is_done()) {
      turn();
    }
    return std::move(**pending.result_);
  }

  // These start and wait.
  Result<Appended> append(Event event) { return wait(start_append(std::move(event))); }
  Result<Page> read(Position after, Selection selection, ReadLimits limits = {}) {
    return wait(start_read(after, std::move(selection), limits));
  }
  Result<std::optional<Position>> find(std::string event_id) {
    return wait(start_find(std::move(event_id)));
  }
  Result<std::vector<RecordPtr>> next(Tail& tail, ReadLimits limits = {}) {
    return wait(start_next(tail, limits));
  }

  // Starts to append all of them before it waits for the first.
  std::vector<Result<Appended>> append_all(std::vector<Event> events);

  // Reads page after page until there is no more, and returns all of their records.
  Result<std::vector<RecordPtr>> read_on(Position after,
                                         const Selection& selection,
                                         ReadLimits limits = {});

 private:
  template <typename T>
  Pending<T> start(Awaitable<T> task);
  void turn();

  boost::asio::io_context loop_{1};
  std::unique_ptr<Log> log_;
};

// The data of each record, to compare with.
std::vector<std::string> data_of(const std::vector<RecordPtr>& records);

// The offset of each record.
std::vector<std::uint64_t> offsets_of(const std::vector<RecordPtr>& records);

}  // namespace vrelo::log
