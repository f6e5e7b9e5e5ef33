// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/json.h"

#include <string>
#include <string_view>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gtest/gtest.h>

namespace vrelo::auth {
namespace {

using namespace std::string_view_literals;

TEST(Json, reads_what_json_is) {
  for (const std::string_view text : {
           R"({})"sv,
           R"([])"sv,
           R"("")"sv,
           R"(null)"sv,
           R"(true)"sv,
           R"(  [1, -1, 0, 18446744073709551615, 1.5, 1e300, -0.25]  )"sv,
           R"({"a":{"a":[{"a":1},{"a":2}]},"b":"a"})"sv,
           R"({"a":1,"A":2,"a ":3})"sv,
           R"({"\u0061b\n":"\u0000\ud83d\ude00é"})"sv,
           R"({"a long name with an escape \n in it":false})"sv,
       }) {
    SCOPED_TRACE(text);
    const auto value = parse_json(text);
    ASSERT_TRUE(value) << value.error();
    EXPECT_EQ(*value, boost::json::parse({text.data(), text.size()}));
  }
}

TEST(Json, keeps_nul_in_a_text) {
  const auto object = parse_json_object(R"({"a":"b\u0000c"})");
  ASSERT_TRUE(object);
  EXPECT_EQ(text_of(object->at("a").as_string()), "b\0c"sv);
}

TEST(Json, refuses_what_others_might_read_in_another_way) {
  const struct {
    const char* what;
    std::string text;
    Errc errc;
  } cases[] = {
      {"a name twice", R"({"a":1,"a":1})", Errc::kNameTwice},
      {"a name twice, once escaped", R"({"a":1,"\u0061":1})", Errc::kNameTwice},
      {"a name twice, with escapes inside", R"({"x\ny":1,"b":2,"x\u000ay":1})", Errc::kNameTwice},
      {"an empty name twice", R"({"":1,"":1})", Errc::kNameTwice},
      {"a name twice, deep", R"([{"x":[{"a":{"b":1,"c":2,"b":3}}]}])", Errc::kNameTwice},
      {"a name twice, after an object that has it", R"({"a":{"a":1},"a":1})", Errc::kNameTwice},
      {"a number beyond a double", R"({"a":1e400})", Errc::kNumberNotFinite},
      {"a negative one", R"([-1e400])", Errc::kNumberNotFinite},
      {"an exponent without end", R"([1e99999999999999999999])", Errc::kNumberNotFinite},
      {"nothing", "", Errc::kNotJson},
      {"a space", " ", Errc::kNotJson},
      {"no end", R"({"a":1)", Errc::kNotJson},
      {"more after the end", "{}{}", Errc::kNotJson},
      {"a NUL after the end", std::string("{}\0", 3), Errc::kNotJson},
      {"a byte order mark", "\xEF\xBB\xBF{}", Errc::kNotJson},
      {"a comment", "{}/**/", Errc::kNotJson},
      {"a comma too many", "[1,]", Errc::kNotJson},
      {"single quotes", "{'a':1}", Errc::kNotJson},
      {"NaN", "[NaN]", Errc::kNotJson},
      {"Infinity", "[Infinity]", Errc::kNotJson},
      {"a leading zero", "[01]", Errc::kNotJson},
      {"a plus", "[+1]", Errc::kNotJson},
      {"a text that is not UTF-8", "[\"\xFF\"]", Errc::kNotJson},
      {"UTF-8 that is overlong", "[\"\xC0\x80\"]", Errc::kNotJson},
      {"half a surrogate pair", R"(["\ud800"])", Errc::kNotJson},
      {"a line end in a text", "[\"\n\"]", Errc::kNotJson},
      {"too deep", std::string(40, '[') + std::string(40, ']'), Errc::kNotJson},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto value = parse_json(c.text);
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error(), c.errc);
  }
}

TEST(Json, takes_no_other_value_for_an_object) {
  for (const char* const text : {"[]", "1", "\"{}\"", "null"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(parse_json_object(text).error(), Errc::kNotAnObject);
  }
}

}  // namespace
}  // namespace vrelo::auth
