// SPDX-License-Identifier: Apache-2.0
#include "cli/input.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "cli/process_testing.h"

namespace vrelo::cli {
namespace {

// Reads once; the result is there when the loop has run.
struct Reading {
  Reading(boost::asio::io_context& loop, Input& input) {
    boost::asio::co_spawn(
        loop, input.read_some(buffer),
        [this](const std::exception_ptr&, boost::system::result<std::size_t> bytes) {
          text = std::string(buffer.data(), bytes.value());
        });
  }

  std::array<char, 16> buffer{};
  std::optional<std::string> text;
};

TEST(Input, waits_for_a_pipe_and_leaves_it_as_it_is) {
  boost::asio::io_context loop(1);
  Pipe pipe;
  auto input = Input::open(loop.get_executor(), pipe.reader());
  ASSERT_TRUE(input.has_value());
  const Reading first(loop, *input);
  loop.poll();
  EXPECT_FALSE(first.text);
  EXPECT_EQ(::fcntl(pipe.reader(), F_GETFL) & O_NONBLOCK, 0);
  pipe.write("a");
  loop.restart();
  loop.run();
  EXPECT_EQ(first.text, "a");

  pipe.close_writer();
  const Reading end(loop, *input);
  loop.restart();
  loop.run();
  EXPECT_EQ(end.text, "");
}

TEST(Input, reads_a_file) {
  boost::asio::io_context loop(1);
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  std::fputs("abc", file);
  std::rewind(file);
  auto input = Input::open(loop.get_executor(), ::fileno(file));
  ASSERT_TRUE(input.has_value());
  const Reading first(loop, *input);
  loop.run();
  EXPECT_EQ(first.text, "abc");
  const Reading end(loop, *input);
  loop.restart();
  loop.run();
  EXPECT_EQ(end.text, "");
  std::fclose(file);
}

TEST(Input, is_refused_where_there_is_none) {
  boost::asio::io_context loop(1);
  EXPECT_EQ(Input::open(loop.get_executor(), -1).error(), boost::system::errc::bad_file_descriptor);
}

}  // namespace
}  // namespace vrelo::cli
