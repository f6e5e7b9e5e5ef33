// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "cli/process_testing.h"
#include "cli/signals.h"

namespace vrelo::cli {
namespace {

using boost::system::errc::broken_pipe;
using boost::system::errc::operation_canceled;

TEST(FileOutput, writes_more_than_a_pipe_holds) {
  Pipe pipe;
  FileOutput output(pipe.writer(), -1);
  const std::string text(300'000, 'x');
  std::string read;
  std::thread reader([&] {
    std::array<char, 1000> buffer{};
    while (read.size() < text.size()) {
      const ssize_t bytes = ::read(pipe.reader(), buffer.data(), buffer.size());
      if (bytes <= 0) {
        return;
      }
      read.append(buffer.data(), static_cast<std::size_t>(bytes));
    }
  });
  EXPECT_FALSE(output.write(text));
  reader.join();
  EXPECT_EQ(read, text);
}

TEST(FileOutput, finds_out_that_nobody_reads) {
  const Signals signals;  // SIGPIPE does not end the test
  Pipe pipe;
  FileOutput output(pipe.writer(), signals.fd());
  EXPECT_FALSE(output.is_abandoned());
  pipe.close_reader();
  EXPECT_TRUE(output.is_abandoned());
  EXPECT_EQ(output.write("a"), broken_pipe);
}

TEST(FileOutput, stops_waiting_for_its_reader_when_a_signal_comes) {
  Signals signals;
  Pipe pipe;
  FileOutput output(pipe.writer(), signals.fd());
  ASSERT_EQ(::raise(SIGTERM), 0);
  EXPECT_EQ(output.write(std::string(300'000, 'x')), operation_canceled);
  EXPECT_EQ(signals.take(), SIGTERM);
}

TEST(FileOutput, writes_what_it_can_although_a_signal_has_come) {
  Signals signals;
  Pipe pipe;
  FileOutput output(pipe.writer(), signals.fd());
  ASSERT_EQ(::raise(SIGINT), 0);
  EXPECT_FALSE(output.write("a"));
  EXPECT_EQ(signals.take(), SIGINT);
}

TEST(Look, is_plain_where_there_is_no_terminal) {
  const Pipe pipe;
  EXPECT_FALSE(look_of(pipe.writer(), "", "xterm").is_terminal);
  EXPECT_FALSE(look_of(pipe.writer(), "", "xterm").has_colours);
}

TEST(Look, has_colours_on_a_terminal_that_wants_them) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  const struct {
    const char* what;
    const char* no_color;
    const char* term;
    bool has_colours;
  } cases[] = {
      {"nothing said", "", "xterm", true},
      {"NO_COLOR", "1", "xterm", false},
      {"a terminal without", "", "dumb", false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const Look look = look_of(terminal, c.no_color, c.term);
    EXPECT_TRUE(look.is_terminal);
    EXPECT_EQ(look.has_colours, c.has_colours);
  }
  ::close(terminal);
}

}  // namespace
}  // namespace vrelo::cli
