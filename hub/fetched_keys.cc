// SPDX-License-Identifier: Apache-2.0
#include "hub/fetched_keys.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "hub/auth/key_set.h"

namespace vrelo {
namespace {

constexpr const char* kAccept = "application/jwk-set+json, application/json";

bool are_same(const std::vector<auth::NamedKey>& some, const std::vector<auth::NamedKey>& others) {
  return std::equal(some.begin(), some.end(), others.begin(), others.end(),
                    [](const auth::NamedKey& one, const auth::NamedKey& other) {
                      return one.kid == other.kid && one.key == other.key;
                    });
}

}  // namespace

// A request that waits for the fetches of some issuers.
struct FetchedKeys::Waiter {
  std::optional<std::string> kid;
  std::size_t fetches = 0;  // that are under way for it
  Done done;                // nullptr: was called

  void tell(bool may_be_known) { std::exchange(done, nullptr)(may_be_known); }
};

// An issuer that publishes its keys.
struct FetchedKeys::Source {
  std::size_t place = 0;  // among the issuers
  std::string issuer_name;
  auth::KeySourcePtr at;
  auth::KeySetOptions options;

  std::vector<auth::NamedKey> keys;
  std::optional<Steady> known_at;   // since when the keys are known to be so; nullopt: no set is
  std::optional<Steady> wanted_at;  // when a token began a fetch
  Steady begun_at{};                // the last fetch

  std::unique_ptr<net::Transfer> transfer;  // nullptr: none is under way
  std::vector<std::shared_ptr<Waiter>> waiters;
  std::unique_ptr<net::Alarm> alarm;

