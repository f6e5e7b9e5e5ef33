// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/uio.h>

#include "hub/fanout/encoded_record.h"
#include "hub/fanout/topic_index.h"
#include "hub/log/log.h"

namespace vrelo::fanout {

// Where in a sequence of blocks a write stopped.
struct Cut {
  log::Position after;           // of the last record whose block is out as a whole
  std::size_t partial = 0;       // bytes of the next one's block that are out too
  std::uint64_t partial_of = 0;  // its offset, if partial > 0
};

// One delivery of a shard: some records, and for each live stream one write with those that are for
// it.
//
// Streams are grouped by what they get. Each record extends the sequences of the groups that select
// it; equal sequences are one node of a tree, so that grouping costs a step per group and record,
// and no sequence is ever compared. The groups of a node share one joined buffer if it has 8
// streams or more; for fewer the copy is not worth it, and they get the shared pieces by one
// sendmsg.
//
// The caller runs it in slices: match_next() until all records are matched, then next_stream()
// until there is none, and finish(). Between the calls streams may end or leave their group's live
// ones (as holes), and groups may end; no stream may become live.
//
// Threads: one, the shard's.
// Cost: no allocation once its buffers have grown, but one or two for each topic that patterns are
// asked about, however many those are.
class Round {
 public:
  // Begins a round that brings live streams from `from` to what comes after `records`. `turn` is
  // any number that differs from round to round: it decides which streams are served first.
  void begin(std::vector<EncodedPtr> records, log::Position from, std::size_t turn);

  bool active() const { return active_; }

  // Finds the groups for the next record. False: there was none left.
  bool match_next(TopicIndex& index);

  // Returns the descriptor of the next live stream to be served with bytes() or pieces(), or -1.
  int next_stream();

  // What the stream that next_stream() gave is to be sent: bytes(), unless they are empty, else
  // pieces().
  std::string_view bytes() const { return bytes_; }
  std::span<const iovec> pieces() const { return pieces_; }

  // What the ids of the stream are that next_stream() gave. Where they are its own, it is sent
  // pieces(tail), with which each block ends in place of kBlockEnd; `longer` is by how much each is
  // longer then. Lifetime: until the next call; that of `tail`.
  Ids ids() const { return places_[place_].group->ids; }
  std::span<const iovec> pieces(std::string_view tail);

  std::size_t size(std::size_t longer = 0) const { return size_ + longer * chain_.size(); }

  // Where a write of `sent` bytes, fewer than size(), stopped.
  Cut cut(std::size_t sent, std::size_t longer = 0) const;

  // `group` ends. To be called for each group that ends while the round is active.
  void forget(Group& group);

  // Ends the round. Calls `visit(Group&)` for each group that took part, whose sent_offset says
  // what its live streams have got.
  template <typename Visit>
  void finish(Visit visit) {
    for (const Place& place : places_) {
      if (place.group == nullptr) {
        continue;
      }
      Group& group = *place.group;
      group.sent_offset = records_[nodes_[group.node].record]->position.offset;
      group.node = 0;
      group.last_record = Group::kNone;
      group.place = Group::kNone;
      visit(group);
    }
    end();
  }

 private:
  static constexpr std::uint32_t kNone = Group::kNone;
  static constexpr std::size_t kJoinStreamsMin = 8;

  // A sequence of records: its parent's and one more. Node 0 is the empty one.
  struct Node {
    std::uint32_t parent = kNone;
    std::uint32_t record = kNone;
    std::uint32_t child = kNone;         // the node that the newest record made of this one,
    std::uint32_t child_record = kNone;  // and that record
    std::uint32_t first_place = kNone;
    std::size_t streams = 0;  // whose ids are shared
  };
  struct Place {
    Group* group = nullptr;      // nullptr: it has ended
    std::uint32_t next = kNone;  // in the same node
  };

  void add(Group& group, std::uint32_t record, bool is_granted);
  void link_places();
  bool next_node();
  void prepare(const Node& node);
  void end();

  bool active_ = false;
  std::vector<EncodedPtr> records_;
  log::Position from_;
  std::uint32_t turn_ = 0;     // so small that no sum with it overflows
  std::uint32_t matched_ = 0;  // records that match_next() has done
  base::AskedTopics topics_;   // of the one that it is at
  std::vector<Node> nodes_;
  std::vector<Place> places_;

  // Where next_stream() is.
  std::uint32_t node_ = 0;
  std::uint32_t place_ = kNone;
  std::size_t served_ = 0;  // of the place's group

  // What the current node's streams are sent.
  std::vector<std::uint32_t> chain_;  // its records, oldest first
  std::string_view bytes_;
  std::vector<iovec> pieces_;
  std::vector<iovec> own_pieces_;
  std::size_t size_ = 0;
  std::string joined_;
};

}  // namespace vrelo::fanout
