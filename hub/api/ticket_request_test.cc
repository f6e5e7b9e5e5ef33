// SPDX-License-Identifier: Apache-2.0
#include "hub/api/ticket_request.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hub/api/request_testing.h"

namespace vrelo::api {
namespace {

using Fields = std::vector<http::Field>;

constexpr std::string_view kTicketText = "vt_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
constexpr std::string_view kProof = "~AQIDG_lqYOFHdr1o62M-hg";

// What an EventSource sends.
Fields native(const Fields& more = {}) {
  Fields fields = {{"Accept", "text/event-stream"}, {"User-Agent", "Mozilla/5.0"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

TicketRequest redeeming(std::string_view query, const Fields& fields = native()) {
  const TestRequest request(subscribe_parts(query, fields));
  auto wanted = read_ticket_request(*request, {});
  EXPECT_TRUE(wanted) << wanted.error().title << " " << wanted.error().field;
  return wanted ? *std::move(wanted) : TicketRequest{};
}

std::string ticket_query(std::string_view more = "") {
  return fmt::format("ticket={}{}", kTicketText, more);
}

TEST(TicketRequest, has_a_ticket_if_it_is_of_the_form_of_one) {
  EXPECT_EQ(redeeming(ticket_query()).ticket, auth::ticket_hash(kTicketText));
  EXPECT_EQ(redeeming("ticket=vt_").ticket, std::nullopt);
  EXPECT_EQ(redeeming("ticket").ticket, std::nullopt);
  EXPECT_TRUE(has_ticket("a=b&%74icket"));
  EXPECT_FALSE(has_ticket("a=ticket&tickets=1"));
}

TEST(TicketRequest, has_a_cursor_as_it_stands_and_the_proof_of_the_header) {
  const std::string id = "#YbS8s3QRqIY.41";
  const std::string proven = id + std::string(kProof);
  const auto from_header = redeeming(ticket_query(), native({{"Last-Event-ID", proven}}));
  EXPECT_EQ(from_header.cursor, proven) << "an id of a publisher's may end like this";
  EXPECT_EQ(from_header.proof, kProof);
  const auto from_query = redeeming(ticket_query("&last_event_id=x" + std::string(kProof)));
  EXPECT_EQ(from_query.cursor, "x" + std::string(kProof));
  EXPECT_EQ(from_query.proof, "");
  const auto plain = redeeming(ticket_query("&lastEventId=y"));
  EXPECT_EQ(plain.cursor, "y");
  EXPECT_EQ(redeeming(ticket_query()).cursor, std::nullopt);
}

TEST(TicketRequest, is_told_by_what_a_repeated_request_has_again) {
  const auto print = [](const Fields& fields) {
    return redeeming(ticket_query(), fields).fingerprint;
  };
  const auto same =
      print(native({{"Origin", "http://localhost:3000"}, {"Sec-Fetch-Mode", "cors"}}));
  EXPECT_EQ(same, print({{"sec-fetch-mode", "cors"},
                         {"user-agent", "Mozilla/5.0"},
                         {"Cookie", "a=b"},
                         {"X-Forwarded-For", "10.0.0.1"},
                         {"Last-Event-ID", "1"},
                         {"origin", "http://localhost:3000"},
                         {"accept", "text/event-stream"}}));
  for (const http::Field& other :
       {http::Field{"User-Agent", "b"}, http::Field{"Accept-Language", "de"},
        http::Field{"Sec-CH-UA", "x"}, http::Field{"Sec-CH-UA-Mobile", "x"},
        http::Field{"Sec-Fetch-Site", "x"}, http::Field{"Sec-Fetch-Dest", "x"},
        http::Field{"Accept-Encoding", "br"}, http::Field{"Origin", "http://localhost:3000"}}) {
    EXPECT_NE(print(native()), print(native({other}))) << other.name;
  }
  TestRequest::Parts elsewhere = subscribe_parts(ticket_query(), native());
  elsewhere.host = "127.0.0.1:3000";
  EXPECT_NE(read_ticket_request(*TestRequest(elsewhere), {})->fingerprint, print(native()));
}

TEST(TicketRequest, is_none_of_which_one_of_several_fields_says_that_no_script_wants_a_stream) {
  for (const auto& [first, second] : {std::pair("cors", "navigate"), {"navigate", "cors"}}) {
    const TestRequest request(subscribe_parts(
        ticket_query(), native({{"Sec-Fetch-Mode", first}, {"sec-fetch-mode", second}})));
    const auto wanted = read_ticket_request(*request, {});
    ASSERT_FALSE(wanted);
    EXPECT_EQ(wanted.error().status, 403);
    EXPECT_EQ(wanted.error().field, "Sec-Fetch-Mode");
  }
}

TEST(TicketRequest, keeps_the_form_of_a_ticket_apart_from_its_streams_query) {
  base::TopicPatterns patterns(base::UrlBase::make("https://hub.example/.well-known/mercure"));
  const TestRequest request(publish_parts(
      "ttl=5&match=a%20b&label=l&x&authorization=secret&last_event_id=7&lastEventID=8"));
  const auto wish = read_ticket_wish(*request, {}, patterns);
  ASSERT_TRUE(wish);
  EXPECT_EQ(wish->query, "match=a%20b&last_event_id=7&lastEventID=8");
  EXPECT_EQ(wish->ttl, std::chrono::seconds(5));
  EXPECT_EQ(wish->label, "l");
}

}  // namespace
}  // namespace vrelo::api
