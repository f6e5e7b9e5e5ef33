// SPDX-License-Identifier: Apache-2.0
#include "hub/base/program.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/descriptor.h"

namespace vrelo::base {
namespace {

Program shell(std::string script) {
  return {.path = "/bin/sh",
          .arguments = {"sh", "-c", std::move(script)},
          .variables = {},
          .pid_variable = {},
          .descriptors = {}};
}

// Where a program writes to.
class Pipe {
 public:
  Pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    read_ = Descriptor(ends[0]);
    write_ = Descriptor(ends[1]);
  }

  int write_end() const { return write_.get(); }

  // What was written, until all who could write have ended.
  std::string all() {
    write_ = Descriptor();
    std::string text;
    std::array<char, 256> buffer;
    for (ssize_t count = 0; (count = ::read(read_.get(), buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  Descriptor read_;
  Descriptor write_;
};

// Returns the exit status of a child.
int wait_for(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

// Runs `program` and returns what it wrote.
std::string output_of(const Program& program) {
  Pipe pipe;
  const auto child = start_program(program, pipe.write_end());
  EXPECT_TRUE(child);
  std::string text = pipe.all();
  EXPECT_EQ(wait_for(*child), 0);
  return text;
}

TEST(Program, that_has_ended_tells_by_what) {
  for (const auto& [script, cause] :
       {std::pair("exit 3", "exit status 3"), std::pair("kill -KILL $$", "SIGKILL"),
        std::pair("kill -34 $$", "signal 34")}) {
    Pipe pipe;
    const auto child = start_program(shell(script), pipe.write_end());
    ASSERT_TRUE(child);
    int status = 0;
    EXPECT_EQ(::waitpid(*child, &status, 0), *child);
    EXPECT_EQ(cause_of_death(status), cause);
  }
}

TEST(Program, has_its_arguments_and_variables_and_no_others) {
  ASSERT_EQ(::setenv("VRELO_PROGRAM_TEST", "set", 1), 0);
  Program program = shell(R"(echo "$0, $1, $A, $B, ${VRELO_PROGRAM_TEST-unset}")");
  program.arguments.insert(program.arguments.end(), {"name", "one two"});
  program.variables = {{"A", "1=2"}, {"B", ""}};
  EXPECT_EQ(output_of(program), "name, one two, 1=2, , unset\n");
}

TEST(Program, finds_its_process_id_in_a_variable) {
  Program program = shell(R"([ "$$" = "$MY_ID" ] && echo same)");
  program.pid_variable = "MY_ID";
  EXPECT_EQ(output_of(program), "same\n");
}

TEST(Program, has_the_descriptors_that_it_was_given_and_no_others) {
  const Descriptor source(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Descriptor passed(::dup3(source.get(), 710, O_CLOEXEC));
  const Descriptor kept(::dup3(source.get(), 711, O_CLOEXEC));
  Program program = shell("for fd in 710 711; do [ -e /proc/self/fd/$fd ] && echo $fd; done; :");
  program.descriptors = {710};
  EXPECT_EQ(output_of(program), "710\n");
  EXPECT_EQ(::fcntl(passed.get(), F_GETFD), FD_CLOEXEC);  // here nothing has changed
}

TEST(Program, takes_all_signals) {
  sigset_t held;
  sigset_t before;
  sigemptyset(&held);
  sigaddset(&held, SIGTERM);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &held, &before), 0);
  EXPECT_EQ(output_of(shell("grep SigBlk /proc/self/status")), "SigBlk:\t0000000000000000\n");
  ASSERT_EQ(::pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
}

TEST(Program, is_not_started_where_it_cannot_be_executed) {
  const struct {
    const char* path;
    int error;
  } cases[] = {{"/nowhere/program", ENOENT}, {"/dev/null", EACCES}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.path);
    Program program = shell("");
    program.path = c.path;
    const auto child = start_program(program, STDOUT_FILENO);
    ASSERT_FALSE(child);
    EXPECT_EQ(child.error().value(), c.error);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // no child is left
  }
}

TEST(Program, takes_the_place_of_a_process) {
  const Descriptor source(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Descriptor passed(::dup3(source.get(), 710, O_CLOEXEC));
  Pipe pipe;
  Program program = shell(R"([ -e /proc/self/fd/710 ] && [ "$$" = "$MY_ID" ] && echo "$A $$")");
  program.variables = {{"A", "1"}};
  program.pid_variable = "MY_ID";
  program.descriptors = {710};
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe.write_end(), STDOUT_FILENO);
    become_program(program);
    ::_exit(99);
  }
  EXPECT_EQ(pipe.all(), "1 " + std::to_string(child) + "\n");
  EXPECT_EQ(wait_for(child), 0);
}

TEST(Program, changes_nothing_where_it_cannot_take_the_place) {
  const Descriptor source(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Program program = shell("");
  program.path = "/nowhere/program";
  program.descriptors = {source.get()};
  EXPECT_EQ(become_program(program).value(), ENOENT);
  EXPECT_EQ(::fcntl(source.get(), F_GETFD), FD_CLOEXEC);
}

TEST(Program, knows_where_it_lies) {
  const std::filesystem::path path = own_path();
  EXPECT_TRUE(path.is_absolute());
  EXPECT_TRUE(std::filesystem::equivalent(path, "/proc/self/exe"));
}

}  // namespace
}  // namespace vrelo::base
