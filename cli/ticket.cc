// SPDX-License-Identifier: Apache-2.0
#include "cli/ticket.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/failure_text.h"
#include "cli/form_post.h"
#include "cli/hub_url.h"
#include "cli/plan.h"
#include "cli/printable.h"
#include "cli/publication.h"
#include "cli/token_file.h"
#include "hub/auth/ticket.h"
#include "hub/base/setting_text.h"
#include "hub/base/text.h"

namespace vrelo::cli {
namespace {

namespace json = boost::json;

constexpr const char* kName = "vrelo ticket";

constexpr const char* kAbout =
    "vrelo ticket: gets a ticket of a hub, and prints it. It opens one stream, once, for who "
    "cannot\n"
    "show a token.\n";

constexpr const char* kExamples = R"(
The stream is that of the TOPICs, or of the URL's own query (match=…), and reads what the
token may read. Whoever has the ticket before it is used may use it: keep the output to
yourself, as in a file of yours alone (umask 077).

Exit status: 0 with a ticket; 1 when the hub gives none; 2 for bad arguments; 3 when there
is no hub to talk to; 130 after Ctrl-C.

Examples:
  vrelo ticket http://127.0.0.1:3000 news --token-file token > ticket
  vrelo sub http://127.0.0.1:3000 --ticket-file ticket
  vrelo ticket 'http://127.0.0.1:3000/.well-known/mercure?match=news' --json --token-file token
)";

struct Options {
  std::string url;
  std::vector<std::string> topics;
  std::string ttl;
  std::string label;
  bool json = false;
  TokenOptions token;
};

std::optional<int> read_options(Options& options,
                                const std::vector<std::string>& arguments,
                                Process& process) {
  CLI::App app(kAbout, kName);
  app.add_option("URL", options.url, "The hub.")->required()->type_name("");
  app.add_option("TOPIC", options.topics, "Topics of the stream; \"*\" for all.")->type_name("");
  app.add_option("--ttl", options.ttl, "How long it can be used, at most 300 (default: 30).")
      ->type_name("SECONDS");
  app.add_option("--label", options.label, "A name for its reader, to revoke by.")
      ->type_name("TEXT");
  app.add_flag("--json", options.json, "Print all that the hub says of it.");
  add_token_options(app, options.token);
  app.footer(kExamples);
  return read_arguments(app, arguments, process.out, process.err);
}

// What the options say, where they make sense.
struct Plan {
  sse::client::Url url;
  Fields fields;
  std::string form;
  bool json = false;
};

base::Parsed<Plan> make_plan(const Options& options) {
  const auto given = read_url(options.url);
  if (!given) {
    return given.error();
  }
  if (std::find(options.topics.begin(), options.topics.end(), "") != options.topics.end()) {
    return base::Fault{"a TOPIC is empty; \"*\" asks for all of them"};
  }
  sse::client::Url url = with_topics(hub_url(*given), options.topics);
  if (url.query.size() < 2) {
    return base::Fault{"there is no topic: it stands behind the URL"};
  }
  auto fields = token_fields(options.token);
  if (!fields) {
    return fields.error();
  }
  Plan plan{.url = std::move(url), .fields = *std::move(fields), .form = {}, .json = options.json};
  plan.form = plan.url.query.substr(1);
  plan.url.query.clear();
  plan.url.path += "/tickets";
  if (!options.ttl.empty()) {
    plan.form += "&ttl=" + percent_encoded(options.ttl);
  }
  if (!options.label.empty()) {
    plan.form += "&label=" + percent_encoded(options.label);
  }
  return plan;
}

// Returns the ticket in the hub's answer; nullopt: there is none.
std::optional<std::string> ticket_in(std::string_view answer) {
  boost::system::error_code error;
  const json::value value = json::parse({answer.data(), answer.size()}, error);
  const json::object* const object = error ? nullptr : value.if_object();
  const json::value* const member = object == nullptr ? nullptr : object->if_contains("ticket");
  const json::string* const text = member == nullptr ? nullptr : member->if_string();
  if (text == nullptr || !auth::ticket_hash({text->data(), text->size()})) {
    return std::nullopt;
  }
  return std::string(text->data(), text->size());
}

}  // namespace

sse::client::Task<int> ticket(Process& process, std::vector<std::string> arguments) {
  auto plan = read_plan(process, kName, arguments, read_options, make_plan);
  if (!plan) {
    co_return plan.error();
  }
  FormPost post(process.network);
  const sse::client::Url url = plan->url;
  const FormPost::Answer answer =
      co_await post.send(url, std::move(plan->fields), std::move(plan->form));
  if (answer.failure) {
    say(process.err, kName, failure_text(*answer.failure, url) + advice(*answer.failure, url));
    co_return failure_status(*answer.failure);
  }
  const auto ticket = ticket_in(answer.body);
  if (!ticket) {
    say(process.err, kName, "the answer is no ticket");
    co_return kFailed;
  }
  if (const auto error = process.out.write((plan->json ? answer.body : *ticket) + "\n")) {
    co_return output_status(process.err, kName, error);
  }
  co_return kOk;
}

}  // namespace vrelo::cli
