// SPDX-License-Identifier: Apache-2.0
#include "cli/sub.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/event_text.h"
#include "cli/failure_text.h"
#include "cli/hub_url.h"
#include "cli/plan.h"
#include "cli/printable.h"
#include "cli/token_file.h"
#include "hub/auth/proof.h"
#include "hub/base/setting_text.h"
#include "hub/base/text.h"

namespace vrelo::cli {
namespace {

using sse::client::Errc;
using sse::client::Failure;

constexpr const char* kName = "vrelo sub";

constexpr const char* kAbout =
    "vrelo sub: prints the events of a stream as they come. When the stream ends or breaks, it "
    "comes\n"
    "back after the time that the server asks for, and goes on after the last event.\n";

constexpr const char* kExamples = R"(
Without TOPIC the URL is used as it is, so that any event stream can be read. A line
holds an event's id, type and data; further lines of the data are indented. With --json
it is an object with the members id, type and data. What is not an event (a connection
that broke, the next attempt) goes to standard error.

Exit status: 0 after --count events, or when the server says that there are no more; 1
when it refuses or something breaks; 2 for bad arguments; 3 when there is no server to
talk to; 130 after Ctrl-C.

Examples:
  vrelo sub http://127.0.0.1:3000 news
  vrelo sub http://127.0.0.1:3000 news chat --from earliest
  vrelo sub http://127.0.0.1:3000 news --from '#k3.17'
  vrelo sub http://127.0.0.1:3000 '*' --json | jq .data
  vrelo sub 'http://127.0.0.1:3000/.well-known/mercure?match=news' --count 1
)";

struct Options {
  std::string url;
  TokenOptions token;
  std::string ticket_file;
  std::vector<std::string> topics;
  std::string from;
  std::string count;
  bool json = false;
  bool no_reconnect = false;
};

std::optional<int> read_options(Options& options,
                                const std::vector<std::string>& arguments,
                                Process& process) {
  CLI::App app(kAbout, kName);
  app.add_option("URL", options.url, "An event stream; or, with TOPIC, a hub.")
      ->required()
      ->type_name("");
  app.add_option("TOPIC", options.topics, "Topics to ask a hub for; \"*\" for all.")->type_name("");
  app.add_flag("--json", options.json, "Print each event as a JSON object in one line.");
  app.add_option("--from", options.from,
                 "Begin after the event with this id; \"earliest\" for all there is.")
      ->type_name("ID");
  app.add_option("--count", options.count, "End after this many events.")->type_name("NUMBER");
  app.add_flag("--no-reconnect", options.no_reconnect, "End when the stream ends.");
  add_token_options(app, options.token);
  app.add_option("--ticket-file", options.ticket_file,
                 "A file with a ticket, which says by itself which stream it opens.")
      ->type_name("FILE");
  app.footer(kExamples);
  return read_arguments(app, arguments, process.out, process.err);
}

// What the options say, where they make sense.
struct Plan {
  sse::client::Url url;
  sse::client::EventSourceOptions source;
  std::optional<std::uint64_t> count;  // at least 1
  bool json = false;
  bool has_ticket = false;
};

base::Parsed<Plan> make_plan(const Options& options) {
  const auto url = read_url(options.url);
  if (!url) {
    return url.error();
  }
  if (std::find(options.topics.begin(), options.topics.end(), "") != options.topics.end()) {
    return base::Fault{"a TOPIC is empty; \"*\" asks for all of them"};
  }
  Plan plan{.url = options.topics.empty() ? *url : with_topics(hub_url(*url), options.topics),
            .source = {.last_event_id = options.from,
                       .reconnects = !options.no_reconnect,
                       .limits = {.event_bytes_max = kEventBytesMax}},
            .count = {},
            .json = options.json,
            .has_ticket = !options.ticket_file.empty()};
  if (plan.has_ticket) {
    if (!options.topics.empty() || !options.token.file.empty() || !options.token.token.empty()) {
      return base::Fault{"--ticket-file: a ticket comes without a TOPIC and a token"};
    }
    const auto ticket = read_ticket_file(options.ticket_file);
    if (!ticket) {
      return ticket.error();
    }
    plan.url = hub_url(*url);
    plan.url.query += (plan.url.query.empty() ? "?ticket=" : "&ticket=") + *ticket;
  }
  if (const auto fault = base::find_fault(options.from)) {
    return base::Fault{"--from " + std::string(base::describe(*fault))};
  }
  auto fields = token_fields(options.token);
  if (!fields) {
    return fields.error();
  }
  plan.source.fields = *std::move(fields);
  if (!options.count.empty()) {
    const auto count = base::parse_count(options.count);
    if (!count || *count == 0) {
      return base::Fault{
          fmt::format("--count: \"{}\" is not a number of events", printable(options.count))};
    }
    plan.count = *count;
  }
  return plan;
}

// Prints what its source finds.
class Printer final : public sse::client::EventSourceObserver {
 public:
  Printer(Process& process, Plan plan)
      : process_(process),
        url_(plan.url),
        json_(plan.json),
        has_ticket_(plan.has_ticket),
        left_(plan.count),
        source_(process.network, std::move(plan.url), std::move(plan.source), *this, process.seed) {
  }

