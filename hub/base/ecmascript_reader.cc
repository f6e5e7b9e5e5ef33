// SPDX-License-Identifier: Apache-2.0
#include "hub/base/ecmascript_reader.h"

#include <algorithm>
#include <cassert>

#include "hub/base/hex.h"

namespace vrelo::base {
namespace {

using Class = EcmascriptReader::Class;
using Character = EcmascriptReader::Character;

constexpr std::size_t kClassDepthMax = 50;  // classes in classes

// Source: ECMA-262: SyntaxCharacter, ClassSetSyntaxCharacter, ClassSetReservedPunctuator,
// ClassSetReservedDoublePunctuator.
constexpr std::string_view kSyntaxCharacters = "^$\\.*+?()[]{}|";
constexpr std::string_view kClassSyntaxCharacters = "()[]{}/-\\|";
constexpr std::string_view kClassReservedPunctuators = "&-!#%,:;<=>@`~";
constexpr std::string_view kClassReservedDouble = "&!#$%*+,.:;<=>?@^`~";

bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

Class range(Character first, Character last) {
  Class set;
  for (Character c = first; c <= last && c < set.size(); ++c) {
    set.set(c);
  }
  return set;
}

Class digits() {
  return range('0', '9');
}

Class word_characters() {
  return range('a', 'z') | range('A', 'Z') | digits() | range('_', '_');
}

Class spaces() {
  return range('\t', '\r') | range(' ', ' ');
}

}  // namespace

bool EcmascriptReader::take(std::string_view text) {
  const bool there = rest_.starts_with(text);
  rest_.remove_prefix(there ? text.size() : 0);
  return there;
}

char EcmascriptReader::take_any() {
  assert(!at_end());
  const char c = rest_.front();
  rest_.remove_prefix(1);
  return c;
}

std::string_view EcmascriptReader::take_digits() {
  std::size_t size = 0;
  while (size < rest_.size() && is_digit(rest_[size])) {
    ++size;
  }
  const std::string_view digits = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return digits;
}

std::optional<std::string_view> EcmascriptReader::take_until(char end) {
  const std::size_t at = rest_.find(end);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view before = rest_.substr(0, at);
  rest_.remove_prefix(at + 1);
  return before;
}

std::optional<EcmascriptReader::Class> EcmascriptReader::take_class_escape() {
  if (rest_.empty()) {
    return std::nullopt;
  }
  std::optional<Class> set;
  switch (rest_.front()) {
    case 'd':
      set = digits();
      break;
    case 'D':
      set = ~digits();
      break;
    case 'w':
      set = word_characters();
      break;
    case 'W':
      set = ~word_characters();
      break;
    case 's':
      set = spaces();
      break;
    case 'S':
      set = ~spaces();
      break;
    default:
      return std::nullopt;
  }
  rest_.remove_prefix(1);
  return set;
}

std::optional<EcmascriptReader::Character> EcmascriptReader::take_character_escape() {
  if (rest_.empty()) {
    return std::nullopt;
  }
  const char c = take_any();
  switch (c) {
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case '0':
      return rest_.empty() || !is_digit(rest_.front()) ? std::optional<Character>(0) : std::nullopt;
    case 'c':
      return !rest_.empty() && is_letter(rest_.front())
                 ? std::optional<Character>(static_cast<Character>(take_any()) % 32)
                 : std::nullopt;
    case 'x':
      return take_hex(2);
    case 'u':
      return take_unicode();
    default:
      return c == '/' || is_one_of(c, kSyntaxCharacters) ? std::optional<Character>(c)
                                                         : std::nullopt;
  }
}

std::optional<EcmascriptReader::Character> EcmascriptReader::take_hex(std::size_t size) {
  if (rest_.size() < size || size == 0) {
    return std::nullopt;
  }
  Character value = 0;
  for (; size > 0; --size) {
    const int digit = hex_value(take_any());
    value = value * 16 + static_cast<Character>(std::max(digit, 0));
    if (digit < 0 || value > 0x10FFFF) {
      return std::nullopt;
    }
  }
  return value;
}

// What follows "\u". A surrogate by itself is beyond ASCII as its pair is.
std::optional<EcmascriptReader::Character> EcmascriptReader::take_unicode() {
  if (!take("{")) {
    return take_hex(4);
  }
  const std::size_t end = rest_.find('}');
  const auto value = end == std::string_view::npos ? std::nullopt : take_hex(end);
  return value && take("}") ? value : std::nullopt;
}

std::optional<EcmascriptReader::Class> EcmascriptReader::take_class() {
  if (++class_depth_ > kClassDepthMax) {
    return std::nullopt;
  }
  const bool complement = take("^");
  Class set;
  if (!take("]")) {
    auto operand = take_operand();
    if (!operand) {
      return std::nullopt;
    }
    set = operand->set;
    if (rest_.starts_with("&&") || rest_.starts_with("--")) {
      if (operand->is_range || !take_operations(rest_.substr(0, 2), set)) {
        return std::nullopt;
      }
    } else if (!take_union(set)) {
      return std::nullopt;
    }
  }
  --class_depth_;
  return complement ? ~set : set;
}

// What follows the first operand, to the "]".
bool EcmascriptReader::take_union(Class& set) {
  while (!take("]")) {
    const auto operand = take_operand();
    if (!operand) {
      return false;
    }
    set |= operand->set;
  }
  return true;
}

// The same, where there is one and the same operator between each two operands.
bool EcmascriptReader::take_operations(std::string_view operation, Class& set) {
  while (!take("]")) {
    const bool there = take(operation) && !(operation == "&&" && rest_.starts_with('&'));
    const auto operand = there ? take_operand() : std::nullopt;
    if (!operand || operand->is_range) {
      return false;
    }
    set &= operation == "&&" ? operand->set : ~operand->set;
  }
  return true;
}

std::optional<EcmascriptReader::Operand> EcmascriptReader::take_operand() {
  if (take("[")) {
    const auto set = take_class();
    return set ? std::optional(Operand{*set}) : std::nullopt;
  }
  const std::string_view before = rest_;
  if (take("\\")) {
    if (const auto set = take_class_escape()) {
      return Operand{*set};
    }
    rest_ = before;
  }
  const auto first = take_class_character();
  if (!first) {
    return std::nullopt;
  }
  if (rest_.starts_with("--") || !take("-")) {
    return Operand{range(*first, *first)};
  }
  const auto last = take_class_character();
  return last && *first <= *last ? std::optional(Operand{range(*first, *last), true})
                                 : std::nullopt;
}

std::optional<EcmascriptReader::Character> EcmascriptReader::take_class_character() {
  if (rest_.empty()) {
    return std::nullopt;
  }
  if (take("\\")) {
    if (take("b")) {
      return '\b';
    }
    if (!rest_.empty() && is_one_of(rest_.front(), kClassReservedPunctuators)) {
      return static_cast<Character>(take_any());
    }
    return take_character_escape();
  }
  const char c = rest_.front();
  const bool doubled = rest_.size() > 1 && rest_[1] == c && is_one_of(c, kClassReservedDouble);
  if (doubled || is_one_of(c, kClassSyntaxCharacters) || static_cast<unsigned char>(c) >= 0x80) {
    return std::nullopt;
  }
  return static_cast<Character>(take_any());
}

}  // namespace vrelo::base
