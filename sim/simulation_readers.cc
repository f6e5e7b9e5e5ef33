// SPDX-License-Identifier: Apache-2.0
//
// What readers do, and what happens to them.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "hub/log/event_id.h"
#include "sim/simulation.h"

namespace vrelo::sim {

// Topics are references from the hub's folder.
base::TopicPatternPtr Simulation::draw_pattern() {
  constexpr std::array kPatterns = {"t:n", R"(/.well-known/t(1\d*))", "https://*/.well-known/t0"};
  constexpr std::array kTemplates = {"t{n}", "{any}"};
  if (random_.one_in(4)) {
    return patterns_.uri_template(kTemplates[random_.below(kTemplates.size())]);
  }
  return patterns_.url_pattern(kPatterns[random_.below(kPatterns.size())]);
}

log::Selection Simulation::draw_selection() {
  log::Selection selection{.all = random_.one_in(crowd_ ? 2 : 4)};
  for (std::uint64_t i = random_.between(1, 3); i > 0 && !selection.all; --i) {
    if (random_.one_in(4)) {
      selection.patterns.push_back(draw_pattern());
    } else {
      selection.topics.push_back(draw_topic());
    }
  }
  return selection;
}

std::optional<std::string> Simulation::draw_cursor() {
  const auto& records = store_.chapter().records;
  switch (random_.below(8)) {
    case 0:
      return "earliest";
    case 1:
      return "";
    case 2:
      return "nobody's";
    case 3:
    case 4:
      if (!records.empty()) {
        const log::Record& record = *random_.pick(records);
        return record.event.id.empty() || random_.one_in(4) ? log::event_id(record.position)
                                                            : record.event.id;
      }
      return std::nullopt;
    case 5:
      return log::event_id(
          {.epoch = store_.chapter().epoch, .offset = random_.below(store_.chapter().end + 3)});
    default:
      return std::nullopt;
  }
}

void Simulation::readers_join() {
  for (std::uint64_t i = crowd_ ? random_.between(1, 10) : 1; i > 0; --i) {
    if (readers_.size() < readers_max_) {
      reader_joins();
    }
  }
}

void Simulation::reader_joins() {
  const auto ids = random_.one_in(4) ? fanout::Ids::kOwn : fanout::Ids::kShared;
  tally_["readers with ids of their own"] += ids == fanout::Ids::kOwn ? 1U : 0U;
  readers_.push_back(std::make_unique<Reader>(
      tally_["readers"]++, store_,
      Subscription{.selection = draw_selection(),
                   .grant = random_.pick(grants_),
                   .cursor = draw_cursor(),
                   .hello = random_.one_in(2) ? fanout::Hello::kNamed : fanout::Hello::kQuiet},
      ids));
  connect(*readers_.back());
}

void Simulation::connect(Reader& reader) {
  if (node_ == nullptr) {
    reader.return_at(schedule_.now() + random_.milliseconds(100, 3000));
    return;
  }
  const Network::Connected connected = network_.connect(
      random_.one_in(crowd_ ? 1 : 3) ? Link::kEndless : 1 + random_.below(room_max_));
  const Subscription request = reader.request();
  note(fmt::format("reader {} on descriptor {}: {}, cursor {}", reader.number(), connected.fd,
                   request.selection.all
                       ? "everything"
                       : fmt::format("{}", fmt::join(request.selection.topics, " ")),
                   request.cursor.value_or("none")));
  tally_["connects"] += 1;
  reader.connect(connected.link);
  node_->any_shard().subscribe(connected.fd, connected.link, request);
}

void Simulation::readers_come_back() {
  for (const auto& reader : readers_) {
    if (!reader->is_connected() && reader->returns_at() <= schedule_.now()) {
      connect(*reader);
    }
  }
}

// nullptr: by chance, or because there is none.
Reader* Simulation::any_connected() {
  Reader* const reader = readers_.empty() ? nullptr : random_.pick(readers_).get();
  return reader != nullptr && reader->is_connected() ? reader : nullptr;
}

void Simulation::reader_takes() {
  Reader* const reader = any_connected();
  if (reader != nullptr && !reader->stalled && !reader->slow && !reader->link().vanished) {
    reader->take(random_.one_in(2) ? Link::kEndless : random_.any_size(9), schedule_.now());
  }
}

void Simulation::reader_stalls() {
  if (Reader* const reader = any_connected()) {
    reader->stalled = !reader->stalled;
    if (reader->stalled && random_.one_in(2)) {
      reader->link().room = std::min<std::size_t>(reader->link().room, 512);
    }
  }
}

// Its socket stays full for long, and yet it takes what comes.
void Simulation::reader_slows() {
  if (Reader* const reader = any_connected()) {
    reader->slow = !reader->slow;
    if (reader->slow) {
      reader->link().room = std::min<std::size_t>(reader->link().room, 512);
      tally_["readers that were slow"] += 1;
    }
  }
}

void Simulation::reader_leaves() {
  if (readers_.empty()) {
    return;
  }
  const std::size_t at = random_.below(readers_.size());
  if (readers_[at]->is_connected()) {
    readers_[at]->disconnect(schedule_.now());
  }
  find_fault();
  count(*readers_[at]);
  readers_.erase(readers_.begin() + static_cast<std::ptrdiff_t>(at));
}

void Simulation::link_breaks() {
  if (Reader* const reader = any_connected()) {
    note("a connection breaks");
    if (random_.one_in(2)) {
      reader->link().broken = true;  // the hub learns it at once, else by the other end's closing
    }
    reader->disconnect(schedule_.now());
  }
}

// Its user comes back with another machine, or the same one another time.
void Simulation::reader_vanishes() {
  Reader* const reader = any_connected();
  if (reader != nullptr && !reader->link().vanished) {
    note("a reader vanishes");
    reader->link().vanished = true;
    reader->link().vanished_at = schedule_.now();
    reader->abandon(schedule_.now());
    tally_["vanished"] += 1;
  }
}

void Simulation::link_narrows() {
  if (Reader* const reader = any_connected()) {
    reader->link().room = 1 + random_.below(room_max_);
  }
}

void Simulation::right_ends() {
  if (node_ != nullptr) {
    node_->any_shard().end_right();
  }
}

void Simulation::reader_is_told() {
  if (node_ != nullptr) {
    node_->any_shard().tell_reader();
  }
}

void Simulation::slow_readers_take() {
  for (const auto& reader : readers_) {
    if (reader->is_connected() && reader->slow && !reader->stalled) {
      reader->take(random_.any_size(3), schedule_.now());
    }
  }
}

bool Simulation::readers_take_all() {
  bool took = false;
  for (const auto& reader : readers_) {
    if (reader->is_connected() && !reader->stalled && !reader->slow) {
      took = took || !reader->link().under_way.empty();
      reader->take(Link::kEndless, schedule_.now());
    }
  }
  return took;
}

}  // namespace vrelo::sim
