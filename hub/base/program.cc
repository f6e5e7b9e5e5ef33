// SPDX-License-Identifier: Apache-2.0
#include "hub/base/program.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

namespace vrelo::base {
namespace {

boost::system::error_code system_error(int number) {
  return {number, boost::system::system_category()};
}

// The arguments of execve(). Lifetime: that of the Program.
class Image {
 public:
  explicit Image(const Program& program) : program_(program) {
    for (const std::string& argument : program.arguments) {
      arguments_.push_back(const_cast<char*>(argument.c_str()));  // execve() changes none
    }
    arguments_.push_back(nullptr);
    for (const auto& [name, value] : program.variables) {
      entries_.push_back(fmt::format("{}={}", name, value));
    }
    if (!program.pid_variable.empty()) {
      entries_.push_back(program.pid_variable + "=");
      pid_at_ = entries_.back().size();
      entries_.back().append(kPidDigits + 1, '\0');
    }
    for (std::string& entry : entries_) {
      variables_.push_back(entry.data());
    }
    variables_.push_back(nullptr);
  }

  // Returns errno. Between fork() and exec() there may be no allocation and no lock, for another
  // thread may have held it: hence the space that is ready for the process id.
  int execute() {
    if (pid_at_ > 0) {
      char* const begin = entries_.back().data() + pid_at_;
      *std::to_chars(begin, begin + kPidDigits, ::getpid()).ptr = '\0';
    }
    for (const int fd : program_.descriptors) {
      if (::fcntl(fd, F_SETFD, 0) < 0) {
        return errno;
      }
    }
    ::execve(program_.path.c_str(), arguments_.data(), variables_.data());
    return errno;
  }

 private:
  static constexpr std::size_t kPidDigits = 10;

  const Program& program_;
  std::vector<char*> arguments_;
  std::vector<std::string> entries_;
  std::vector<char*> variables_;
  std::size_t pid_at_ = 0;  // in the last entry; 0: there is none
};

// What the child does. It tells by `report` why it did not become the program; that descriptor is
// closed when it did.
[[noreturn]] void be_child(Image& image, int output, int report) {
  sigset_t none;
  sigemptyset(&none);
  int error = 0;
  if (::sigprocmask(SIG_SETMASK, &none, nullptr) < 0 || ::dup2(output, STDOUT_FILENO) < 0) {
    error = errno;
  } else {
    error = image.execute();
  }
  [[maybe_unused]] const ssize_t written = ::write(report, &error, sizeof error);
  ::_exit(1);
}

}  // namespace

std::string own_path() {
  // The name that execve() was given. /proc/self/exe would have all links followed.
  // NOLINTNEXTLINE(performance-no-int-to-ptr): that is what the function returns.
  const auto* const name = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  std::error_code error;
  if (name != nullptr && std::filesystem::exists(name, error)) {
    const auto path = std::filesystem::absolute(name, error);
    if (!error) {
      return path;
    }
  }
  return std::filesystem::read_symlink("/proc/self/exe", error);
}

boost::system::result<pid_t> start_program(const Program& program, int output) {
  Image image(program);
  int report[2];
  if (::pipe2(report, O_CLOEXEC) < 0) {
    return system_error(errno);
  }
  const pid_t child = ::fork();
  if (child == 0) {
    be_child(image, output, report[1]);
  }
  const int fork_error = errno;
  ::close(report[1]);
  int error = 0;
  ssize_t taken = 0;
  do {
    taken = ::read(report[0], &error, sizeof error);  // 0: closed, by exec()
  } while (taken < 0 && errno == EINTR);
  ::close(report[0]);
  if (child < 0) {
    return system_error(fork_error);
  }
  if (taken > 0) {
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return system_error(error);
  }
  return child;
}

boost::system::error_code become_program(const Program& program) {
  const int error = Image(program).execute();
  for (const int fd : program.descriptors) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  return system_error(error);
}

std::string signal_name(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

std::string cause_of_death(int status) {
  return WIFSIGNALED(status) ? signal_name(WTERMSIG(status))
                             : fmt::format("exit status {}", WEXITSTATUS(status));
}

}  // namespace vrelo::base
