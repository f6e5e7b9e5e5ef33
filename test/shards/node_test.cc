// SPDX-License-Identifier: Apache-2.0
//
// A node of two shards, in this process, so that ThreadSanitizer sees all of it.
#include "hub/api/node.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "hub/auth/signing_testing.h"
#include "hub/base/clock.h"
#include "hub/base/logging.h"
#include "hub/log/memory/memory_store.h"
#include "hub/log/sqlite/sqlite_store.h"
#include "hub/log/sqlite/sqlite_store_testing.h"
#include "hub/net/https_get.h"
#include "hub/net/listener.h"
#include "test/shards/client_testing.h"

namespace vrelo::api {
namespace {

using boost::asio::ip::tcp;

enum class Kept { kInMemory, kInSqlite };

// Each shard has a listener, so a port, of its own: who connects chooses the shard.
class TwoShards : public ::testing::Test {
 protected:
  explicit TwoShards(Kept kept = Kept::kInMemory,
                     std::uint64_t window_bytes = base::Settings().window_bytes)
      : store_(open_store(kept)) {
    settings_.shards = 2;
    settings_.window_bytes = window_bytes;
    settings_.drain = {};
    std::vector<net::Listener> listeners;
    for (int i = 0; i < 2; ++i) {
      auto made = net::listen_at({boost::asio::ip::address_v4::loopback(), 0}, 1);
      listeners.push_back(std::move(made->front()));
      ports_.push_back(listeners.back().endpoint());
    }
    node_.emplace(NodeParts{.clock = clock_,
                            .logger = logger_,
                            .store = *store_,
                            .listeners = std::move(listeners),
                            .fetch =
                                [this](const net::HttpsRequest&, net::Fetched fetched) {
                                  fetches_.push_back(std::move(fetched));
                                  return std::make_unique<net::Transfer>();
                                },
                            .files_max = 4096,
                            .seed = 1},
                  settings_, loop_.get_executor());
    EXPECT_TRUE(node_->start().has_value());
  }

  Client connect(std::size_t shard) { return Client(ports_[shard]); }

  // A stream of `topic` on `shard`, after its first block.
  Client subscribe(std::size_t shard, const std::string& topic) {
    Client reader = connect(shard);
    reader.send_subscribe(topic);
    EXPECT_TRUE(reader.read_to("\r\n\r\n"));
    EXPECT_TRUE(reader.read_to("\n\n"));
    return reader;
  }

  std::unique_ptr<log::Store> open_store(Kept kept) const {
    if (kept == Kept::kInMemory) {
      return std::make_unique<log::memory::MemoryStore>(log::memory::kRetention, clock_);
    }
    return log::sqlite::SqliteStore::open({.file = folder_.path() / "log.db"}, clock_).value();
  }

  base::Settings settings_;
  const base::SystemClock clock_;
  const log::sqlite::TemporaryFolder folder_;
  base::Logger logger_{clock_, base::LogLevel::kError,
                       [](std::string_view line) { ADD_FAILURE() << line; }};
  const std::unique_ptr<log::Store> store_;
  boost::asio::io_context loop_{1};
  std::vector<tcp::endpoint> ports_;
  std::vector<net::Fetched> fetches_;  // that were begun
  std::optional<Node> node_;
};

std::string last_line(const std::string& block) {
  return block.substr(block.rfind('\n') + 1);
}

std::uint64_t number_after(const std::string& text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  EXPECT_NE(at, std::string::npos) << text;
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + mark.size()));
}

TEST_F(TwoShards, deliver_what_is_published_on_either_to_readers_of_both) {
  Client first = subscribe(0, "news");
  Client second = subscribe(1, "news");
  for (std::size_t shard = 0; shard < 2; ++shard) {
    Client publisher = connect(shard);
    publisher.send_publish("news", "hello", "same-on-both");
    ASSERT_EQ(publisher.read_answer(), std::pair(200, std::string("same-on-both")));
  }
  Client publisher = connect(0);
  publisher.send_publish("news", "bye", "another");
  ASSERT_TRUE(publisher.read_answer());
  for (Client* const reader : {&first, &second}) {
    EXPECT_EQ(reader->read_to("\n\n"), "data: hello\nid: same-on-both");
    EXPECT_EQ(reader->read_to("\n\n"), "data: bye\nid: another");
  }
}

