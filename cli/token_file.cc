// SPDX-License-Identifier: Apache-2.0
#include "cli/token_file.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "cli/printable.h"
#include "cli/small_file.h"
#include "hub/auth/ticket.h"

namespace vrelo::cli {
namespace {

constexpr std::size_t kBytesMax = std::size_t{16} << 10;
constexpr std::size_t kManyBytesMax = std::size_t{64} << 20;
constexpr const char* kOption = "--token-file";

// Source: RFC 6750 2.1, b64token.
bool is_token_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("-._~+/=").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return std::all_of(text.begin(), text.end(), is_token_character);
}

std::optional<base::Fault> find_argument(const TokenOptions& options) {
  if (options.token.empty()) {
    return std::nullopt;
  }
  return base::Fault{
      "--token: every user of this machine could read a token among the arguments; put it into a "
      "file and name that with --token-file"};
}

void trim_end(std::string& text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.pop_back();
  }
}

}  // namespace

void add_token_options(CLI::App& app, TokenOptions& options, const char* about) {
  app.add_option(kOption, options.file, about)->type_name("FILE");
  app.add_option("--token", options.token)->group("");  // not in the help
}

base::Parsed<Fields> token_fields(const TokenOptions& options) {
  if (auto fault = find_argument(options)) {
    return *std::move(fault);
  }
  if (options.file.empty()) {
    return Fields();
  }
  const auto token = read_token(options.file, kOption);
  if (!token) {
    return token.error();
  }
  return Fields{{"Authorization", "Bearer " + *token}};
}

base::Parsed<std::string> read_token(const std::string& file, std::string_view option) {
  const auto fault = [&](std::string_view what) {
    return base::Fault{fmt::format("{}: {}: {}", option, printable(file), what)};
  };
  auto read = read_small_file(file, kBytesMax);
  if (!read) {
    return base::Fault{fmt::format("{}: {}", option, read.error().message)};
  }
  std::string& token = *read;
  trim_end(token);
  if (token.empty()) {
    return fault("is empty");
  }
  if (!is_token(token)) {
    return fault("is no token: one line as a JWT has it, without \"Bearer\"");
  }
  return base::parsed(std::move(token));
}

base::Parsed<std::vector<std::string>> read_tokens(const TokenOptions& options,
                                                   std::string_view option) {
  if (auto fault = find_argument(options)) {
    return *std::move(fault);
  }
  std::vector<std::string> tokens;
  if (options.file.empty()) {
    return tokens;
  }
  const auto read = read_small_file(options.file, kManyBytesMax);
  if (!read) {
    return base::Fault{fmt::format("{}: {}", option, read.error().message)};
  }
  std::istringstream lines(*read);
  for (std::string line; std::getline(lines, line);) {
    trim_end(line);
    if (line.empty() || !is_token(line)) {
      return base::Fault{
          fmt::format("{}: {}: line {} is no token: as a JWT has it, without \"Bearer\"", option,
                      printable(options.file), tokens.size() + 1)};
    }
    tokens.push_back(line);
  }
  if (tokens.empty()) {
    return base::Fault{fmt::format("{}: {}: is empty", option, printable(options.file))};
  }
  return tokens;
}

base::Parsed<std::string> read_ticket_file(const std::string& file) {
  auto read = read_small_file(file, kBytesMax);
  if (!read) {
    return base::Fault{"--ticket-file: " + read.error().message};
  }
  trim_end(*read);
  if (!auth::ticket_hash(*read)) {
    return base::Fault{fmt::format("--ticket-file: {}: is no ticket: one line that begins with {}",
                                   printable(file), auth::kTicketPrefix)};
  }
  return base::parsed(*std::move(read));
}

}  // namespace vrelo::cli
