// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vrelo::cli::load {

// What an event of a run says of itself.
struct Message {
  std::size_t number = 0;                      // of the event in its run
  std::chrono::steady_clock::time_point sent;  // when it was published, or was to be

  friend bool operator==(const Message&, const Message&) = default;
};

// Writes and finds messages in the data of events, by a name that the run has for itself, so that
// events of another run beside it are told apart.
class Messages {
 public:
  // `run`: letters and digits.
  explicit Messages(std::string_view run);

  // Returns a message's text, filled up to `bytes` bytes where it is shorter. Nothing in it has to
  // be escaped in JSON, in a form or in an event stream.
  std::string write(const Message& message, std::size_t bytes) const;

  // Returns the first message in `data`, wherever it stands there, or nullopt.
  //
  // Cost: linear, no allocation.
  std::optional<Message> find(std::string_view data) const;

 private:
  std::string prefix_;
};

// Returns `text` with `value` in each place of `placeholder`.
std::string replaced(std::string_view text, std::string_view placeholder, std::string_view value);

}  // namespace vrelo::cli::load