TEST_F(TwoShards, are_not_woken_for_each_others_topics) {
  Client mine = subscribe(0, "mine");
  Client yours = subscribe(1, "yours");
  Client publisher = connect(1);
  publisher.send_publish("mine", "now");
  ASSERT_TRUE(mine.read_to("\n\n"));
  const std::uint64_t wakes = node_->stats()[0].wakes;
  for (int i = 0; i < 1000; ++i) {
    publisher.send_publish("yours", std::to_string(i));
    ASSERT_TRUE(publisher.read_answer());
    ASSERT_TRUE(yours.read_to("\n\n"));
  }
  EXPECT_EQ(node_->stats()[0].wakes, wakes);

  publisher.send_publish("mine", "now");
  EXPECT_TRUE(mine.read_to("\n\n"));
  EXPECT_EQ(node_->stats()[0].wakes, wakes + 1);
}

// With the window so small that cursors lead to the log, to its cached pages, and to the window.
class Seam : public TwoShards, public ::testing::WithParamInterface<Kept> {
 protected:
  Seam() : TwoShards(GetParam(), 16 * 1024) {}

  // What a thread of readers does: joins on both shards at random moments with a cursor, some by a
  // pattern; now and then one joins without a cursor, who is not counted. Whoever is near reads on
  // to what was published after the stream was open. The n-th event's data is n and its offset too,
  // so each stream tells by itself whether it misses or repeats anything.
  void join(unsigned thread, int joins_wanted, const std::atomic<std::uint64_t>& published) {
    std::mt19937 random(thread);
    std::string epoch_id;  // what precedes the offset in an id
    for (int joins = 0; joins < joins_wanted;) {
      Client reader = connect(random() % 2);
      const char* const selector = random() % 4 == 0 ? "other&match_urlpattern=new*" : "news";
      const std::uint64_t now = published;
      std::uint64_t expected = 0;
      bool reads_on = false;
      if (epoch_id.empty() || random() % 32 == 0) {
        reader.send_subscribe(selector);
      } else {
        ++joins;
        reads_on = random() % 2 == 0;
        const std::uint64_t back_max = reads_on ? 32 : 2000;
        expected = now - std::min<std::uint64_t>(now, random() % back_max) + 1;
        // '#' goes over the wire as it is: this is a header.
        reader.send_subscribe(selector, fmt::format("{}{}", epoch_id, expected - 1));
      }
      ASSERT_TRUE(reader.read_to("\r\n\r\n"));
      const auto opening = reader.read_to("\n\n");
      ASSERT_TRUE(opening);
      if (expected == 0) {
        const std::string start = last_line(*opening);
        const std::size_t offset_at = start.rfind('.') + 1;
        epoch_id = start.substr(4, offset_at - 4);
        expected = std::stoull(start.substr(offset_at)) + 1;
      }
      std::uint64_t end = expected + 1 + random() % 4;
      if (reads_on) {
        end = std::max(end, published + 4);  // one more than it tells may be stored already
        ++crossed_;
      }
      for (; expected < end; ++expected) {
        const auto block = reader.read_to("\n\n");
        ASSERT_TRUE(block);
        ASSERT_EQ(number_after(*block, "data: "), expected) << *block;
      }
    }
  }

  std::atomic<int> crossed_{0};  // joins that came from what was stored to what was not
};

