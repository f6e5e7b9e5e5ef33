// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vrelo::base {

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

inline bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Reads the characters and classes of a regular expression of ECMAScript, from the front to the
// end. Each function takes what it names; if that is not there, or is refused, it returns false or
// nullopt, and nothing else may be read but with take().
//
// Source: ECMA-262, 22.2.1 with UnicodeSetsMode. \p, \P and \q are refused.
class EcmascriptReader {
 public:
  // A class of characters, as far as they are ASCII.
  using Class = std::bitset<128>;

  // Those beyond ASCII are all alike here: no class has one.
  using Character = std::uint32_t;

  explicit EcmascriptReader(std::string_view pattern) : rest_(pattern) {}

  bool at_end() const { return rest_.empty(); }

  // Takes `text`, or nothing.
  bool take(std::string_view text);

  // Takes the next character; there has to be one.
  char take_any();

  // Takes digits; "": there are none.
  std::string_view take_digits();

  // Takes what is before `end`, and `end`; nullopt: there is no `end`.
  std::optional<std::string_view> take_until(char end);

  // What follows "\", if it stands for a class; nullopt: it does not, and nothing was taken.
  std::optional<Class> take_class_escape();

  // What follows "\", if it stands for a character.
  std::optional<Character> take_character_escape();

  // What follows "[", to the "]" that ends it.
  std::optional<Class> take_class();

 private:
  // A class in a class, a class that an escape stands for, a character, or a range of them.
  struct Operand {
    Class set;
    bool is_range = false;
  };

  std::optional<Character> take_hex(std::size_t size);
  std::optional<Character> take_unicode();
  bool take_union(Class& set);
  bool take_operations(std::string_view operation, Class& set);
  std::optional<Operand> take_operand();
  std::optional<Character> take_class_character();

  std::string_view rest_;
  std::size_t class_depth_ = 0;
};

}  // namespace vrelo::base
