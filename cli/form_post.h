// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/token_file.h"
#include "sse/client/connection.h"
#include "sse/client/event_source.h"
#include "sse/client/response_reader.h"
#include "sse/client/task.h"
#include "sse/client/url.h"

namespace vrelo::cli {

// Sends one form over a connection of its own, and reads the answer.
//
// Threads: one, that of its loop. Lifetime: must outlive send(); `network` must outlive it.
class FormPost {
 public:
  static constexpr std::chrono::seconds kTime{30};  // for all of it
  static constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 16;

  explicit FormPost(const sse::client::Network& network);

  FormPost(const FormPost&) = delete;
  FormPost& operator=(const FormPost&) = delete;

  // Returns the body of an answer with a status of success, else why there is none.
  // Order: once.
  struct Answer {
    std::string body = {};
    std::optional<sse::client::Failure> failure = {};
  };
  sse::client::Task<Answer> send(sse::client::Url url, Fields fields, std::string form);

 private:
  sse::client::Task<boost::system::error_code> exchange(sse::client::Url url, std::string bytes);
  sse::client::Task<boost::system::error_code> read_answer();

  sse::client::Connection connection_;
  sse::client::ResponseReader reader_;
  std::vector<char> buffer_;
  bool had_answer_ = false;
  bool is_late_ = false;
  std::unique_ptr<sse::client::Alarm> deadline_;
};

}  // namespace vrelo::cli
