// SPDX-License-Identifier: Apache-2.0
#include "cli/load/load.h"

#include <time.h>

#include <algorithm>
#include <memory>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "cli/load/message.h"

namespace vrelo::cli::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr milliseconds kWaitMax{50};
constexpr milliseconds kProgressEvery{100};

// Of this thread.
nanoseconds processor_time() {
  timespec time = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

ServerUsage difference(const ServerUsage& a, const ServerUsage& b) {
  return {.user = a.user - b.user,
          .system = a.system - b.system,
          .run = a.run - b.run,
          .resident_bytes = a.resident_bytes - std::min(a.resident_bytes, b.resident_bytes)};
}

std::string name_of_run() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

class Run {
 public:
  Run(const Workload& workload, const std::function<bool(const Progress&)>& go_on)
      : workload_(workload),
        go_on_(go_on),
        messages_(name_of_run()),
        readers_(workload, messages_),
        publishers_(workload, messages_) {}

  sse::client::Result<Report> run() {
    const auto before = usage(Memory::kYes);
    if (const auto error = open_streams()) {
      return error;
    }
    settle();
    const auto idle = usage(Memory::kYes);
    const nanoseconds reading = processor_time();
    publish();
    report_.reading = processor_time() - reading;
    const auto after = usage(Memory::kNo);
    const auto end = usage(Memory::kYes);

    report_.readers = readers_.counts();
    report_.publishers = publishers_.counts();
    report_.latency = readers_.latency();
    report_.answers = publishers_.answers();
    const auto& published = report_.publishers;
    report_.expected = report_.readers.open * published.accepted;
    report_.publishing = since_first_publish(published.last_answer);
    report_.delivering = since_first_publish(report_.readers.last_delivery);
    if (before && idle && after && end) {
      report_.server = {.opening = difference(*idle, *before),
                        .publishing = difference(*after, *idle),
                        .before_bytes = before->resident_bytes,
                        .stalled_bytes = stalled_bytes_,
                        .end_bytes = end->resident_bytes};
    }
    return std::move(report_);
  }

 private:
  std::optional<ServerUsage> usage(Memory memory) const {
    const auto usage = usage_of(workload_.servers, memory);
    return usage && !workload_.servers.empty() ? std::optional(*usage) : std::nullopt;
  }

  nanoseconds since_first_publish(steady_clock::time_point time) const {
    return std::max(nanoseconds(time - publishers_.counts().first_sent), nanoseconds(0));
  }

  boost::system::error_code open_streams() {
    const auto begin = steady_clock::now();
    Patience patience(*this);
    while (readers_.is_opening() && !report_.is_stopped) {
      if (const auto error = readers_.open_more()) {
        return error;
      }
      const std::size_t before = readers_.counts().open + readers_.counts().refused;
      turn(Phase::kOpening);
      if (!patience.has_more(readers_.counts().open + readers_.counts().refused != before)) {
        break;
      }
    }
    report_.opening = steady_clock::now() - begin;
    return {};
  }

  void settle() {
    const auto end = steady_clock::now() + workload_.settle;
    while (steady_clock::now() < end && !report_.is_stopped) {
      turn(Phase::kSettling);
    }
  }

  void publish() {
    if (workload_.events == 0 || report_.is_stopped ||
        (workload_.readers > 0 && readers_.counts().open == 0)) {
      return;
    }
    readers_.stall();
    std::jthread thread([this] { publishers_.run(); });
    const auto stalled = std::min(workload_.stalled, readers_.counts().open);
    read_all(Phase::kPublishing, readers_.counts().open - stalled);
    if (workload_.stalled > 0) {
      const auto held = usage(Memory::kYes);
      stalled_bytes_ = held ? held->resident_bytes : 0;
      readers_.resume();
      read_all(Phase::kCatchingUp, readers_.counts().open);
    }
    if (report_.is_stopped) {
      publishers_.stop();
    }
  }

  // Reads until the publishers are done and `streams` have everything, or nothing more comes.
  void read_all(Phase phase, std::size_t streams) {
    Patience patience(*this);
    while (!report_.is_stopped) {
      // The counts are the other thread's own until it is done.
      const bool is_done = publishers_.is_done();
      const std::uint64_t delivered = readers_.counts().delivered;
      if (is_done && delivered >= streams * publishers_.counts().accepted) {
        return;
      }
      turn(phase);
      const bool has_moved = !is_done || readers_.counts().delivered != delivered;
      if (!patience.has_more(has_moved) ||
          (is_done && readers_.counts().cut >= readers_.counts().open)) {
        return;
      }
    }
  }

  void turn(Phase phase) {
    readers_.poll(kWaitMax);
    const auto now = steady_clock::now();
    if (now < next_progress_) {
      return;
    }
    next_progress_ = now + kProgressEvery;
    report_.is_stopped = !go_on_({.phase = phase,
                                  .open = readers_.counts().open,
                                  .refused = readers_.counts().refused,
                                  .sent = publishers_.sent(),
                                  .delivered = readers_.counts().delivered});
  }

  // Ends where nothing has moved for too long.
  class Patience {
   public:
    explicit Patience(const Run& run) : limit_(run.workload_.patience) {}

    bool has_more(bool has_moved) {
      const auto now = steady_clock::now();
      moved_at_ = has_moved ? now : moved_at_;
      return now - moved_at_ <= limit_;
    }

   private:
    milliseconds limit_;
    steady_clock::time_point moved_at_ = steady_clock::now();
  };

  const Workload& workload_;
  const std::function<bool(const Progress&)>& go_on_;
  const Messages messages_;
  Readers readers_;
  Publishers publishers_;
  steady_clock::time_point next_progress_;
  std::uint64_t stalled_bytes_ = 0;
  Report report_;
};

}  // namespace

sse::client::Result<Report> run_load(const Workload& workload,
                                     const std::function<bool(const Progress&)>& go_on) {
  return std::make_unique<Run>(workload, go_on)->run();
}

}  // namespace vrelo::cli::load
