// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "hub/log/event_filter.h"
#include "hub/log/log.h"
#include "hub/net/stream_sockets.h"

namespace vrelo::fanout {

// Sockets in memory: what a stream was sent, and how much its peer has room for.
class FakeSockets final : public net::StreamSockets {
 public:
  static constexpr std::size_t kEndless = std::numeric_limits<std::size_t>::max();

  struct Socket {
    std::string got = {};
    std::size_t room = kEndless;
    std::size_t writes = 0;
    bool broken = false;
    bool wants_writable = false;
    bool closed = false;
    net::Peer peer = {};
  };

  std::function<void(int fd)> on_send = [](int) {};  // before each write
  bool refuses = false;                              // adopt() fails

  net::Sent send(int fd, std::string_view bytes) override {
    on_send(fd);
    Socket& socket = at(fd);
    assert(!socket.closed);
    ++socket.writes;
    if (socket.broken) {
      return {.failed = true};
    }
    const std::size_t taken = std::min(socket.room, bytes.size());
    socket.got += bytes.substr(0, taken);
    if (socket.room != kEndless) {
      socket.room -= taken;
    }
    return {.bytes = taken};
  }

  net::Sent send(int fd, std::span<const iovec> pieces) override {
    std::string joined;
    for (const iovec& piece : pieces) {
      joined.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    return send(fd, joined);
  }

  void want_writable(int fd, bool wanted) override { at(fd).wants_writable = wanted; }
  net::Peer peer(int fd) const override { return sockets_.at(fd).peer; }

  bool adopt(int fd) override {
    if (refuses) {
      return false;
    }
    if (Socket& socket = sockets_[fd]; socket.closed) {
      socket = {};  // the descriptor is another connection's
    }
    return true;
  }

  void close(int fd) override {
    assert(!at(fd).closed);
    at(fd).closed = true;
  }

  // Before the stream is opened, too.
  Socket& at(int fd) { return sockets_[fd]; }

 private:
  std::map<int, Socket> sockets_;
};

// The log's contract in the plainest way, for one thread, with switches for bad days.
class FakeLog final : public log::Log {
 public:
  explicit FakeLog(base::Executor executor) : changed_(executor) {
    changed_.expires_at(std::chrono::steady_clock::time_point::max());
  }

  bool unavailable = false;
  bool held = false;  // read() waits until release()
  std::size_t reads = 0;

  log::Position put(log::Event event) {
    end_.offset += stride;
    records_.push_back(std::make_shared<const log::Record>(
        log::Record{.position = end_, .stored_at = {}, .event = std::move(event)}));
    changed_.cancel();
    return end_;
  }

  // Retention: removes all up to `offset`.
  void remove_to(std::uint64_t offset) {
    while (!records_.empty() && records_.front()->position.offset <= offset) {
      for (const std::string& topic : records_.front()->event.topics) {
        removed_[topic] = records_.front()->position.offset;
      }
      records_.erase(records_.begin());
    }
    begin_.offset = std::max(begin_.offset, offset);
  }

  // The log was replaced by an empty one.
  void replace() {
    records_.clear();
    removed_.clear();
    begin_ = end_ = {.epoch = end_.epoch + 1, .offset = 0};
    changed_.cancel();
  }

  void release() {
    held = false;
    changed_.cancel();
  }

  std::span<const log::RecordPtr> records() const { return records_; }

  log::Awaitable<log::Appended> append(log::Event event) override {
    co_return log::Appended{.position = put(std::move(event))};
  }

  log::Awaitable<log::Page> read(log::Position after,
                                 log::Selection selection,
                                 log::ReadLimits limits) override {
    ++reads;
    while (held && !stopped_) {
      co_await change();
    }
    if (stopped_) {
      co_return log::Errc::kStopped;
    }
    if (unavailable) {
      co_return log::Errc::kUnavailable;
    }
    if (gone(after, selection)) {
      co_return log::Errc::kPositionGone;
    }
    log::Page page{.records = {}, .next = end_};
    std::size_t bytes = 0;
    for (const log::RecordPtr& record : records_) {
      if (record->position.offset <= after.offset || !wants(selection, *record)) {
        continue;
      }
      bytes += log::text_bytes(record->event);
      if (!page.records.empty() &&
          (page.records.size() == limits.records_max || bytes > limits.bytes_max)) {
        page.next = page.records.back()->position;
        break;
      }
      page.records.push_back(record);
    }
    co_return page;
  }

  std::unique_ptr<log::Tail> tail(log::Position after) override {
    return std::make_unique<FakeTail>(*this, after);
  }

  log::Awaitable<std::optional<log::Position>> find(std::string event_id) override {
    for (const log::RecordPtr& record : records_) {
      if (record->event.id == event_id) {
        co_return record->position;
      }
    }
    co_return std::nullopt;
  }

  log::Position end() const override { return end_; }
  log::Position begin() const override { return begin_; }

  void stop() override {
    stopped_ = true;
    changed_.cancel();
  }

  std::uint64_t stride = 1;  // offsets need not be dense

 private:
  class FakeTail final : public log::Tail {
   public:
    FakeTail(FakeLog& log, log::Position at) : log_(log), at_(at) {}

    log::Awaitable<std::vector<log::RecordPtr>> next(log::ReadLimits limits) override {
      while (true) {
        auto page = co_await log_.read(at_, {.all = true, .topics = {}}, limits);
        if (!page) {
          co_return page.error();
        }
        at_ = page->next;
        if (!page->records.empty()) {
          co_return std::move(page->records);
        }
        co_await log_.change();
      }
    }

    void stop() override { log_.stop(); }

   private:
    FakeLog& log_;
    log::Position at_;
  };

  base::Task<void> change() {
    boost::system::error_code cancelled;
    co_await changed_.async_wait(
        boost::asio::redirect_error(boost::asio::use_awaitable_t<base::Executor>(), cancelled));
  }

  static bool wants(const log::Selection& selection, const log::Record& record) {
    return log::EventFilter(selection).wants(record.event.topics);
  }

  bool gone(log::Position after, const log::Selection& selection) const {
    if (after.epoch != end_.epoch || after.offset > end_.offset) {
      return true;
    }
    if (after.offset >= begin_.offset) {
      return false;
    }
    return selection.all || !selection.patterns.empty() ||
           std::any_of(selection.topics.begin(), selection.topics.end(),
                       [&](const std::string& topic) {
                         const auto removed = removed_.find(topic);
                         return removed != removed_.end() && removed->second > after.offset;
                       });
  }

  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>,
                                    base::Executor>
      changed_;
  std::vector<log::RecordPtr> records_;
  std::map<std::string, std::uint64_t> removed_;
  log::Position begin_{.epoch = 7, .offset = 0};
  log::Position end_{.epoch = 7, .offset = 0};
  bool stopped_ = false;
};

}  // namespace vrelo::fanout
