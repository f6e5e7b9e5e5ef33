// SPDX-License-Identifier: Apache-2.0
#include "hub/http/form.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vrelo::http {
namespace {

using std::string_literals::operator""s;

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs read(std::string_view form) {
  Pairs pairs;
  FormReader reader(form);
  std::string buffer;
  while (const auto pair = reader.next()) {
    pairs.emplace_back(form_decode(pair->name, buffer), form_decode(pair->value));
  }
  return pairs;
}

TEST(Form, is_read_as_browsers_write_it) {
  const struct {
    const char* what;
    std::string_view form;
    Pairs pairs;
  } cases[] = {
      {"nothing", "", {}},
      {"one pair", "a=b", {{"a", "b"}}},
      {"no equals sign", "a", {{"a", ""}}},
      {"an empty value", "a=", {{"a", ""}}},
      {"an empty name", "=b", {{"", "b"}}},
      {"an equals sign in the value", "a=b=c", {{"a", "b=c"}}},
      {"empty pairs", "&&a=1&&b=2&", {{"a", "1"}, {"b", "2"}}},
      {"a semicolon is data", "topic=a;data=b", {{"topic", "a;data=b"}}},
      {"a repeated name", "a=1&a=2", {{"a", "1"}, {"a", "2"}}},
      {"plus and escapes", "a+b=c%20d%2b", {{"a b", "c d+"}}},
      {"an escaped ampersand", "a=b%26c%3Dd", {{"a", "b&c=d"}}},
      {"an escaped name", "%6Datch=x", {{"match", "x"}}},
      {"small digits", "a=%e2%82%ac", {{"a", "\xE2\x82\xAC"}}},
      {"decoded once", "a=%2525", {{"a", "%25"}}},
      {"a stray percent", "data={\"p\":\"100%\"}", {{"data", "{\"p\":\"100%\"}"}}},
      {"a stray percent with one digit", "a=%4", {{"a", "%4"}}},
      {"a stray percent with others", "a=%4G%G4%%41", {{"a", "%4G%G4%A"}}},
      {"a stray percent at the end", "a=%", {{"a", "%"}}},
      {"an escape does not cross a pair", "a=%4&1=b", {{"a", "%4"}, {"1", "b"}}},
      {"bytes that are not UTF-8 stay", "a=%FF\xFE", {{"a", "\xFF\xFE"}}},
      {"NUL", "a=%00b", {{"a", "\0b"s}}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(read(c.form), c.pairs);
  }
}

TEST(Form, is_not_copied_where_nothing_is_encoded) {
  const std::string plain = "abc";
  std::string buffer;
  EXPECT_EQ(form_decode(plain, buffer).data(), plain.data());
  EXPECT_EQ(form_decode("a%62c", buffer), "abc");
}

}  // namespace
}  // namespace vrelo::http
