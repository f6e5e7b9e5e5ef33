// SPDX-License-Identifier: Apache-2.0
#include "hub/base/logging.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <spdlog/async.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include "hub/base/signals_held.h"
#include "hub/base/text.h"

namespace vrelo::base {
namespace {

constexpr std::size_t kQueuedLinesMax = 1024;
constexpr std::size_t kLineBytesMax = 4096;
constexpr std::size_t kReasonsMax = 256;

// A measure of lines: it holds ten, and gets one more every six seconds.
constexpr int kBurst = 10;
constexpr std::chrono::seconds kRefill{6};

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

class WriteSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit WriteSink(Logger::Write write) : write_(std::move(write)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    write_(std::string_view(line.data(), line.size()));
  }
  void flush_() override {}

  const Logger::Write write_;
};

std::string one_line(std::string_view text) {
  const std::size_t kept = std::min(text.size(), kLineBytesMax);
  std::string line;
  line.reserve(kept);
  const bool ascii_only = find_fault(text.substr(0, kept)).has_value();
  for (const char c : text.substr(0, kept)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || (ascii_only && byte >= 0x80)) {
      line += fmt::format("\\x{:02x}", byte);
    } else {
      line += c;
    }
  }
  if (kept < text.size()) {
    line += fmt::format(" ({} bytes more)", text.size() - kept);
  }
  return line;
}

}  // namespace

struct Logger::Parts {
  // How much of one reason's measure is used.
  struct Measure {
    int used = 0;
    Clock::Steady refilled_at;
    std::uint64_t left_out = 0;
  };

  const Clock& clock;
  std::shared_ptr<spdlog::details::thread_pool> thread;  // nullptr: lines are written at once
  std::shared_ptr<spdlog::logger> logger;

  std::mutex mutex = {};  // for what follows
  std::map<std::string, Measure, std::less<>> measures = {};

  // Returns how many lines were left out before this one, or nullopt if this one is to be left out
  // too.
  std::optional<std::uint64_t> take(std::string_view reason);
};

std::optional<std::uint64_t> Logger::Parts::take(std::string_view reason) {
  const Clock::Steady now = clock.steady();
  const std::scoped_lock lock(mutex);
  auto found = measures.find(reason);
  if (found == measures.end()) {
    const bool own = measures.size() < kReasonsMax;
    found = measures.try_emplace(own ? std::string(reason) : "", Measure{.refilled_at = now}).first;
  }
  Measure& measure = found->second;
  const auto refills = (now - measure.refilled_at) / kRefill;
  measure.refilled_at += refills * kRefill;
  measure.used = refills >= measure.used ? 0 : measure.used - static_cast<int>(refills);
  if (measure.used == kBurst) {
    ++measure.left_out;
    return std::nullopt;
  }
  ++measure.used;
  return std::exchange(measure.left_out, 0);
}

Logger::Logger(const Clock& clock, LogLevel level)
    : parts_(new Parts{.clock = clock, .thread = nullptr, .logger = nullptr}) {
  const SignalsHeld held;
  parts_->thread = std::make_shared<spdlog::details::thread_pool>(kQueuedLinesMax, 1);
  // At a terminal a line is printed in pieces, for its colours; in one write() nobody's output gets
  // between them, as where a supervisor and its worker print at once.
  std::setvbuf(stderr, nullptr, _IOLBF, BUFSIZ);
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  parts_->logger = std::make_shared<spdlog::async_logger>(
      "vrelo", std::move(sink), parts_->thread, spdlog::async_overflow_policy::overrun_oldest);
  parts_->logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc));
  set_level(level);
}

Logger::Logger(const Clock& clock, LogLevel level, Write write)
    : parts_(new Parts{.clock = clock,
                       .thread = nullptr,
                       .logger = std::make_shared<spdlog::logger>(
                           "vrelo", std::make_shared<WriteSink>(std::move(write)))}) {
  parts_->logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>("%l %v", spdlog::pattern_time_type::utc, ""));
  set_level(level);
}

Logger::~Logger() = default;  // the thread pool's destructor writes what is queued

void Logger::limited(LogLevel level, std::string_view reason, std::string_view detail) {
  if (!writes(level)) {
    return;
  }
  const auto left_out = parts_->take(reason);
  if (left_out) {
    write(level,
          fmt::format("{}{}{}{}", reason, detail.empty() ? "" : ": ", detail,
                      *left_out == 0 ? "" : fmt::format(" (and {} more before)", *left_out)));
  }
}

bool Logger::writes(LogLevel level) const {
  return parts_->logger->should_log(spdlog_level(level));
}

void Logger::set_level(LogLevel level) {
  parts_->logger->set_level(spdlog_level(level));
}

void Logger::write(LogLevel level, std::string_view line) {
  parts_->logger->log(spdlog_level(level), one_line(line));
}

}  // namespace vrelo::base
