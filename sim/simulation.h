// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "hub/auth/grant.h"
#include "hub/base/clock.h"
#include "hub/base/topic_patterns.h"
#include "hub/fanout/fan_out.h"
#include "hub/log/log.h"
#include "sim/network.h"
#include "sim/node.h"
#include "sim/random.h"
#include "sim/reader.h"
#include "sim/schedule.h"
#include "sim/store.h"

namespace vrelo::sim {

// What happened in a run, by name: to see that what should be tried is.
using Tally = std::map<std::string, std::uint64_t>;

// One run: a node and its readers and publishers on one bad day, all of which follows from a seed.
// The day ends well: everything works again, the readers catch up, and then nothing may be missing.
class Simulation {
 public:
  // `trace`, if not nullptr, gets a line for each thing that is done to the node.
  // Lifetime: `trace` outlives the simulation.
  explicit Simulation(std::uint64_t seed, std::ostream* trace = nullptr);
  ~Simulation();

  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // Lives through the day. Returns what went wrong; "": nothing. Called once.
  std::string run();

  const Tally& tally() const { return tally_; }

  // Of all bytes that readers were sent, and of when the day ended: equal for equal seeds.
  std::uint64_t digest() const;

 private:
  using Act = void (Simulation::*)();
  struct Chance {
    Act act;
    std::uint64_t weight;
  };

  // The habits of the day, drawn before it begins.
  void draw_habits();
  void draw_chances();
  fanout::FanOutLimits draw_limits();
  auth::GrantPtr draw_grant();

  // What is done to the node, one thing at a time.
  void act();
  void publish();
  void publish_again();
  void readers_join();
  void reader_joins();
  void reader_takes();
  void reader_stalls();
  void reader_slows();
  void reader_leaves();
  void link_breaks();
  void reader_vanishes();
  void link_narrows();
  void right_ends();
  void reader_is_told();
  void time_passes();
  void time_flies();
  void store_goes_away();
  void store_fills();
  void store_recovers();
  void retention_removes();
  void log_is_replaced();
  void time_of_day_is_set();
  void limits_change();
  void node_restarts();
  void node_drains();

  void start_node();
  void end_node();
  void send(const log::Event& event);
  void check_published(const log::Event& event, const boost::system::result<Published>& published);
  log::Event draw_event();
  std::string draw_topic();
  base::TopicPatternPtr draw_pattern();
  log::Selection draw_selection();
  std::optional<std::string> draw_cursor();
  Reader* any_connected();
  void connect(Reader& reader);
  void readers_come_back();
  bool readers_take_all();
  void slow_readers_take();
  void settle(base::Clock::Steady end);
  void pass(std::chrono::nanoseconds time);
  void find_fault();
  void check_links();

  // The end of the day.
  void heal();
  void count(const Reader& reader);
  void check_complete();
  void check_closed();

  void note(const std::string& what);
  void fail(std::string fault);

  std::ostream* const trace_;
  Random random_;
  Schedule schedule_{random_};
  Network network_{schedule_, random_};
  Store store_{schedule_, random_};

  std::vector<Chance> chances_;
  std::uint64_t chance_sum_ = 0;
  std::size_t acts_ = 0;
  std::size_t shards_ = 1;
  std::size_t window_bytes_ = 0;
  std::size_t readers_max_ = 0;
  bool crowd_ = false;  // of readers
  std::size_t room_max_ = 0;
  bool punctual_ = true;         // the node does what it does in time
  std::uint64_t steps_max_ = 0;  // between two acts
  unsigned data_bits_ = 0;
  bool large_ = false;                 // events
  std::uint64_t keeps_id_one_in_ = 0;  // other contents under an id that is in use
  fanout::FanOutLimits limits_;
  std::chrono::milliseconds heartbeat_max_{0};  // of all limits there were
  std::chrono::milliseconds stall_max_{0};
  std::chrono::milliseconds silent_max_{0};

  base::TopicPatterns patterns_{base::UrlBase::make("https://hub.example.com/.well-known/mercure")};
  std::vector<auth::GrantPtr> grants_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<log::Event> published_;  // that have an id
  std::uint64_t events_ = 0;
  std::unique_ptr<Node> node_;  // nullptr: down
  base::Clock::Steady node_returns_at_{};
  base::Clock::Steady drain_end_{};
  base::Clock::Steady store_back_at_{};

  Tally tally_;
  std::uint64_t digest_ = 0;
  std::string fault_;
};

}  // namespace vrelo::sim
