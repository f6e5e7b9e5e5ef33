// SPDX-License-Identifier: Apache-2.0
#include "sim/node.h"

#include <cassert>
#include <exception>
#include <string>
#include <utility>
#include <variant>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "hub/fanout/blocks.h"
#include "hub/log/operation.h"

namespace vrelo::sim {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

// As in hub/api/node.cc.
constexpr std::chrono::milliseconds kPause = 250ms;

// Fixed, so that a seed gives the same run each time.
constexpr log::HashKey kHashKey = {1, 2};

// As much of hub/api's as the readers look at.
std::string head(const Resume& resume) {
  std::string head = "HTTP/1.1 200 OK\r\n";
  if (!resume.last_event_id.empty()) {
    head += "Mercure-Last-Event-ID: " + resume.last_event_id + "\r\n";
  }
  return head + "\r\n";
}

void rethrow(const std::exception_ptr& error) {
  if (error != nullptr) {
    std::rethrow_exception(error);
  }
}

base::Task<void> publish_and_tell(log::Log& log,
                                  auth::GrantPtr grant,
                                  log::Event event,
                                  OnPublished on_published) {
  const auto published = co_await vrelo::publish(log, *grant, std::move(event));
  on_published(published);
}

}  // namespace

Shard::Shard(Surroundings around,
             fanout::Window& window,
             std::size_t index,
             fanout::FanOutLimits limits)
    : around_(around),
      work_(loop_.get_executor()),
      alarms_(around.schedule),
      log_(around.store.log(loop_.get_executor())),
      sockets_(around.network),
      fan_out_({.window = window,
                .shard = index,
                .log = *log_,
                .sockets = sockets_,
                .clock = around.schedule.clock(),
                .make_alarm = alarms_.maker(),
                .executor = loop_.get_executor(),
                .seed = around.random.number()},
               limits) {
  around_.schedule.add(*this);
}

Shard::~Shard() {
  around_.schedule.remove(*this);
}

bool Shard::step() {
  switch (around_.random.below(3)) {
    case 0:
      return sockets_.tell_one(fan_out_) || alarms_.ring_one() || loop_.poll_one() > 0;
    case 1:
      return alarms_.ring_one() || loop_.poll_one() > 0 || sockets_.tell_one(fan_out_);
    default:
      return loop_.poll_one() > 0 || sockets_.tell_one(fan_out_) || alarms_.ring_one();
  }
}

void Shard::subscribe(int fd, Network::LinkPtr link, Subscription subscription) {
  boost::asio::co_spawn(loop_, serve(fd, std::move(link), std::move(subscription)), rethrow);
}

base::Task<void> Shard::serve(int fd, Network::LinkPtr link, Subscription subscription) {
  const auto resume = co_await resolve_cursor(fan_out_, subscription);
  if (!resume || refusing_ || link->broken || (link->reader_closed && around_.random.one_in(2))) {
    around_.network.close(fd);
    co_return;
  }
  open_stream(fan_out_, fd, subscription, *resume, head(*resume));
}

void Shard::publish(auth::GrantPtr grant, log::Event event, OnPublished on_published) {
  boost::asio::co_spawn(
      loop_, publish_and_tell(*log_, std::move(grant), std::move(event), std::move(on_published)),
      rethrow);
}

void Shard::end_right() {
  boost::asio::post(loop_, [this] {
    if (const auto fd = sockets_.any_stream()) {
      sockets_.at(*fd).right_ended = true;
      if (around_.random.one_in(3)) {
        fan_out_.replace(*fd);
      } else {
        fan_out_.end(*fd, "expired");
      }
    }
  });
}

void Shard::tell_reader() {
  boost::asio::post(loop_, [this] {
    if (const auto fd = sockets_.any_stream()) {
      Link& link = sockets_.at(*fd);
      ++link.told;
      if (fan_out_.tell(*fd, fanout::renew_block(30s)) == fanout::FanOut::Told::kBusy) {
        --link.told;
      }
    }
  });
}

void Shard::close() {
  refuse();
  fan_out_.close();
  log_->stop();
}

class Node::Pause final : public log::OperationOf<std::monostate> {
 public:
  explicit Pause(base::Executor executor)
      : OperationOf(std::make_shared<log::Caller>(std::move(executor))) {
    result = std::monostate();
  }
};

Node::Node(Surroundings around,
           std::size_t shards,
           std::size_t window_bytes,
           fanout::FanOutLimits limits)
    : around_(around), window_(kHashKey, window_bytes, shards, [this](std::size_t shard) {
        shards_[shard]->fan_out().wake();
      }) {
  for (std::size_t i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(around_, window_, i, limits));
  }
  Shard& first = *shards_.front();
  pause_alarm_ = first.make_alarm()([this] { end_pause(); });
  boost::asio::co_spawn(first.executor(), window_.follow(first.log(), [this] { return pause(); }),
                        rethrow);
}

Node::~Node() {
  for (const auto& shard : shards_) {
    shard->close();
  }
  end_pause();
  around_.schedule.run_all();
  pause_alarm_ = nullptr;
}

Shard& Node::any_shard() {
  return *shards_[around_.random.below(shards_.size())];
}

base::Task<void> Node::pause() {
  pause_alarm_->set(around_.schedule.now() + kPause);
  co_await log::wait_for(std::make_unique<Pause>(shards_.front()->executor()),
                         [this](std::unique_ptr<Pause> pause) { pause_ = std::move(pause); });
}

void Node::end_pause() {
  if (pause_ != nullptr) {
    std::vector<log::OperationPtr> ended;
    ended.push_back(std::move(pause_));
    log::complete_all(std::move(ended));
  }
}

void Node::set_limits(const fanout::FanOutLimits& limits) {
  for (const auto& shard : shards_) {
    boost::asio::post(shard->executor(),
                      [&shard = *shard, limits] { shard.fan_out().set_limits(limits); });
  }
}

void Node::drain(std::chrono::milliseconds duration) {
  assert(!draining_);
  draining_ = true;
  undrained_ = shards_.size();
  for (const auto& shard : shards_) {
    boost::asio::post(shard->executor(), [this, &shard = *shard, duration] {
      shard.refuse();
      shard.fan_out().drain(duration, [this] { --undrained_; });
    });
  }
}

std::optional<base::Clock::Steady> Node::next_alarm() const {
  std::optional<base::Clock::Steady> next;
  for (const auto& shard : shards_) {
    const auto alarm = shard->next_alarm();
    if (alarm && (!next || *alarm < *next)) {
      next = alarm;
    }
  }
  return next;
}

fanout::FanOutStats Node::stats() const {
  fanout::FanOutStats sum;
  for (const auto& shard : shards_) {
    const fanout::FanOutStats one = shard->fan_out().stats();
    sum.streams += one.streams;
    sum.opened += one.opened;
    sum.rounds += one.rounds;
    sum.sends += one.sends;
    sum.sent_bytes += one.sent_bytes;
    sum.wakes += one.wakes;
    sum.window_hits += one.window_hits;
    sum.page_cache_hits += one.page_cache_hits;
    sum.storage_reads += one.storage_reads;
    sum.gaps += one.gaps;
    sum.closed_gone += one.closed_gone;
    sum.closed_silent += one.closed_silent;
    sum.closed_stalled += one.closed_stalled;
    sum.closed_record_gone += one.closed_record_gone;
    sum.closed_drain += one.closed_drain;
    sum.closed_ended += one.closed_ended;
    sum.closed_replaced += one.closed_replaced;
    sum.closed_log += one.closed_log;
  }
  return sum;
}

}  // namespace vrelo::sim
