// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/system/result.hpp>

#include <sys/epoll.h>

#include "hub/base/admission.h"
#include "hub/base/task.h"
#include "hub/net/stream_sockets.h"

namespace vrelo::net {

// What gives a stream's reader the right to it. Destroyed when the stream is closed.
class StreamRight {
 public:
  virtual ~StreamRight() = default;
};

// The plain streams of one shard, in an epoll set of their own that is a single descriptor in
// Asio's loop. A stream only waits for its end, or for room; what Asio keeps for a socket that
// talks would be most of its memory.
//
// The peer of a stream has nothing to say. What it sends is thrown away; when it has cost more than
// kHeardMax, the stream counts as gone, so that nobody can keep the shard busy. A peer that shuts
// down its sending side counts as gone too: that is what a closed browser tab or a proxy whose own
// client left looks like, and nothing else would tell before the next write.
//
// Invariant: each descriptor gets on_gone() at most once, and no event after close().
// Order: start() before the first adopt(). What is open at destruction is closed.
// Lifetime: not destroyed from inside an event.
// Cost: 24 bytes and no allocation per stream. One turn of the loop handles at most kBatch events.
class EpollStreams final : public StreamSockets {
 public:
  // Each read counts for what it brought, or for kReadMin if that is more.
  static constexpr std::uint32_t kHeardMax = 65'536;
  static constexpr std::uint32_t kReadMin = 64;
  static constexpr std::size_t kBatch = 128;

  explicit EpollStreams(base::Executor executor);
  ~EpollStreams() override;

  EpollStreams(const EpollStreams&) = delete;
  EpollStreams& operator=(const EpollStreams&) = delete;

  // Begins to tell `events` what happens, from the shard's loop.
  // Errors: the kernel's, for want of descriptors or memory; then no stream can be adopted.
  boost::system::result<void> start(StreamEvents& events);

  // Tells nothing more, so that the loop can run dry. Streams stay open.
  void stop();

  // Keeps the place of the connection `fd`, which is about to be adopted, until it is closed; and
  // `right`, if there is one.
  void keep(int fd, base::Admission::Place place, std::unique_ptr<StreamRight> right = nullptr);

  // Returns the streams that were adopted without a right. Cost: looks at each descriptor.
  std::vector<int> without_right() const;

  Sent send(int fd, std::string_view bytes) override;
  Sent send(int fd, std::span<const iovec> pieces) override;
  void want_writable(int fd, bool wanted) override;
  Peer peer(int fd) const override;
  bool adopt(int fd) override;
  void close(int fd) override;

 private:
  enum class State : std::uint8_t {
    kFree,     // not a stream of this shard
    kWatched,  // in the epoll set
    kGone,     // reported, and no longer in the set
  };
  struct Stream {
    base::Admission::Place place;
    std::unique_ptr<StreamRight> right;
    std::uint32_t heard = 0;
    State state = State::kFree;
    bool wants_writable = false;
  };

  // Descriptors are small numbers that all shards share, so the table comes in pages.
  static constexpr std::size_t kPage = 64;
  using Page = std::array<Stream, kPage>;

  Stream& make(int fd);
  Stream& at(int fd);
  void wait();
  void handle_batch();
  void handle(int fd, std::uint32_t what);
  bool hear(int fd, Stream& stream);
  void report_gone(int fd, Stream& stream);
  void forget(int fd);

  boost::asio::posix::basic_stream_descriptor<base::Executor> set_;
  StreamEvents* events_ = nullptr;  // nullptr: nobody is told anything
  std::vector<std::unique_ptr<Page>> pages_;

  // What the kernel reported last; from batch_next_ on it is still to be told.
  std::array<epoll_event, kBatch> batch_ = {};
  std::size_t batch_next_ = 0;
  std::size_t batch_end_ = 0;

  // A pending wait sees by it whether this is still there.
  std::shared_ptr<EpollStreams*> self_;
};

}  // namespace vrelo::net