TEST_P(Seam, misses_nothing_where_a_reader_joins_a_running_publisher) {
  const char* const wanted = std::getenv("VRELO_JOINS");  // script/long wants more
  const int joins_per_thread = (wanted != nullptr ? std::atoi(wanted) : 10'000) / 4;
  std::atomic<std::uint64_t> published{0};
  std::atomic<bool> done{false};
  std::thread publisher([&] {
    Client client = connect(0);
    while (!done) {
      client.send_publish("news", std::to_string(published + 1));
      const auto answer = client.read_answer();
      if (!answer || answer->first != 200) {
        ADD_FAILURE() << "a publish failed";
        return;
      }
      ++published;
    }
  });
  while (published == 0) {
    std::this_thread::yield();
  }

  std::vector<std::thread> readers;
  for (unsigned thread = 0; thread < 4; ++thread) {
    readers.emplace_back([&, thread] { join(thread, joins_per_thread, published); });
  }
  for (std::thread& reader : readers) {
    reader.join();
  }
  done = true;
  publisher.join();

  std::uint64_t from_window = 0;
  std::uint64_t from_pages = 0;
  std::uint64_t from_log = 0;
  for (const auto& stats : node_->stats()) {
    from_window += stats.window_hits;
    from_pages += stats.page_cache_hits;
    from_log += stats.storage_reads;
  }
  EXPECT_GT(from_window, 0U);
  EXPECT_GT(from_pages, 0U);
  EXPECT_GT(from_log, 0U);
  EXPECT_GT(crossed_, 4 * joins_per_thread / 3);
  fmt::print("joins, {}: {} | {} | {} | {} | {} | {}\n",
             GetParam() == Kept::kInMemory ? "memory" : "sqlite", 4 * joins_per_thread,
             crossed_.load(), published.load(), from_window, from_pages, from_log);
}

INSTANTIATE_TEST_SUITE_P(Logs,
                         Seam,
                         ::testing::Values(Kept::kInMemory, Kept::kInSqlite),
                         [](const auto& tested) {
                           return tested.param == Kept::kInMemory ? "memory" : "sqlite";
                         });

TEST_F(TwoShards, wait_for_a_key_that_is_fetched_and_end_streams_whose_key_is_gone) {
  const auth::testing::SigningKey key(auth::Algorithm::kEdDsa);
  auto trust = std::make_shared<auth::TrustPolicy>();
  trust->issuers = {{.name = "a",
                     .roles = {auth::Role::kSubscribe},
                     .key_source = std::make_shared<const auth::KeySource>()}};
  trust->token_rules.audiences = {"hub"};
  node_->reload(settings_, trust);
  ASSERT_EQ(fetches_.size(), 1U);
  fetches_[0](base::parsed(R"({"keys":[]})"));

  const std::string token = auth::testing::make_token(
      R"({"typ":"at+jwt","alg":"EdDSA","kid":"new"})",
      R"({"iss":"a","aud":"hub","exp":9000000000,"authorization_details":[]})", key);
  std::vector<Client> readers;
  for (std::size_t shard = 0; shard < 2; ++shard) {
    loop_.restart();
    loop_.poll();  // what alarms have left
    readers.push_back(connect(shard));
    readers.back().send(
        "GET /.well-known/mercure?match=a HTTP/1.1\r\nHost: localhost\r\n"
        "Authorization: Bearer " +
        token + "\r\n\r\n");
    ASSERT_EQ(loop_.run_one_for(std::chrono::seconds(60)), 1U) << "the shard asks for the key";
  }
  ASSERT_EQ(fetches_.size(), 2U) << "one fetch for both";
  fetches_[1](base::parsed("{\"keys\":[" + key.public_jwk("new") + "]}"));
  for (Client& reader : readers) {
    const auto head = reader.read_to("\r\n\r\n");
    ASSERT_TRUE(head);
    EXPECT_EQ(head->substr(0, 15), "HTTP/1.1 200 OK");
    EXPECT_TRUE(reader.read_to("\n\n"));
  }

  node_->reload(settings_, trust);
  ASSERT_EQ(fetches_.size(), 3U);
  fetches_[2](base::parsed(R"({"keys":[]})"));
  for (Client& reader : readers) {
    EXPECT_TRUE(reader.read_to("event: vrelo.end"));
    while (reader.read_to("\n")) {
    }
  }
}

TEST_F(TwoShards, drain_their_streams_and_answer_what_they_accepted) {
  Client first = subscribe(0, "news");
  Client second = subscribe(1, "news");
  const auto work = boost::asio::make_work_guard(loop_);
  node_->drain(Publishes::kRefused, [this] { loop_.stop(); });
  loop_.run();
  for (Client* const reader : {&first, &second}) {
    const auto farewell = reader->read_to("\n\n");
    ASSERT_TRUE(farewell);
    EXPECT_GT(number_after(*farewell, "retry: "), 0U);
    EXPECT_EQ(reader->read_to("\n"), std::nullopt) << "the stream goes on";
  }
}

TEST_F(TwoShards, take_publishes_in_a_drain_until_the_last_stream_of_all_is_closed) {
  settings_.drain = std::chrono::hours(1);
  node_->reload(settings_, nullptr);
  std::optional<Client> reader(subscribe(1, "news"));
  const auto work = boost::asio::make_work_guard(loop_);
  node_->drain(Publishes::kTaken, [this] { loop_.stop(); });
  Client late = connect(0);
  late.send_subscribe("news");
  const auto turned_away = late.read_answer();
  ASSERT_TRUE(turned_away);
  EXPECT_EQ(turned_away->first, 200);
  EXPECT_GT(number_after(turned_away->second, "retry: "), 0U);
  for (std::size_t shard = 0; shard < 2; ++shard) {
    Client publisher = connect(shard);
    const std::string id = fmt::format("of-{}", shard);
    publisher.send_publish("news", "hello", id);
    EXPECT_EQ(publisher.read_answer(), std::pair(200, id));
    EXPECT_TRUE(reader->read_to("id: " + id));
    publisher.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(publisher.read_answer(), std::pair(200, std::string("ready\n")));
  }
  reader.reset();
  loop_.run();
}

TEST_F(TwoShards, refuse_publishes_in_such_a_drain_once_it_is_an_ordinary_one) {
  settings_.drain = std::chrono::hours(1);
  node_->reload(settings_, nullptr);
  std::optional<Client> reader(subscribe(1, "news"));
  const auto work = boost::asio::make_work_guard(loop_);
  node_->drain(Publishes::kTaken, [] { ADD_FAILURE() << "it is no such drain any more"; });
  node_->drain(Publishes::kRefused, [this] { loop_.stop(); });
  for (std::size_t shard = 0; shard < 2; ++shard) {
    Client publisher = connect(shard);
    std::optional<std::pair<int, std::string>> answer;
    do {  // what the shard is at, it may finish before it hears of the drain
      publisher.send_publish("news", "hello");
      answer = publisher.read_answer();
      ASSERT_TRUE(answer);
    } while (answer->first == 200);
    EXPECT_EQ(answer->first, 503);
  }
  reader.reset();
  loop_.run();
}

TEST_F(TwoShards, answer_the_administrator_where_there_is_no_room_for_others) {
  Client reader = subscribe(0, "news");
  settings_.connections = 1;
  node_->reload(settings_, nullptr);
  Client publisher = connect(1);
  publisher.send_publish("news", "hello");
  const auto refusal = publisher.read_answer();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->first, 503);
  Client probe = connect(1);
  probe.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(probe.read_answer(), std::pair(200, std::string("ok\n")));
}

