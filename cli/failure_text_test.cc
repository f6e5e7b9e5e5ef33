// SPDX-License-Identifier: Apache-2.0
#include "cli/failure_text.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include "cli/commands.h"
#include "hub/base/text.h"
#include "sse/client/connection.h"
#include "sse/errc.h"

namespace vrelo::cli {
namespace {

using sse::client::Errc;
using sse::client::Failure;

const sse::client::Url kUrl{.host = "hub.example", .port = 81, .path = "/", .query = ""};

Failure refusal(int status, std::string_view content_type, std::string body) {
  return {.error = Errc::kRefused,
          .had_answer = true,
          .status = status,
          .content_type = std::string(content_type),
          .body = std::move(body)};
}

TEST(FailureText, repeats_what_the_hub_says) {
  const auto tls = sse::client::make_tls_context();  // OpenSSL then knows its errors by name
  const struct {
    const char* what;
    Failure failure;
    std::string_view text;
  } cases[] = {
      {"a field and a detail",
       refusal(400, "application/problem+json",
               R"({"title":"bad field","detail":"it has a line break","field":"topic"})"),
       "the hub refused (400): topic: it has a line break"},
      {"a whole sentence",
       refusal(400, "application/problem+json", R"({"detail":"It is empty.","field":"topic"})"),
       "the hub refused (400): topic: It is empty"},
      {"a title",
       refusal(403, "application/problem+json; charset=utf-8", R"({"title":"not allowed"})"),
       "the hub refused (403): not allowed"},
      {"no words", refusal(400, "application/problem+json", R"({"field":"topic"})"),
       "the hub refused (400): Bad Request"},
      {"other types of members", refusal(400, "application/json", R"({"title":1,"detail":null})"),
       "the hub refused (400): Bad Request"},
      {"JSON that is none", refusal(500, "application/json", "{"),
       "the hub refused (500): Internal Server Error"},
      {"a text", refusal(404, "text/plain", "no such page\nat all"),
       "the hub refused (404): no such page"},
      {"a page", refusal(404, "text/html", "<html><body>nginx"),
       "the hub refused (404): Not Found"},
      {"bytes", refusal(503, "", "\xFF\xFE"), "the hub refused (503): Service Unavailable"},
      {"a status that no standard has", refusal(799, "", ""), "the hub refused (799)"},
      {"an answer to a publish that is no id", refusal(200, "text/html", "<html>"),
       "the answer is not the id of an event: it is text/html"},
      {"an attack on the terminal", refusal(500, "text/plain", "\x1B]0;x\x07"),
       "the hub refused (500): \\u{1B}]0;x\\u{07}"},
      {"another type",
       {.error = Errc::kNotEventStream, .status = 200, .content_type = "text/html"},
       "the answer is not an event stream: it is text/html"},
      {"no type",
       {.error = Errc::kNotEventStream, .status = 200},
       "the answer is not an event stream: it has no type"},
      {"nobody there",
       {.error = boost::asio::error::connection_refused},
       "hub.example:81: Connection refused"},
      {"nobody there any more",
       {.error = boost::asio::error::connection_refused, .had_answer = true},
       "hub.example:81: Connection refused"},
      {"somebody who speaks no TLS",
       {.error = {ERR_PACK(ERR_LIB_SSL, 0, SSL_R_WRONG_VERSION_NUMBER),
                  boost::asio::error::get_ssl_category()}},
       "hub.example:81: TLS failed: wrong version number (SSL routines)"},
      {"an event that is too big",
       {.error = sse::Errc::kEventTooBig, .had_answer = true},
       "the event is larger than the limit"},
      {"somebody who went away", {.error = Errc::kCut, .had_answer = true}, "the connection broke"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(failure_text(c.failure, kUrl), c.text);
  }
}

TEST(Advice, says_what_to_do_about_what_does_not_speak_for_itself) {
  const auto tls = sse::client::make_tls_context();
  const sse::client::Url hub{.host = "a", .path = "/.well-known/mercure", .query = ""};
  const sse::client::Url with_ticket{
      .host = "a", .path = "/.well-known/mercure", .query = "?ticket=vt_a"};
  const sse::client::Url elsewhere{.host = "a", .path = "/hub", .query = ""};
  const sse::client::Url tickets{.host = "a", .path = "/.well-known/mercure/tickets", .query = ""};
  const sse::client::Url wrong_tickets{.host = "a", .path = "/hub/tickets", .query = ""};
  const sse::client::Url secure{.is_tls = true, .host = "a", .path = "/hub", .query = ""};
  const Failure no_tls{.error = {ERR_PACK(ERR_LIB_SSL, 0, SSL_R_WRONG_VERSION_NUMBER),
                                 boost::asio::error::get_ssl_category()}};
  const struct {
    Failure failure;
    const sse::client::Url& url;
    std::string_view text;
  } cases[] = {
      {{.error = boost::asio::error::connection_refused}, hub, "; is a hub running there?"},
      {no_tls, secure, "; if it speaks no TLS, its URL begins with http://"},
      {{.error = Errc::kNotHttp}, elsewhere, "; if it speaks TLS, its URL begins with https://"},
      {{.error = Errc::kNotHttp}, secure, ""},
      {refusal(404, "", ""), elsewhere, "; the path of a hub is /.well-known/mercure"},
      {refusal(405, "", ""), elsewhere, "; the path of a hub is /.well-known/mercure"},
      {refusal(200, "", ""), elsewhere, "; the path of a hub is /.well-known/mercure"},
      {refusal(401, "", ""), hub,
       "; --token-file FILE shows a token, and vrelo token inspect FILE tells what is wrong with "
       "it"},
      {refusal(404, "", ""), tickets, "; a hub has tickets where it has keys"},
      {refusal(404, "", ""), wrong_tickets, "; the path of a hub is /.well-known/mercure"},
      {refusal(401, "", ""), with_ticket,
       "; a ticket opens one stream, and soon: vrelo ticket gets another"},
      {refusal(404, "", ""), hub, ""},
      {refusal(400, "", ""), elsewhere, ""},
      {{.error = Errc::kNotEventStream, .status = 200}, elsewhere, ""},
      {{.error = sse::Errc::kEventTooBig}, hub, " of 32 MiB"},
      {{.error = Errc::kCut}, hub, ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(advice(c.failure, c.url), c.text);
  }
}

TEST(FailureText, is_short_whatever_the_hub_says) {
  std::string long_text = "a";
  for (int i = 0; i < 10'000; ++i) {
    long_text += "\u00FC";
  }
  const std::string text = failure_text(refusal(500, "text/plain", long_text), kUrl);
  EXPECT_LT(text.size(), 250U);
  EXPECT_TRUE(base::is_utf8(text));
  EXPECT_TRUE(text.ends_with("\u00FC"));
}

TEST(FailureStatus, tells_a_hub_that_is_not_there_from_one_that_refuses) {
  EXPECT_EQ(failure_status({.error = boost::asio::error::connection_refused}), kNotConnected);
  EXPECT_EQ(failure_status(refusal(400, "", "")), kFailed);
}

TEST(DelayText, has_a_unit_that_fits) {
  EXPECT_EQ(delay_text(std::chrono::milliseconds(500)), "0.5 s");
  EXPECT_EQ(delay_text(std::chrono::milliseconds(1250)), "1.2 s");
  EXPECT_EQ(delay_text(std::chrono::seconds(300)), "5 min");
}

}  // namespace
}  // namespace vrelo::cli
