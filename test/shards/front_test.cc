// SPDX-License-Identifier: Apache-2.0
#include "hub/api/front.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "hub/auth/signing_testing.h"
#include "hub/base/descriptor.h"
#include "hub/log/memory/memory_store.h"
#include "hub/net/asio_alarm.h"

namespace vrelo::api {
namespace {

// A node that answers no revocation, as one that ends.
class NoOverview final : public Overview {
 public:
  std::string metrics() const override { return {}; }
  void revoke(auth::Revocation /*revocation*/,
              base::Executor /*executor*/,
              Revoked /*done*/) override {
    ++revoked;
  }
  void want_keys(auth::KeysWanted /*wanted*/, std::function<void(bool)> done) override {
    wanting.push_back(std::move(done));
  }

  void ask_acknowledged(const auth::TicketHash& /*ticket*/,
                        auth::TicketBook::Holder /*holder*/,
                        std::function<void(bool)> /*done*/) override {}

  int revoked = 0;
  std::vector<std::function<void(bool)>> wanting;
};

// A front on a loop of its own.
class FrontTest : public testing::Test {
 protected:
  Front make_front(std::shared_ptr<const auth::TrustPolicy> trust = {}) {
    return Front({.executor = loop_.get_executor(),
                  .clock = clock_,
                  .make_alarm = make_alarm_,
                  .log = *log_,
                  .fan_out = fan_out_,
                  .streams = streams_,
                  .admission = admission_,
                  .metrics = metrics_,
                  .logger = logger_,
                  .overview = overview_,
                  .tickets = tickets_,
                  .patterns = patterns_,
                  .quotas = quotas_,
                  .grant = std::make_shared<const auth::Grant>()},
                 make_policy(settings_, true, std::move(trust)));
  }

