// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <boost/system/error_code.hpp>

#include "cli/event_text.h"

namespace vrelo::cli {

// Where a command writes: its standard output, or standard error.
class Output {
 public:
  virtual ~Output() = default;

  // Writes all of `text` at once, however long the reader makes it wait.
  //
  // Errors: those of the system: broken_pipe where nobody reads any more; operation_canceled where
  // a signal came while it waited.
  virtual boost::system::error_code write(std::string_view text) = 0;

  // Whether nobody reads any more, as far as that is known without writing.
  virtual bool is_abandoned() = 0;
};

// An Output to a descriptor: a terminal, a pipe, a file.
class FileOutput final : public Output {
 public:
  // While it waits for its reader, it also waits for `signal_fd` to be readable; -1: there is none.
  //
  // Lifetime: both descriptors must outlive it, and stay the caller's.
  FileOutput(int fd, int signal_fd) : fd_(fd), signal_fd_(signal_fd) {}

  boost::system::error_code write(std::string_view text) override;
  bool is_abandoned() override;

 private:
  boost::system::error_code wait_until_writable();

  int fd_;
  int signal_fd_;
};

// How to write to `fd`. There are colours on a terminal, unless the variable NO_COLOR is set or
// TERM is "dumb". "": the variable is not there.
//
// Source: no-color.org.
Look look_of(int fd, std::string_view no_color, std::string_view term);

}  // namespace vrelo::cli