  std::string name() const { return fmt::format("issuers[{}], {}", place, base::shown(at->url)); }
};

FetchedKeys::FetchedKeys(Parts parts) : parts_(std::move(parts)) {}

FetchedKeys::~FetchedKeys() = default;

void FetchedKeys::follow(std::span<const auth::Issuer> issuers) {
  std::vector<std::unique_ptr<Source>> before = std::exchange(sources_, {});
  for (std::size_t i = 0; i < issuers.size(); ++i) {
    const auth::Issuer& issuer = issuers[i];
    if (issuer.key_source == nullptr) {
      continue;
    }
    const auto same = std::find_if(before.begin(), before.end(), [&](const auto& source) {
      return source && source->issuer_name == issuer.name &&
             source->at->url == issuer.key_source->url;
    });
    std::unique_ptr<Source> source;
    if (same != before.end()) {
      source = std::move(*same);
    } else {
      source = std::make_unique<Source>();
      source->issuer_name = issuer.name;
      source->alarm = parts_.make_alarm([this, &source = *source] { ring(source); });
    }
    if (source->at != nullptr && source->at->ca != issuer.key_source->ca) {
      source->transfer.reset();  // it asks a server that may not be the right one
    }
    source->place = i;
    source->at = issuer.key_source;
    source->options = auth::key_set_options(issuer);
    sources_.push_back(std::move(source));
  }
  for (const auto& source : sources_) {
    if (source->transfer == nullptr) {
      begin(*source);
    }
  }
  for (const auto& source : before) {
    if (source != nullptr) {
      source->keys.clear();
      tell(*source);
    }
  }
  count();
}

void FetchedKeys::add_to(std::span<auth::Issuer> issuers) const {
  for (const auto& source : sources_) {
    assert(source->place < issuers.size());
    issuers[source->place].lacks_keys = !source->known_at;
    std::vector<auth::NamedKey>& keys = issuers[source->place].keys;
    for (const auth::NamedKey& key : source->keys) {
      if (!auth::has_kid(keys, key.kid)) {
        keys.push_back(key);
      }
    }
  }
}

void FetchedKeys::want(const auth::KeysWanted& wanted, Done done) {
  const Steady now = parts_.clock.steady();
  const auto waiter = std::make_shared<Waiter>(Waiter{.kid = wanted.kid, .done = std::move(done)});
  for (const auto& source : sources_) {
    if (std::find(wanted.sources.begin(), wanted.sources.end(), source->at) ==
        wanted.sources.end()) {
      continue;
    }
    if (auth::has_kid(source->keys, wanted.kid)) {  // it came while the request was on its way
      waiter->tell(true);
      return;
    }
    if (source->transfer == nullptr) {
      if (source->wanted_at && now - *source->wanted_at < kKeysWantedInterval) {
        continue;
      }
      source->wanted_at = now;
      begin(*source);
    }
    if (source->waiters.size() < kKeyWaitersMax) {
      source->waiters.push_back(waiter);
      ++waiter->fetches;
    }
  }
  if (waiter->fetches == 0) {
    waiter->tell(false);
  }
}

FetchedKeys::Figures FetchedKeys::figures() const {
  return {.fetched = fetched_.get(), .failed = failed_.get(), .without = without_.load()};
}

void FetchedKeys::begin(Source& source) {
  assert(source.transfer == nullptr);
  source.begun_at = parts_.clock.steady();
  source.transfer = parts_.fetch(
      {.url = source.at->url,
       .ca = source.at->ca,
       .accept = kAccept,
       .body_bytes_max = auth::kKeySetBytesMax},
      [this, &source](const base::Parsed<std::string>& document) { end(source, document); });
  set_alarm(source);
}

void FetchedKeys::end(Source& source, const base::Parsed<std::string>& document) {
  source.transfer.reset();
  const bool has_changed = take(source, document);
  set_alarm(source);
  count();
  if (has_changed) {
    parts_.on_change();
  }
  tell(source);
}

// Returns whether the keys are others now, or known for the first time.
bool FetchedKeys::take(Source& source, const base::Parsed<std::string>& document) {
  auto set = document ? auth::parse_published_set(*document, source.options) : document.error();
  if (!set) {
    failed_.add();
    parts_.logger.limited(base::LogLevel::kWarning, "keys not fetched",
                          fmt::format("{}: {}", source.name(), set.error().message));
    return false;
  }
  fetched_.add();
  const bool is_first = !std::exchange(source.known_at, source.begun_at);
  if (!is_first && are_same(set->keys, source.keys)) {
    return false;
  }
  source.keys = std::move(set->keys);
  parts_.logger.limited(base::LogLevel::kInfo, "keys fetched",
                        fmt::format("{}: {} keys", source.name(), source.keys.size()));
  for (const std::string& skipped : set->skipped) {
    parts_.logger.limited(base::LogLevel::kWarning, "not taken",
                          fmt::format("{}: {}", source.name(), skipped));
  }
  return true;
}

// Tells those who wait what the fetch that is over means for them.
void FetchedKeys::tell(Source& source) {
  for (const auto& waiter : std::exchange(source.waiters, {})) {
    --waiter->fetches;
    if (waiter->done == nullptr) {
      continue;
    }
    const bool may_be_known =
        waiter->kid ? auth::has_kid(source.keys, waiter->kid) : !source.keys.empty();
    if (may_be_known || waiter->fetches == 0) {
      waiter->tell(may_be_known);
    }
  }
}

void FetchedKeys::ring(Source& source) {
  const Steady now = parts_.clock.steady();
  if (source.transfer != nullptr && now >= source.begun_at + kKeyFetchTime) {
    end(source, base::Fault{fmt::format("no whole answer within {} s", kKeyFetchTime.count())});
  }
  if (source.known_at && now >= *source.known_at + kKeysAgeMax) {
    parts_.logger.error("{}: its keys are not taken any more: they could not be fetched for {} h",
                        source.name(), kKeysAgeMax.count());
    source.known_at.reset();
    source.keys.clear();
    count();
    parts_.on_change();
  }
  if (source.transfer == nullptr && now >= source.begun_at + kKeyFetchInterval) {
    begin(source);
  }
  set_alarm(source);
}

void FetchedKeys::set_alarm(Source& source) {
  Steady next = source.begun_at + (source.transfer ? Steady::duration(kKeyFetchTime)
                                                   : Steady::duration(kKeyFetchInterval));
  if (source.known_at) {
    next = std::min(next, *source.known_at + kKeysAgeMax);
  }
  source.alarm->set(next);
}

void FetchedKeys::count() {
  without_ = static_cast<std::size_t>(
      std::count_if(sources_.begin(), sources_.end(),
                    [](const auto& source) { return !source->known_at.has_value(); }));
}

}  // namespace vrelo
