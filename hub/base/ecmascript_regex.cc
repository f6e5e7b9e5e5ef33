// SPDX-License-Identifier: Apache-2.0
#include "hub/base/ecmascript_regex.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "hub/base/ecmascript_reader.h"

namespace vrelo::base {
namespace {

using Class = EcmascriptReader::Class;
using Character = EcmascriptReader::Character;

// How many terms repetitions may add to those that are written, since each one becomes a part of
// RE2's program: `[0-9a-f]{64}` adds 63. Else a request of a few bytes would cost a millisecond for
// each of its patterns.
constexpr std::size_t kTermsAddedMax = 500;

// Writes each term as it is read. Each function takes what it names, and returns false if that is
// refused, after which nothing else counts.
class Translation {
 public:
  explicit Translation(std::string_view pattern) : in_(pattern) {}

  std::optional<std::string> run() {
    while (!in_.at_end()) {
      if (!take_term()) {
        return std::nullopt;
      }
    }
    return groups_.size() == 1 ? std::optional(std::move(out_)) : std::nullopt;
  }

 private:
  void write(const Class& set) {
    // An empty class is one without the characters that there are.
    out_ += set.none() ? "[^\\x00-\\x7f" : "[";
    for (std::size_t first = 0; first < set.size(); ++first) {
      if (set.test(first)) {
        std::size_t last = first;
        while (last + 1 < set.size() && set.test(last + 1)) {
          ++last;
        }
        out_ += fmt::format("\\x{:02x}-\\x{:02x}", first, last);
        first = last;
      }
    }
    out_ += ']';
  }

  void write(Character c) {
    if (c < 0x80 && (is_letter(static_cast<char>(c)) || is_digit(static_cast<char>(c)))) {
      out_ += static_cast<char>(c);
    } else if (c < 0x80) {
      out_ += fmt::format("\\x{:02x}", c);
    } else {
      write(Class());
    }
  }

  // A term, or what separates or encloses terms.
  bool take_term() {
    const char c = in_.take_any();
    switch (c) {
      case '|':
      case '^':
      case '$':
        count_term(1);
        may_repeat_ = false;
        out_ += c;
        return true;
      case '(':
        return take_group();
      case ')':
        return end_group();
      case '*':
      case '+':
      case '?':
      case '{':
        return take_quantifier(c);
      case '.':
        count_term(1);
        out_ += c;
        return true;
      case '[':
        return take_class_atom();
      case '\\':
        return take_escape();
      default:
        count_term(1);
        write(static_cast<Character>(c));
        return c != ']' && c != '}' && static_cast<unsigned char>(c) < 0x80;
    }
  }

  bool take_group() {
    groups_.push_back(0);
    may_repeat_ = false;
    out_ += '(';
    if (!in_.take("?")) {
      return true;
    }
    if (in_.take(":")) {
      out_ += "?:";
      return true;
    }
    // A name is of no use without back-references, but RE2 refuses one that is there twice.
    const auto name = in_.take("<") ? in_.take_until('>') : std::nullopt;
    if (!name || name->empty() || is_digit(name->front())) {
      return false;
    }
    out_ += fmt::format("?P<{}>", *name);
    return std::all_of(name->begin(), name->end(),
                       [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
  }

  bool end_group() {
    if (groups_.size() == 1) {
      return false;
    }
    const std::size_t terms = groups_.back();
    groups_.pop_back();
    count_term(terms + 1);
    out_ += ')';
    return true;
  }

  // A term was read that is made of so many when all repetitions in it are written out.
  void count_term(std::size_t terms) {
    last_ = terms;
    groups_.back() += terms;
    may_repeat_ = true;
  }

  bool take_quantifier(char c) {
    if (!may_repeat_) {
      return false;
    }
    may_repeat_ = false;
    out_ += c;
    if (c == '{' && !take_bounds()) {
      return false;
    }
    if (in_.take("?")) {
      out_ += '?';
    }
    return true;
  }

  // What follows "{". RE2 compares the two numbers.
  bool take_bounds() {
    const std::string_view least = in_.take_digits();
    out_ += least;
    std::size_t times = 0;
    if (!read_times(least, times)) {
      return false;
    }
    if (in_.take(",")) {
      const std::string_view most = in_.take_digits();
      out_ += ',';
      out_ += most;
      if (!most.empty() && !read_times(most, times)) {
        return false;
      }
    }
    out_ += '}';
    const std::size_t added = last_ * (std::max<std::size_t>(times, 1) - 1);
    groups_.back() += added;
    added_ += added;
    return in_.take("}") && added_ <= kTermsAddedMax;
  }

  static bool read_times(std::string_view digits, std::size_t& times) {
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), times);
    return read.ec == std::errc() && times <= kTermsAddedMax + 1;
  }

  bool take_escape() {
    for (const std::string_view boundary : {"b", "B"}) {
      if (in_.take(boundary)) {
        count_term(1);
        may_repeat_ = false;
        out_ += '\\';
        out_ += boundary;
        return true;
      }
    }
    count_term(1);
    if (const auto set = in_.take_class_escape()) {
      write(*set);
      return true;
    }
    const auto c = in_.take_character_escape();
    if (c) {
      write(*c);
    }
    return c.has_value();
  }

  bool take_class_atom() {
    count_term(1);
    const auto set = in_.take_class();
    if (set) {
      write(*set);
    }
    return set.has_value();
  }

  EcmascriptReader in_;
  std::string out_;
  bool may_repeat_ = false;

  std::vector<std::size_t> groups_{0};  // terms in each group that is open, all repetitions counted
  std::size_t last_ = 0;                // of the last term
  std::size_t added_ = 0;               // by repetitions
};

}  // namespace

std::optional<std::string> re2_syntax(std::string_view pattern) {
  return Translation(pattern).run();
}

}  // namespace vrelo::base