// As where the kernel has no memory left to watch it.
TEST(Node, does_not_start_where_it_cannot_wait_for_connections) {
  constexpr int kUnwatchable = 1'000'000;
  base::Settings settings;
  settings.shards = 1;
  const base::SystemClock clock;
  base::Logger logger(clock, base::LogLevel::kError, [](std::string_view) {});
  log::memory::MemoryStore store{log::memory::kRetention, clock};
  boost::asio::io_context loop{1};
  const tcp::endpoint endpoint(boost::asio::ip::address_v4::loopback(), 1);
  std::vector<net::Listener> listeners;
  listeners.emplace_back(kUnwatchable, endpoint);
  Node node({.clock = clock,
             .logger = logger,
             .store = store,
             .listeners = std::move(listeners),
             .files_max = 4096,
             .seed = 1},
            settings, loop.get_executor());
  const auto started = node.start();
  ASSERT_FALSE(started.has_value());
  EXPECT_NE(started.error().message.find("cannot accept at 127.0.0.1:1: "), std::string::npos)
      << started.error().message;
}

TEST_F(TwoShards, end_at_once_with_streams_and_publishes_under_way) {
  Client reader = subscribe(0, "news");
  std::vector<Client> publishers;
  for (std::size_t i = 0; i < 8; ++i) {
    publishers.push_back(connect(i % 2));
    for (int n = 0; n < 100; ++n) {
      publishers.back().send_publish("news", "x");
    }
  }
  node_->stop();
  while (reader.read_to("\n")) {
  }
  for (Client& publisher : publishers) {
    while (publisher.read_answer()) {
    }
  }
}

}  // namespace
}  // namespace vrelo::api
