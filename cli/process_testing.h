// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "cli/process.h"
#include "sse/client/alarm_testing.h"
#include "sse/client/server_testing.h"

namespace vrelo::cli {

// Keeps what is written to it.
class TextOutput final : public Output {
 public:
  boost::system::error_code write(std::string_view written) override {
    if (!error) {
      text += written;
    }
    return error;
  }
  bool is_abandoned() override { return abandoned; }

  std::string text;
  boost::system::error_code error;  // what every write() fails with
  bool abandoned = false;
};

// A pipe whose ends close by themselves.
struct Pipe {
  Pipe() {
    [[maybe_unused]] const int made = ::pipe2(ends.data(), O_CLOEXEC);
    assert(made == 0);
  }
  ~Pipe() {
    close_reader();
    close_writer();
  }

  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reader() const { return ends[0]; }
  int writer() const { return ends[1]; }
  void close_reader() { close(ends[0]); }
  void close_writer() { close(ends[1]); }

  // `text` must fit into the pipe.
  void write(std::string_view text) const {
    [[maybe_unused]] const ssize_t written = ::write(ends[1], text.data(), text.size());
    assert(written == static_cast<ssize_t>(text.size()));
  }

  std::array<int, 2> ends{-1, -1};

 private:
  static void close(int& end) {
    if (end >= 0) {
      ::close(std::exchange(end, -1));
    }
  }
};

// A command that runs on a loop beside the server that it talks to; the test speaks the server's
// side.
class CommandSession {
 public:
  CommandSession() = default;
  CommandSession(const CommandSession&) = delete;
  CommandSession& operator=(const CommandSession&) = delete;

  void start(CommandTask command, std::vector<std::string> arguments) {
    boost::asio::co_spawn(loop, command(process, std::move(arguments)),
                          [this](const std::exception_ptr&, int result) { status = result; });
  }

  int wait_for_end() {
    sse::client::run_until(loop, [this] { return status.has_value(); });
    return status.value_or(-1);
  }

  // Waits until the command waits before its next attempt, and lets that time pass.
  void wait_out(std::string_view until_said) {
    sse::client::run_until(loop, [&] { return err.text.find(until_said) != std::string::npos; });
    sse::client::settle(loop);
    alarms.advance(std::chrono::minutes(6));
  }

  boost::asio::io_context loop{1};
  sse::client::TestServer server{loop};
  sse::client::ManualAlarms alarms;
  boost::asio::ssl::context tls = sse::client::make_tls_context();
  sse::client::Network network{loop.get_executor(), tls, alarms.maker()};
  TextOutput out;
  TextOutput err;
  Pipe in;
  int ids = 0;
  Process process{.network = network,
                  .in_fd = in.reader(),
                  .out = out,
                  .err = err,
                  .out_look = {},
                  .make_id = [this] { return "id-" + std::to_string(++ids); },
                  .seed = 1};
  std::optional<int> status;
};

}  // namespace vrelo::cli
