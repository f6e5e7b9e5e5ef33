// SPDX-License-Identifier: Apache-2.0
//
// The public test data of web-platform-tests for URL patterns, which are not part of this
// repository: VRELO_TEST_DATA names the folder that has them in wpt/. Without it this test is
// skipped, but not in CI.

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <ada.h>
#include <gtest/gtest.h>
#include <re2/re2.h>
#include <boost/algorithm/string/replace.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "hub/base/url_pattern_regex.h"

namespace vrelo::base {
namespace {

namespace json = boost::json;

using Pattern = ada::url_pattern<UrlPatternRegex>;

struct Part {
  std::string_view name;
  std::string_view (Pattern::*written)() const;
  ada::url_pattern_component_result ada::url_pattern_result::*result;
};

constexpr Part kParts[] = {
    {"protocol", &Pattern::get_protocol, &ada::url_pattern_result::protocol},
    {"username", &Pattern::get_username, &ada::url_pattern_result::username},
    {"password", &Pattern::get_password, &ada::url_pattern_result::password},
    {"hostname", &Pattern::get_hostname, &ada::url_pattern_result::hostname},
    {"port", &Pattern::get_port, &ada::url_pattern_result::port},
    {"pathname", &Pattern::get_pathname, &ada::url_pattern_result::pathname},
    {"search", &Pattern::get_search, &ada::url_pattern_result::search},
    {"hash", &Pattern::get_hash, &ada::url_pattern_result::hash},
};

std::string text_of(const json::value& value) {
  return std::string(value.as_string());
}

ada::url_pattern_init init_of(const json::object& object) {
  const auto field = [&object](std::string_view name) {
    const json::value* const value = object.if_contains(name);
    return value == nullptr ? std::nullopt : std::optional(text_of(*value));
  };
  ada::url_pattern_init init;
  init.protocol = field("protocol");
  init.username = field("username");
  init.password = field("password");
  init.hostname = field("hostname");
  init.port = field("port");
  init.pathname = field("pathname");
  init.search = field("search");
  init.hash = field("hash");
  init.base_url = field("baseURL");
  return init;
}

// What a constructor or a match is called with: an input, and a base.
struct Arguments {
  explicit Arguments(const json::array& values) {
    if (!values.empty() && values[0].is_string()) {
      first = text_of(values[0]);
    } else if (!values.empty() && !values[0].as_object().contains("ignoreCase")) {
      init = init_of(values[0].as_object());
    }
    if (values.size() > 1 && values[1].is_string()) {
      base = text_of(values[1]);
      base_view = base;
    }
    for (const json::value& value : values) {
      if (value.is_object() && value.as_object().contains("ignoreCase")) {
        options.ignore_case = value.as_object().at("ignoreCase").as_bool();
      }
    }
  }

  ada::url_pattern_input input() const {
    return first ? ada::url_pattern_input(std::string_view(*first)) : ada::url_pattern_input(init);
  }
  const std::string_view* base_or_null() const { return base_view ? &*base_view : nullptr; }

