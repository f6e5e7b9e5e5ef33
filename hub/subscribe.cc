// SPDX-License-Identifier: Apache-2.0
#include "hub/subscribe.h"

#include <chrono>
#include <utility>

#include "hub/log/event_id.h"

namespace vrelo {
namespace {

constexpr std::string_view kEarliest = "earliest";

Resume all_there_is(const log::Log& log) {
  return {.after = log.begin(), .last_event_id = std::string(kEarliest)};
}

// The stream begins at the event that the answer names, so that the two cannot contradict each
// other.
Resume newest(const log::Log& log) {
  const log::Position end = log.end();
  return {.after = end,
          .last_event_id = log.begin() == end ? std::string(kEarliest) : log::event_id(end)};
}

// What a reader gets whose cursor does not lead to what follows it.
Resume gap(const log::Log& log, std::string_view reason, std::string_view cursor) {
  const log::Position begin = log.begin();
  return {.after = begin,
          .last_event_id = std::string(kEarliest),
          .gap = fanout::gap_block(reason, cursor, begin)};
}

}  // namespace

base::Task<boost::system::result<Resume>> resolve_cursor(fanout::FanOut& fan_out,
                                                         const Subscription& subscription) {
  log::Log& log = fan_out.log();
  if (!subscription.cursor) {
    co_return Resume{};
  }
  const std::string& cursor = *subscription.cursor;
  if (cursor.empty()) {
    co_return newest(log);
  }
  if (cursor == kEarliest) {
    co_return all_there_is(log);
  }

  // A publisher's id cannot begin with "#", so that only one of the two can be meant.
  std::optional<log::Position> position = log::parse_event_id(cursor);
  if (!position) {
    const auto found = co_await log.find(cursor);
    if (!found) {
      co_return found.error();
    }
    if (!*found) {
      co_return gap(log, "unknown", cursor);
    }
    position = *found;
  }
  if (position->epoch != log.end().epoch) {
    co_return gap(log, "epoch", cursor);
  }
  if (position->offset > log.end().offset) {
    co_return gap(log, "unknown", cursor);
  }
  if (!fan_out.window().reaches(*position)) {
    // Only the log knows whether what retention removed would have been for this reader.
    const auto page = co_await log.read(*position, subscription.selection, {.records_max = 1});
    if (!page && page.error() == log::Errc::kPositionGone) {
      co_return gap(log, position->epoch == log.end().epoch ? "retention" : "epoch", cursor);
    }
    if (!page) {
      co_return page.error();
    }
  }
  co_return Resume{.after = position, .last_event_id = cursor};
}

void open_stream(fanout::FanOut& fan_out,
                 int fd,
                 const Subscription& subscription,
                 const Resume& resume,
                 std::string http_head) {
  fanout::Membership membership = fan_out.enter(subscription.selection, subscription.grant);
  // After enter(): see fanout::Interest.
  const log::Position end = fan_out.log().end();
  const log::Position start = resume.after.value_or(end);

  std::string opening = std::move(http_head);
  const std::chrono::seconds heartbeat = fan_out.heartbeat();
  const std::chrono::milliseconds retry = fan_out.jittered_retry();
  opening += resume.gap.empty() ? fanout::first_block(subscription.hello, heartbeat, retry, start)
                                : fanout::lines_before_gap(heartbeat, retry) + resume.gap;
  if (!resume.gap.empty()) {
    fan_out.count_gap();
  }
  fan_out.open(fd, std::move(membership), start, subscription.hello, std::move(opening));
}

}  // namespace vrelo
