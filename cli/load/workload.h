// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include <boost/asio/ip/tcp.hpp>

namespace vrelo::cli::load {

// Where requests go, and what they have in common.
struct Target {
  boost::asio::ip::tcp::endpoint address;
  std::string authority;  // the value of the field Host
  std::string path;       // with its query
  std::vector<std::pair<std::string, std::string>> fields;

  // Request n shows token n; after the last comes the first again. Empty: none.
  std::vector<std::string> tokens = {};
};

// What a server is to be loaded with.
struct Workload {
  // GET requests, each of which opens a stream. In `stream.path` and `stream.fields`, "{reader}"
  // becomes the reader's number, from 0 on.
  Target stream;
  std::size_t readers = 100;
  std::size_t stalled = 0;           // of them: they do not read until all others have everything
  std::size_t connecting_max = 256;  // streams that are being opened at one time

  // Requests, each of which publishes an event. In `body`, "{message}" becomes what the engine
  // knows its events by, which has no character that JSON or a form would escape, "{number}" the
  // event's number, from 0 on, and "{random}" 16 digits that no other event has.
  Target publish;
  std::string method = "POST";
  std::string content_type = "application/x-www-form-urlencoded";
  std::string body = "{message}";
  std::size_t events = 1000;
  double rate = 100;           // a second; 0: as fast as the answers allow
  std::size_t publishers = 1;  // connections; they take turns
  std::size_t pipeline = 1;    // requests on one of them that are not answered yet
  std::size_t message_bytes = 128;

  std::chrono::milliseconds settle{500};      // between the last stream's head and the first event
  std::chrono::milliseconds patience{10000};  // without any progress
  std::vector<pid_t> servers;  // the processes whose CPU time and memory count; perhaps none
};

// Returns the field that shows the token of request `number`, with its line end; "": there is none.
std::string token_field(const Target& target, std::size_t number);

}  // namespace vrelo::cli::load
