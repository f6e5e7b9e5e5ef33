// SPDX-License-Identifier: Apache-2.0
//
// The input is a value of Accept, a line end, a value of Last-Event-ID, a line end, and a query.
// Properties: what is read is within the limits and can be sent on; pairs that mean nothing change
// nothing; what is refused has a name and a field.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/api/answers.h"
#include "hub/api/subscribe_request.h"
#include "hub/base/text.h"
#include "hub/http/form.h"

namespace vrelo::api {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

using Read = boost::system::result<SubscribeRequest, http::Problem>;

Read read(std::string_view accept, std::string_view cursor, std::string_view query) {
  http::Request request;
  request.method = http::Method::kGet;
  request.query = query;
  request.fields = {{"Accept", accept}, {"Last-Event-ID", cursor}};
  static base::TopicPatterns patterns(
      base::UrlBase::make("https://hub.example.com/.well-known/mercure"));
  return read_subscribe(request, {.selectors_max = 4, .selector_bytes_max = 20}, patterns);
}

std::string_view take_line(std::string_view& input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view line = input.substr(0, end);
  input.remove_prefix(std::min(end + 1, input.size()));
  return line;
}

void check(std::string_view input) {
  const std::string_view accept = take_line(input);
  const std::string_view cursor = take_line(input);
  const std::string_view query = input;

  const Read read_once = read(accept, cursor, query);
  if (!read_once) {
    const http::Problem& problem = read_once.error();
    require(problem.status == 400 || problem.status == 406);
    require(!problem.title.empty() && !problem.field.empty());
    return;
  }
  const log::Selection& selection = read_once->selection;
  require(selection.all == (selection.topics.empty() && selection.patterns.empty()));
  for (const base::TopicPatternPtr& pattern : selection.patterns) {
    require(pattern->text().size() <= 20 && !base::find_fault(pattern->text()));
  }
  require(std::is_sorted(selection.topics.begin(), selection.topics.end()));
  for (const std::string& topic : selection.topics) {
    require(topic.size() <= 20 && topic != "*" && !base::find_fault(topic));
  }
  require(read_once->cursor.has_value());  // the field is there, if only empty
  require(!base::find_fault(*read_once->cursor));
  const std::string head = stream_head({}, read_once->generation, *read_once->cursor);
  require(std::count(head.begin(), head.end(), '\r') == std::count(head.begin(), head.end(), '\n'));

  const Read read_again = read(accept, cursor, "&&x=1&" + std::string(query) + "&utm=%FF&");
  require(read_again && read_again->selection == selection &&
          read_again->cursor == read_once->cursor &&
          read_again->generation == read_once->generation);
}

}  // namespace
}  // namespace vrelo::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  vrelo::api::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
