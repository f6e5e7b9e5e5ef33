// SPDX-License-Identifier: Apache-2.0
#include "hub/base/ecmascript_regex.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <re2/re2.h>

namespace vrelo::base {
namespace {

using namespace std::string_view_literals;

TEST(EcmascriptRegex, is_matched_by_re2_as_ecmascript_means_it) {
  struct Case {
    std::string_view what;
    std::string_view pattern;
    std::string_view matches;
    std::string_view not_matches;
  };
  const Case cases[] = {
      {"literals", "a-b,\"~/", "a-b,\"~/", "ab"},
      {"alternatives", "a|bc|", "", "b"},
      {"a group", "(?:ab)+c", "ababc", "c"},
      {"a group that captures", "(ab)?c", "abc", "bc"},
      {"a group with a name", "(?<x1>a)b", "ab", "b"},
      {"a lazy quantifier", "a*?b", "aab", "a"},
      {"bounds", "a{2}b{2,}c{0,1}", "aabbb", "aab"},
      {"repetitions", "(?:a{2}){3}b{3,4}c{0}", "aaaaaabbbb", "aaaaabbbb"},
      {"a dot", "a.c", "a(c", "ac"},
      {"an escaped syntax character", R"(\^\$\\\.\*\+\?\(\)\[\]\{\}\|\/)", R"(^$\.*+?()[]{}|/)",
       ""},
      {"digits", R"(\d+)", "0189", "a"},
      {"not digits", R"(\D)", "a", "7"},
      {"word characters", R"(\w+)", "aZ_9", "-"},
      {"not word characters", R"(\W)", "-", "_"},
      {"spaces, with \\v", R"(\s{6})", " \t\n\v\f\r", "      a"},
      {"not spaces", R"(\S)", "a", "\v"},
      {"the boundary of a word", R"(a\b-\Bb*)", "a-", "a-b"},
      {"controls", R"(\t\n\v\f\r\cJ)", "\t\n\v\f\r\n", ""},
      {"NUL", R"(a\0)", "a\0"sv, "a0"},
      {"hexadecimal", R"(\x41\u0042\u{43}\u{000044})", "ABCD", ""},
      {"a character beyond ASCII", R"(a?\u00e9?\u{1F600}?)", "a", "ab"},
      {"a class", "[a-c_]+", "ab_", "d"},
      {"a class's complement", "[^a-c]", "d", "a"},
      {"an empty class", "a|[]", "a", "b"},
      {"an empty class's complement", "[^]{2}", "\n\n", ""},
      {"escapes in a class", R"([\d\]\-\b\&]+)", "7]-\b&", "\\"},
      {"single punctuators in a class", "[&!#$%*+,.:;<=>?@^`~]", "^", "a"},
      {"a class in a class", "[a[bc][^d-\x7F]]", "b", "e"},
      {"what is a class by name elsewhere", "[[:alpha:]]", ":", "b"},
      {"an intersection", R"([\w&&[^a-z]&&[^A-M]]+)", "Z9", "a"},
      {"a subtraction", "[[a-z]--[aeiou]--y]+", "xz", "y"},
      {"assertions", "^(?:a$|^b)", "a", "ab"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.what);
    const auto syntax = re2_syntax(each.pattern);
    ASSERT_TRUE(syntax.has_value());
    const re2::RE2 regex(*syntax, re2::RE2::Latin1);
    ASSERT_TRUE(regex.ok()) << *syntax << ": " << regex.error();
    EXPECT_TRUE(re2::RE2::FullMatch(each.matches, regex)) << *syntax;
    if (each.matches != each.not_matches && !each.not_matches.empty()) {
      EXPECT_FALSE(re2::RE2::FullMatch(each.not_matches, regex)) << *syntax;
    }
  }
}

TEST(EcmascriptRegex, is_refused_if_it_is_none_or_cannot_be_run) {
  struct Case {
    std::string_view what;
    std::string_view pattern;
  };
  const Case cases[] = {
      {"look-ahead", "(?=a)"},
      {"negative look-ahead", "(?!a)"},
      {"look-behind", "(?<=a)b"},
      {"negative look-behind", "(?<!a)b"},
      {"a back-reference", R"((a)\1)"},
      {"a back-reference by name", R"((?<x>a)\k<x>)"},
      {"a modifier", "(?i:a)"},
      {"a property", R"(\p{L})"},
      {"a property in a class", R"([\P{L}])"},
      {"a class of texts", R"([\q{ab|c}])"},
      {"RE2's flags", "(?i)a"},
      {"RE2's flag U", "(?U:a)"},
      {"RE2's names", "(?P<x>a)"},
      {"RE2's quotes", R"(\Qa\E)"},
      {"RE2's end of the text", R"(a\z)"},
      {"RE2's single byte", R"(\C)"},
      {"RE2's octal", R"(\01)"},
      {"RE2's long hexadecimal", R"(\x{41})"},
      {"an escape of no meaning", R"(\m)"},
      {"an escaped hyphen outside of a class", R"(\-)"},
      {"an escape that is cut short", "a\\"},
      {"a digit that is none", R"(\xg1)"},
      {"two digits too few", R"(\u00)"},
      {"no digits", R"(\u{})"},
      {"beyond Unicode", R"(\u{110000})"},
      {"no letter after \\c", R"(\c1)"},
      {"a parenthesis that is not closed", "(a"},
      {"one that is not opened", "a)(b"},
      {"a bracket that is not closed", "[a"},
      {"one that is not opened", "a]"},
      {"a brace that is not closed", "a{1"},
      {"one without a number", "a{,2}"},
      {"one that is not opened", "a}"},
      {"a quantifier of nothing", "a|*"},
      {"a quantifier of an assertion", "^*"},
      {"a quantifier of a boundary", R"(a\b+)"},
      {"two quantifiers", "a+*"},
      {"possessive", "a++"},
      {"a group's name that is empty", "(?<>a)"},
      {"one that begins with a digit", "(?<1>a)"},
      {"one that is not closed", "(?<x"},
      {"a range backwards", "[b-a]"},
      {"a range to a class", R"([a-\d])"},
      {"a hyphen at the end of a class", "[a-]"},
      {"a hyphen at its beginning", "[-a]"},
      {"a slash in a class", "[/]"},
      {"a parenthesis in a class", "[(]"},
      {"a doubled punctuator in a class", "[a!!]"},
      {"two operators", "[a--b&&c]"},
      {"an operator after a range", "[a-z--b]"},
      {"an operator before a range", "[a--b-c]"},
      {"an operator in front", "[&&a]"},
      {"an operator at the end", "[a&&]"},
      {"an operator after a union", "[ab--c]"},
      {"three of them", "[a&&&b]"},
      {"a repetition of more than 501 times", "a{502}"},
      {"one that begins at so many", "a{502,}"},
      {"one that ends there", "a{1,502}"},
      {"a number that is no number", "a{99999999999999999999}"},
      {"repetitions that add up", "a{201}b{202}c{102}"},
      {"a repetition of repetitions", "(?:a{20}b{5}){20}"},
      {"a repetition of nothing", "(?:(?:)(?:)){200}"},
      {"a repetition of assertions", R"((?:\b\B^$|){100})"},
      {"a character beyond ASCII", "\xC3\xA9"},
      {"one in a class", "[\xC3\xA9]"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(re2_syntax(each.pattern), std::nullopt) << each.what;
  }
}

TEST(EcmascriptRegex, may_have_repetitions_that_add_500_terms) {
  for (const std::string_view pattern : {"a{501}", "a{501,}", "a{0,501}", "a{201}b{202}c{100}",
                                         "(?:a{20}b{5}){19}", "(?:ab){167}"}) {
    EXPECT_NE(re2_syntax(pattern), std::nullopt) << pattern;
  }
}

TEST(EcmascriptRegex, refuses_classes_that_are_nested_too_deeply) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(re2_syntax(nested(50)).has_value());
  EXPECT_FALSE(re2_syntax(nested(51)).has_value());
  EXPECT_FALSE(re2_syntax(std::string(1'000'000, '[')).has_value());
}

}  // namespace
}  // namespace vrelo::base