  boost::asio::io_context loop_{1};
  const base::SystemClock clock_;
  const base::Settings settings_;
  const net::MakeAlarm make_alarm_ = net::asio_alarms(loop_.get_executor());
  log::memory::MemoryStore store_{{}, clock_};
  const std::unique_ptr<log::Log> log_ = store_.log(loop_.get_executor());
  fanout::Window window_{{1, 2}, 1024, 1, [](std::size_t) {}};
  net::EpollStreams streams_{loop_.get_executor()};
  fanout::FanOut fan_out_{{.window = window_,
                           .shard = 0,
                           .log = *log_,
                           .sockets = streams_,
                           .clock = clock_,
                           .make_alarm = make_alarm_,
                           .executor = loop_.get_executor(),
                           .seed = 1},
                          {}};
  base::Admission admission_{{.connections_max = 10, .per_address_max = 0}};
  base::ShardMetrics metrics_;
  base::Logger logger_{clock_, base::LogLevel::kError,
                       [](std::string_view line) { ADD_FAILURE() << line; }};
  NoOverview overview_;
  auth::Quotas quotas_{clock_};
  auth::TicketOffice tickets_{{.clock = clock_, .executor = loop_.get_executor()}};
  base::TopicPatterns patterns_{base::UrlBase::make("http://localhost/.well-known/mercure")};
  const boost::asio::ip::tcp::endpoint peer_{boost::asio::ip::address_v4::loopback(), 1};
};

// A descriptor that the loop does not take, as where the kernel has no memory left to watch it.
constexpr int kUnwatchable = 1'000'000;

TEST_F(FrontTest, gives_up_a_connection_that_cannot_be_watched) {
  Front front = make_front();
  front.accept(kUnwatchable, peer_, Listener::kMain);
  loop_.run();
  EXPECT_EQ(metrics_.connections.get(), 1U);
  EXPECT_EQ(admission_.connections(), 0U);
}

TEST_F(FrontTest, ends_a_connection_whose_revocation_is_never_answered) {
  const auth::testing::SigningKey key(auth::Algorithm::kHs256);
  auto trust = std::make_shared<auth::TrustPolicy>();
  trust->issuers = {{.name = "a",
                     .roles = {auth::Role::kAdmin},
                     .keys = {{.kid = std::nullopt, .key = key.verifying()}}}};
  trust->token_rules.audiences = {"hub"};
  Front front = make_front(trust);
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
  const base::Descriptor client(pair[0]);
  const std::string token = auth::testing::make_token(
      R"({"typ":"at+jwt","alg":"HS256"})", R"({"iss":"a","aud":"hub","exp":9000000000})", key);
  const std::string request =
      "POST /admin/revocations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token +
      "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 16\r\n\r\n"
      "issuer=a&token=t";
  ASSERT_EQ(::write(client.get(), request.data(), request.size()),
            static_cast<ssize_t>(request.size()));
  front.accept(pair[1], peer_, Listener::kAdmin);
  while (overview_.revoked == 0) {
    loop_.run_one();
  }
  front.close();
  loop_.run();  // runs dry
  EXPECT_EQ(admission_.connections(), 0U);
}

// Sends a request with a token whose key is not known, and waits until the front asks for the key.
class FrontWithoutKeyTest : public FrontTest {
 protected:
  FrontWithoutKeyTest() {
    trust_->issuers = {{.name = "a",
                        .roles = {auth::Role::kPublish},
                        .key_source = std::make_shared<const auth::KeySource>()}};
    trust_->token_rules.audiences = {"hub"};
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
    client_ = base::Descriptor(pair[0]);
    front_.reset(new Front(make_front(trust_)));
    front_->accept(pair[1], peer_, Listener::kMain);
    const std::string token = auth::testing::make_token(
        R"({"typ":"at+jwt","alg":"EdDSA","kid":"new"})",
        R"({"iss":"a","aud":"hub","exp":9000000000,"authorization_details":[]})", key_);
    const std::string request =
        "POST /.well-known/mercure HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token +
        "\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 7\r\n\r\ntopic=a";
    EXPECT_EQ(::write(client_.get(), request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    while (overview_.wanting.empty()) {
      loop_.run_one();
    }
  }

  // Returns the status of the answer; 0: there is none.
  int status() {
    std::array<char, 16> answer{};
    const ssize_t got = ::read(client_.get(), answer.data(), answer.size() - 1);
    return got > 12 ? std::atoi(answer.data() + 9) : 0;
  }

  const auth::testing::SigningKey key_{auth::Algorithm::kEdDsa};
  const std::shared_ptr<auth::TrustPolicy> trust_ = std::make_shared<auth::TrustPolicy>();
  base::Descriptor client_;
  std::unique_ptr<Front> front_;
  int status_ = 0;
};

TEST_F(FrontWithoutKeyTest, answers_a_request_when_its_key_has_come) {
  auto with_key = std::make_shared<auth::TrustPolicy>(*trust_);
  with_key->issuers[0].keys = {{.kid = "new", .key = key_.verifying()}};
  front_->set_policy(make_policy(settings_, true, with_key));
  overview_.wanting[0](true);
  while (status_ = status(), status_ == 0 && loop_.run_one() > 0) {
  }
  EXPECT_EQ(status_, 403) << "the token is true, and grants nothing";
  front_->close();
  loop_.run();
}

TEST_F(FrontWithoutKeyTest, refuses_a_request_whose_key_does_not_come) {
  overview_.wanting[0](false);
  while (status_ = status(), status_ == 0 && loop_.run_one() > 0) {
  }
  EXPECT_EQ(status_, 401);
  front_->close();
  loop_.run();
}

TEST_F(FrontWithoutKeyTest, ends_a_connection_that_waits_for_a_key) {
  overview_.wanting[0](true);
  front_->close();
  loop_.run();  // runs dry
  EXPECT_EQ(admission_.connections(), 0U);
  EXPECT_EQ(status(), 0);
}

}  // namespace
}  // namespace vrelo::api
