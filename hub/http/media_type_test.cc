// SPDX-License-Identifier: Apache-2.0
#include "hub/http/media_type.h"

#include <optional>
#include <string_view>

#include <gtest/gtest.h>

namespace vrelo::http {
namespace {

TEST(MediaType, is_what_stands_before_the_parameters) {
  const struct {
    const char* what;
    std::string_view field;
    std::optional<std::string_view> type;
  } cases[] = {
      {"alone", "text/plain", "text/plain"},
      {"capitals stay", "Text/PLAIN", "Text/PLAIN"},
      {"with a parameter", "text/plain; charset=UTF-8", "text/plain"},
      {"with a space before it", "text/plain ;charset=\"a;b\"", "text/plain"},
      {"with a parameter that is none", "text/plain;;=", "text/plain"},
      {"with a suffix", "application/problem+json", "application/problem+json"},
      {"empty", "", std::nullopt},
      {"no slash", "text", std::nullopt},
      {"two slashes", "text/plain/x", std::nullopt},
      {"no subtype", "text/", std::nullopt},
      {"no type", "/plain", std::nullopt},
      {"a space inside", "text /plain", std::nullopt},
      {"two types", "text/plain, text/html", std::nullopt},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(media_type(c.field), c.type);
  }
}

}  // namespace
}  // namespace vrelo::http
