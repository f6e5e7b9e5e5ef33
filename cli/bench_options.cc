// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_options.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/hub_url.h"
#include "cli/load/message.h"
#include "cli/load/server_usage.h"
#include "cli/printable.h"
#include "cli/token_file.h"
#include "hub/base/text.h"
#include "sse/client/url.h"

namespace vrelo::cli {
namespace {

using base::Fault;
using base::Parsed;
using boost::asio::ip::tcp;

constexpr const char* kAbout =
    "vrelo bench: opens many streams, publishes, and shows how fast each event reaches all of "
    "them,\nwhat that costs the server, and whether anything was lost, doubled or out of order.\n";

constexpr const char* kExamples = R"(
URL is a hub: the engine then subscribes and publishes there, to the topic vrelo-bench.
Any other server of event streams needs --publish-url and --body too. In --body,
{message} stands for what the engine knows its events by, {number} for the event's
number and {random} for 16 random digits; in URL and --header, {reader} stands for the
number of the reader.

With --rate, an event is due whether the server keeps up or not, and its latency counts
from then. Readers and publishers run in two threads. Where "load" says that the reading
thread was busy all the time, it and not the server was the limit: use fewer readers.

Exit status: 0 when all is delivered once and in order; 1 when something is not; 2 for
bad arguments; 3 when there is no server to talk to; 130 after Ctrl-C.

Examples:
  vrelo bench http://127.0.0.1:3000
  vrelo bench http://127.0.0.1:3000 --readers 10000 --events 20 --rate 2
  vrelo bench http://127.0.0.1:3000 --events 10000 --rate 0 --publishers 4 --json
  vrelo bench 'http://127.0.0.1:3000?match=a' --body 'topic=a&data={message}'
)";

struct Texts {
  std::string url;
  std::string publish_url;
  std::string method = "POST";
  std::string body;
  std::string content_type = "application/x-www-form-urlencoded";
  std::vector<std::string> fields;
  std::vector<std::string> publish_fields;
  TokenOptions token;
  std::string publish_token_file;
  std::string readers = "100";
  std::string stalled = "0";
  std::string opening_max = "256";
  std::string events = "1000";
  std::string rate = "100";
  std::string publishers = "1";
  std::string pipeline = "1";
  std::string size = "128";
  std::string settle = "500ms";
  std::string timeout = "10s";
  std::vector<std::string> servers;
  bool json = false;
};

void add_options(CLI::App& app, Texts& texts) {
  const auto add = [&app](const char* name, auto& text, const char* type, const char* about) {
    app.add_option(name, text, about)->type_name(type)->capture_default_str();
  };
  const auto add_many = [&app](const char* name, auto& list, const char* type, const char* about) {
    app.add_option(name, list, about)->type_name(type)->allow_extra_args(false);
  };
  app.add_option("URL", texts.url, "A hub, or an event stream.")->required()->type_name("");
  add("--readers", texts.readers, "NUMBER", "Streams.");
  add("--events", texts.events, "NUMBER", "Events to publish.");
  add("--rate", texts.rate, "NUMBER", "Events a second; 0: as fast as they are answered.");
  add("--publishers", texts.publishers, "NUMBER", "Connections that publish, in turn.");
  add("--pipeline", texts.pipeline, "NUMBER", "Unanswered requests on one of them.");
  add("--size", texts.size, "SIZE", "Of a message.");
  add_many("--server", texts.servers, "PID",
           "A process of the server, to measure its CPU time; may be repeated.");
  app.add_flag("--json", texts.json, "Print the result as JSON.");
  add_many("--header", texts.fields, "'NAME: VALUE'", "Sent for each stream; may be repeated.");
  add("--publish-url", texts.publish_url, "URL", "Where to publish, if not at URL.");
  add_many("--publish-header", texts.publish_fields, "'NAME: VALUE'",
           "Sent with each event; may be repeated.");
  add("--method", texts.method, "METHOD", "Of publishing.");
  add("--body", texts.body, "TEMPLATE", "What is published; holds {message}.");
  add("--content-type", texts.content_type, "TYPE", "Of the body.");
  add_token_options(app, texts.token,
                    "A file with a token a line, which streams, and events, show in turn.");
  add("--publish-token-file", texts.publish_token_file, "FILE",
      "The same for events, if they are to show others.");
  add("--stalled", texts.stalled, "NUMBER",
      "Of the readers: read nothing until all others have everything.");
  add("--opening", texts.opening_max, "NUMBER", "Streams that are opened at one time.");
  add("--settle", texts.settle, "DURATION", "Between the last stream and the first event.");
  add("--timeout", texts.timeout, "DURATION", "Ends it when nothing has come for so long.");
  app.footer(kExamples);
}

// What follows throws a Fault, which read_bench_options() catches.

// Reads what the option `name` holds, as a whole number within bounds.
std::size_t count_of(const char* name, const std::string& text, std::size_t min, std::size_t max) {
  const auto count = base::parse_count(text);
  if (!count || *count < min || *count > max) {
    throw Fault{fmt::format("{}: \"{}\" is not a whole number from {} to {}", name, printable(text),
                            min, max)};
  }
  return *count;
}

std::chrono::milliseconds duration_of(const char* name, const std::string& text) {
  const auto duration = base::parse_duration(text);
  constexpr std::chrono::hours kMax{24};
  if (!duration || *duration > kMax) {
    throw Fault{
        fmt::format("{}: \"{}\" is not a duration of 24 hours at most", name, printable(text))};
  }
  return *duration;
}

double rate_of(const std::string& text) {
  constexpr double kMax = 1e6;
  double rate = 0;
  const char* const text_end = text.data() + text.size();
  const auto [end, errc] = std::from_chars(text.data(), text_end, rate);
  if (errc != std::errc() || end != text_end || !(rate >= 0 && rate <= kMax)) {
    throw Fault{fmt::format("--rate: \"{}\" is not a number from 0 to 1000000", printable(text))};
  }
  return rate;
}

Fields fields_of(const char* name, const std::vector<std::string>& texts) {
  Fields fields;
  for (const std::string& text : texts) {
    const std::size_t colon = text.find(':');
    if (colon == 0 || colon == std::string::npos || base::find_fault(text)) {
      throw Fault{fmt::format("{}: \"{}\" is not NAME: VALUE", name, printable(text))};
    }
    const std::size_t value = std::min(text.find_first_not_of(' ', colon + 1), text.size());
    fields.emplace_back(text.substr(0, colon), text.substr(value));
  }
  return fields;
}

sse::client::Url url_of(const char* prefix, const std::string& text) {
  auto url = read_url(text);
  if (!url) {
    throw Fault{prefix + url.error().message};
  }
  if (url->is_tls) {
    throw Fault{fmt::format("{}{}: TLS is not measured; use http, behind what ends TLS", prefix,
                            printable(text))};
  }
  return *std::move(url);
}

std::vector<std::string> tokens_of(std::string_view option, const TokenOptions& options) {
  auto tokens = read_tokens(options, option);
  if (!tokens) {
    throw Fault{tokens.error()};
  }
  return *std::move(tokens);
}

load::Target target_of(const sse::client::Url& url, Fields fields) {
  std::string host = url.host;
  if (host.starts_with('[')) {
    host = host.substr(1, host.size() - 2);
  }
  boost::asio::io_context context;
  boost::system::error_code error;
  const auto found = tcp::resolver(context).resolve(host, std::to_string(url.port), error);
  if (error || found.empty()) {
    throw Fault{fmt::format("{}: there is no such host: {}", host, error.message())};
  }
  return {.address = found.begin()->endpoint(),
          .authority = sse::client::authority_of(url),
          // A URL's path cannot hold braces; who writes this one means what they stand for here.
          .path = load::replaced(url.path + url.query, "%7Breader%7D", "{reader}"),
          .fields = std::move(fields)};
}

void read_amounts(const Texts& texts, load::Workload& workload) {
  constexpr std::size_t kMany = 1'000'000'000;
  workload.readers = count_of("--readers", texts.readers, 0, kMany);
  workload.events = count_of("--events", texts.events, 0, kMany);
  workload.publishers = count_of("--publishers", texts.publishers, 1, 10000);
  workload.pipeline = count_of("--pipeline", texts.pipeline, 1, 10000);
  workload.stalled = count_of("--stalled", texts.stalled, 0, workload.readers);
  workload.connecting_max = count_of("--opening", texts.opening_max, 1, 100000);
  workload.rate = rate_of(texts.rate);
  workload.settle = duration_of("--settle", texts.settle);
  workload.patience = duration_of("--timeout", texts.timeout);
  const auto size = base::parse_bytes(texts.size);
  if (constexpr std::uint64_t kSizeMax = std::uint64_t{16} << 20; !size || *size > kSizeMax) {
    throw Fault{
        fmt::format("--size: \"{}\" is not a size of 16 MiB at most", printable(texts.size))};
  }
  workload.message_bytes = *size;
  for (const std::string& server : texts.servers) {
    const auto process =
        static_cast<pid_t>(count_of("--server", server, 1, std::numeric_limits<pid_t>::max()));
    const auto usage = load::usage_of(std::span(&process, 1), load::Memory::kYes);
    if (!usage) {
      throw Fault{fmt::format("--server: process {}: {}", process, usage.error().message())};
    }
    workload.servers.push_back(process);
  }
}

void read_requests(const Texts& texts, load::Workload& workload) {
  sse::client::Url stream = url_of("", texts.url);
  sse::client::Url publish = stream;
  workload.body = texts.body;
  if (!texts.publish_url.empty()) {
    publish = url_of("--publish-url: ", texts.publish_url);
    if (texts.body.empty()) {
      throw Fault{"--publish-url needs --body: what is to be published there"};
    }
  } else {
    stream = hub_url(stream);
    publish = stream;
    publish.query.clear();
    if (stream.query.empty()) {
      stream.query = fmt::format("?match={}", kBenchTopic);
      workload.body =
          texts.body.empty() ? fmt::format("topic={}&data={{message}}", kBenchTopic) : texts.body;
    } else if (texts.body.empty()) {
      throw Fault{
          "a URL with topics of its own needs --body, such as --body 'topic=a&data={message}'"};
    }
  }
  if (workload.body.find("{message}") == std::string::npos) {
    throw Fault{"--body holds no {message}, by which an event could be known again"};
  }
  workload.method = texts.method;
  workload.content_type = texts.content_type;
  for (const auto& [name, text] :
       {std::pair("--method", &texts.method), std::pair("--content-type", &texts.content_type)}) {
    if (text->empty() || base::find_fault(*text)) {
      throw Fault{fmt::format("{}: \"{}\" makes no sense", name, printable(*text))};
    }
  }

  workload.stream = target_of(stream, fields_of("--header", texts.fields));
  workload.stream.tokens = tokens_of("--token-file", texts.token);
  workload.publish = target_of(publish, fields_of("--publish-header", texts.publish_fields));
  workload.publish.tokens =
      texts.publish_token_file.empty()
          ? workload.stream.tokens
          : tokens_of("--publish-token-file", {.file = texts.publish_token_file, .token = ""});
}

}  // namespace

std::variant<BenchOptions, int> read_bench_options(const std::vector<std::string>& arguments,
                                                   Output& out,
                                                   Output& err) {
  Texts texts;
  CLI::App app(kAbout, kBenchName);
  add_options(app, texts);
  if (const auto status = read_arguments(app, arguments, out, err)) {
    return *status;
  }
  try {
    BenchOptions options{.workload = {}, .json = texts.json};
    read_amounts(texts, options.workload);
    read_requests(texts, options.workload);
    return options;
  } catch (const Fault& fault) {
    say(err, kBenchName, fault.message);
    return kUsage;
  }
}

}  // namespace vrelo::cli
