// SPDX-License-Identifier: Apache-2.0
//
// What goes wrong before there is an answer. What answers may be is in test/e2e/jwks.mjs, with a
// real server.
#include "hub/net/https_get.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

namespace vrelo::net {
namespace {

using boost::asio::ip::tcp;
using testing::StartsWith;

class HttpsGetTest : public testing::Test {
 protected:
  std::unique_ptr<Transfer> get(HttpsRequest request) {
    return https_get(loop_.get_executor(), std::move(request),
                     [this](base::Parsed<std::string> result) { result_ = std::move(result); });
  }

  std::string fault(HttpsRequest request) {
    const auto transfer = get(std::move(request));
    EXPECT_FALSE(result_) << "from within";
    loop_.restart();
    while (!result_ && loop_.run_one_for(std::chrono::seconds(60)) > 0) {
    }
    return !result_ ? "no result" : *result_ ? "none" : result_->error().message;
  }

  HttpsRequest request(std::uint16_t port) const {
    return {.url = {.host = "127.0.0.1", .port = port, .path = "/", .query = ""}};
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  boost::asio::io_context loop_{1};
  tcp::acceptor acceptor_{loop_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
  std::optional<base::Parsed<std::string>> result_;
};

TEST_F(HttpsGetTest, says_that_nobody_listens) {
  const std::uint16_t free = port();
  acceptor_.close();
  EXPECT_EQ(fault(request(free)), "cannot connect: Connection refused");
}

TEST_F(HttpsGetTest, says_that_a_name_is_none) {
  HttpsRequest wanted = request(port());
  wanted.url.host = "a b";
  EXPECT_THAT(fault(wanted), StartsWith("the look-up of a b: "));
}

TEST_F(HttpsGetTest, says_that_it_does_not_know_whom_to_trust) {
  HttpsRequest wanted = request(port());
  wanted.ca = "no certificate";
  EXPECT_THAT(fault(wanted), StartsWith("cannot read whom to trust: "));
}

TEST_F(HttpsGetTest, speaks_to_nobody_without_tls) {
  std::optional<tcp::socket> peer;
  acceptor_.async_accept([&peer](const auto& error, tcp::socket socket) {
    ASSERT_FALSE(error);
    peer.emplace(std::move(socket));
    boost::asio::write(*peer, boost::asio::buffer(std::string("HTTP/1.1 200 OK\r\n\r\n")));
  });
  EXPECT_THAT(fault(request(port())), StartsWith("TLS: "));
}

TEST_F(HttpsGetTest, that_is_ended_says_nothing) {
  get(request(port()));
  loop_.run();  // runs dry
  EXPECT_FALSE(result_);

  auto transfer = get(request(port()));
  bool is_accepted = false;
  acceptor_.async_accept([&](const auto&, tcp::socket socket) {
    is_accepted = socket.is_open();
    transfer.reset();
  });
  loop_.restart();
  loop_.run();  // runs dry
  EXPECT_TRUE(is_accepted);
  EXPECT_FALSE(result_);
}

}  // namespace
}  // namespace vrelo::net
