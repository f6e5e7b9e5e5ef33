// SPDX-License-Identifier: Apache-2.0
#include "hub/fanout/round.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace vrelo::fanout {

void Round::begin(std::vector<EncodedPtr> records, log::Position from, std::size_t turn) {
  assert(!active_ && !records.empty());
  active_ = true;
  records_ = std::move(records);
  from_ = from;
  turn_ = static_cast<std::uint32_t>(turn);
  matched_ = 0;
  nodes_.assign(1, Node{});
  places_.clear();
  node_ = 0;
  place_ = kNone;
}

bool Round::match_next(TopicIndex& index) {
  if (matched_ == records_.size()) {
    return false;
  }
  const std::uint32_t record = matched_++;
  ask_for(*records_[record], topics_);
  index.for_each_group(*records_[record], topics_,
                       [&](Group& group, bool is_granted) { add(group, record, is_granted); });
  if (matched_ == records_.size()) {
    link_places();
  }
  return true;
}

void Round::add(Group& group, std::uint32_t record, bool is_granted) {
  // One of several topics has led here before, or there is nobody to be served.
  if (group.last_record == record || group.live.size() == group.holes) {
    return;
  }
  if (!is_granted && !may_read(*group.grant, *records_[record], topics_)) {
    return;
  }
  group.last_record = record;
  if (group.place == kNone) {
    group.place = static_cast<std::uint32_t>(places_.size());
    places_.push_back({.group = &group});
  }
  if (nodes_[group.node].child_record != record) {
    const auto child = static_cast<std::uint32_t>(nodes_.size());
    nodes_.push_back({.parent = group.node, .record = record});
    nodes_[group.node].child = child;
    nodes_[group.node].child_record = record;
  }
  group.node = nodes_[group.node].child;
}

void Round::link_places() {
  for (std::uint32_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    if (place.group == nullptr) {
      continue;
    }
    Node& node = nodes_[place.group->node];
    place.next = std::exchange(node.first_place, i);
    if (place.group->ids == Ids::kShared) {
      node.streams += place.group->live.size() - place.group->holes;
    }
  }
}

int Round::next_stream() {
  assert(active_ && matched_ == records_.size());
  while (true) {
    if (place_ == kNone && !next_node()) {
      return -1;
    }
    const Place& place = places_[place_];
    const std::size_t streams = place.group == nullptr ? 0 : place.group->live.size();
    while (served_ < streams) {
      const int fd = place.group->live[(turn_ + served_++) % streams];
      if (fd != Group::kHole) {
        return fd;
      }
    }
    place_ = place.next;
    served_ = 0;
  }
}

bool Round::next_node() {
  while (++node_ < nodes_.size()) {
    if (nodes_[node_].first_place != kNone) {
      place_ = nodes_[node_].first_place;
      served_ = 0;
      prepare(nodes_[node_]);
      return true;
    }
  }
  return false;
}

void Round::prepare(const Node& node) {
  chain_.clear();
  size_ = 0;
  for (const Node* at = &node; at->parent != kNone; at = &nodes_[at->parent]) {
    chain_.push_back(at->record);
    size_ += records_[at->record]->block.bytes().size();
  }
  std::reverse(chain_.begin(), chain_.end());

  bytes_ = {};
  pieces_.clear();
  joined_.clear();
  if (chain_.size() == 1) {
    bytes_ = records_[chain_[0]]->block.bytes();
  } else if (node.streams >= kJoinStreamsMin) {
    for (const std::uint32_t record : chain_) {
      joined_.append(records_[record]->block.bytes());
    }
    bytes_ = joined_;
  } else {
    for (const std::uint32_t record : chain_) {
      const std::string_view block = records_[record]->block.bytes();
      // sendmsg() reads only, but iovec has no const.
      pieces_.push_back({.iov_base = const_cast<char*>(block.data()), .iov_len = block.size()});
    }
  }
}

std::span<const iovec> Round::pieces(std::string_view tail) {
  own_pieces_.clear();
  for (const std::uint32_t record : chain_) {
    append_pieces(records_[record]->block.bytes(), tail, 0, own_pieces_);
  }
  return own_pieces_;
}

Cut Round::cut(std::size_t sent, std::size_t longer) const {
  assert(sent < size(longer));
  Cut cut{.after = from_};
  for (const std::uint32_t record : chain_) {
    const EncodedRecord& next = *records_[record];
    const std::size_t size = next.block.bytes().size() + longer;
    if (sent < size) {
      cut.partial = sent;
      cut.partial_of = sent > 0 ? next.position.offset : 0;
      break;
    }
    sent -= size;
    cut.after = next.position;
  }
  return cut;
}

void Round::forget(Group& group) {
  if (group.place != kNone) {
    assert(places_[group.place].group == &group);
    places_[group.place].group = nullptr;
  }
}

void Round::end() {
  active_ = false;
  topics_.clear();
  records_.clear();
  places_.clear();
  chain_.clear();
  bytes_ = {};
  pieces_.clear();
  own_pieces_.clear();
}

}  // namespace vrelo::fanout
