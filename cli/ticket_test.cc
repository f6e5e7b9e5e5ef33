// SPDX-License-Identifier: Apache-2.0
#include "cli/ticket.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/process_testing.h"

namespace vrelo::cli {
namespace {

using sse::client::Peer;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view kTicket = "vt_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

std::string answer_of(std::string_view status, std::string_view body) {
  return "HTTP/1.1 " + std::string(status) +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

std::string minted() {
  return R"({"ticket":")" + std::string(kTicket) + R"(","expires_in":30})";
}

TEST(TicketCommand, gets_a_ticket_and_prints_it) {
  CommandSession session;
  session.start(ticket, {session.server.url(), "a b", "c", "--ttl", "60", "--label", "tab 1"});
  Peer peer = session.server.accept();
  const std::string form = "match=a%20b&match=c&ttl=60&label=tab%201";
  EXPECT_EQ(peer.receive(),
            "POST /.well-known/mercure/tickets HTTP/1.1\r\nHost: 127.0.0.1:" +
                std::to_string(session.server.port()) +
                "\r\nUser-Agent: vrelo\r\nConnection: close\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
                std::to_string(form.size()) + "\r\n\r\n");
  EXPECT_EQ(peer.receive(form.size()), form);
  peer.send(answer_of("201 Created", minted()));
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_EQ(session.out.text, std::string(kTicket) + "\n");
  EXPECT_THAT(session.err.text, IsEmpty());
}

TEST(TicketCommand, takes_the_stream_from_the_url_too_and_prints_all_of_the_answer) {
  CommandSession session;
  session.start(ticket, {session.server.url("/hub?match=a"), "--json"});
  Peer peer = session.server.accept();
  EXPECT_THAT(peer.receive(), StartsWith("POST /hub/tickets HTTP/1.1\r\n"));
  EXPECT_EQ(peer.receive(std::size_t{7}), "match=a");
  peer.send(answer_of("201 Created", minted()));
  EXPECT_EQ(session.wait_for_end(), kOk);
  EXPECT_EQ(session.out.text, minted() + "\n");
}

TEST(TicketCommand, says_why_the_hub_gives_none) {
  CommandSession session;
  session.start(ticket, {session.server.url(), "a"});
  Peer peer = session.server.accept();
  peer.receive();
  peer.send(answer_of("401 Unauthorized", R"({"title":"token missing"})"));
  EXPECT_EQ(session.wait_for_end(), kFailed);
  EXPECT_THAT(session.err.text, HasSubstr("the hub refused (401): token missing; --token-file"));
  EXPECT_THAT(session.out.text, IsEmpty());
}

TEST(TicketCommand, takes_nothing_else_for_a_ticket) {
  for (const char* const body : {"", "{}", "[]", R"({"ticket":1})", R"({"ticket":"vt_x"})"}) {
    SCOPED_TRACE(body);
    CommandSession session;
    session.start(ticket, {session.server.url(), "a"});
    Peer peer = session.server.accept();
    peer.receive();
    peer.send(answer_of("200 OK", body));
    EXPECT_EQ(session.wait_for_end(), kFailed);
    EXPECT_THAT(session.out.text, IsEmpty());
  }
}

TEST(TicketCommand, refuses_arguments_without_a_stream) {
  CommandSession session;
  session.start(ticket, {session.server.url()});
  EXPECT_EQ(session.wait_for_end(), kUsage);
  EXPECT_THAT(session.err.text, HasSubstr("there is no topic"));
}

}  // namespace
}  // namespace vrelo::cli
