// SPDX-License-Identifier: Apache-2.0
#include "hub/base/issuer_settings.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "hub/base/https_url.h"
#include "hub/base/nearest.h"
#include "hub/base/settings_table.h"

namespace vrelo::base {
namespace {

constexpr std::size_t kIssuersMax = 100;
constexpr std::int64_t kLimitMax = 1'000'000;
constexpr std::string_view kNames[] = {"name",
                                       "keys",
                                       "jwks_url",
                                       "jwks_ca",
                                       "roles",
                                       "algorithms",
                                       "mercure_claim",
                                       "token_lifetime",
                                       "streams",
                                       "publishes_per_second",
                                       "tickets_per_minute",
                                       "tickets_unused"};

Parsed<std::vector<std::string>> texts_of(const toml::node& node) {
  const toml::array* const array = node.as_array();
  if (array == nullptr || array->empty()) {
    return Fault{"is not a list of texts"};
  }
  std::vector<std::string> texts;
  for (const toml::node& element : *array) {
    const auto* const text = element.as_string();
    if (text == nullptr || text->get().empty()) {
      return Fault{"is not a list of texts"};
    }
    texts.push_back(text->get());
  }
  return texts;
}

Parsed<void> read_text(const toml::node& node, std::string& field) {
  const auto* const text = node.as_string();
  if (text == nullptr || text->get().empty()) {
    return Fault{"is not a text"};
  }
  field = text->get();
  return {};
}

// Reads one value into its place. Errors: the half of a sentence that follows its name.
Parsed<void> read_value(std::string_view name, const toml::node& node, IssuerSettings& issuer) {
  if (name == "name") {
    return read_text(node, issuer.name);
  }
  if (name == "jwks_ca") {
    return read_text(node, issuer.jwks_ca);
  }
  if (name == "jwks_url") {
    if (const auto read = read_text(node, issuer.jwks_url); !read) {
      return read.error();
    }
    const auto url = parse_https_url(issuer.jwks_url);
    return url ? Parsed<void>() : url.error();
  }
  if (name == "mercure_claim") {
    const auto* const value = node.as_boolean();
    if (value == nullptr) {
      return Fault{"is neither true nor false"};
    }
    issuer.mercure_claim = value->get();
    return {};
  }
  if (name == "token_lifetime") {
    const auto* const text = node.as_string();
    const auto lifetime =
        text == nullptr ? Parsed<std::chrono::milliseconds>(Fault{}) : parse_duration(text->get());
    if (!lifetime) {
      return Fault{"is not a duration, as \"1h\""};
    }
    issuer.token_lifetime = *lifetime;
    return {};
  }
  if (name == "streams" || name == "publishes_per_second") {
    const auto* const value = node.as_integer();
    if (value == nullptr || value->get() < 0 || value->get() > kLimitMax) {
      return Fault{fmt::format("is not a number from 0, for no limit, to {}", kLimitMax)};
    }
    (name == "streams" ? issuer.streams : issuer.publishes_per_second) =
        static_cast<std::size_t>(value->get());
    return {};
  }
  if (name == "tickets_per_minute" || name == "tickets_unused") {
    const auto* const value = node.as_integer();
    if (value == nullptr || value->get() < 1 || value->get() > kLimitMax) {
      return Fault{fmt::format("is not a number from 1 to {}", kLimitMax)};
    }
    (name == "tickets_unused" ? issuer.tickets_unused : issuer.tickets_per_minute) =
        static_cast<std::size_t>(value->get());
    return {};
  }
  auto texts = texts_of(node);
  if (!texts) {
    return texts.error();
  }
  auto& field = name == "keys" ? issuer.keys : name == "roles" ? issuer.roles : issuer.algorithms;
  field = *std::move(texts);
  return {};
}

Parsed<IssuerSettings> read_issuer(const toml::node& node,
                                   std::string_view file,
                                   std::string_view place) {
  const auto line_of = [](const toml::node& at) { return at.source().begin.line; };
  const toml::table* const table = node.as_table();
  if (table == nullptr) {
    return Fault{fmt::format("{}:{}: {} is not a table", file, line_of(node), place)};
  }
  IssuerSettings issuer;
  for (const auto& [key, value] : *table) {
    const std::string_view name = key.str();
    const std::string where = fmt::format("{}:{}: {}.{}", file, line_of(value), place, name);
    if (std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames)) {
      if (find_setting(name) != nullptr) {
        return Fault{where + ": is a setting of the hub; it stands above the first [[issuers]]"};
      }
      const std::string_view meant = nearest(name, kNames);
      return Fault{fmt::format("{}: there is no such setting{}", where,
                               meant.empty() ? "" : fmt::format("; did you mean {}?", meant))};
    }
    if (const auto read = read_value(name, value, issuer); !read) {
      return Fault{fmt::format("{} {}", where, read.error().message)};
    }
  }
  const std::string where = fmt::format("{}:{}: {}", file, line_of(node), place);
  if (issuer.keys.empty() && issuer.jwks_url.empty()) {
    return Fault{where + " has no keys: the files with the keys that it signs with, or jwks_url"};
  }
  if (!issuer.jwks_ca.empty() && issuer.jwks_url.empty()) {
    return Fault{where + ".jwks_ca is for a jwks_url, and there is none"};
  }
  if (issuer.name.empty() && !issuer.mercure_claim) {
    return Fault{where + " has no name: what its tokens have as iss"};
  }
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  for (std::string& path : issuer.keys) {
    path = (folder / path).string();
  }
  if (!issuer.jwks_ca.empty()) {
    issuer.jwks_ca = (folder / issuer.jwks_ca).string();
  }
  return issuer;
}

}  // namespace

Parsed<std::vector<IssuerSettings>> read_issuers(const toml::node& node, std::string_view file) {
  const toml::array* const array = node.as_array();
  const std::string where = fmt::format("{}:{}: {}", file, node.source().begin.line, kIssuers);
  if (array == nullptr) {
    return Fault{where + " is not a list of tables: each begins with [[issuers]]"};
  }
  if (array->size() > kIssuersMax) {
    return Fault{fmt::format("{} has more than {} elements", where, kIssuersMax)};
  }
  std::vector<IssuerSettings> issuers;
  for (const toml::node& element : *array) {
    auto issuer = read_issuer(element, file, fmt::format("{}[{}]", kIssuers, issuers.size()));
    if (!issuer) {
      return issuer.error();
    }
    issuers.push_back(*std::move(issuer));
  }
  return issuers;
}

}  // namespace vrelo::base
