// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vrelo::fanout {

// A timer wheel: calls back for numbered things after so many ticks. One wheel serves all streams
// of a shard, so that none needs a timer of its own.
//
// Each id has at most one time; the numbers are small (descriptors), the state is an array by
// number.
// Cost: set, cancel and each firing O(1); 12 bytes an id.
class Wheel {
 public:
  // A time further away than this many ticks comes at this many.
  static constexpr std::uint32_t kTicksMax = 1023;

  Wheel() : heads_(kTicksMax + 1, kNone) {}

  // Sets or replaces the time of `id`: the `ticks`th advance() from now, at least the next one.
  void set(int id, std::uint32_t ticks) {
    cancel(id);
    if (static_cast<std::size_t>(id) >= links_.size()) {
      links_.resize(std::max<std::size_t>(static_cast<std::size_t>(id) + 1, links_.size() * 2));
    }
    const std::uint32_t slot =
        (now_ + std::clamp<std::uint32_t>(ticks, 1, kTicksMax)) % (kTicksMax + 1);
    Link& link = at(id);
    link = {.slot = static_cast<int>(slot), .previous = kNone, .next = heads_[slot]};
    if (link.next != kNone) {
      at(link.next).previous = id;
    }
    heads_[slot] = id;
  }

  void cancel(int id) {
    if (static_cast<std::size_t>(id) >= links_.size() || at(id).slot == kNone) {
      return;
    }
    const Link link = at(id);
    if (link.next != kNone) {
      at(link.next).previous = link.previous;
    }
    if (link.previous != kNone) {
      at(link.previous).next = link.next;
    } else {
      heads_[static_cast<std::size_t>(link.slot)] = link.next;
    }
    at(id) = {};
  }

  // Moves one tick on and calls `due(id)` for each id whose time has come. `due` may set and cancel
  // any.
  template <typename Due>
  void advance(Due due) {
    now_ = (now_ + 1) % (kTicksMax + 1);
    while (heads_[now_] != kNone) {
      const int id = heads_[now_];
      cancel(id);
      due(id);
    }
  }

 private:
  static constexpr int kNone = -1;

  struct Link {
    int slot = kNone;  // kNone: not set
    int previous = kNone;
    int next = kNone;
  };

  Link& at(int id) {
    assert(id >= 0 && static_cast<std::size_t>(id) < links_.size());
    return links_[static_cast<std::size_t>(id)];
  }

  std::vector<int> heads_;  // first id of each slot
  std::vector<Link> links_;
  std::uint32_t now_ = 0;
};

}  // namespace vrelo::fanout