  std::optional<std::string> first;
  ada::url_pattern_init init;
  std::string base;
  std::optional<std::string_view> base_view;
  ada::url_pattern_options options;
};

// The groups of one part of a URL; nullopt: took no part.
using Groups = std::map<std::string, std::optional<std::string>>;

// In what RE2 differs: an optional group that could match nothing has matched it, while ECMAScript
// says that it took no part. What matches is the same, and the hub asks for nothing else.
struct Exception {
  std::string_view pathname;
  std::string_view group;
};
constexpr Exception kExceptions[] = {{"*{}**?", "1"}};

bool is_listed(const json::object& test, std::string_view list, std::string_view name) {
  const json::value* const names = test.if_contains(list);
  if (names != nullptr) {
    for (const json::value& listed : names->as_array()) {
      if (text_of(listed) == name) {
        return true;
      }
    }
  }
  return false;
}

bool is_made_of(const json::object& test, std::string_view pathname) {
  const json::array& pattern = test.at("pattern").as_array();
  const json::object* const init = pattern.empty() ? nullptr : pattern[0].if_object();
  const json::value* const value = init == nullptr ? nullptr : init->if_contains("pathname");
  return value != nullptr && text_of(*value) == pathname;
}

void check_match(const json::object& test, const ada::url_pattern_result& match) {
  const json::object& expected = test.at("expected_match").as_object();
  for (const Part& part : kParts) {
    SCOPED_TRACE(part.name);
    std::string input;
    Groups groups;
    if (const json::value* const stated = expected.if_contains(part.name)) {
      input = text_of(stated->as_object().at("input"));
      for (const auto& [name, value] : stated->as_object().at("groups").as_object()) {
        groups[std::string(name)] = value.is_null() ? std::nullopt : std::optional(text_of(value));
      }
    } else if (!is_listed(test, "exactly_empty_components", part.name)) {
      groups["0"] = "";
    }
    auto found = match.*part.result;
    for (const Exception& exception : kExceptions) {
      if (part.name == "pathname" && is_made_of(test, exception.pathname)) {
        EXPECT_EQ(std::exchange(found.groups[std::string(exception.group)], std::nullopt), "");
      }
    }
    EXPECT_EQ(found.input, input);
    EXPECT_EQ(Groups(found.groups.begin(), found.groups.end()), groups);
  }
}

void check(const json::object& test) {
  const Arguments made_of(test.at("pattern").as_array());
  auto pattern = ada::parse_url_pattern<UrlPatternRegex>(made_of.input(), made_of.base_or_null(),
                                                         &made_of.options);
  const json::value* const expected = test.if_contains("expected_obj");
  if (expected != nullptr && expected->is_string()) {
    EXPECT_FALSE(pattern.has_value());
    return;
  }
  ASSERT_TRUE(pattern.has_value());
  if (expected != nullptr) {
    for (const Part& part : kParts) {
      if (const json::value* const written = expected->as_object().if_contains(part.name)) {
        EXPECT_EQ(((*pattern).*part.written)(), text_of(*written)) << part.name;
      }
    }
  }

  const json::value* const inputs = test.if_contains("inputs");
  if (inputs == nullptr) {
    return;
  }
  const Arguments given(inputs->as_array());
  const auto is_match = pattern->test(given.input(), given.base_or_null());
  const auto match = pattern->exec(given.input(), given.base_or_null());
  if (test.at("expected_match").is_string()) {
    EXPECT_FALSE(is_match.has_value());
    EXPECT_FALSE(match.has_value());
    return;
  }
  ASSERT_TRUE(is_match.has_value() && match.has_value());
  EXPECT_EQ(*is_match, test.at("expected_match").is_object());
  ASSERT_EQ(match->has_value(), *is_match);
  if (*is_match) {
    check_match(test, **match);
  }
}

// RE2 refuses none of them: what it leaves out beyond, ecmascript_regex_test.cc says.
TEST(UrlPatternRegex, does_what_web_platform_tests_says) {
  const char* const folder = std::getenv("VRELO_TEST_DATA");
  if (folder == nullptr) {
    ASSERT_EQ(std::getenv("CI"), nullptr) << "VRELO_TEST_DATA is not set";
    GTEST_SKIP() << "VRELO_TEST_DATA is not set";
  }
  std::ifstream file(std::string(folder) + "/wpt/urlpatterntestdata.json");
  std::string text(std::istreambuf_iterator<char>(file), {});
  ASSERT_FALSE(text.empty());
  // Halves of a pair become U+FFFD before the pattern is looked at. Source: Web IDL, USVString.
  boost::algorithm::replace_all(text, R"(\uD83D \uDEB2)", R"(\uFFFD \uFFFD)");

  const json::value tests = json::parse(text);
  EXPECT_EQ(tests.as_array().size(), 369U);
  for (const json::value& test : tests.as_array()) {
    SCOPED_TRACE(json::serialize(test));
    check(test.as_object());
  }
}

}  // namespace
}  // namespace vrelo::base
