// SPDX-License-Identifier: Apache-2.0
//
// What is done to the node.
#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "hub/log/event_id.h"
#include "sim/simulation.h"

namespace vrelo::sim {
namespace {

constexpr std::size_t kTopics = 6;

}  // namespace

void Simulation::node_restarts() {
  if (node_ == nullptr) {
    return;
  }
  if (random_.one_in(3)) {
    node_drains();
    return;
  }
  if (random_.one_in(2)) {
    note("the node is killed");
    network_.cut();
    store_.crash();
    tally_["kills"] += 1;
  } else {
    note("the node is stopped");
    tally_["stops"] += 1;
  }
  end_node();
  if (random_.one_in(20)) {
    note("the log is lost");
    store_.replace();
    tally_["logs lost"] += 1;
  }
  node_returns_at_ = schedule_.now() + random_.milliseconds(0, 3000);
}

void Simulation::node_drains() {
  if (node_->draining()) {
    return;
  }
  note("the node drains");
  tally_["drains"] += 1;
  const std::chrono::milliseconds duration = random_.milliseconds(0, 5000);
  network_.closing = true;
  node_->drain(duration);
  drain_end_ = schedule_.now() + duration;
  node_returns_at_ = drain_end_ + random_.milliseconds(0, 1000);
}

void Simulation::limits_change() {
  limits_ = draw_limits();
  note("limits are loaded anew");
  if (node_ != nullptr) {
    node_->set_limits(limits_);
    tally_["reloads"] += 1;
  }
}

void Simulation::store_goes_away() {
  if (!std::exchange(store_.habits.away, true)) {
    note("the store goes away");
    tally_["outages of the store"] += 1;
  }
}

void Simulation::store_fills() {
  if (!std::exchange(store_.habits.full, true)) {
    note("the store is full");
    tally_["times that the store was full"] += 1;
  }
}

// Sooner or later.
void Simulation::store_recovers() {
  if (random_.one_in(20) && std::exchange(store_.habits.away, false)) {
    note("the store is back");
    store_back_at_ = schedule_.now();
  }
  if (random_.one_in(20) && std::exchange(store_.habits.full, false)) {
    note("the store has room");
  }
}

void Simulation::retention_removes() {
  const double share = random_.one_in(4) ? 1 : 1 / static_cast<double>(random_.between(2, 20));
  store_.remove(share);
  note(fmt::format("retention removes up to {}", store_.chapter().begin));
  tally_["removals"] += 1;
}

void Simulation::time_of_day_is_set() {
  constexpr std::chrono::milliseconds kDay = std::chrono::hours(24);
  const auto step = random_.milliseconds(0, 2 * kDay.count()) - kDay;
  note(fmt::format("the time of day is set by {} s", step / std::chrono::seconds(1)));
  schedule_.step_wall(step);
  tally_["times of day set"] += 1;
}

void Simulation::log_is_replaced() {
  if (random_.one_in(4)) {
    note("the log is replaced");
    store_.replace();
    tally_["logs replaced"] += 1;
  }
}

std::string Simulation::draw_topic() {
  // Some topics are quiet.
  return fmt::format("t{}", std::min(random_.below(kTopics), random_.below(kTopics)));
}

log::Event Simulation::draw_event() {
  const std::uint64_t number = events_++;
  log::Event event;
  for (std::uint64_t i = random_.between(1, random_.one_in(3) ? 3 : 1); i > 0; --i) {
    event.topics.push_back(draw_topic());
  }
  if (random_.one_in(3)) {
    event.id = !published_.empty() && random_.one_in(keeps_id_one_in_)
                   ? random_.pick(published_).id
                   : fmt::format("id{}", number);
  }
  event.type = random_.one_in(4) ? "kind" : "";
  event.data = fmt::format("{}:", number);
  event.data.append(
      large_ ? random_.below(std::uint64_t{1} << data_bits_) : random_.any_size(data_bits_), 'x');
  if (random_.one_in(8)) {
    event.data += "\n\n" + std::string(random_.below(20), 'y');
  }
  if (random_.one_in(30)) {
    event.retry = random_.milliseconds(0, 5000);
  }
  event.is_private = random_.one_in(4);
  return event;
}

void Simulation::publish() {
  for (std::uint64_t i = random_.one_in(5) ? random_.between(1, large_ ? 60 : 12) : 1; i > 0; --i) {
    const log::Event event = draw_event();
    if (!event.id.empty()) {
      published_.push_back(event);
    }
    send(event);
  }
}

void Simulation::publish_again() {
  if (!published_.empty()) {
    tally_["repeats"] += 1;
    send(random_.pick(published_));
  }
}

void Simulation::send(const log::Event& event) {
  if (node_ == nullptr || node_->draining()) {
    return;
  }
  note(fmt::format("publish {}… \"{}\" on {}{}", brief(event.data), event.id,
                   fmt::join(event.topics, " "), event.is_private ? ", private" : ""));
  static const auth::GrantPtr everything =
      std::make_shared<const auth::Grant>(auth::Grant{.publish = {.all = true}});
  static const auth::GrantPtr nothing = std::make_shared<const auth::Grant>();
  const bool may = !random_.one_in(20);
  node_->any_shard().publish(may ? everything : nothing, event,
                             [this, event, may](const auto& published) {
                               if (!may) {
                                 if (published || published.error() != Errc::kNotGranted) {
                                   fail("a publish without the right to it was not refused");
                                 }
                                 return;
                               }
                               check_published(event, published);
                             });
}

// What is acknowledged is committed.
void Simulation::check_published(const log::Event& event,
                                 const boost::system::result<Published>& published) {
  if (!published) {
    tally_["publishes refused"] += 1;
    return;
  }
  tally_["publishes"] += 1;
  const auto& records = store_.chapters();
  const bool is_stored = std::any_of(records.rbegin(), records.rend(), [&](const Chapter& chapter) {
    return std::any_of(chapter.records.rbegin(), chapter.records.rend(), [&](const auto& record) {
      const std::string id =
          record->event.id.empty() ? log::event_id(record->position) : record->event.id;
      return id == published->id && record->event == event;
    });
  });
  if (!is_stored) {
    fail(fmt::format("{}… was acknowledged, and is not in the log", brief(event.data)));
  }
}

}  // namespace vrelo::sim
