// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "hub/base/clock.h"
#include "hub/net/stream_sockets.h"
#include "sim/random.h"
#include "sim/schedule.h"

namespace vrelo::sim {

// One connection between a reader and a shard: what the kernels at both ends and the wire between
// them hold.
struct Link {
  static constexpr std::size_t kEndless = std::numeric_limits<std::size_t>::max();

  // The reader's end.
  std::size_t room = 0;  // how many bytes may be under way, not taken by the reader
  std::string under_way = {};
  std::uint64_t taken = 0;  // bytes, by the reader
  bool reader_closed = false;
  bool vanished = false;  // the reader's machine is gone: nobody takes, acknowledges or closes
  base::Clock::Steady vanished_at = {};

  // The hub's end.
  bool adopted = false;     // a stream's, not an HTTP connection's
  bool hub_closed = false;  // the reader sees it when it has taken what is under way
  bool broken = false;      // the hub's writes fail
  bool wants_writable = false;
  bool right_ended = false;                // it is to be closed
  std::uint64_t told = 0;                  // how often the hub was made to say something to it
  bool closed_for_nothing = false;         // neither the network nor the reader gave reason to
  base::Clock::Steady written_at = {};     // or it was tried, or could be again
  base::Clock::Steady progressed_at = {};  // when a byte was taken, by the socket or the reader

  bool full() const { return under_way.size() >= room; }
};

// How the network misbehaves.
struct NetworkHabits {
  std::uint64_t partial_one_in = 0;  // a write stops early once in so many
  std::uint64_t adopt_fails_one_in = 0;
  std::uint64_t spurious_one_in = 0;      // writable is told though there is no room
  std::chrono::microseconds send_max{0};  // how long a write may take
  bool tells_at_half = false;             // of room in a full socket, when half of it is free
};

// All connections, by descriptor. A descriptor that was closed is given out again soon, as kernels
// do.
class Network {
 public:
  // Lifetime: the references outlive the network.
  Network(Schedule& schedule, Random& random) : schedule_(schedule), random_(random) {}

  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  using LinkPtr = std::shared_ptr<Link>;  // shared by its two ends

  struct Connected {
    int fd;  // the hub's
    LinkPtr link;
  };
  Connected connect(std::size_t room);

  // Closes the hub's end of what is no stream.
  void close(int fd);

  // Breaks all connections, as when the process is killed: a part of what is under way arrives.
  void cut();

  // Streams that are open at the hub's end.
  std::size_t streams() const;

  // The longest time that a vanished reader's stream is open by now; and that one is whose peer
  // takes nothing.
  std::chrono::nanoseconds vanished_for() const;
  std::chrono::nanoseconds stuck_for() const;

  // The longest time that the hub has written nothing to a stream, of those that it does not take
  // for full.
  std::chrono::nanoseconds idle_for() const;

  // The node may close streams as it likes: it ends.
  bool closing = false;

  // A stream whose peer takes nothing may be closed after this time.
  std::chrono::nanoseconds stall_min{0};

  // How many streams were closed for nothing, in sight of the network.
  std::uint64_t closed_for_nothing = 0;

  NetworkHabits habits = {};

 private:
  friend class ShardSockets;

  Schedule& schedule_;
  Random& random_;
  std::map<int, LinkPtr> links_;  // whose hub's end is open
  std::set<int> free_;
  int next_ = 60;  // so that they lie in several pages of fan-out's table of streams
};

// The streams' sockets of one shard.
//
// Lifetime: the network outlives it.
class ShardSockets final : public net::StreamSockets {
 public:
  explicit ShardSockets(Network& network) : network_(network) {}

  net::Sent send(int fd, std::string_view bytes) override;
  net::Sent send(int fd, std::span<const iovec> pieces) override;
  void want_writable(int fd, bool wanted) override;
  net::Peer peer(int fd) const override;
  bool adopt(int fd) override;
  void close(int fd) override;

  // Tells `events` of one thing that has happened. False: there was none.
  bool tell_one(net::StreamEvents& events);

  // One of the streams; nullopt: there is none.
  std::optional<int> any_stream() const;

  Link& at(int fd) const;

 private:
  bool tells_of_room(const Link& link) const;

  Network& network_;
  std::set<int> own_;
};

}  // namespace vrelo::sim
