// SPDX-License-Identifier: Apache-2.0
#include "cli/process.h"

#include <csignal>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/steady_timer.hpp>

#include "cli/commands.h"

namespace vrelo::cli {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;
using testing::Ne;

TEST(RunInProcess, returns_what_the_command_returns) {
  static std::vector<std::string> seen;
  const std::vector<std::string> arguments{"a", "b"};
  EXPECT_EQ(run_in_process(
                [](Process&, std::vector<std::string> given) -> sse::client::Task<int> {
                  seen = std::move(given);
                  co_return 7;
                },
                arguments),
            7);
  EXPECT_THAT(seen, ElementsAre("a", "b"));
}

TEST(RunInProcess, ends_a_command_when_a_signal_comes) {
  for (const int signal : {SIGINT, SIGTERM}) {
    SCOPED_TRACE(signal);
    static int raised;
    raised = signal;
    EXPECT_EQ(run_in_process(
                  [](Process& process, std::vector<std::string>) -> sse::client::Task<int> {
                    ::raise(raised);
                    boost::asio::steady_timer forever(process.network.executor,
                                                      boost::asio::steady_timer::time_point::max());
                    co_await forever.async_wait(sse::client::kAwait);
                    co_return kOk;
                  },
                  {}),
              128 + signal);
  }
}

TEST(RandomId, is_a_uuid_that_differs_from_the_one_before) {
  const std::string id = random_id();
  EXPECT_THAT(id, MatchesRegex("urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                               "[0-9a-f]{12}"));
  EXPECT_THAT(random_id(), Ne(id));
}

TEST(Commands, are_those_of_the_terminal) {
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    names.emplace_back(command.name);
  }
  EXPECT_THAT(names, ElementsAre("init", "sub", "pub", "token", "ticket", "explain", "bench"));
}

}  // namespace
}  // namespace vrelo::cli
