// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_options.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/process_testing.h"

namespace vrelo::cli {
namespace {

using testing::HasSubstr;

std::variant<BenchOptions, int> read(const std::vector<std::string>& arguments, TextOutput& err) {
  TextOutput out;
  return read_bench_options(arguments, out, err);
}

BenchOptions options_of(const std::vector<std::string>& arguments) {
  TextOutput err;
  const auto options = read(arguments, err);
  EXPECT_EQ(err.text, "");
  return std::get<BenchOptions>(options);
}

TEST(BenchOptions, load_a_hub_with_a_topic_of_their_own) {
  const auto workload = options_of({"http://127.0.0.1:3000"}).workload;
  EXPECT_EQ(workload.stream.address,
            boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), 3000));
  EXPECT_EQ(workload.stream.authority, "127.0.0.1:3000");
  EXPECT_EQ(workload.stream.path, "/.well-known/mercure?match=vrelo-bench");
  EXPECT_EQ(workload.publish.path, "/.well-known/mercure");
  EXPECT_EQ(workload.body, "topic=vrelo-bench&data={message}");
  EXPECT_EQ(workload.method, "POST");
  EXPECT_TRUE(workload.servers.empty());
}

TEST(BenchOptions, load_any_server_of_event_streams) {
  const auto options = options_of({"http://[::1]:8080/sub/{reader}?a={reader}",
                                   "--publish-url",
                                   "http://localhost:8081/pub",
                                   "--body",
                                   "{\"data\":\"{message}\"}",
                                   "--content-type",
                                   "application/json",
                                   "--method",
                                   "PUT",
                                   "--header",
                                   "Accept: text/event-stream",
                                   "--header",
                                   "A:b",
                                   "--publish-header",
                                   "C:  d",
                                   "--readers",
                                   "7",
                                   "--stalled",
                                   "2",
                                   "--opening",
                                   "3",
                                   "--events",
                                   "9",
                                   "--rate",
                                   "2.5",
                                   "--publishers",
                                   "4",
                                   "--pipeline",
                                   "5",
                                   "--size",
                                   "1 KiB",
                                   "--settle",
                                   "1s",
                                   "--timeout",
                                   "2s",
                                   "--server",
                                   std::to_string(::getpid()),
                                   "--json"});
  EXPECT_TRUE(options.json);
  const auto& workload = options.workload;
  EXPECT_TRUE(workload.stream.address.address().is_v6());
  EXPECT_EQ(workload.stream.path, "/sub/{reader}?a={reader}");
  using Field = std::pair<std::string, std::string>;
  EXPECT_EQ(workload.stream.fields,
            (std::vector{Field{"Accept", "text/event-stream"}, Field{"A", "b"}}));
  EXPECT_EQ(workload.publish.fields, (std::vector{Field{"C", "d"}}));
  EXPECT_EQ(workload.publish.authority, "localhost:8081");
  EXPECT_EQ(workload.publish.path, "/pub");
  EXPECT_EQ(workload.body, "{\"data\":\"{message}\"}");
  EXPECT_EQ(workload.content_type, "application/json");
  EXPECT_EQ(workload.method, "PUT");
  EXPECT_EQ(workload.readers, 7U);
  EXPECT_EQ(workload.stalled, 2U);
  EXPECT_EQ(workload.connecting_max, 3U);
  EXPECT_EQ(workload.events, 9U);
  EXPECT_EQ(workload.rate, 2.5);
  EXPECT_EQ(workload.publishers, 4U);
  EXPECT_EQ(workload.pipeline, 5U);
  EXPECT_EQ(workload.message_bytes, 1024U);
  EXPECT_EQ(workload.settle, std::chrono::seconds(1));
  EXPECT_EQ(workload.patience, std::chrono::seconds(2));
  EXPECT_EQ(workload.servers, (std::vector<pid_t>{::getpid()}));
}

TEST(BenchOptions, take_topics_with_a_body_for_them) {
  const auto workload =
      options_of({"http://127.0.0.1:3000?match=a", "--body", "topic=a&data={message}"}).workload;
  EXPECT_EQ(workload.stream.path, "/.well-known/mercure?match=a");
  EXPECT_EQ(workload.publish.path, "/.well-known/mercure");
}

