// SPDX-License-Identifier: Apache-2.0
#include "hub/base/standard_streams.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace vrelo::base {
namespace {

// Whether the descriptor is the null device, open for reading and writing.
bool is_null(int fd) {
  struct stat info {};
  struct stat null {};
  return ::fstat(fd, &info) == 0 && ::stat("/dev/null", &null) == 0 &&
         info.st_rdev == null.st_rdev && S_ISCHR(info.st_mode) &&
         (::fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
}

// In a process of its own. Exits with 0 if those of the descriptors that were closed, and no
// others, are the null device, and the next one to be opened is none of the three.
[[noreturn]] void open_after_closing(const std::vector<int>& closed, int file) {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::dup2(file, fd) != fd) {
      std::_Exit(10);
    }
  }
  for (const int fd : closed) {
    ::close(fd);
  }
  if (open_standard_streams()) {
    std::_Exit(11);
  }
  std::vector<int> opened;
  for (int fd = 0; fd <= 2; ++fd) {
    if (is_null(fd)) {
      opened.push_back(fd);
    }
  }
  std::_Exit(opened == closed && ::dup(file) > 2 ? 0 : 12);
}

TEST(StandardStreams, are_opened_where_they_were_closed_and_nowhere_else) {
  const int file = ::open("/", O_RDONLY | O_DIRECTORY);
  ASSERT_GT(file, 2);
  const std::vector<std::vector<int>> cases = {{},     {0},    {1},    {2},
                                               {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}};
  for (const std::vector<int>& closed : cases) {
    SCOPED_TRACE(testing::PrintToString(closed));
    EXPECT_EXIT(open_after_closing(closed, file), testing::ExitedWithCode(0), "");
  }
  ::close(file);
}

// In a process of its own, whose standard output is `file`. Exits with the error.
[[noreturn]] void write_to(int file) {
  ::dup2(file, STDOUT_FILENO);
  std::_Exit(write_output("a line\n").value());
}

TEST(StandardStreams, say_that_what_was_written_did_not_arrive) {
  const int full = ::open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  EXPECT_EXIT(write_to(full), testing::ExitedWithCode(ENOSPC), "");
  ::close(full);
}

TEST(StandardStreams, hold_what_was_written_at_once) {
  int ends[2] = {};
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_EXIT(write_to(ends[1]), testing::ExitedWithCode(0), "");
  std::string text(100, '\0');
  const ssize_t size = ::read(ends[0], text.data(), text.size());
  ASSERT_GE(size, 0);
  text.resize(static_cast<std::size_t>(size));
  EXPECT_EQ(text, "a line\n");
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace vrelo::base
