// SPDX-License-Identifier: Apache-2.0
#include "sim/network.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

namespace vrelo::sim {
namespace {

using std::chrono_literals::operator""ms;

// How long a living peer may have been silent: the kernel's probes to a closed window are that far
// apart.
constexpr std::chrono::milliseconds kSilenceMax = 90'000ms;

// A keep-alive probe goes out after so much silence, so that a vanished reader owes an answer.
constexpr std::chrono::milliseconds kProbeAfter = 10'000ms;

// Where the hub's own link is down, as for half of the vanished ones, the kernel knows of no longer
// silence.
constexpr std::chrono::milliseconds kKnownMax = 6'000ms;

}  // namespace

Network::Connected Network::connect(std::size_t room) {
  int fd = next_;
  if (free_.empty()) {
    ++next_;
  } else {
    const auto at =
        std::next(free_.begin(),
                  static_cast<std::ptrdiff_t>(random_.one_in(4) ? random_.below(free_.size()) : 0));
    fd = *at;
    free_.erase(at);
  }
  const auto link = std::make_shared<Link>(Link{.room = room});
  links_.emplace(fd, link);
  return {.fd = fd, .link = link};
}

void Network::close(int fd) {
  const auto at = links_.find(fd);
  assert(at != links_.end());
  at->second->hub_closed = true;
  links_.erase(at);
  free_.insert(fd);
}

void Network::cut() {
  for (const auto& [fd, link] : links_) {
    link->under_way.resize(random_.below(link->under_way.size() + 1));
    link->broken = true;
    link->hub_closed = true;
  }
}

std::size_t Network::streams() const {
  return static_cast<std::size_t>(std::count_if(links_.begin(), links_.end(),
                                                [](const auto& at) { return at.second->adopted; }));
}

std::chrono::nanoseconds Network::vanished_for() const {
  std::chrono::nanoseconds longest{0};
  for (const auto& [fd, link] : links_) {
    if (link->vanished && link->adopted) {
      longest = std::max<std::chrono::nanoseconds>(longest, schedule_.now() - link->vanished_at);
    }
  }
  return longest;
}

std::chrono::nanoseconds Network::stuck_for() const {
  std::chrono::nanoseconds longest{0};
  for (const auto& [fd, link] : links_) {
    if (link->full() && link->adopted) {
      longest = std::max<std::chrono::nanoseconds>(longest, schedule_.now() - link->progressed_at);
    }
  }
  return longest;
}

std::chrono::nanoseconds Network::idle_for() const {
  std::chrono::nanoseconds longest{0};
  for (const auto& [fd, link] : links_) {
    if (link->adopted && !link->wants_writable) {
      longest = std::max<std::chrono::nanoseconds>(longest, schedule_.now() - link->written_at);
    }
  }
  return longest;
}

net::Sent ShardSockets::send(int fd, std::string_view bytes) {
  network_.schedule_.interrupt();
  Random& random = network_.random_;
  if (network_.habits.send_max.count() > 0) {
    network_.schedule_.pass(std::chrono::microseconds(
        random.below(static_cast<std::uint64_t>(network_.habits.send_max.count()))));
  }
  Link& link = at(fd);
  assert(link.adopted && !bytes.empty());
  if (link.broken || (link.reader_closed && random.one_in(2))) {
    link.broken = true;
    return {.failed = true};
  }
  std::size_t taken = std::min(bytes.size(), link.full() ? 0 : link.room - link.under_way.size());
  if (taken > 0 && random.one_in(network_.habits.partial_one_in)) {
    taken = random.below(taken + 1);
  }
  if (!link.reader_closed) {
    link.under_way += bytes.substr(0, taken);
  }
  link.written_at = network_.schedule_.now();
  if (taken > 0) {
    link.progressed_at = link.written_at;
  }
  network_.schedule_.interrupt();
  return {.bytes = taken};
}

net::Sent ShardSockets::send(int fd, std::span<const iovec> pieces) {
  std::string joined;
  for (const iovec& piece : pieces) {
    joined.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  return send(fd, joined);
}

void ShardSockets::want_writable(int fd, bool wanted) {
  Link& link = at(fd);
  if (link.wants_writable && !wanted) {
    link.written_at = network_.schedule_.now();  // before, it had nothing to write to
  }
  link.wants_writable = wanted;
}

net::Peer ShardSockets::peer(int fd) const {
  const Link& link = at(fd);
  if (link.vanished) {
    const auto silent = std::chrono::duration_cast<std::chrono::milliseconds>(
        network_.schedule_.now() - link.vanished_at);
    const auto known = fd % 2 == 0 ? std::min(silent, kKnownMax) : silent;
    return {.outstanding = !link.under_way.empty() || silent > kProbeAfter,
            .silent_for = known,
            .acknowledged_ago = silent,
            .acknowledged = link.taken};
  }
  Random& random = network_.random_;
  if (link.full()) {
    return {.outstanding = random.one_in(2),
            .window_closed = true,
            .silent_for = std::chrono::milliseconds(
                random.below(static_cast<std::uint64_t>(kSilenceMax.count()))),
            .acknowledged = link.taken};
  }
  return {.outstanding = !link.under_way.empty(),
          .silent_for = std::chrono::milliseconds(random.below(500)),
          .acknowledged = link.taken};
}

bool ShardSockets::adopt(int fd) {
  network_.schedule_.interrupt();
  if (network_.random_.one_in(network_.habits.adopt_fails_one_in)) {
    network_.close(fd);
    return false;
  }
  Link& link = *network_.links_.at(fd);
  assert(!link.adopted);
  link.adopted = true;
  link.written_at = network_.schedule_.now();
  link.progressed_at = link.written_at;
  own_.insert(fd);
  return true;
}

void ShardSockets::close(int fd) {
  Link& link = at(fd);
  assert(link.adopted);
  link.closed_for_nothing = !network_.closing && !link.broken && !link.reader_closed &&
                            !link.vanished && !link.right_ended &&
                            network_.schedule_.now() - link.progressed_at < network_.stall_min;
  network_.closed_for_nothing += link.closed_for_nothing ? 1U : 0U;
  own_.erase(fd);
  network_.close(fd);
}

bool ShardSockets::tell_one(net::StreamEvents& events) {
  Random& random = network_.random_;
  std::vector<int> happened;
  for (const int fd : own_) {
    const Link& link = at(fd);
    if (link.reader_closed || link.broken || tells_of_room(link)) {
      happened.push_back(fd);
    }
  }
  if (happened.empty()) {
    if (own_.empty() || !random.one_in(network_.habits.spurious_one_in)) {
      return false;
    }
    const int fd = *std::next(own_.begin(), static_cast<std::ptrdiff_t>(random.below(own_.size())));
    if (!at(fd).wants_writable) {
      return false;
    }
    events.on_writable(fd);
    return true;
  }
  const int fd = random.pick(happened);
  const Link& link = at(fd);
  if ((link.reader_closed || link.broken) && (random.one_in(2) || !tells_of_room(link))) {
    events.on_gone(fd);
  } else {
    events.on_writable(fd);
  }
  return true;
}

std::optional<int> ShardSockets::any_stream() const {
  if (own_.empty()) {
    return std::nullopt;
  }
  const std::uint64_t at = network_.random_.below(own_.size());
  return *std::next(own_.begin(), static_cast<std::ptrdiff_t>(at));
}

bool ShardSockets::tells_of_room(const Link& link) const {
  const bool has_room =
      network_.habits.tells_at_half ? link.under_way.size() * 2 < link.room : !link.full();
  return link.wants_writable && has_room;
}

Link& ShardSockets::at(int fd) const {
  assert(own_.contains(fd));
  return *network_.links_.at(fd);
}

}  // namespace vrelo::sim
