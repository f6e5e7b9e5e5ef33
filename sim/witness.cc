// SPDX-License-Identifier: Apache-2.0
#include "sim/witness.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "hub/log/event_id.h"

namespace vrelo::sim {
namespace {

std::string text(log::Position position) {
  return log::event_id(position);
}

std::string text(const log::Record& record) {
  return fmt::format("{} ({}…)", text(record.position), brief(record.event.data));
}

}  // namespace

std::string_view brief(std::string_view data) {
  return data.substr(0, std::min<std::size_t>(12, data.find('\n')));
}

Witness::Witness(const Store& store, log::Selection selection, auth::GrantPtr grant)
    : store_(store), selection_(std::move(selection)), grant_(std::move(grant)) {}

void Witness::fail(std::string fault) {
  if (fault_.empty()) {
    fault_ = std::move(fault);
  }
}

void Witness::on_request(const std::optional<std::string>& cursor) {
  const Chapter& now = store_.chapter();
  cursor_ = cursor;
  begin_then_ = {.epoch = now.epoch, .offset = now.begin};
  end_then_ = {.epoch = now.epoch, .offset = now.end};
  if (!cursor || cursor->empty() || *cursor == "earliest") {
    place_ = std::nullopt;
    return;
  }
  if (place_) {
    return;  // it has the cursor from an earlier stream
  }
  const auto position = log::parse_event_id(*cursor);
  const Chapter* const chapter = position ? chapter_of(position->epoch) : nullptr;
  if (chapter != nullptr && position->offset <= chapter->end) {
    place_ = position;
  }
}

void Witness::on_head(const std::optional<std::string>& last_event_id) {
  answer_ = last_event_id;
  if (answer_.has_value() != cursor_.has_value()) {
    fail(fmt::format("asked with cursor {}, answered with {}", cursor_.value_or("none"),
                     answer_.value_or("none")));
  }
}

void Witness::on_begin(std::string_view id) {
  const auto start = log::parse_event_id(id);
  const Chapter* const chapter = start ? chapter_of(start->epoch) : nullptr;
  if (chapter == nullptr || start->offset > chapter->end) {
    fail(fmt::format("the stream begins at \"{}\", which is no position of the log", id));
    return;
  }
  if (has_cursor()) {
    begin_where_cursor_leads(*start);
    return;
  }
  const bool earliest = cursor_ == "earliest";
  const log::Position then = earliest ? begin_then_ : end_then_;
  const std::uint64_t now = earliest ? chapter->begin : chapter->end;
  if (*start < then || start->offset > now) {
    fail(fmt::format("the stream begins at {}, asked for at {}, the log is at {}", id, text(then),
                     now));
  } else if (cursor_ && answer_ != "earliest" && (earliest || answer_ != id)) {
    fail(fmt::format("the stream begins at {}, the answer said {}", id, answer_.value_or("none")));
  }
  place_ = start;
}

void Witness::begin_where_cursor_leads(log::Position start) {
  if (answer_ != cursor_) {
    fail(
        fmt::format("the answer said {}, and the stream told of no gap", answer_.value_or("none")));
  }
  if (place_ == start) {
    return;
  }
  if (const auto position = log::parse_event_id(*cursor_)) {
    if (!place_ && position == start) {
      place_ = start;  // beyond the log's end when it was asked for
      return;
    }
  } else {
    const std::vector<log::Position> led = store_.find(*cursor_);
    const bool is_one = std::find(led.begin(), led.end(), start) != led.end();
    if (is_one && (led.size() > 1 || !place_)) {
      place_ = start;
      return;
    }
  }
  fail(fmt::format("the stream begins at {}, where {} does not lead, and told of no gap",
                   text(start), *cursor_));
}

void Witness::on_begin_with_gap(const sse::Event& event) {
  const auto gap = read_gap(event);
  if (!gap) {
    return;
  }
  if (!has_cursor() || answer_ != "earliest" || gap->after != *cursor_) {
    fail(fmt::format("a gap after {}, where the cursor is {}, and the answer {}", gap->after,
                     cursor_.value_or("none"), answer_.value_or("none")));
    return;
  }
  if (!place_) {
    // The cursor was beyond the log's end when it was sent, or is the id of a record that is gone
    // by now. The hub looks for an id in the present epoch alone.
    const std::vector<log::Position> led = store_.find(*cursor_);
    const auto found = std::find_if(led.begin(), led.end(), [&gap](const log::Position& position) {
      return gap->reason == "retention" && position.epoch == gap->until.epoch;
    });
    place_ = found != led.end() ? *found
             : led.empty()      ? log::parse_event_id(*cursor_)
                                : led.front();
  }
  if (gap->reason == "unknown") {
    check_unknown();
  } else {
    check_gap(*gap);
  }
  place_ = gap->until;
}

void Witness::on_event(const sse::Event& event) {
  if (event.type == "vrelo.gap") {
    if (const auto gap = read_gap(event)) {
      check_gap(*gap);
      place_ = gap->until;
    }
  } else if (event.type == "vrelo.position") {
    on_moved(event.last_event_id);
  } else if (event.type.starts_with("vrelo.")) {
    fail(fmt::format("an unexpected {}", event.type));
  } else {
    on_record(event);
  }
}

void Witness::on_moved(std::string_view id) {
  const auto position = log::parse_event_id(id);
  if (!position || !place_ || position->epoch != place_->epoch || *position < *place_ ||
      position->offset > chapter_of(position->epoch)->end) {
    fail(fmt::format("moved to \"{}\" from {}", id, place_ ? text(*place_) : "nowhere"));
    return;
  }
  const log::Record* const next = next_after(*place_);
  if (next != nullptr && next->position <= *position) {
    fail(fmt::format("moved to {}, past unread {}", id, text(*next)));
    return;
  }
  place_ = position;
}

std::string Witness::unread() const {
  if (!place_) {
    return "everything: it was never told where it is";
  }
  if (place_->epoch != store_.chapter().epoch) {
    return "the epoch's end";
  }
  const log::Record* const next = next_after(*place_);
  return next == nullptr ? "" : text(*next);
}

const Chapter* Witness::chapter_of(std::uint64_t epoch) const {
  const auto& chapters = store_.chapters();
  const auto found =
      std::find_if(chapters.begin(), chapters.end(),
                   [epoch](const Chapter& chapter) { return chapter.epoch == epoch; });
  return found == chapters.end() ? nullptr : &*found;
}

bool Witness::is_for_reader(const log::Record& record, bool permitted_only) const {
  const std::vector<std::string>& topics = record.event.topics;
  const auto selects = [this](const std::string& topic) {
    return std::find(selection_.topics.begin(), selection_.topics.end(), topic) !=
               selection_.topics.end() ||
           std::any_of(selection_.patterns.begin(), selection_.patterns.end(),
                       [&topic](const auto& pattern) { return pattern->matches(topic); });
  };
  if (!selection_.all && std::none_of(topics.begin(), topics.end(), selects)) {
    return false;
  }
  if (!permitted_only || !record.event.is_private) {
    return true;
  }
  // Not by Grant's own judgement, which is a part of what is examined.
  const auth::Grant::Topics& granted = grant_->read_private;
  return granted.all || std::find_first_of(topics.begin(), topics.end(), granted.listed.begin(),
                                           granted.listed.end()) != topics.end();
}

// The first record after `place` that the reader has to see; nullptr: there is none.
const log::Record* Witness::next_after(log::Position place) const {
  const Chapter& chapter = *chapter_of(place.epoch);
  for (std::size_t i = chapter.index_after(place.offset); i < chapter.records.size(); ++i) {
    if (is_for_reader(*chapter.records[i], true)) {
      return chapter.records[i].get();
    }
  }
  return nullptr;
}

void Witness::on_record(const sse::Event& event) {
  const log::Record* const next = place_ ? next_after(*place_) : nullptr;
  if (next == nullptr) {
    fail(explain(event));
    return;
  }
  const std::vector<log::RecordPtr>& records = chapter_of(place_->epoch)->records;
  const std::size_t after = chapter_of(place_->epoch)->index_after(next->position.offset);
  if (after > 1 && records[after - 2]->stored_at > next->stored_at) {
    fail(fmt::format("{} was stored before what comes before it", text(*next)));
    return;
  }
  const log::Event& wanted = next->event;
  const std::string id = wanted.id.empty() ? text(next->position) : wanted.id;
  const std::string_view type = wanted.type.empty() ? std::string_view("message") : wanted.type;
  if (event.data != wanted.data || event.type != type || event.last_event_id != id) {
    fail(fmt::format("expected {}, and got {}", text(*next), explain(event)));
    return;
  }
  place_ = next->position;
}

// What an event is that should not have come.
std::string Witness::explain(const sse::Event& event) const {
  const std::string name =
      fmt::format("\"{}…\" with id {}", brief(event.data), event.last_event_id);
  const log::Record* found = nullptr;
  for (const Chapter& chapter : store_.chapters()) {
    for (const log::RecordPtr& record : chapter.records) {
      if (event.data == record->event.data) {
        found = record.get();
      }
    }
  }
  if (found == nullptr) {
    return name + ", which the log does not have";
  }
  if (!is_for_reader(*found, false)) {
    return name + ", which it did not ask for";
  }
  if (!is_for_reader(*found, true)) {
    return name + ", which it may not read";
  }
  return name + (place_ && found->position <= *place_ ? ", which it has seen"
                                                      : ", too early, or not as it was published");
}

std::optional<Witness::Gap> Witness::read_gap(const sse::Event& event) {
  boost::system::error_code error;
  const boost::json::value data = boost::json::parse(event.data, error);
  const auto field = [&](std::string_view name) {
    const boost::json::object* const object = error ? nullptr : data.if_object();
    const boost::json::value* const value = object != nullptr ? object->if_contains(name) : nullptr;
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  };
  const auto until = log::parse_event_id(field("until"));
  const Chapter* const chapter = until ? chapter_of(until->epoch) : nullptr;
  if (chapter == nullptr || until->offset > chapter->begin ||
      field("until") != event.last_event_id) {
    fail(fmt::format("a gap that ends where nothing does: {}", event.data));
    return std::nullopt;
  }
  return Gap{.reason = field("reason"), .after = field("after"), .until = *until};
}

// The hub says that it cannot go on at the reader's place.
void Witness::check_gap(const Gap& gap) {
  if (!place_) {
    fail("a gap for a reader that was told nothing yet");
  } else if (gap.reason == "epoch") {
    if (place_->epoch == gap.until.epoch) {
      fail("a gap between epochs where there is one epoch");
    }
  } else if (gap.reason != "retention" || place_->epoch != gap.until.epoch) {
    fail(fmt::format("a gap for no reason: {}", gap.reason));
  } else {
    const Chapter& chapter = *chapter_of(place_->epoch);
    for (std::size_t i = chapter.index_after(place_->offset); i < chapter.records.size(); ++i) {
      const log::Record& record = *chapter.records[i];
      if (record.position > gap.until) {
        break;
      }
      // The log does not know what patterns would have matched.
      if (!selection_.patterns.empty() || is_for_reader(record, false)) {
        return;
      }
    }
    fail(fmt::format("a gap from {} to {}, where nothing is missing", text(*place_),
                     text(gap.until)));
  }
}

// The hub says that it does not know the cursor.
void Witness::check_unknown() {
  for (const log::Position position : store_.find(*cursor_)) {
    if (store_.keeps(position) && position <= end_then_) {
      fail(fmt::format("the cursor {} is said to be unknown, and is kept", *cursor_));
    }
  }
  const auto position = log::parse_event_id(*cursor_);
  const Chapter* const chapter = position ? chapter_of(position->epoch) : nullptr;
  if (chapter != nullptr && (position->epoch != end_then_.epoch || *position <= end_then_)) {
    fail(fmt::format("the cursor {} is said to be unknown, and is a position", *cursor_));
  }
}

}  // namespace vrelo::sim
