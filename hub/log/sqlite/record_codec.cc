// SPDX-License-Identifier: Apache-2.0
#include "hub/log/sqlite/record_codec.h"

#include <cassert>
#include <cstdint>
#include <utility>

#include "hub/log/sqlite/varint.h"

namespace vrelo::log::sqlite {
namespace {

constexpr unsigned kPrivate = 1;
constexpr unsigned kRetry = 2;

void put_text(std::string_view text, std::string& out) {
  put_varint(text.size(), out);
  out += text;
}

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  bool at_end() const { return rest_.empty(); }

  std::optional<unsigned> byte() {
    if (rest_.empty()) {
      return std::nullopt;
    }
    const auto value = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }

  std::optional<std::uint64_t> varint() { return take_varint(rest_); }

  bool text(std::string& out) {
    const auto size = varint();
    if (!size || *size > rest_.size()) {
      return false;
    }
    out.assign(rest_.substr(0, *size));
    rest_.remove_prefix(*size);
    return true;
  }

  std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

// What log::Event promises of id and type, and sse::encode() demands.
bool is_one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace

void encode_event(const Event& event, std::string& out) {
  assert(!event.topics.empty());
  constexpr std::size_t kLengthBytesUsual = 2;
  std::size_t size = out.size() + event.id.size() + event.type.size() + event.data.size();
  for (const std::string& topic : event.topics) {
    size += topic.size() + kLengthBytesUsual;
  }
  out.reserve(size + 16);

  out += static_cast<char>((event.is_private ? kPrivate : 0) | (event.retry ? kRetry : 0));
  if (event.retry) {
    put_varint(zigzag(event.retry->count()), out);
  }
  put_varint(event.topics.size(), out);
  for (const std::string& topic : event.topics) {
    put_text(topic, out);
  }
  put_text(event.id, out);
  put_text(event.type, out);
  put_text(event.data, out);
}

std::optional<Event> decode_event(std::string_view bytes) {
  Reader reader(bytes);
  Event event{.topics = {}};
  const auto flags = reader.byte();
  if (!flags || (*flags & ~(kPrivate | kRetry)) != 0) {
    return std::nullopt;
  }
  event.is_private = (*flags & kPrivate) != 0;
  if ((*flags & kRetry) != 0) {
    const auto retry = reader.varint();
    if (!retry) {
      return std::nullopt;
    }
    event.retry = std::chrono::milliseconds(unzigzag(*retry));
  }
  const auto topics = reader.varint();
  // Each topic takes at least the byte of its length.
  if (!topics || *topics == 0 || *topics > reader.left()) {
    return std::nullopt;
  }
  event.topics.resize(*topics);
  for (std::string& topic : event.topics) {
    if (!reader.text(topic)) {
      return std::nullopt;
    }
  }
  if (!reader.text(event.id) || !reader.text(event.type) || !reader.text(event.data) ||
      !reader.at_end() || !is_one_line(event.id) || !is_one_line(event.type)) {
    return std::nullopt;
  }
  return event;
}

}  // namespace vrelo::log::sqlite
