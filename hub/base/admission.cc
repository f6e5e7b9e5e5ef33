// SPDX-License-Identifier: Apache-2.0
#include "hub/base/admission.h"

#include <algorithm>
#include <cassert>

namespace vrelo::base {
namespace {

std::array<std::uint8_t, 9> origin_of(const boost::asio::ip::address& address) {
  constexpr std::uint8_t kV4 = 4;
  constexpr std::uint8_t kV6 = 6;
  constexpr std::size_t kNetworkBytes = 8;
  std::array<std::uint8_t, 9> origin = {};
  const auto put = [&origin](std::uint8_t family, const auto& bytes, std::size_t count) {
    origin[0] = family;
    std::copy_n(bytes.begin(), count, origin.begin() + 1);
  };
  if (address.is_v4()) {
    put(kV4, address.to_v4().to_bytes(), 4);
  } else if (address.to_v6().is_v4_mapped()) {
    // A listener for both families shows an IPv4 peer in this form.
    put(kV4,
        boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()).to_bytes(),
        4);
  } else {
    put(kV6, address.to_v6().to_bytes(), kNetworkBytes);
  }
  return origin;
}

}  // namespace

Admission::~Admission() {
  assert(entries_.empty());
}

boost::system::result<Admission::Place, Admission::Refusal> Admission::admit(
    const boost::asio::ip::address& address) {
  const Origin origin = origin_of(address);
  const std::scoped_lock lock(mutex_);
  const std::size_t total = total_.load(std::memory_order_relaxed);
  if (total >= limits_.connections_max) {
    return Refusal::kTooMany;
  }
  const auto found = entries_.try_emplace(origin, Entry{this, 0}).first;
  std::size_t& count = found->second.count;
  if (limits_.per_address_max != 0 && count >= limits_.per_address_max) {
    return Refusal::kTooManyFromAddress;
  }
  ++count;
  total_.store(total + 1, std::memory_order_relaxed);
  return Place(*found);
}

void Admission::set_limits(Limits limits) {
  const std::scoped_lock lock(mutex_);
  limits_ = limits;
}

void Admission::release(Entries::value_type& entry) {
  const std::scoped_lock lock(mutex_);
  assert(entry.second.count > 0);
  total_.store(total_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  if (--entry.second.count == 0) {
    entries_.erase(Origin(entry.first));
  }
}

}  // namespace vrelo::base
