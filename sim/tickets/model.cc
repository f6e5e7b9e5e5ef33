// SPDX-License-Identifier: Apache-2.0
#include "sim/tickets/model.h"

#include <array>
#include <functional>
#include <memory>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "sim/tickets/world.h"

namespace vrelo::sim::tickets {
namespace {

// How a world came to be. Shared by those that come from it.
struct Step {
  std::string what;
  std::shared_ptr<const Step> before;
};
using StepPtr = std::shared_ptr<const Step>;

struct Place {
  World world;
  StepPtr last;
};

struct Act {
  std::string what;
  std::function<std::string(World&)> run;
};

constexpr std::array<const char*, kClients> kNames = {"owner", "thief", "twin", "proof thief"};

struct Manner {
  const char* what;
  Visit visit;
};

// How a request to a node may go, as far as it is not refused for something else.
std::vector<Manner> manners_of(const Cast& cast, std::size_t node) {
  std::vector<Manner> manners = {{"", {.node = node}}};
  if (cast.full_nodes) {
    manners.push_back({", which is full", {.node = node, .is_full = true}});
  }
  if (cast.store_fails) {
    manners.push_back({", which cannot be kept", {.node = node, .disk = Disk::kFails}});
    manners.push_back({", which is kept too late", {.node = node, .disk = Disk::kFailsLate}});
  }
  return manners;
}

void add_requests(const Cast& cast, const World& world, std::vector<Act>& acts) {
  const std::array<bool, kClients> takes_part = {
      true, cast.thief_with_url, cast.twin_with_url,
      cast.thief_with_proof && world.client(kProofThief).proof > 0};
  for (const Who who : {kOwner, kThief, kTwin, kProofThief}) {
    if (!takes_part.at(who) || world.client(who).gave_up || world.is_waiting(who)) {
      continue;
    }
    acts.push_back({fmt::format("{}: requests that are refused for something else", kNames.at(who)),
                    [who](World& next) { return next.flawed_requests(who); }});
    for (std::size_t node = 0; node < (cast.second_node ? 2U : 1U); ++node) {
      if (world.requests() >= cast.requests || (node == 0 && world.is_cut())) {
        continue;
      }
      for (const auto& [what, visit] : manners_of(cast, node)) {
        acts.push_back({fmt::format("{}: a request to node {}{}", kNames.at(who), node, what),
                        [who, visit = visit](World& next) { return next.request(who, visit); }});
      }
    }
  }
}

void add_first_blocks(const World& world, std::vector<Act>& acts) {
  constexpr std::pair<Fate, const char*> kFates[] = {
      {Fate::kArrives, "arrives"},
      {Fate::kLost, "is lost"},
      {Fate::kLostMute, "is lost, which its node does not see"}};
  for (std::size_t at = 0; at < world.lines().size(); ++at) {
    const Line& line = world.lines()[at];
    for (const auto& [fate, what] : kFates) {
      if (line.state == Line::State::kOpening) {
        acts.push_back(
            {fmt::format("the first block of turn {} {}", line.turn, what),
             [at, fate = fate](World& next) { return next.send_first_block(at, fate); }});
      }
    }
  }
}

void add_ends(const Cast& cast, const World& world, std::vector<Act>& acts) {
  if (cast.ends && !world.is_ticket_over()) {
    acts.push_back(
        {"the ticket's time passes", [](World& next) { return next.let_ticket_pass(); }});
  }
  if (cast.ends && !world.is_revoked()) {
    acts.push_back({"the session is revoked", [](World& next) { return next.revoke({}); }});
  }
  if (cast.ends && !world.is_revoked() && cast.store_fails) {
    acts.push_back({"the session is revoked, which cannot be kept",
                    [](World& next) { return next.revoke(Disk::kFails); }});
  }
  if (cast.session_ends && world.has_session()) {
    acts.push_back(
        {"the session's time passes", [](World& next) { return next.let_session_pass(); }});
    if (world.lines().empty()) {
      acts.push_back(
          {"there is no connection for long", [](World& next) { return next.let_absence_pass(); }});
    }
  }
}

std::vector<Act> acts_of(const Cast& cast, const World& world) {
  std::vector<Act> acts;
  add_requests(cast, world, acts);
  add_first_blocks(world, acts);
  for (std::size_t line = 0; line < world.lines().size(); ++line) {
    if (world.lines()[line].state == Line::State::kOpening) {
      continue;
    }
    acts.push_back({fmt::format("the connection of turn {} breaks", world.lines()[line].turn),
                    [line](World& next) { return next.break_line(line); }});
  }
  if (cast.thief_with_proof && world.client(kProofThief).proof == 0 &&
      world.client(kOwner).proof > 0) {
    acts.push_back({"a proof is stolen", [](World& next) { return next.steal_proof(); }});
  }
  if (cast.crashes) {
    acts.push_back({"turns are written", [](World& next) { return next.write_late(); }});
    acts.push_back({"a crash", [](World& next) { return next.crash(); }});
  }
  if (cast.backup && !world.was_put_back()) {
    acts.push_back({"a backup is put back", [](World& next) { return next.put_back_backup(); }});
  }
  if (!world.is_grace_over()) {
    acts.push_back({"the grace passes", [](World& next) { return next.let_grace_pass(); }});
  }
  if (!world.is_over()) {
    add_ends(cast, world, acts);
  }
  if (cast.second_node) {
    const bool is_cut = !world.is_cut();
    acts.push_back({is_cut ? "node 0 is cut off" : "node 0 is back",
                    [is_cut](World& next) { return next.cut_first_node(is_cut); }});
  }
  return acts;
}

std::vector<std::string> history_of(StepPtr last) {
  std::vector<std::string> history;
  for (; last != nullptr; last = last->before) {
    history.insert(history.begin(), last->what);
  }
  return history;
}

}  // namespace

Explored explore(const Cast& cast) {
  Explored explored;
  std::unordered_set<std::string> seen;
  std::vector<Place> places;
  places.push_back({.world = World(), .last = nullptr});
  while (!places.empty()) {
    std::vector<Place> next_places;
    for (const Place& place : places) {
      for (const Act& act : acts_of(cast, place.world)) {
        World next = place.world;
        const std::string fault = act.run(next);
        if (!fault.empty()) {
          explored.fault = fault;
          explored.history = history_of(std::make_shared<const Step>(Step{act.what, place.last}));
          return explored;
        }
        if (seen.insert(next.key()).second) {
          next_places.push_back(
              {std::move(next), std::make_shared<const Step>(Step{act.what, place.last})});
        }
      }
    }
    places = std::move(next_places);
    explored.steps += places.empty() ? 0 : 1;
  }
  explored.states = seen.size();
  return explored;
}

}  // namespace vrelo::sim::tickets
