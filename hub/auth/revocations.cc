// SPDX-License-Identifier: Apache-2.0
#include "hub/auth/revocations.h"

namespace vrelo::auth {

std::string_view name_of(Revocation::Kind kind) {
  switch (kind) {
    case Revocation::Kind::kToken:
      return "token";
    case Revocation::Kind::kSubject:
      return "subject";
    case Revocation::Kind::kKey:
      return "key";
    case Revocation::Kind::kLabel:
      return "label";
    case Revocation::Kind::kSession:
      return "session";
  }
  return "";
}

Revocations::Revocations(const std::vector<Revocation>& all, Steady now) {
  for (const Revocation& revocation : all) {
    add(revocation, now);
  }
}

void Revocations::add(const Revocation& revocation, Steady now) {
  Times& times = times_[{revocation.issuer, revocation.kind, revocation.name}];
  if (times.at <= revocation.at) {
    times = {.at = revocation.at, .until = revocation.until, .here_since = now};
  }
}

bool is_by_store(Revocation::Kind kind) {
  return kind == Revocation::Kind::kLabel;
}

Revocation Revocations::revocation_of(const Key& key, const Times& times) {
  const auto& [issuer, kind, name] = key;
  return {.issuer = issuer, .kind = kind, .name = name, .at = times.at, .until = times.until};
}

bool Revocations::is_over(const Key& key, const Times& times, const Revocation& by, Steady now) {
  return is_by_store(std::get<Revocation::Kind>(key)) == is_by_store(by.kind) &&
         times.until > NumericDate(0) && times.until < by.at &&
         (times.until - times.at < NumericDate(now - times.here_since) ||
          times.until + kClockAheadMax < by.at);
}

std::vector<Revocation> Revocations::over(const Revocation& revocation, Steady now) const {
  std::vector<Revocation> over;
  for (const auto& [key, times] : times_) {
    if (is_over(key, times, revocation, now)) {
      over.push_back(revocation_of(key, times));
    }
  }
  return over;
}

Revocations Revocations::with(const Revocation& revocation, Steady now) const {
  Revocations more = *this;
  std::erase_if(more.times_, [&revocation, now](const auto& entry) {
    return is_over(entry.first, entry.second, revocation, now);
  });
  more.add(revocation, now);
  return more;
}

const Revocations::Times* Revocations::find(const std::string& issuer,
                                            Revocation::Kind kind,
                                            const std::optional<std::string>& name) const {
  using Borrowed = std::tuple<const std::string&, Revocation::Kind, const std::string&>;
  const auto found = name ? times_.find(Borrowed(issuer, kind, *name)) : times_.end();
  return found == times_.end() ? nullptr : &found->second;
}

bool Revocations::covers(const VerifiedToken& token, NumericDate now, NumericDate leeway) const {
  if (times_.empty()) {
    return false;
  }
  const std::string& issuer = token.issuer_name;
  const Claims& claims = token.claims;
  if (find(issuer, Revocation::Kind::kToken, claims.token_id) != nullptr ||
      covers_key(issuer, token.kid)) {
    return true;
  }
  const Times* const times = find(issuer, Revocation::Kind::kSubject, claims.subject);
  return times != nullptr && (!claims.issued_at || *claims.issued_at <= times->at + leeway ||
                              *claims.issued_at > now + leeway);
}

bool Revocations::covers(const std::string& issuer,
                         const std::string& label,
                         NumericDate minted_at) const {
  if (times_.empty() || label.empty()) {
    return false;
  }
  const Times* const times = find(issuer, Revocation::Kind::kLabel, label);
  return times != nullptr && minted_at <= times->at;
}

bool Revocations::covers_key(const std::string& issuer,
                             const std::optional<std::string>& kid) const {
  return find(issuer, Revocation::Kind::kKey, kid) != nullptr;
}

std::vector<Revocation> Revocations::all() const {
  std::vector<Revocation> all;
  for (const auto& [key, times] : times_) {
    all.push_back(revocation_of(key, times));
  }
  return all;
}

}  // namespace vrelo::auth
