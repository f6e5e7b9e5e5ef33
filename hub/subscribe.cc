// SPDX-License-Identifier: Apache-2.0
#include "hub/subscribe.h"

#include <chrono>
#include <utility>

#include "hub/auth/proof.h"
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
          .gap = Resume::Gap{.reason = reason, .cursor = std::string(cursor), .until = begin}};
}

// Returns nullopt where there is no such event.
log::Awaitable<std::optional<log::Position>> locate(log::Log& log, std::string cursor) {
  // A publisher's id cannot begin with "#", so that only one of the two can be meant.
  if (cursor.starts_with('#')) {
    co_return log::parse_event_id(cursor);
  }
  co_return co_await log.find(std::move(cursor));
}

std::string opening(fanout::FanOut& fan_out,
                    const Subscription& subscription,
                    const Resume& resume,
                    log::Position start,
                    std::string http_head) {
  const std::chrono::seconds heartbeat = fan_out.heartbeat();
  const std::chrono::milliseconds retry = fan_out.jittered_retry();
  if (resume.gap) {
    fan_out.count_gap();
    return std::move(http_head) + fanout::lines_before_gap(heartbeat, retry) +
           fanout::gap_block(resume.gap->reason, resume.gap->cursor, resume.gap->until,
                             subscription.id_suffix);
  }
  return std::move(http_head) +
         fanout::first_block(subscription.hello, heartbeat, retry, start, subscription.id_suffix);
}

}  // namespace

base::Task<boost::system::result<Resume>> resolve_cursor(fanout::FanOut& fan_out,
                                                         const Subscription& subscription) {
  log::Log& log = fan_out.log();
  if (!subscription.cursor) {
    co_return Resume{};
  }
  std::string cursor = *subscription.cursor;
  if (cursor.empty()) {
    co_return newest(log);
  }
  if (cursor == kEarliest) {
    co_return all_there_is(log);
  }

  auto located = co_await locate(log, cursor);
  if (located && !*located) {
    const auth::SplitId split = auth::split_proof(*subscription.cursor);
    if (!split.proof.empty()) {
      cursor = split.id;  // what may be a proof is told to nobody
      located = co_await locate(log, cursor);
    }
  }
  if (!located) {
    co_return located.error();
  }
  const std::optional<log::Position> position = *located;
  if (!position) {
    co_return gap(log, "unknown", cursor);
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

std::size_t open_stream(fanout::FanOut& fan_out,
                        int fd,
                        const Subscription& subscription,
                        const Resume& resume,
                        std::string http_head) {
  fanout::Membership membership =
      fan_out.enter(subscription.selection, subscription.grant, subscription.id_suffix);
  // After enter(): see fanout::Interest.
  const log::Position end = fan_out.log().end();
  const log::Position start = resume.after.value_or(end);

  std::string bytes = opening(fan_out, subscription, resume, start, std::move(http_head));
  const std::size_t size = bytes.size();
  fan_out.open(fd, std::move(membership), start, subscription.hello, std::move(bytes));
  return size;
}

std::string short_stream(fanout::FanOut& fan_out,
                         const Subscription& subscription,
                         const Resume& resume,
                         std::string http_head) {
  const log::Position start = resume.after.value_or(fan_out.log().end());
  return opening(fan_out, subscription, resume, start, std::move(http_head));
}

}  // namespace vrelo
