// SPDX-License-Identifier: Apache-2.0
#include "hub/api/front.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "hub/auth/signing_testing.h"
#include "hub/auth/ticket_testing.h"
#include "hub/base/descriptor.h"
#include "hub/log/memory/memory_store.h"
#include "hub/net/asio_alarm.h"

namespace vrelo::api {
namespace {

// A node that answers no revocation, as one that ends, unless the test does.
class NoOverview final : public Overview {
 public:
  std::string metrics() const override { return {}; }
  void revoke(auth::Revocation revocation, base::Executor /*executor*/, Revoked done) override {
    ++revoked;
    if (when_revoked) {
      when_revoked(revocation);
      done({});
    }
  }
  void want_keys(auth::KeysWanted /*wanted*/, std::function<void(bool)> done) override {
    wanting.push_back(std::move(done));
  }

  void ask_acknowledged(const auth::TicketHash& /*ticket*/,
                        auth::TicketBook::Holder /*holder*/,
                        std::function<void(bool)> /*done*/) override {}

  int revoked = 0;
  std::function<void(const auth::Revocation&)> when_revoked;
  std::vector<std::function<void(bool)>> wanting;
};

// Keeps nothing, and tells that it does.
class NotingKeeper : public auth::TicketKeeper {
 public:
  explicit NotingKeeper(const std::function<void()>& told) : told_(told) {}
  boost::system::result<void> keep(std::span<const auth::TicketBook::Change> /*changes*/,
                                   auth::StoreTime /*now*/) override {
    told_();
    return {};
  }

 private:
  const std::function<void()>& told_;
};

// The system's clock, but for what the test adds to it.
class SteppedClock final : public base::Clock {
 public:
  Steady steady() const override { return system_.steady() + passed; }
  Wall wall() const override { return system_.wall() + passed + stepped; }
  void wait_until(std::unique_lock<std::mutex>& lock,
                  std::condition_variable& wake,
                  Steady until) const override {
    system_.wait_until(lock, wake, until);
  }

  std::chrono::seconds passed{0};
  std::chrono::seconds stepped{0};  // the time of day alone

 private:
  const base::SystemClock system_;
};

// Answers no append before it is stopped.
class StuckLog final : public log::Log {
 public:
  explicit StuckLog(base::Executor executor) : stopped_(executor, Timer::time_point::max()) {}

  log::Awaitable<log::Appended> append(log::Event /*event*/) override {
    ++appends;
    boost::system::error_code cancelled;
    co_await stopped_.async_wait(
        boost::asio::redirect_error(boost::asio::use_awaitable_t<base::Executor>(), cancelled));
    co_return log::Errc::kStopped;
  }
  log::Awaitable<log::Page> read(log::Position /*after*/,
                                 log::Selection /*selection*/,
                                 log::ReadLimits /*limits*/) override {
    co_return log::Errc::kStopped;
  }
  std::unique_ptr<log::Tail> tail(log::Position /*after*/) override { return nullptr; }
  log::Awaitable<std::optional<log::Position>> find(std::string /*event_id*/) override {
    co_return log::Errc::kStopped;
  }
  log::Position end() const override { return {}; }
  log::Position begin() const override { return {}; }
  void stop() override { stopped_.cancel(); }

  std::size_t appends = 0;

 private:
  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>,
                                        base::Executor>;
  Timer stopped_;
};

// A front on a loop of its own.
class FrontTest : public testing::Test {
 protected:
  Front make_front(std::shared_ptr<const auth::TrustPolicy> trust = {}) {
    return make_front(*log_, std::move(trust));
  }
  Front make_front(log::Log& log, std::shared_ptr<const auth::TrustPolicy> trust = {}) {
    return Front(
        {.executor = loop_.get_executor(),
         .clock = clock_,
         .make_alarm = make_alarm_,
         .log = log,
         .fan_out = fan_out_,
         .streams = streams_,
         .admission = admission_,
         .metrics = metrics_,
         .logger = logger_,
         .overview = overview_,
         .tickets = tickets_,
         .patterns = patterns_,
         .quotas = quotas_,
         .grant = std::make_shared<const auth::Grant>(auth::Grant{.publish = {.all = true}})},
        make_policy(settings_, true, std::move(trust)));
  }

