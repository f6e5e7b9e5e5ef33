// SPDX-License-Identifier: Apache-2.0
//
// The input is a value of Last-Event-ID, a line end, and a query, which is also tried as a form.
// Properties: what is read has no selector, and a proof of the header's alone; what is minted is a
// query that is read alike once more; what is refused has a name and a status.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/api/subscribe_request.h"
#include "hub/api/ticket_request.h"
#include "hub/auth/proof.h"
#include "hub/base/text.h"

namespace vrelo::api {
namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check_redeeming(std::string_view cursor, std::string_view query) {
  http::Request request;
  request.method = http::Method::kGet;
  request.query = query;
  request.fields = {{"Accept", "text/event-stream"}, {"Last-Event-ID", cursor}};
  const auto wanted = read_ticket_request(request, {});
  if (!wanted) {
    require(wanted.error().status == 400 && !wanted.error().field.empty());
    return;
  }
  require(!wanted->ticket || has_ticket(query));
  require(wanted->proof.empty() || cursor.ends_with(wanted->proof));
  require(wanted->cursor && !base::find_fault(*wanted->cursor));

  // A ticket is the same whatever is beside it.
  const std::string longer = "&x=1&" + std::string(query) + "&y";
  request.query = longer;
  const auto again = read_ticket_request(request, {});
  require(again && again->ticket == wanted->ticket && again->cursor == wanted->cursor &&
          again->proof == wanted->proof && again->fingerprint == wanted->fingerprint);
}

void check_minting(std::string_view form) {
  static base::TopicPatterns patterns(
      base::UrlBase::make("https://hub.example.com/.well-known/mercure"));
  const Policy policy{.selectors_max = 4, .selector_bytes_max = 20};
  http::Request request;
  request.method = http::Method::kPost;
  request.body = form;
  request.fields = {{"Content-Type", "application/x-www-form-urlencoded"}};
  const auto wish = read_ticket_wish(request, policy, patterns);
  if (!wish) {
    require(wish.error().status == 400 || wish.error().status == 413);
    return;
  }
  require(wish->ttl.count() >= 1 && wish->ttl <= kTicketTimeMax);
  require(wish->label.size() <= kLabelBytesMax && !base::find_fault(wish->label));
  const auto query = read_stream_query(wish->query, std::nullopt, policy, patterns);
  require(query.has_value());
  request.body = wish->query;
  const auto again = read_ticket_wish(request, policy, patterns);
  require(again && again->query == wish->query);
}

void check(std::string_view input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view rest = input.substr(std::min(end + 1, input.size()));
  check_redeeming(input.substr(0, end), rest);
  check_minting(rest);
}

}  // namespace
}  // namespace vrelo::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  vrelo::api::check({reinterpret_cast<const char*>(input), size});
  return 0;
}
