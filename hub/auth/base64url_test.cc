// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/base64url.h"

#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::auth {
namespace {

using namespace std::string_view_literals;

TEST(Base64Url, stands_for_bytes_of_any_length) {
  const struct {
    std::string_view bytes;
    std::string_view text;
  } cases[] = {
      {"", ""},
      {"f", "Zg"},
      {"fo", "Zm8"},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg"},
      {"fooba", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy"},
      {"\0\0\0"sv, "AAAA"},
      {"\xFB\xFF\xBF"sv, "-_-_"},
      {"\xFF\xFF\xFF\xFF"sv, "_____w"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(encode_base64url(c.bytes), c.text);
    EXPECT_EQ(decode_base64url(c.text), std::string(c.bytes));
  }
}

TEST(Base64Url, has_one_encoding_for_each_text) {
  const struct {
    const char* what;
    std::string_view text;
  } cases[] = {
      {"padding", "Zg=="},
      {"one character too many", "Zm9vY"},
      {"one character alone", "A"},
      {"the digits of base64", "+/+/"},
      {"bits that mean nothing, of four", "Zh"},
      {"bits that mean nothing, of two", "Zm9"},
      {"a space", "Zm9 v"},
      {"a line end at the end", "Zm9v\n"},
      {"a NUL", "Zm9v\0"sv},
      {"a byte beyond ASCII", "Zm9\xC3"},
      {"a question mark", "Zm?9v"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(decode_base64url(c.text), std::nullopt);
  }
}

}  // namespace
}  // namespace vrelo::auth
