// SPDX-License-Identifier: Apache-2.0
#include "hub/api/front.h"

#include <memory>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "hub/log/memory/memory_store.h"
#include "hub/net/asio_alarm.h"

namespace vrelo::api {
namespace {

class NoOverview final : public Overview {
 public:
  std::string metrics() const override { return {}; }
  void revoke(auth::Revocation /*revocation*/,
              base::Executor /*executor*/,
              Revoked /*done*/) override {}
};

// A descriptor that the loop does not take, as where the kernel has no memory left to watch it.
constexpr int kUnwatchable = 1'000'000;

TEST(Front, gives_up_a_connection_that_cannot_be_watched) {
  boost::asio::io_context loop{1};
  const base::SystemClock clock;
  const net::MakeAlarm make_alarm = net::asio_alarms(loop.get_executor());
  log::memory::MemoryStore store({}, clock);
  const std::unique_ptr<log::Log> log = store.log(loop.get_executor());
  fanout::Window window({1, 2}, 1024, 1, [](std::size_t) {});
  net::EpollStreams streams(loop.get_executor());
  fanout::FanOut fan_out({.window = window,
                          .shard = 0,
                          .log = *log,
                          .sockets = streams,
                          .clock = clock,
                          .make_alarm = make_alarm,
                          .executor = loop.get_executor(),
                          .seed = 1},
                         {});
  base::Admission admission({.connections_max = 10, .per_address_max = 0});
  base::ShardMetrics metrics;
  base::Logger logger(clock, base::LogLevel::kError,
                      [](std::string_view line) { ADD_FAILURE() << line; });
  NoOverview overview;
  base::UrlPatterns patterns(base::UrlBase::make("http://localhost/.well-known/mercure"));
  const base::Settings settings;
  Front front({.executor = loop.get_executor(),
               .clock = clock,
               .make_alarm = make_alarm,
               .log = *log,
               .fan_out = fan_out,
               .streams = streams,
               .admission = admission,
               .metrics = metrics,
               .logger = logger,
               .overview = overview,
               .patterns = patterns,
               .grant = std::make_shared<const auth::Grant>()},
              make_policy(settings, true));

  front.accept(kUnwatchable, {boost::asio::ip::address_v4::loopback(), 1}, Listener::kMain);
  loop.run();
  EXPECT_EQ(metrics.connections.get(), 1U);
  EXPECT_EQ(admission.connections(), 0U);
}

}  // namespace
}  // namespace vrelo::api
