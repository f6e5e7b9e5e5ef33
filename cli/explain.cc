// SPDX-License-Identifier: Apache-2.0
#include "cli/explain.h"

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/explanation_text.h"
#include "cli/failure_text.h"
#include "cli/hub_url.h"
#include "cli/output.h"
#include "cli/plan.h"
#include "cli/publication.h"
#include "cli/token_file.h"

namespace vrelo::cli {
namespace {

constexpr const char* kName = "vrelo explain";
constexpr const char* kPath = "/admin/explain";

constexpr const char* kAbout =
    "vrelo explain: asks a hub why it would allow or refuse a request: who its token is, which "
    "right\n"
    "covers what, and which limits there are. The request itself is not made.\n";

constexpr const char* kExamples = R"(
URL is where the hub's administration listens. It needs a token of an issuer with the
role admin, unless the hub has no keys. Tokens come from files or standard input, never
from an argument, which every user of the machine could read.

Exit status: 0 when the request would be allowed, 1 when it would be refused.

Examples:
  vrelo explain http://127.0.0.1:3000 --publish news --admin-token-file admin --token-file token
  vrelo explain http://127.0.0.1:3000 --subscribe a --admin-token-file admin --token-file - < token
)";

struct Options {
  std::string url;
  std::vector<std::string> publish;
  std::vector<std::string> subscribe;
  std::vector<std::string> subscribe_patterns;
  std::vector<std::string> subscribe_0x;
  std::string token_file;
  std::string token;  // where somebody tried
  std::string admin_token_file;
  std::string channel = "header";
  std::string origin;
  std::string host;
  bool json = false;
};

std::optional<int> read_options(Options& options,
                                const std::vector<std::string>& arguments,
                                Process& process) {
  CLI::App app(kAbout, kName);
  const auto add = [&app](const char* name, auto& text, const char* type, const char* about) {
    app.add_option(name, text, about)->type_name(type)->allow_extra_args(false);
  };
  app.add_option("URL", options.url, "Where the hub's administration listens.")
      ->required()
      ->type_name("");
  add("--publish", options.publish, "TOPIC", "A topic to publish on; may be repeated.");
  add("--subscribe", options.subscribe, "TOPIC", "A topic to read; may be repeated.");
  add("--subscribe-pattern", options.subscribe_patterns, "PATTERN", "The same, a URL pattern.");
  add("--subscribe-0x", options.subscribe_0x, "SELECTOR", "The same, as Mercure 0.x has it.");
  add("--token-file", options.token_file, "FILE", "The request's token; -: standard input.");
  add("--admin-token-file", options.admin_token_file, "FILE", "The token to ask with.");
  app.add_option("--by", options.channel, "How the request's token comes.")
      ->type_name("header|cookie|query")
      ->check(CLI::IsMember({"header", "cookie", "query"}))
      ->capture_default_str();
  add("--origin", options.origin, "ORIGIN", "The page that it comes from.");
  add("--host", options.host, "HOST", "What it calls the hub, if not as URL does.");
  app.add_flag("--json", options.json, "Print what the hub said, as JSON.");
  app.add_option("--token", options.token)->group("");  // not in the help
  app.footer(kExamples);
  return read_arguments(app, arguments, process.out, process.err);
}

// What is asked for.
struct Plan {
  sse::client::Url url;
  Fields fields;
  bool has_admin_token = false;
  bool json = false;
};

void add_pair(std::string& query, std::string_view name, std::string_view value) {
  query += fmt::format("{}{}={}", query.empty() ? "?" : "&", name, percent_encoded(value));
}

base::Parsed<std::string> make_query(const Options& options) {
  const bool reads = !options.subscribe.empty() || !options.subscribe_patterns.empty() ||
                     !options.subscribe_0x.empty();
  if (reads != options.publish.empty()) {
    return base::Fault{"a request either publishes (--publish) or reads (--subscribe)"};
  }
  std::string query;
  add_pair(query, "action", reads ? "subscribe" : "publish");
  add_pair(query, "channel", options.channel);
  for (const auto& [name, value] :
       {std::pair("origin", &options.origin), std::pair("host", &options.host)}) {
    if (!value->empty()) {
      add_pair(query, name, *value);
    }
  }
  for (const auto& [name, values] :
       {std::pair("topic", &options.publish), std::pair("match", &options.subscribe),
        std::pair("match_urlpattern", &options.subscribe_patterns),
        std::pair("topic", &options.subscribe_0x)}) {
    for (const std::string& value : *values) {
      add_pair(query, name, value);
    }
  }
  return base::parsed(std::move(query));
}

base::Parsed<Plan> make_plan(const Options& options) {
  auto url = read_url(options.url);
  if (!url) {
    return url.error();
  }
  if (!options.token.empty()) {
    return base::Fault{
        "--token: every user of this machine could read a token among the arguments; put it into "
        "a file and name that with --token-file"};
  }
  if (options.token_file == "-" && options.admin_token_file == "-") {
    return base::Fault{"--token-file, --admin-token-file: standard input holds one of them"};
  }
  auto query = make_query(options);
  if (!query) {
    return query.error();
  }
  Plan plan{.url = *std::move(url),
            .fields = {},
            .has_admin_token = !options.admin_token_file.empty(),
            .json = options.json};
  plan.url.path = plan.url.path == "/" ? kPath : plan.url.path;
  plan.url.query = *std::move(query);
  for (const auto& [option, file, name, prefix] :
       {std::tuple("--token-file", &options.token_file, "Explained-Token", ""),
        std::tuple("--admin-token-file", &options.admin_token_file, "Authorization", "Bearer ")}) {
    if (file->empty()) {
      continue;
    }
    const auto token = read_token(*file, option);
    if (!token) {
      return token.error();
    }
    plan.fields.emplace_back(name, prefix + *token);
  }
  return plan;
}

}  // namespace

sse::client::Task<int> explain(Process& process, std::vector<std::string> arguments) {
  auto plan = read_plan(process, kName, arguments, read_options, make_plan);
  if (!plan) {
    co_return plan.error();
  }
  const auto answer = co_await ask(process.network, plan->url, std::move(plan->fields));
  if (!answer) {
    const sse::client::Failure& failure = answer.error();
    say(process.err, kName,
        failure_text(failure, plan->url) +
            (failure.status != 401   ? advice(failure, plan->url)
             : plan->has_admin_token ? "; --admin-token-file has to hold a token of an issuer with "
                                       "the role admin; vrelo token inspect says what it is"
                                     : "; name the administrator's token with --admin-token-file "
                                       "FILE"));
    co_return failure_status(failure);
  }
  const auto now = auth::NumericDate(std::chrono::system_clock::now().time_since_epoch());
  const auto explained = explanation_text(*answer, now);
  if (!explained) {
    say(process.err, kName,
        "the answer is no explanation; is URL where a hub's administration listens?");
    co_return kFailed;
  }
  const auto error = process.out.write(plan->json ? *answer : explained->text);
  co_return error         ? output_status(process.err, kName, error)
  : explained->is_allowed ? kOk
                          : kFailed;
}

}  // namespace vrelo::cli