  sse::client::Task<int> run() {
    const Failure end = co_await source_.run();
    if (output_error_) {
      co_return output_status(process_.err, kName, output_error_);
    }
    if (left_ == std::uint64_t{0} || end.error == Errc::kNoContent || end.error == Errc::kEnded) {
      co_return kOk;
    }
    // Somebody who knows `vrelo pub` gives the hub's origin alone.
    const bool lacks_topics = end.status == 404 && url_.path == "/";
    say(process_.err, kName,
        failure_text(end, url_) + (lacks_topics
                                       ? "; a hub is asked for topics, which stand after its URL"
                                       : advice(end, url_)));
    co_return failure_status(end);
  }

  void on_open() override {
    if (was_waiting_) {
      say(process_.err, kName, "connected again");
    }
  }

  void on_event(const sse::Event& event_with_proof) override {
    sse::Event event = event_with_proof;
    if (has_ticket_) {
      event.last_event_id = auth::split_proof(event.last_event_id).id;
      if (event.type == "vrelo.hello" || event.type == "vrelo.position") {
        return;  // other streams say it in a way that is no event
      }
    }
    text_ += json_ ? event_json(event) : event_text(event, process_.out_look);
    // The hub's own words, a gap for example, are not what somebody counts.
    if (left_ && !event.type.starts_with("vrelo.") && --*left_ == 0) {
      source_.stop();
    }
  }

  void on_pause() override {
    if (!output_error_ && !text_.empty()) {
      output_error_ = process_.out.write(text_);
    } else if (process_.out.is_abandoned()) {
      output_error_ = make_error_code(boost::system::errc::broken_pipe);
    }
    text_.clear();
    if (output_error_) {
      source_.stop();
    }
  }

  void on_wait(const Failure& failure, std::chrono::milliseconds delay) override {
    was_waiting_ = true;
    say(process_.err, kName,
        failure_text(failure, url_) + "; next attempt in " + delay_text(delay));
  }

 private:
  Process& process_;
  const sse::client::Url url_;
  const bool json_;
  const bool has_ticket_;
  std::optional<std::uint64_t> left_;  // of the events that were asked for
  std::string text_;                   // what was found since the last pause
  boost::system::error_code output_error_;
  bool was_waiting_ = false;
  sse::client::EventSource source_;
};

}  // namespace

sse::client::Task<int> sub(Process& process, std::vector<std::string> arguments) {
  auto plan = read_plan(process, kName, arguments, read_options, make_plan);
  if (!plan) {
    co_return plan.error();
  }
  Printer printer(process, *std::move(plan));
  co_return co_await printer.run();
}

}  // namespace vrelo::cli