TEST(BenchOptions, give_events_the_tokens_of_streams_or_others) {
  const std::string path = testing::TempDir() + "vrelo_bench_tokens_" + std::to_string(::getpid());
  std::ofstream(path) << "a\nb\n";
  std::ofstream(path + ".2") << "c\n";
  const std::string hub = "http://127.0.0.1:1";
  const auto same = options_of({hub, "--token-file", path}).workload;
  EXPECT_EQ(same.stream.tokens, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(same.publish.tokens, same.stream.tokens);
  const auto others =
      options_of({hub, "--token-file", path, "--publish-token-file", path + ".2"}).workload;
  EXPECT_EQ(others.stream.tokens, same.stream.tokens);
  EXPECT_EQ(others.publish.tokens, std::vector<std::string>{"c"});
  std::filesystem::remove(path);
  std::filesystem::remove(path + ".2");
}

TEST(BenchOptions, say_what_makes_no_sense) {
  const std::string hub = "http://127.0.0.1:1";
  const struct {
    std::vector<std::string> arguments;
    std::string_view words;
  } cases[] = {
      {{}, "URL is required"},
      {{"ftp://a"}, "ftp://a: "},
      {{"https://a"}, "https://a: TLS is not measured"},
      {{hub, "--readers", "-1"}, "--readers: \"-1\" is not a whole number from 0 to 1000000000"},
      {{hub, "--events", "many"}, "--events: \"many\""},
      {{hub, "--publishers", "0"}, "--publishers: \"0\" is not a whole number from 1 to 10000"},
      {{hub, "--pipeline", "0"}, "--pipeline: \"0\""},
      {{hub, "--readers", "2", "--stalled", "3"},
       "--stalled: \"3\" is not a whole number from 0 to 2"},
      {{hub, "--opening", "0"}, "--opening: \"0\""},
      {{hub, "--rate", "fast"}, "--rate: \"fast\" is not a number"},
      {{hub, "--rate", "nan"}, "--rate: \"nan\" is not a number"},
      {{hub, "--rate", "1e7"}, "--rate: \"1e7\" is not a number from 0 to 1000000"},
      {{hub, "--size", "1 GiB"}, "--size: \"1 GiB\" is not a size of 16 MiB at most"},
      {{hub, "--settle", "long"}, "--settle: \"long\" is not a duration"},
      {{hub, "--timeout", "25h"}, "--timeout: \"25h\" is not a duration of 24 hours at most"},
      {{hub, "--server", "0"}, "--server: \"0\""},
      {{hub, "--server", "2147483647"}, "--server: process 2147483647: No such file or directory"},
      {{hub, "--header", "Accept"}, "--header: \"Accept\" is not NAME: VALUE"},
      {{hub, "--header", ": a"}, "--header: \": a\""},
      {{hub, "--publish-header", "A: b\r\nC: d"}, "--publish-header: \"A: b"},
      {{hub, "--method", ""}, "--method: \"\" makes no sense"},
      {{hub, "--content-type", "a\nb"}, "--content-type: "},
      {{hub, "--publish-url", "http://127.0.0.1:2"}, "--publish-url needs --body"},
      {{hub, "--publish-url", "a", "--body", "{message}"}, "--publish-url: a: "},
      {{hub + "?match=a"}, "a URL with topics of its own needs --body"},
      {{hub, "--body", "data=a"}, "--body holds no {message}"},
      {{hub, "--publish-token-file", "/none"}, "--publish-token-file: /none: No such file"},
      {{hub, "--token", "a"}, "--token: every user of this machine"},
      {{"http://no-such-host.invalid"}, "no-such-host.invalid: there is no such host"},
  };
  for (const auto& [arguments, words] : cases) {
    SCOPED_TRACE(words);
    TextOutput err;
    const auto result = read(arguments, err);
    ASSERT_TRUE(std::holds_alternative<int>(result));
    EXPECT_EQ(std::get<int>(result), kUsage);
    EXPECT_THAT(err.text, HasSubstr(words));
    EXPECT_THAT(err.text, testing::StartsWith("vrelo bench: "));
  }
}

}  // namespace
}  // namespace vrelo::cli
