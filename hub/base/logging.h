// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "hub/base/clock.h"
#include "hub/base/settings.h"

namespace vrelo::base {

// What the hub tells its operator: a line per start, stop, refusal and error, none per event.
//
// A line stays one line, whatever an attacker puts into it: control characters, and in a text that
// is not plain UTF-8 all that is not ASCII, are shown as \xHH; what is beyond 4 KiB is replaced by
// its length. Secrets never get here: no caller passes one.
//
// Threads: any. A call never waits for the other end: up to 1024 lines are queued, then the oldest
// go.
class Logger {
 public:
  // Takes each line as it is written, with its level but without time and line end.
  using Write = std::function<void(std::string_view line)>;

  // Writes to standard error, with time (UTC) and level; in colours on a terminal.
  //
  // Lifetime: `clock` outlives the Logger, whose destruction writes what is queued.
  Logger(const Clock& clock, LogLevel level);

  // Writes at once, by `write`, one call at a time: for tests, and for programs that embed the hub.
  Logger(const Clock& clock, LogLevel level, Write write);

  ~Logger();

  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  template <typename... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) {
    write_if(LogLevel::kDebug, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    write_if(LogLevel::kInfo, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) {
    write_if(LogLevel::kWarning, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) {
    write_if(LogLevel::kError, format, std::forward<Args>(args)...);
  }

  // For what others can bring about as often as they like: writes "REASON: DETAIL" at most ten
  // times at once and ten times a minute for each reason; then the next line says how many there
  // were between.
  //
  // `reason` is one of a few fixed texts, never made from input: the first 256 have a measure of
  // their own, all others share one.
  void limited(LogLevel level, std::string_view reason, std::string_view detail);

  // The line for a request or connection that was refused.
  void refused(std::string_view reason, std::string_view detail) {
    limited(LogLevel::kInfo, reason, detail);
  }

  bool writes(LogLevel level) const;
  void set_level(LogLevel level);

 private:
  template <typename... Args>
  void write_if(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    if (writes(level)) {
      write(level, fmt::format(format, std::forward<Args>(args)...));
    }
  }
  void write(LogLevel level, std::string_view line);

  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace vrelo::base