  // Sends a request, and returns all that comes to its connection's end.
  std::string answer(Front& front, Listener listener, const std::string& request) {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
    const base::Descriptor client(pair[0]);
    front.accept(pair[1], peer_, listener);
    EXPECT_EQ(::write(client.get(), request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    loop_.restart();
    return read_all(client);
  }

  // Returns what has come up to the connection's end.
  std::string read_all(const base::Descriptor& client) {
    std::string all;
    std::array<char, 1024> part{};
    ssize_t got = 0;
    while ((got = ::read(client.get(), part.data(), part.size())) != 0) {
      if (got > 0) {
        all.append(part.data(), static_cast<std::size_t>(got));
      } else if (loop_.run_one() == 0) {
        break;
      }
    }
    return all;
  }

  boost::asio::io_context loop_{1};
  SteppedClock clock_;
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
  base::Admission admission_{{.connections_max = 200, .per_address_max = 0}};
  base::ShardMetrics metrics_;
  base::Logger logger_{clock_, base::LogLevel::kError,
                       [](std::string_view line) { ADD_FAILURE() << line; }};
  NoOverview overview_;
  auth::Quotas quotas_{clock_};
  std::function<void()> when_kept_ = [] {};  // what happens while tickets are written
  auth::TicketOffice tickets_{{.clock = clock_,
                               .executor = loop_.get_executor(),
                               .kept = {.keeper = std::make_unique<NotingKeeper>(when_kept_)}}};
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

// A connection, and the other end of it.
base::Descriptor connect(Front& front, const boost::asio::ip::tcp::endpoint& peer) {
  std::array<int, 2> pair{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
  const int least = 1;
  EXPECT_EQ(::setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
  front.accept(pair[1], peer, Listener::kMain);
  return base::Descriptor(pair[0]);
}

void send_all(const base::Descriptor& client, std::string_view bytes) {
  EXPECT_EQ(::write(client.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

constexpr std::string_view kHealth = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";

TEST_F(FrontTest, lets_others_go_on_while_a_sender_has_always_more) {
  Front front = make_front();
  const base::Descriptor client = connect(front, peer_);
  const std::string request = std::string(kHealth) + "X: " + std::string(7000, 'x') + "\r\n\r\n";
  constexpr int kRequests = 20;  // more than two reads
  std::string all;
  for (int i = 0; i < kRequests; ++i) {
    all += request;
  }
  send_all(client, all);
  std::uint64_t handled = 0;
  boost::asio::post(loop_, [&] { handled = metrics_.requests.get(); });
  loop_.poll();
  EXPECT_LT(handled, kRequests / 2);
  EXPECT_EQ(metrics_.requests.get(), kRequests);
  front.close();
  loop_.restart();
  loop_.run();
}

// Small publishes take more than their bytes.
TEST_F(FrontTest, bounds_what_waits_for_a_log_that_does_not_answer) {
  constexpr std::size_t kConnections = 160;
  constexpr std::size_t kPublishes = 256;
  StuckLog log(loop_.get_executor());
  Front front = make_front(log);
  std::string all;
  for (std::size_t i = 0; i < kPublishes; ++i) {
    all +=
        "POST /.well-known/mercure HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\ntopic=a";
  }
  std::vector<base::Descriptor> clients;
  for (std::size_t i = 0; i < kConnections; ++i) {
    clients.push_back(connect(front, peer_));
    send_all(clients.back(), all);
  }
  loop_.poll();
  // 64 MiB of 2 KiB each; then no connection has more than 64 KiB.
  EXPECT_GT(log.appends, 120 * kPublishes);
  EXPECT_LT(log.appends, 135 * kPublishes);
  log.stop();
  front.close();
  loop_.restart();
  while (admission_.connections() > 0 && loop_.run_one() > 0) {
    log.stop();  // some go on with what had to wait
  }
  EXPECT_EQ(admission_.connections(), 0U);
}

TEST_F(FrontTest, sends_the_answers_that_wait_when_it_finishes) {
  Front front = make_front();
  base::Descriptor client = connect(front, peer_);
  constexpr std::size_t kRequests = 100;
  std::string all;
  for (std::size_t i = 0; i < kRequests; ++i) {
    all += std::string(kHealth) + "\r\n";
  }
  send_all(client, all);
  loop_.poll();  // its send buffer is full
  bool is_finished = false;
  front.finish([&] { is_finished = true; });
  loop_.restart();
  loop_.poll();
  EXPECT_FALSE(is_finished);
  const std::string answers = read_all(client);
  std::size_t count = 0;
  for (std::size_t at = 0; (at = answers.find("HTTP/1.1 200 ", at)) != std::string::npos; ++at) {
    ++count;
  }
  EXPECT_EQ(count, kRequests);
  client = base::Descriptor();  // it has read all
  loop_.restart();
  loop_.poll();
  EXPECT_TRUE(is_finished);
}

TEST_F(FrontTest, has_finished_when_those_have_ended_that_were_there) {
  Front front = make_front();
  base::Descriptor before = connect(front, peer_);
  loop_.poll();
  bool is_finished = false;
  front.finish([&] { is_finished = true; });
  const base::Descriptor after = connect(front, peer_);
  before = base::Descriptor();
  loop_.restart();
  loop_.poll();
  EXPECT_TRUE(is_finished);
  front.close();
  loop_.restart();
  loop_.run();
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

// Whoever revokes a label means the tickets that there are, whatever the time of day does between.
TEST_F(FrontTest, revokes_a_label_by_the_clock_of_tickets) {
  const auth::testing::SigningKey key(auth::Algorithm::kHs256);
  const std::string fields =
      " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer " +
      auth::testing::make_token(R"({"typ":"at+jwt","alg":"HS256"})",
                                R"({"iss":"a","aud":"hub","exp":9000000000})", key) +
      "\r\nContent-Type: application/x-www-form-urlencoded\r\n";
  auth::TrustPolicy trust;
  trust.issuers = {{.name = "a",
                    .roles = {auth::Role::kAdmin, auth::Role::kSubscribe},
                    .keys = {{.kid = std::nullopt, .key = key.verifying()}}}};
  trust.token_rules.audiences = {"hub"};
  for (const std::chrono::hours step : {std::chrono::hours(-1), std::chrono::hours(1)}) {
    SCOPED_TRACE(step.count());
    Front front = make_front(std::make_shared<const auth::TrustPolicy>(trust));
    overview_.when_revoked = [&](const auth::Revocation& revocation) {
      auth::TrustPolicy changed = trust;
      changed.revocations =
          std::make_shared<const auth::Revocations>(std::vector{revocation}, clock_.steady());
      front.set_policy(make_policy(settings_, true,
                                   std::make_shared<const auth::TrustPolicy>(std::move(changed))));
    };
    const auto mint = [&] {
      const std::string minted = answer(front, Listener::kMain,
                                        "POST /.well-known/mercure/tickets" + fields +
                                            "Content-Length: 17\r\n\r\nmatch=a&label=tab");
      const std::size_t at = minted.find("vt_");
      EXPECT_THAT(minted, testing::StartsWith("HTTP/1.1 201 "));
      return at == std::string::npos ? "" : minted.substr(at, 46);
    };
    const auto redeem = [&](const std::string& ticket) {
      return answer(front, Listener::kMain,
                    "GET /.well-known/mercure?ticket=" + ticket +
                        " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
                        "Connection: close\r\n\r\n");
    };
    const std::string before = mint();
    clock_.passed += std::chrono::seconds(1);
    clock_.stepped += step;
    EXPECT_THAT(
        answer(front, Listener::kAdmin,
               "POST /admin/revocations" + fields + "Content-Length: 18\r\n\r\nissuer=a&label=tab"),
        testing::StartsWith("HTTP/1.1 200 "));
    clock_.passed += std::chrono::seconds(1);
    const std::string after = mint();
    front.drain(Publishes::kRefused);  // a stream ends after its first block
    EXPECT_THAT(redeem(before), testing::StartsWith("HTTP/1.1 401 "));
    EXPECT_THAT(redeem(after), testing::HasSubstr("event: vrelo.hello\n"));
    front.close();
    loop_.restart();
    loop_.poll();  // its connections end
  }
  tickets_.stop();
  loop_.run();
}

// A front that knows no key of its issuer's, and requests that need one.
class FrontWithoutKeyTest : public FrontTest {
 protected:
  FrontWithoutKeyTest() {
    trust_->issuers = {{.name = "a",
                        .roles = {auth::Role::kPublish, auth::Role::kSubscribe},
                        .key_source = std::make_shared<const auth::KeySource>(),
                        .lacks_keys = true}};
    trust_->token_rules.audiences = {"hub"};
    front_.reset(new Front(make_front(trust_)));
  }
  ~FrontWithoutKeyTest() override {
    front_->close();
    tickets_.stop();
    loop_.run();
  }

  // Sends a request, and waits until the front asks for the key.
  void ask(const std::string& request) {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
    client_ = base::Descriptor(pair[0]);
    front_->accept(pair[1], peer_, Listener::kMain);
    EXPECT_EQ(::write(client_.get(), request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    const std::size_t before = overview_.wanting.size();
    while (overview_.wanting.size() == before) {
      loop_.run_one();
    }
  }

  void ask_to_publish() {
    const std::string token = auth::testing::make_token(
        R"({"typ":"at+jwt","alg":"EdDSA","kid":"new"})",
        R"({"iss":"a","aud":"hub","exp":9000000000,"authorization_details":[]})", key_);
    ask("POST /.well-known/mercure HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token +
        "\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 7\r\n\r\ntopic=a");
  }

  // A ticket of a token with the key, as it is after a restart.
  void mint() {
    auto terms = auth::test_terms();
    terms->issuer = "a";
    terms->kid = "new";
    terms->key_print = key_.verifying().print();
    terms->epoch = log_->end().epoch;
    bool is_minted = false;
    tickets_.mint(
        {.hash = *auth::ticket_hash(ticket_), .terms = terms, .ttl = std::chrono::hours(1)},
        [&is_minted](const auto&) { is_minted = true; });
    while (!is_minted) {
      loop_.run_one();
    }
    loop_.restart();  // it has run dry
  }

  void ask_for_stream() {
    ask("GET /.well-known/mercure?ticket=" + ticket_ +
        " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
        "Connection: close\r\n\r\n");
  }

  void learn(std::vector<auth::NamedKey> keys) {
    auto with_keys = std::make_shared<auth::TrustPolicy>(*trust_);
    with_keys->issuers[0].keys = std::move(keys);
    with_keys->issuers[0].lacks_keys = false;
    front_->set_policy(make_policy(settings_, true, with_keys));
  }

  // Returns what has come up to the connection's end.
  std::string answer() { return read_all(client_); }

  // Of the answer; 0: there is none.
  int status() {
    const std::string all = answer();
    return all.size() > 12 ? std::atoi(all.c_str() + 9) : 0;
  }

  const auth::testing::SigningKey key_{auth::Algorithm::kEdDsa};
  const std::shared_ptr<auth::TrustPolicy> trust_ = std::make_shared<auth::TrustPolicy>();
  const std::string ticket_ = auth::ticket_text(auth::test_digest(1));
  base::Descriptor client_;
  std::unique_ptr<Front> front_;
};

TEST_F(FrontWithoutKeyTest, answers_a_request_when_its_key_has_come) {
  ask_to_publish();
  learn({{.kid = "new", .key = key_.verifying()}});
  overview_.wanting[0](true);
  EXPECT_EQ(status(), 403) << "the token is true, and grants nothing";
}

TEST_F(FrontWithoutKeyTest, refuses_a_request_whose_key_does_not_come) {
  ask_to_publish();
  overview_.wanting[0](false);
  EXPECT_EQ(status(), 401);
}

TEST_F(FrontWithoutKeyTest, ends_a_connection_that_waits_for_a_key) {
  ask_to_publish();
  overview_.wanting[0](true);
  front_->close();
  loop_.run();  // runs dry
  EXPECT_EQ(admission_.connections(), 0U);
  EXPECT_EQ(status(), 0);
}

TEST_F(FrontWithoutKeyTest, redeems_a_ticket_when_its_key_has_come) {
  mint();
  ask_for_stream();
  front_->drain(Publishes::kRefused);  // the stream ends after its first block
  learn({{.kid = "new", .key = key_.verifying()}});
  overview_.wanting[0](true);
  const std::string stream = answer();
  EXPECT_THAT(stream, testing::StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(stream, testing::HasSubstr("event: vrelo.hello\n"));
}

TEST_F(FrontWithoutKeyTest, leaves_a_ticket_unused_while_no_key_is_known) {
  mint();
  ask_for_stream();
  overview_.wanting[0](false);
  const std::string told = answer();
  EXPECT_THAT(told, testing::StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(told, testing::HasSubstr("retry: "));
  EXPECT_THAT(told, testing::Not(testing::HasSubstr("vrelo.hello")));
  EXPECT_EQ(metrics_.tickets_redeemed.get(), 0U);
}

TEST_F(FrontWithoutKeyTest, lets_a_ticket_come_back_whose_key_is_away_since_it_was_redeemed) {
  mint();
  ask_for_stream();
  learn({{.kid = "new", .key = key_.verifying()}});
  when_kept_ = [this] { front_->set_policy(make_policy(settings_, true, trust_)); };
  overview_.wanting[0](true);
  const std::string told = answer();
  EXPECT_THAT(told, testing::StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(told, testing::HasSubstr("retry: "));
  EXPECT_THAT(told, testing::Not(testing::HasSubstr("vrelo.hello")));
  EXPECT_EQ(metrics_.tickets_redeemed.get(), 1U);

  when_kept_ = [] {};
  loop_.restart();
  ask_for_stream();
  front_->drain(Publishes::kRefused);  // the stream ends after its first block
  learn({{.kid = "new", .key = key_.verifying()}});
  overview_.wanting[1](true);
  EXPECT_THAT(answer(), testing::HasSubstr("event: vrelo.hello\n"));
  EXPECT_EQ(metrics_.tickets_redeemed.get(), 1U);
}

TEST_F(FrontWithoutKeyTest, refuses_a_ticket_whose_key_is_gone) {
  mint();
  ask_for_stream();
  learn({});
  overview_.wanting[0](false);
  EXPECT_EQ(status(), 401);
}

}  // namespace
}  // namespace vrelo::api
