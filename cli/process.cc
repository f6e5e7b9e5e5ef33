// SPDX-License-Identifier: Apache-2.0
#include "cli/process.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <random>
#include <string_view>

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/signals.h"

namespace vrelo::cli {
namespace {

constexpr int kSignalBase = 128;

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

int run_in_process(CommandTask command, std::span<const std::string> arguments) {
  Signals signals;
  auto tls = sse::client::make_tls_context();
  auto loop = std::make_unique<boost::asio::io_context>(1);
  const sse::client::Network network{loop->get_executor(), tls,
                                     sse::client::steady_alarms(loop->get_executor())};
  FileOutput out(STDOUT_FILENO, signals.fd());
  FileOutput err(STDERR_FILENO, signals.fd());
  Process process{.network = network,
                  .in_fd = STDIN_FILENO,
                  .out = out,
                  .err = err,
                  .out_look = look_of(STDOUT_FILENO, variable("NO_COLOR"), variable("TERM")),
                  .make_id = random_id,
                  .seed = std::random_device()()};

  int status = kFailed;
  boost::asio::co_spawn(*loop, command(process, {arguments.begin(), arguments.end()}),
                        [&](const std::exception_ptr& exception, int result) {
                          if (exception) {
                            std::rethrow_exception(exception);  // a bug
                          }
                          status = result;
                          loop->stop();
                        });
  std::optional<boost::asio::posix::stream_descriptor> signalled(*loop);
  if (boost::system::error_code error; signals.fd() >= 0) {
    signalled->assign(::dup(signals.fd()), error);
    signalled->async_wait(boost::asio::posix::descriptor_base::wait_read,
                          [&loop](const auto& wait_error) {
                            if (!wait_error) {
                              loop->stop();
                            }
                          });
  }
  loop->run();

  const auto signal = signals.take();
  signalled.reset();
  loop.reset();  // with what is left of the command, which knows `process`
  return signal ? kSignalBase + *signal : status;
}

std::string random_id() {
  std::random_device random;
  std::array<std::uint32_t, 4> words{random(), random(), random(), random()};
  words[1] = (words[1] & 0xFFFF0FFFU) | 0x00004000U;  // the version
  words[2] = (words[2] & 0x3FFFFFFFU) | 0x80000000U;  // the variant
  return fmt::format("urn:uuid:{:08x}-{:04x}-{:04x}-{:04x}-{:04x}{:08x}", words[0], words[1] >> 16,
                     words[1] & 0xFFFFU, words[2] >> 16, words[2] & 0xFFFFU, words[3]);
}

int output_status(Output& err, const std::string& command, const boost::system::error_code& error) {
  if (error == boost::system::errc::broken_pipe) {
    return kSignalBase + SIGPIPE;
  }
  if (error != boost::system::errc::operation_canceled) {  // a signal: said by the shell
    say(err, command, "standard output: " + error.message());
  }
  return kFailed;
}

}  // namespace vrelo::cli
