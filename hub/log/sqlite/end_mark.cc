// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/end_mark.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "hub/base/last_error.h"

namespace vrelo::log::sqlite {
namespace {

constexpr int kHex = 16;
constexpr std::size_t kDigits = 16;
constexpr std::size_t kBytes = 2 * (kDigits + 1);  // EPOCH.OFFSET and a line's end

std::optional<std::uint64_t> parse_digits(std::string_view digits) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(digits.begin(), digits.end(), value, kHex);
  return parsed.ec == std::errc() && parsed.ptr == digits.end() ? std::optional(value)
                                                                : std::nullopt;
}

}  // namespace

boost::system::result<std::optional<Position>> read_end_mark(const std::string& file) {
  const base::Descriptor mark(::open((file + ".end").c_str(), O_RDONLY | O_CLOEXEC));
  if (mark.get() < 0) {
    if (errno == ENOENT) {
      return std::nullopt;
    }
    return base::last_error();
  }
  std::array<char, kBytes + 1> bytes{};
  const ssize_t size = ::pread(mark.get(), bytes.data(), bytes.size(), 0);
  if (size < 0) {
    return base::last_error();
  }
  const std::string_view text(bytes.data(), static_cast<std::size_t>(size));
  if (text.size() != kBytes || text[kDigits] != '.' || text.back() != '\n') {
    return std::nullopt;
  }
  const auto epoch = parse_digits(text.substr(0, kDigits));
  const auto offset = parse_digits(text.substr(kDigits + 1, kDigits));
  if (!epoch || !offset) {
    return std::nullopt;
  }
  return Position{.epoch = *epoch, .offset = *offset};
}

boost::system::result<EndMark> EndMark::open(const std::string& file) {
  base::Descriptor mark(::open((file + ".end").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (mark.get() < 0) {
    return base::last_error();
  }
  return EndMark(std::move(mark));
}

void EndMark::write(const Position& end) const {
  std::array<char, kBytes> text{};
  fmt::format_to_n(text.begin(), text.size(), "{:016x}.{:016x}\n", end.epoch, end.offset);
  [[maybe_unused]] const ssize_t written = ::pwrite(file_.get(), text.data(), text.size(), 0);
}

}  // namespace vrelo::log::sqlite
