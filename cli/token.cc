// SPDX-License-Identifier: Apache-2.0
#include "cli/token.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/printable.h"
#include "cli/process.h"
#include "cli/small_file.h"
#include "cli/token_text.h"
#include "hub/auth/claims.h"
#include "hub/auth/jws.h"
#include "hub/auth/key_set.h"
#include "hub/auth/signing_key.h"
#include "hub/base/secret_words.h"
#include "hub/base/settings.h"
#include "hub/base/text.h"

namespace vrelo::cli {
namespace {

namespace json = boost::json;
using base::Fault;
using base::Parsed;

constexpr const char* kName = "vrelo token";
constexpr const char* kInspectName = "vrelo token inspect";
constexpr std::chrono::hours kTtlMax{24 * 3650};

constexpr const char* kAbout =
    "vrelo token: makes a token, and prints it.\n"
    "vrelo token inspect: says what a token holds, and whether a hub would take it.\n";

constexpr const char* kExamples = R"(
The key comes from a file, and with --config from that of the settings' first issuer,
whose name and audience are then taken too: a secret as a JWK (kty oct), or a private
key in PEM. A TOPIC of "*" stands for all of them. Who has a token has its rights: after
umask 077 the shell makes files that are yours alone.

Examples:
  vrelo token --config vrelo.toml --publish '*' > token
  vrelo token --config vrelo.toml --subscribe news --subscribe chat --ttl 1d
  vrelo token --config vrelo.toml --subscribe-pattern 'https://example.com/users/7/*'
  vrelo token inspect --config vrelo.toml < token
)";

constexpr const char* kInspectAbout =
    "vrelo token inspect: says what a token holds, and, with --config, whether the hub would take "
    "it.\n";

constexpr const char* kInspectExamples = R"(
The token comes from standard input or a file, never from an argument, which every user
of the machine could read. Without --config, nothing of what it says has been verified.

Exit status: 0 when the token is one, and with --config, when the hub would take it.

Examples:
  vrelo token inspect < token
  vrelo token inspect token --config vrelo.toml
)";

struct Options {
  std::string config;
  std::string key_file;
  std::string algorithm;
  std::string issuer;
  std::string audience;
  std::string subject;
  std::string ttl = "1h";
  std::vector<std::string> publish;
  std::vector<std::string> subscribe;
  std::vector<std::string> publish_patterns;
  std::vector<std::string> subscribe_patterns;
};

void add_options(CLI::App& app, Options& options) {
  const auto add = [&app](const char* name, auto& text, const char* type, const char* about) {
    app.add_option(name, text, about)->type_name(type)->allow_extra_args(false);
  };
  add("--publish", options.publish, "TOPIC", "What it may publish; may be repeated.");
  add("--subscribe", options.subscribe, "TOPIC",
      "Whose private events it may read; may be repeated.");
  add("--publish-pattern", options.publish_patterns, "PATTERN", "The same, for a URL pattern.");
  add("--subscribe-pattern", options.subscribe_patterns, "PATTERN", "The same.");
  app.add_option("--ttl", options.ttl, "How long it is good for.")
      ->type_name("DURATION")
      ->capture_default_str();
  add("--subject", options.subject, "NAME", "Who it is for (sub).");
  add("--config", options.config, "FILE", "The hub's settings.");
  add("--key-file", options.key_file, "FILE", "What to sign with; -: standard input.");
  add("--algorithm", options.algorithm, "NAME", "For a key that is good for several.");
  add("--issuer", options.issuer, "NAME", "Who makes it (iss).");
  add("--audience", options.audience, "URL", "What the hub is called in tokens (aud).");
  app.footer(kExamples);
}

Parsed<base::Settings> load_config(const std::string& file) {
  auto settings = base::load_settings({.flags = {"--config", file}, .variables = {}});
  if (!settings) {
    return settings.error();
  }
  if (settings->issuers.empty()) {
    return Fault{fmt::format("{} has no [[issuers]]: its hub takes no tokens", printable(file))};
  }
  return settings;
}

// What the settings say and the options do not.
Parsed<void> complete(Options& options) {
  if (options.config.empty()) {
    return {};
  }
  const auto settings = load_config(options.config);
  if (!settings) {
    return settings.error();
  }
  const base::IssuerSettings& issuer = settings->issuers.front();
  const auto take = [](std::string& option, const std::string& setting) {
    option = option.empty() ? setting : option;
  };
  take(options.issuer, issuer.name);
  take(options.audience, settings->audiences.empty() ? "" : settings->audiences.front());
  take(options.key_file, issuer.keys.empty() ? "" : issuer.keys.front());
  take(options.algorithm, issuer.algorithms.size() == 1 ? issuer.algorithms.front() : "");
  return {};
}

Parsed<json::array> matchers(const char* option,
                             const std::vector<std::string>& texts,
                             const char* match_type) {
  json::array list;
  for (const std::string& text : texts) {
    if (const auto fault = base::find_fault(text)) {
      return Fault{fmt::format("{} {}", option, base::describe(*fault))};
    }
    if (text.empty() || text.size() > auth::kMatcherBytesMax) {
      return Fault{fmt::format("{}: \"{}\" is no topic", option, printable(text))};
    }
    json::object matcher{{"match", text}};
    if (match_type != nullptr) {
      matcher["match_type"] = match_type;
    }
    list.push_back(std::move(matcher));
  }
  return list;
}

