// SPDX-License-Identifier: Apache-2.0
#include "hub/base/setting_text.h"

#include <cctype>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <boost/asio/ip/address.hpp>

namespace vrelo::base {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// The first that divides a value is the one it is shown in.
constexpr Unit kByteUnits[] = {
    {"TiB", std::uint64_t{1} << 40},
    {"GiB", std::uint64_t{1} << 30},
    {"MiB", std::uint64_t{1} << 20},
    {"KiB", std::uint64_t{1} << 10},
    {"", 1},
    {"B", 1},
    {"kB", 1'000},
    {"MB", 1'000'000},
    {"GB", 1'000'000'000},
    {"TB", 1'000'000'000'000},
};
constexpr std::size_t kByteUnitsShown = 5;

constexpr Unit kTimeUnits[] = {
    {"d", 86'400'000}, {"h", 3'600'000}, {"min", 60'000}, {"s", 1'000}, {"ms", 1}, {"", 1'000},
};
constexpr std::size_t kTimeUnitsShown = 5;

bool equal_but_for_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(a[i])) !=
        std::tolower(static_cast<unsigned char>(b[i]))) {
      return false;
    }
  }
  return true;
}

// Reads digits, spaces and a unit. nullopt: it is anything else, or more than `max`.
std::optional<std::uint64_t> parse_with_unit(std::string_view text,
                                             std::span<const Unit> units,
                                             std::uint64_t max) {
  std::uint64_t number = 0;
  const auto [rest, errc] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (errc != std::errc()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  const bool spaced = text.starts_with(' ');
  text.remove_prefix(spaced ? 1 : 0);
  for (const Unit& unit : units) {
    if (equal_but_for_case(text, unit.name) && !(spaced && text.empty())) {
      return number > max / unit.factor ? std::nullopt : std::optional(number * unit.factor);
    }
  }
  return std::nullopt;
}

std::string format_with_unit(std::uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value % unit.factor == 0 && value != 0) {
      return fmt::format("{}{}{}", value / unit.factor, unit.name.empty() ? "" : " ", unit.name);
    }
  }
  return "0";
}

}  // namespace

Parsed<std::uint64_t> parse_bytes(std::string_view text) {
  const auto bytes = parse_with_unit(text, kByteUnits, std::numeric_limits<std::int64_t>::max());
  if (!bytes) {
    return Fault{
        "is not a size: a whole number, alone (bytes) or with kB, MB, GB, TB, KiB, MiB, GiB "
        "or TiB, as in \"64 MiB\""};
  }
  return *bytes;
}

std::string format_bytes(std::uint64_t bytes) {
  return format_with_unit(bytes, std::span(kByteUnits).first(kByteUnitsShown));
}

Parsed<std::chrono::milliseconds> parse_duration(std::string_view text) {
  // A hundred years: sums of a few of them stay far from the end of every clock.
  constexpr std::uint64_t kMax = 36'525 * std::uint64_t{86'400'000};
  const auto duration = parse_with_unit(text, kTimeUnits, kMax);
  if (!duration) {
    return Fault{
        "is not a duration: a whole number, alone (seconds) or with ms, s, min, h or d, as in "
        "\"15s\""};
  }
  return std::chrono::milliseconds(*duration);
}

std::string format_duration(std::chrono::milliseconds duration) {
  std::string text = format_with_unit(static_cast<std::uint64_t>(duration.count()),
                                      std::span(kTimeUnits).first(kTimeUnitsShown));
  std::erase(text, ' ');
  return text;
}

Parsed<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t count = 0;
  const auto [rest, errc] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (errc != std::errc() || rest != text.data() + text.size()) {
    return Fault{"is not a whole number"};
  }
  return count;
}

Parsed<bool> parse_switch(std::string_view text) {
  if (text != "true" && text != "false") {
    return Fault{"is neither \"true\" nor \"false\""};
  }
  return text == "true";
}

Parsed<boost::asio::ip::tcp::endpoint> parse_endpoint(std::string_view text) {
  const Fault fault{"is not ADDRESS:PORT, as in \"127.0.0.1:3000\" or \"[::1]:3000\""};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return fault;
  }
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(
      host == "localhost" && !bracketed ? "127.0.0.1" : std::string(host), error);
  const auto port = parse_count(text.substr(colon + 1));
  if (error || address.is_v6() != bracketed || !port ||
      *port > std::numeric_limits<std::uint16_t>::max()) {
    return fault;
  }
  return boost::asio::ip::tcp::endpoint(address, static_cast<std::uint16_t>(*port));
}

std::string format_endpoint(const boost::asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  return fmt::format(fmt::runtime(address.is_v6() ? "[{}]:{}" : "{}:{}"), address.to_string(),
                     endpoint.port());
}

}  // namespace vrelo::base
