// SPDX-License-Identifier: Apache-2.0
#include "test/conformance/log/log_model.h"

#include <algorithm>

namespace vrelo::log {
namespace {

bool is_wanted(const Event& event, const Selection& selection) {
  return selection.all ||
         std::any_of(event.topics.begin(), event.topics.end(), [&](const std::string& topic) {
           return std::count(selection.topics.begin(), selection.topics.end(), topic) > 0 ||
                  std::any_of(selection.patterns.begin(), selection.patterns.end(),
                              [&](const auto& pattern) { return pattern->matches(topic); });
         });
}

}  // namespace

Appended LogModel::append(const Event& event, base::Clock::Steady now, base::Clock::Wall wall) {
  for (std::size_t i = begin_; !event.id.empty() && i < records_.size(); ++i) {
    if (records_[i].record.event == event) {
      return {.position = records_[i].record.position, .is_new = false};
    }
  }
  const Position position{.epoch = epoch_, .offset = records_.size() + 1};
  records_.push_back(
      {.record = {.position = position, .stored_at = wall, .event = event}, .at = now});
  return {.position = position};
}

void LogModel::remove(const Retention& retention, base::Clock::Steady now) {
  const auto is_over = [&] {
    return (retention.records_max != 0 && records_.size() - begin_ > retention.records_max) ||
           (retention.age_max.count() != 0 && now - records_[begin_].at > retention.age_max);
  };
  while (begin_ < records_.size() && is_over()) {
    ++begin_;
  }
}

bool LogModel::has_lost(Position after, const Selection& selection) const {
  for (std::size_t i = after.offset; i < begin_; ++i) {
    if (is_wanted(records_[i].record.event, selection)) {
      return true;
    }
  }
  return (selection.all || !selection.patterns.empty()) && after.offset < begin_;
}

std::vector<Record> LogModel::read(Position after, const Selection& selection) const {
  std::vector<Record> wanted;
  for (std::size_t i = std::max(after.offset, begin_); i < records_.size(); ++i) {
    if (is_wanted(records_[i].record.event, selection)) {
      wanted.push_back(records_[i].record);
    }
  }
  return wanted;
}

std::optional<Position> LogModel::find(const std::string& event_id) const {
  for (std::size_t i = begin_; i < records_.size(); ++i) {
    if (records_[i].record.event.id == event_id) {
      return records_[i].record.position;
    }
  }
  return std::nullopt;
}

}  // namespace vrelo::log