// Adds what it may do to `details`, where it may do anything.
Parsed<void> add_detail(const char* action,
                        const std::vector<std::string>& topics,
                        const std::vector<std::string>& patterns,
                        json::array& details) {
  auto list = matchers(fmt::format("--{}", action).c_str(), topics, nullptr);
  auto more = matchers(fmt::format("--{}-pattern", action).c_str(), patterns, "urlpattern");
  if (!list || !more) {
    return list ? more.error() : list.error();
  }
  list->insert(list->end(), more->begin(), more->end());
  if (list->size() > auth::kMatchersMax) {
    return Fault{fmt::format("a token holds {} topics and patterns to {} at most",
                             auth::kMatchersMax, action)};
  }
  if (!list->empty()) {
    details.push_back(json::object{
        {"type", auth::kDetailType}, {"actions", json::array{action}}, {"topics", *list}});
  }
  return {};
}

Parsed<std::string> make_payload(const Options& options) {
  const auto ttl = base::parse_duration(options.ttl);
  if (!ttl || *ttl < std::chrono::seconds(1) || *ttl > kTtlMax) {
    return Fault{
        fmt::format("--ttl: \"{}\" is not a duration from 1s to 3650d", printable(options.ttl))};
  }
  for (const auto& [name, text] :
       {std::pair("--issuer", &options.issuer), std::pair("--audience", &options.audience)}) {
    if (text->empty()) {
      return Fault{fmt::format("{} is missing; it is in the hub's settings, see --config", name)};
    }
  }
  json::array details;
  for (const auto& added :
       {add_detail("publish", options.publish, options.publish_patterns, details),
        add_detail("subscribe", options.subscribe, options.subscribe_patterns, details)}) {
    if (!added) {
      return added.error();
    }
  }
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  json::object payload{{"iss", options.issuer},
                       {"aud", options.audience},
                       {"iat", now.count()},
                       {"exp", (now + std::chrono::ceil<std::chrono::seconds>(*ttl)).count()},
                       {"jti", random_id()},
                       {"authorization_details", std::move(details)}};
  if (!options.subject.empty()) {
    payload["sub"] = options.subject;
  }
  return base::parsed(json::serialize(payload));
}

Parsed<auth::SigningKey> read_key(const Options& options) {
  if (options.key_file.empty()) {
    return Fault{"--key-file or --config is missing: there is no key to sign with"};
  }
  std::optional<auth::Algorithm> algorithm;
  if (!options.algorithm.empty()) {
    algorithm = auth::parse_algorithm(options.algorithm);
    if (!algorithm) {
      return Fault{fmt::format("--algorithm: \"{}\" is none", printable(options.algorithm))};
    }
  }
  auto text = read_small_file(options.key_file, auth::kKeySetBytesMax);
  if (!text) {
    return Fault{"--key-file: " + text.error().message};
  }
  auto key = auth::SigningKey::parse(*text, algorithm);
  OPENSSL_cleanse(text->data(), text->size());
  if (!key) {
    return Fault{
        fmt::format("--key-file: {}: {}", printable(options.key_file), key.error().message)};
  }
  return key;
}

Parsed<std::string> make_token(Options& options) {
  if (const auto completed = complete(options); !completed) {
    return completed.error();
  }
  const auto payload = make_payload(options);
  if (!payload) {
    return payload.error();
  }
  const auto key = read_key(options);
  if (!key) {
    return key.error();
  }
  const std::string token = auth::make_access_token(*payload, *key);
  if (token.size() > auth::kTokenBytesMax) {
    return Fault{fmt::format("the token would be longer than {} bytes", auth::kTokenBytesMax)};
  }
  return base::parsed(token);
}

int inspect(const std::vector<std::string>& arguments, Output& out, Output& err) {
  std::string file = "-";
  std::string config;
  CLI::App app(kInspectAbout, kInspectName);
  app.add_option("FILE", file, "The token; -: standard input, as without it.")->type_name("");
  app.add_option("--config", config, "The hub's settings.")->type_name("FILE");
  app.footer(kInspectExamples);
  if (const auto status = read_arguments(app, arguments, out, err)) {
    return *status;
  }
  if (base::looks_secret(file)) {
    say(err, kInspectName,
        "every user of this machine could read a token among the arguments; give it by standard "
        "input, or the name of a file");
    return kUsage;
  }
  auto text = read_small_file(file, 2 * auth::kTokenBytesMax);
  if (!text) {
    say(err, kInspectName, text.error().message);
    return kFailed;
  }
  text->erase(text->find_last_not_of(" \r\n") + 1);
  std::optional<base::Settings> settings;
  if (!config.empty()) {
    auto loaded = load_config(config);
    if (!loaded) {
      say(err, kInspectName, "--config: " + loaded.error().message);
      return kUsage;
    }
    settings = *std::move(loaded);
  }
  const auto now = auth::NumericDate(std::chrono::system_clock::now().time_since_epoch());
  const auto found = token_text(*text, settings ? &*settings : nullptr, now);
  if (!found) {
    say(err, kInspectName, found.error().message);
    return kFailed;
  }
  const auto error = out.write(found->text);
  return error ? output_status(err, kInspectName, error) : found->is_taken ? kOk : kFailed;
}

}  // namespace

int token(std::span<const std::string> arguments) {
  FileOutput out(STDOUT_FILENO, -1);
  FileOutput err(STDERR_FILENO, -1);
  if (!arguments.empty() && arguments.front() == "inspect") {
    return inspect({arguments.begin() + 1, arguments.end()}, out, err);
  }
  Options options;
  CLI::App app(kAbout, kName);
  add_options(app, options);
  if (const auto status = read_arguments(app, {arguments.begin(), arguments.end()}, out, err)) {
    return *status;
  }
  const auto made = make_token(options);
  if (!made) {
    say(err, kName, made.error().message);
    return kUsage;
  }
  const auto error = out.write(*made + '\n');
  return error ? output_status(err, kName, error) : kOk;
}

}  // namespace vrelo::cli
