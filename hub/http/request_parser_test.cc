// SPDX-License-Identifier: Apache-2.0
#include "hub/http/request_parser.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vrelo::http {
namespace {

using std::string_literals::operator""s;
using std::string_view_literals::operator""sv;
using testing::ElementsAre;
using Progress = RequestParser::Progress;

constexpr std::string_view kPublish =
    "POST /.well-known/mercure?a=1 HTTP/1.1\r\n"
    "Host: hub.example:8080\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: 7\r\n"
    "\r\n"
    "topic=a";

std::string get(std::string_view fields) {
  return "GET / HTTP/1.1\r\n" + std::string(fields) + "\r\n";
}

std::string chunked(std::string_view chunks) {
  return "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(chunks);
}

Problem refusal(std::string_view bytes, RequestLimits limits = {}) {
  RequestParser parser(limits);
  parser.feed(bytes);
  EXPECT_EQ(parser.next(), Progress::kRefused);
  return parser.problem();
}

// The bodies of the requests in `bytes`, handed in one by one.
std::vector<std::string> bodies_bytewise(std::string_view bytes) {
  RequestParser parser;
  std::vector<std::string> bodies;
  for (const char& byte : bytes) {
    parser.feed({&byte, 1});
    if (parser.next() == Progress::kRequest) {
      bodies.emplace_back(parser.request().body);
    }
  }
  EXPECT_TRUE(parser.idle());
  return bodies;
}

TEST(RequestParser, gives_all_parts_of_a_request) {
  RequestParser parser;
  parser.feed(kPublish);
  ASSERT_EQ(parser.next(), Progress::kRequest);
  const Request& request = parser.request();
  EXPECT_EQ(request.method, Method::kPost);
  EXPECT_EQ(request.method_name, "POST");
  EXPECT_EQ(request.path, "/.well-known/mercure");
  EXPECT_EQ(request.query, "a=1");
  EXPECT_EQ(request.host, "hub.example:8080");
  EXPECT_EQ(request.minor_version, 1);
  EXPECT_TRUE(request.keep_alive);
  EXPECT_EQ(request.body, "topic=a");
  EXPECT_EQ(request.field("content-TYPE"), "application/x-www-form-urlencoded");
  EXPECT_EQ(request.field("Origin"), std::nullopt);
  EXPECT_EQ(request.fields.size(), 3);
  EXPECT_EQ(parser.next(), Progress::kNeedMore);
}

TEST(RequestParser, counts_a_field_that_comes_more_than_once) {
  RequestParser parser;
  parser.feed(get("Host: x\r\nAccept: a\r\naccept: b\r\n"));
  ASSERT_EQ(parser.next(), Progress::kRequest);
  EXPECT_EQ(parser.request().count("ACCEPT"), 2);
  EXPECT_EQ(parser.request().field("Accept"), "a");
}

TEST(RequestParser, trims_a_value_and_keeps_what_is_in_it) {
  RequestParser parser;
  parser.feed(get("Host:x\r\nA: \t b\tc \t\r\nB:\r\nLast-Event-ID: \xc3\xa9\r\n"));
  ASSERT_EQ(parser.next(), Progress::kRequest);
  EXPECT_EQ(parser.request().field("A"), "b\tc");
  EXPECT_EQ(parser.request().field("B"), "");
  EXPECT_EQ(parser.request().field("Last-Event-ID"), "\xc3\xa9");
}

TEST(RequestParser, gives_pipelined_requests_one_by_one) {
  RequestParser parser;
  parser.feed(std::string(kPublish) + get("Host: b\r\n") + std::string(kPublish).substr(0, 50));
  ASSERT_EQ(parser.next(), Progress::kRequest);
  EXPECT_EQ(parser.request().body, "topic=a");
  EXPECT_FALSE(parser.idle());
  ASSERT_EQ(parser.next(), Progress::kRequest);
  EXPECT_EQ(parser.request().host, "b");
  EXPECT_EQ(parser.request().body, "");
  EXPECT_EQ(parser.request().query, "");
  ASSERT_EQ(parser.next(), Progress::kNeedMore);
  EXPECT_FALSE(parser.idle());
  parser.feed(kPublish.substr(50));
  ASSERT_EQ(parser.next(), Progress::kRequest);
  EXPECT_EQ(parser.request().body, "topic=a");
  EXPECT_TRUE(parser.idle());
}

TEST(RequestParser, keeps_what_follows_a_request_when_more_is_fed_before_the_next) {
  RequestParser parser;
  parser.feed(std::string(kPublish) + "GET /b HTTP/1.1\r\n");
  ASSERT_EQ(parser.next(), Progress::kRequest);
  EXPECT_EQ(parser.unread(), "GET /b HTTP/1.1\r\n");
  parser.feed("Host: x\r\n\r\n");
  ASSERT_EQ(parser.next(), Progress::kRequest);
  EXPECT_EQ(parser.request().path, "/b");
}

TEST(RequestParser, takes_bytes_one_by_one) {
  const std::string stream = std::string(kPublish) + get("Host: b\r\n") +
                             chunked("2\r\nab\r\n0\r\n\r\n") + std::string(kPublish);
  EXPECT_THAT(bodies_bytewise(stream), ElementsAre("topic=a", "", "ab", "topic=a"));
}

TEST(RequestParser, reads_each_form_of_target) {
  const struct {
    const char* what;
    std::string_view line;
    std::string_view path;
    std::string_view query;
    std::string_view host;
  } cases[] = {
      {"a path", "GET /a%2Fb HTTP/1.1", "/a%2Fb", "", "field"},
      {"a query", "GET /a?b?c HTTP/1.1", "/a", "b?c", "field"},
      {"an empty query", "GET /a? HTTP/1.1", "/a", "", "field"},
      {"a whole URL overrides Host", "GET http://hub:1/a?b HTTP/1.1", "/a", "b", "hub:1"},
      {"a whole URL without a path", "GET HTTPS://hub HTTP/1.1", "/", "", "hub"},
      {"the same with a query", "GET http://hub?q HTTP/1.1", "/", "q", "hub"},
      {"the server itself", "OPTIONS * HTTP/1.1", "*", "", "field"},
      {"bytes that should have been escaped", "GET /?\xc3\xa9{} HTTP/1.1", "/", "\xc3\xa9{}",
       "field"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    RequestParser parser;
    parser.feed(std::string(c.line) + "\r\nHost: field\r\n\r\n");
    ASSERT_EQ(parser.next(), Progress::kRequest);
    EXPECT_EQ(parser.request().path, c.path);
    EXPECT_EQ(parser.request().query, c.query);
    EXPECT_EQ(parser.request().host, c.host);
  }
}

TEST(RequestParser, knows_the_methods_that_the_hub_serves) {
  const struct {
    std::string_view name;
    Method method;
  } cases[] = {{"GET", Method::kGet},         {"HEAD", Method::kHead}, {"POST", Method::kPost},
               {"OPTIONS", Method::kOptions}, {"get", Method::kOther}, {"DELETE", Method::kOther},
               {"QUERY", Method::kOther},     {"M-x!", Method::kOther}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    RequestParser parser;
    parser.feed(std::string(c.name) + " / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_EQ(parser.next(), Progress::kRequest);
    EXPECT_EQ(parser.request().method, c.method);
    EXPECT_EQ(parser.request().method_name, c.name);
  }
}

TEST(RequestParser, knows_whether_the_connection_stays) {
  const struct {
    const char* what;
    std::string_view head;
    bool keep_alive;
  } cases[] = {
      {"1.1", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true},
      {"1.1 with close", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", false},
      {"close in a list", "GET / HTTP/1.1\r\nHost: x\r\nConnection: te, close\r\n\r\n", false},
      {"1.0", "GET / HTTP/1.0\r\n\r\n", false},
      {"1.0 with keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    RequestParser parser;
    parser.feed(c.head);
    ASSERT_EQ(parser.next(), Progress::kRequest);
    EXPECT_EQ(parser.request().keep_alive, c.keep_alive);
  }
}

TEST(RequestParser, takes_a_request_of_http_1_0_without_host) {
  RequestParser parser;
  parser.feed("POST /a HTTP/1.0\r\nContent-Length: 1\r\n\r\nx");
  ASSERT_EQ(parser.next(), Progress::kRequest);
  EXPECT_EQ(parser.request().minor_version, 0);
  EXPECT_EQ(parser.request().host, "");
  EXPECT_EQ(parser.request().body, "x");
}

TEST(RequestParser, skips_one_empty_line_before_a_request) {
  RequestParser parser;
  parser.feed("\r\n" + get("Host: x\r\n") + "\r\n" + get("Host: y\r\n"));
  EXPECT_EQ(parser.next(), Progress::kRequest);
  EXPECT_EQ(parser.next(), Progress::kRequest);
  EXPECT_EQ(parser.request().host, "y");
  EXPECT_EQ(refusal("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n").title, "malformed method");
}

TEST(RequestParser, refuses_what_two_servers_could_read_differently) {
  const std::string host = "Host: x\r\n";
  const struct {
    const char* what;
    std::string bytes;
    std::string_view title;
    std::string_view field;
  } cases[] = {
      {"no Host", get(""), "missing Host", "Host"},
      {"empty Host", get("Host:\r\n"), "malformed Host", "Host"},
      {"two Hosts", get("Host: x\r\nhost: x\r\n"), "repeated Host", "Host"},
      {"two Hosts in one field", get("Host: x, y\r\n"), "malformed Host", "Host"},
      {"user information in Host", get("Host: a@x\r\n"), "malformed Host", "Host"},
      {"a path in Host", get("Host: x/y\r\n"), "malformed Host", "Host"},
      {"two lengths", get(host + "Content-Length: 0\r\nContent-Length: 0\r\n"),
       "malformed Content-Length", "Content-Length"},
      {"two lengths in one field", get(host + "Content-Length: 0, 0\r\n"),
       "malformed Content-Length", "Content-Length"},
      {"two lengths that differ", get(host + "Content-Length: 1\r\nContent-Length: 0\r\n"),
       "malformed Content-Length", "Content-Length"},
      {"a signed length", get(host + "Content-Length: +1\r\n"), "malformed Content-Length",
       "Content-Length"},
      {"a negative length", get(host + "Content-Length: -1\r\n"), "malformed Content-Length",
       "Content-Length"},
      {"a hexadecimal length", get(host + "Content-Length: 0x1\r\n"), "malformed Content-Length",
       "Content-Length"},
      {"an empty length", get(host + "Content-Length:\r\n"), "malformed Content-Length",
       "Content-Length"},
      {"a length beyond 64 bits", get(host + "Content-Length: 18446744073709551616\r\n"),
       "malformed Content-Length", "Content-Length"},
      {"chunks and a length", get(host + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"),
       "malformed Content-Length", "Content-Length"},
      {"a length and chunks", get(host + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
       "unknown Transfer-Encoding", "Transfer-Encoding"},
      {"another coding", get(host + "Transfer-Encoding: gzip\r\n"), "unknown Transfer-Encoding",
       "Transfer-Encoding"},
      {"another coding before chunked", get(host + "Transfer-Encoding: gzip, chunked\r\n"),
       "unknown Transfer-Encoding", "Transfer-Encoding"},
      {"chunked not at the end", get(host + "Transfer-Encoding: chunked, identity\r\n"),
       "unknown Transfer-Encoding", "Transfer-Encoding"},
      {"a comma too many", get(host + "Transfer-Encoding: chunked,\r\n"),
       "unknown Transfer-Encoding", "Transfer-Encoding"},
      {"chunked twice", get(host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
       "unknown Transfer-Encoding", "Transfer-Encoding"},
      {"a vertical tab before chunked", get(host + "Transfer-Encoding: \vchunked\r\n"),
       "malformed field", "Transfer-Encoding"},
      {"an empty coding", get(host + "Transfer-Encoding:\r\n"), "unknown Transfer-Encoding",
       "Transfer-Encoding"},
      {"chunks in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
       "unknown Transfer-Encoding", "Transfer-Encoding"},
      {"a folded line", get(host + "A: b\r\n c\r\n"), "folded line", "A"},
      {"a folded line with a tab", get(host + "A: b\r\n\tc\r\n"), "folded line", "A"},
      {"a fold after an empty value", get(host + "A:\r\n c\r\n"), "folded line", "A"},
      {"a folded first field", get(" A: b\r\n" + host), "folded line", ""},
      {"a bare LF after a field", get("Host: x\n"), "line end without CR", "Host"},
      {"a bare LF after the request line", "GET / HTTP/1.1\nHost: x\r\n\r\n", "line end without CR",
       ""},
      {"a bare LF as the empty line", "GET / HTTP/1.1\r\nHost: x\r\n\n", "line end without CR", ""},
      {"a bare LF before the request", "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "malformed method",
       ""},
      {"a bare CR in a value", get("Host: x\r\nA: b\rc\r\n"), "malformed field", "A"},
      {"a NUL in a value", get("Host: x\r\nA: b\0c\r\n"sv), "malformed field", "A"},
      {"a NUL in a name", get("Host: x\r\nA\0: b\r\n"sv), "malformed field", ""},
      {"a space before the colon", get("Host : x\r\n"), "malformed field", ""},
      {"a tab before the colon", get("Host\t: x\r\n"), "malformed field", ""},
      {"no colon", get("Host: x\r\nabc\r\n"), "malformed field", ""},
      {"no name", get("Host: x\r\n: b\r\n"), "malformed field", ""},
      {"a broken Connection", get(host + "Connection: a b\r\n"), "malformed field", "Connection"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const Problem problem = refusal(c.bytes);
    EXPECT_EQ(problem.status, 400);
    EXPECT_EQ(problem.title, c.title);
    EXPECT_EQ(problem.field, c.field);
  }
}

TEST(RequestParser, refuses_a_malformed_request_line) {
  const struct {
    const char* what;
    std::string_view line;
    std::string_view title;
  } cases[] = {
      {"HTTP/2 in clear text", "PRI * HTTP/2.0", "unknown HTTP version"},
      {"HTTP/1.2", "GET / HTTP/1.2", "unknown HTTP version"},
      {"HTTP/0.9", "GET /", "malformed target"},
      {"a version in small letters", "GET / http/1.1", "unknown HTTP version"},
      {"a long version", "GET / HTTP/1.10", "unknown HTTP version"},
      {"a short version", "GET / H", "unknown HTTP version"},
      {"two spaces", "GET  / HTTP/1.1", "malformed target"},
      {"a space at the end", "GET / HTTP/1.1 ", "unknown HTTP version"},
      {"no path", "GET a HTTP/1.1", "malformed target"},
      {"a fragment", "GET /a#b HTTP/1.1", "malformed target"},
      {"a star with another method", "GET * HTTP/1.1", "malformed target"},
      {"a tunnel", "CONNECT x:443 HTTP/1.1", "malformed target"},
      {"another scheme", "GET ftp://x/ HTTP/1.1", "malformed target"},
      {"no authority", "GET http:///a HTTP/1.1", "malformed target"},
      {"user information", "GET http://a@x/ HTTP/1.1", "malformed target"},
      {"a control character in the path", "GET /\x01 HTTP/1.1", "malformed target"},
      {"a method with a bracket", "G(T / HTTP/1.1", "malformed method"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const Problem problem = refusal(std::string(c.line) + "\r\nHost: x\r\n\r\n");
    EXPECT_EQ(problem.status, 400);
    EXPECT_EQ(problem.title, c.title);
  }
}

TEST(RequestParser, does_not_wait_for_the_line_end_of_what_cannot_be_a_request) {
  EXPECT_EQ(refusal("\x16\x03\x01"),
            (Problem{.title = "malformed method", .detail = "This port speaks HTTP without TLS."}));
  EXPECT_EQ(refusal(" GET").title, "malformed method");
}

TEST(RequestParser, stays_refused) {
  RequestParser parser;
  parser.feed(get(""));
  EXPECT_EQ(parser.next(), Progress::kRefused);
  EXPECT_FALSE(parser.request().keep_alive);
  parser.feed(kPublish);
  EXPECT_EQ(parser.next(), Progress::kRefused);
}

TEST(RequestParser, takes_a_head_up_to_its_limit) {
  const RequestLimits limits{.head_bytes_max = 100};
  const std::string head = get("Host: x\r\nA: " + std::string(68, 'b') + "\r\n");
  ASSERT_EQ(head.size(), 100);
  RequestParser parser(limits);
  parser.feed(head);
  EXPECT_EQ(parser.next(), Progress::kRequest);

  const std::string longer = get("Host: x\r\nA: " + std::string(69, 'b') + "\r\n");
  EXPECT_EQ(refusal(longer, limits),
            (Problem{.status = 431,
                     .title = "head too large",
                     .field = "A",
                     .detail = "At most 100 bytes up to the body are allowed."}));
  EXPECT_EQ(refusal(longer.substr(0, 100), limits).status, 431) << "it does not wait for the end";
}

TEST(RequestParser, has_the_fields_that_came_before_a_head_was_too_large) {
  RequestParser parser({.head_bytes_max = 100});
  parser.feed(get("Host: x\r\nOrigin: http://a.example\r\nA: " + std::string(100, 'b') + "\r\n"));
  EXPECT_EQ(parser.next(), Progress::kRefused);
  EXPECT_EQ(parser.problem().status, 431);
  EXPECT_EQ(parser.problem().field, "A") << "the longest";
  EXPECT_EQ(parser.request().field("Origin"), "http://a.example");
  EXPECT_EQ(parser.request().field("A"), std::nullopt) << "it has not come whole";
  EXPECT_FALSE(parser.request().keep_alive);
}

TEST(RequestParser, says_so_if_it_is_the_target_that_is_too_long) {
  const Problem problem{.status = 414,
                        .title = "target too long",
                        .detail = "At most 100 bytes up to the body are allowed."};
  const std::string target = "/" + std::string(100, 'a');
  const std::string end = " HTTP/1.1\r\n";
  const struct {
    const char* about;
    std::string head;
  } cases[] = {
      {"a whole head", "GET " + target + end + "Host: x\r\n\r\n"},
      {"with a fault", "GET " + target + " \x01" + target + "\nHost: x\r\n\r\n"},
      {"with fields that are too large", "GET " + target + end + "A: " + std::string(81, 'b')},
      {"a line eight times too long, which need not end", "GET /" + std::string(800, 'a')},
      {"a method that does not end", std::string(100, 'a')},
      {"a long method", std::string(50, 'a') + " /" + std::string(48, 'a')},
  };
  for (const auto& [about, head] : cases) {
    SCOPED_TRACE(about);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, head.size()}) {
      RequestParser parser({.head_bytes_max = 100});
      Progress progress = Progress::kNeedMore;
      for (std::size_t at = 0; at < head.size(); at += piece) {
        ASSERT_EQ(progress, Progress::kNeedMore);
        parser.feed(std::string_view(head).substr(at, piece));
        progress = parser.next();
        EXPECT_LE(parser.held_bytes(), 100 + piece);
      }
      EXPECT_EQ(progress, Progress::kRefused);
      EXPECT_EQ(parser.problem(), problem);
    }
  }
}

TEST(RequestParser, has_the_fields_behind_a_target_that_was_too_long) {
  const std::string head =
      "HEAD /" + std::string(700, 'a') + " HTTP/1.1\r\nHost: x\r\nOrigin: http://a.example\r\n";
  for (const std::string& rest : {std::string("\r\n"), "A: " + std::string(100, 'b')}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, head.size() + rest.size()}) {
      RequestParser parser({.head_bytes_max = 100});
      const std::string whole = head + rest;
      for (std::string_view bytes = whole; !bytes.empty();) {
        parser.feed(bytes.substr(0, piece));
        parser.next();
        bytes.remove_prefix(std::min(piece, bytes.size()));
      }
      EXPECT_EQ(parser.problem().status, 414);
      EXPECT_EQ(parser.request().method, Method::kHead);
      EXPECT_EQ(parser.request().field("Origin"), "http://a.example");
      EXPECT_EQ(parser.request().field("A"), std::nullopt) << "it has not come whole";
      EXPECT_FALSE(parser.request().keep_alive);
    }
  }
}

TEST(RequestParser, limits_the_number_of_fields) {
  const RequestLimits limits{.fields_max = 2};
  RequestParser parser(limits);
  parser.feed(get("Host: x\r\nA: b\r\n"));
  EXPECT_EQ(parser.next(), Progress::kRequest);
  EXPECT_EQ(
      refusal(get("Host: x\r\nA: b\r\nC: d\r\n"), limits),
      (Problem{
          .status = 431, .title = "too many fields", .detail = "At most 2 fields are allowed."}));
}

TEST(RequestParser, refuses_a_body_over_the_limit_before_it_arrives) {
  const RequestLimits limits{.body_bytes_max = 10};
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ";
  RequestParser parser(limits);
  parser.feed(head + "10\r\n\r\n0123456789");
  ASSERT_EQ(parser.next(), Progress::kRequest);
  EXPECT_EQ(parser.request().body, "0123456789");
  EXPECT_EQ(refusal(head + "11\r\n\r\n", limits),
            (Problem{.status = 413,
                     .title = "body too large",
                     .field = "Content-Length",
                     .detail = "At most 10 bytes are allowed."}));
}

TEST(RequestParser, joins_chunks) {
  const struct {
    const char* what;
    std::string_view chunks;
    std::string_view body;
  } cases[] = {
      {"none", "0\r\n\r\n", ""},
      {"two", "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", "abc0123456789"},
      {"leading zeros", "0003\r\nabc\r\n000\r\n\r\n", "abc"},
      {"line ends as data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"},
      {"extensions", "3;a=b;c=\"d;\"\r\nabc\r\n0;e\r\n\r\n", "abc"},
      {"trailer fields, thrown away", "1\r\na\r\n0\r\nContent-Length: 9\r\nB: c\r\n\r\n", "a"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    RequestParser parser;
    parser.feed(chunked(c.chunks) + "GET");
    ASSERT_EQ(parser.next(), Progress::kRequest);
    EXPECT_EQ(parser.request().body, c.body);
    EXPECT_EQ(parser.unread(), "GET");
    EXPECT_EQ(parser.request().field("B"), std::nullopt);
    EXPECT_THAT(bodies_bytewise(chunked(c.chunks)), ElementsAre(c.body));
  }
}

TEST(RequestParser, refuses_malformed_chunks) {
  const struct {
    const char* what;
    std::string chunks;
  } cases[] = {
      {"no size", "\r\nabc"},
      {"no digits", ";a\r\n"},
      {"a prefix", "0x3\r\nabc\r\n"},
      {"a sign", "+3\r\nabc\r\n"},
      {"a space before the size", " 3\r\nabc\r\n"},
      {"a space after the size", "3 \r\nabc\r\n"},
      {"a bare LF after the size", "3\nabc\r\n"},
      {"a bare LF in an extension", "3;a\nabc\r\n"},
      {"a NUL in an extension", "3;a\0\r\nabc\r\n"s},
      {"data longer than said", "3\r\nabcd\r\n"},
      {"a bare LF after the data", "3\r\nabc\n0\r\n\r\n"},
      {"a size beyond 64 bits", "10000000000000000\r\n"},
      {"a bare LF in the trailer", "0\r\nA: b\n\r\n"},
      {"a bare LF at the end", "0\r\n\n"},
      {"a long extension", "3;" + std::string(257, 'a')},
      {"a long trailer", "0\r\nA: " + std::string(std::size_t{1} << 14, 'b')},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(refusal(chunked(c.chunks)),
              (Problem{.title = "malformed chunk", .field = "Transfer-Encoding"}));
  }
}

TEST(RequestParser, refuses_chunks_over_the_limit_at_the_size_that_passes_it) {
  const RequestLimits limits{.body_bytes_max = 10};
  EXPECT_EQ(
      refusal(chunked("8\r\n01234567\r\n3\r\n"), limits),
      (Problem{
          .status = 413, .title = "body too large", .detail = "At most 10 bytes are allowed."}));
  EXPECT_EQ(refusal(chunked("ffffffffffffffff\r\n"), limits).status, 413);
  RequestParser parser(limits);
  parser.feed(chunked("8\r\n01234567\r\n2\r\n89\r\n0\r\n\r\n"));
  EXPECT_EQ(parser.next(), Progress::kRequest);
}

TEST(RequestParser, says_once_that_the_sender_waits_for_100_continue) {
  for (const std::string_view length : {"Content-Length: 2", "Transfer-Encoding: chunked"}) {
    SCOPED_TRACE(length);
    RequestParser parser;
    parser.feed("POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n" + std::string(length) +
                "\r\n\r\n");
    ASSERT_EQ(parser.next(), Progress::kContinue);
    EXPECT_EQ(parser.request().path, "/a");
    EXPECT_EQ(parser.next(), Progress::kNeedMore);
    EXPECT_FALSE(parser.idle());
    parser.feed(length.starts_with('C') ? "ab" : "2\r\nab\r\n0\r\n\r\n");
    EXPECT_EQ(parser.next(), Progress::kRequest);
    EXPECT_EQ(parser.request().body, "ab");
  }
}

TEST(RequestParser, does_not_ask_for_a_body_that_comes_anyway_or_not_at_all) {
  const struct {
    const char* what;
    std::string_view bytes;
  } cases[] = {
      {"its first byte is in",
       "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
       "Content-Length: 2\r\n\r\na"},
      {"1.0 has no 100", "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    RequestParser parser;
    parser.feed(c.bytes);
    EXPECT_EQ(parser.next(), Progress::kNeedMore);
  }
  RequestParser parser;
  parser.feed(get("Host: x\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(parser.next(), Progress::kRequest);
}

TEST(RequestParser, refuses_what_else_is_expected) {
  EXPECT_EQ(refusal(get("Host: x\r\nExpect: 200-ok\r\n")),
            (Problem{.status = 417, .title = "unknown Expect", .field = "Expect"}));
}

TEST(RequestParser, is_idle_between_requests_only) {
  RequestParser parser;
  EXPECT_TRUE(parser.idle());
  parser.feed(kPublish.substr(0, 1));
  EXPECT_EQ(parser.next(), Progress::kNeedMore);
  EXPECT_FALSE(parser.idle());
  parser.feed(kPublish.substr(1, kPublish.size() - 2));
  EXPECT_EQ(parser.next(), Progress::kNeedMore);
  EXPECT_FALSE(parser.idle());
  parser.feed(kPublish.substr(kPublish.size() - 1));
  EXPECT_EQ(parser.next(), Progress::kRequest);
  EXPECT_TRUE(parser.idle());
}

}  // namespace
}  // namespace vrelo::http
