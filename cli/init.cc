// SPDX-License-Identifier: Apache-2.0
#include "cli/init.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/hub_url.h"
#include "cli/output.h"
#include "cli/printable.h"
#include "cli/process.h"
#include "cli/small_file.h"
#include "hub/auth/base64url.h"
#include "hub/base/random.h"

namespace vrelo::cli {
namespace {

constexpr const char* kName = "vrelo init";
constexpr const char* kSettings = "vrelo.toml";
constexpr const char* kKey = "vrelo.jwk";

constexpr const char* kAbout =
    "vrelo init: writes vrelo.toml and vrelo.jwk into a folder: settings for a hub where nobody "
    "may\npublish or read private events without a token, and a fresh key to make tokens with.\n";

constexpr const char* kExamples = R"(
A file that is there already stays as it is, and nothing is written. vrelo.jwk is a
secret: whoever has it can make tokens for this hub.

Examples:
  vrelo init
  vrelo init hub --url https://hub.example.com
)";

constexpr std::string_view kSettingsText =
    R"(# Made by `vrelo init`. docs/settings.md names every setting.

# What this hub is called in tokens: the URL that its clients use.
audiences = ["{audience}"]

# Public events need no token to be read.
anonymous = true

# Other settings of the hub stand above this line.
[[issuers]]
name = "{issuer}"
keys = ["{key}"]
roles = ["publish", "subscribe"]
)";

// 256 random bits, as many as HS256 can use.
std::string new_key() {
  std::string secret;
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t value = base::random_value();
    secret.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return fmt::format("{{\"kty\":\"oct\",\"alg\":\"HS256\",\"kid\":\"{:016x}\",\"k\":\"{}\"}}\n",
                     base::random_value(), auth::encode_base64url(secret));
}

}  // namespace

int init(std::span<const std::string> arguments) {
  FileOutput out(STDOUT_FILENO, -1);
  FileOutput err(STDERR_FILENO, -1);
  std::string folder = ".";
  std::string url_text = "http://127.0.0.1:3000";
  CLI::App app(kAbout, kName);
  app.add_option("FOLDER", folder, "Where to write; it is made if it is not there.")->type_name("");
  app.add_option("--url", url_text, "Where clients reach the hub.")
      ->type_name("URL")
      ->capture_default_str();
  app.footer(kExamples);
  if (const auto status = read_arguments(app, {arguments.begin(), arguments.end()}, out, err)) {
    return *status;
  }
  const auto url = read_url(url_text);
  if (!url) {
    say(err, kName, "--url: " + url.error().message);
    return kUsage;
  }

  const std::filesystem::path path(folder);
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    say(err, kName, fmt::format("{}: {}", printable(folder), error.message()));
    return kFailed;
  }
  const std::string settings = (path / kSettings).string();
  const std::string key = (path / kKey).string();
  if (std::filesystem::exists(settings, error)) {
    say(err, kName, fmt::format("{} is there already; nothing was written", printable(settings)));
    return kFailed;
  }
  auto made = make_small_file(key, new_key(), Secrecy::kSecret);
  if (made) {
    made = make_small_file(
        settings,
        fmt::format(fmt::runtime(kSettingsText),
                    fmt::arg("audience", sse::client::to_string(hub_url(*url))),
                    fmt::arg("issuer", sse::client::origin_of(*url)), fmt::arg("key", kKey)),
        Secrecy::kPlain);
    if (!made) {
      std::filesystem::remove(key, error);
    }
  }
  if (!made) {
    say(err, kName, made.error().message + "; nothing was written");
    return kFailed;
  }
  const auto written =
      out.write(fmt::format("wrote {} and {}, which is a secret\n", settings, key));
  return written ? output_status(err, kName, written) : kOk;
}

}  // namespace vrelo::cli
