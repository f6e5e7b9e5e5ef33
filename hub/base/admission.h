// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/system/result.hpp>
#include <boost/unordered/unordered_map.hpp>

namespace vrelo::base {

// Counts the node's open connections, in all and by address, and says when there are too many. It
// is asked when a connection opens and told when one closes, never between.
//
// Threads: any; a short lock per connection that opens or closes.
// Lifetime: outlives its places.
class Admission {
 public:
  struct Limits {
    std::size_t connections_max;
    std::size_t per_address_max;  // 0: no limit

    friend bool operator==(const Limits&, const Limits&) = default;
  };

  enum class Refusal {
    kTooMany = 1,
    kTooManyFromAddress,
  };

 private:
  // Who is one for the limit per address: an IPv4 address, or the 64 bits of an IPv6 network, since
  // a single machine has all the addresses of one. Source: RFC 4291, section 2.5.4.
  using Origin = std::array<std::uint8_t, 9>;
  struct Entry {
    Admission* admission;
    std::size_t count;
  };
  using Entries = boost::unordered_map<Origin, Entry>;  // its elements stay where they are

 public:
  // The right of one connection to be open. Gives it back when it is destroyed. One pointer in
  // size, so that each stream can keep its own.
  class Place {
   public:
    Place() = default;  // nobody's
    Place(Place&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(entry_, other.entry_);
      return *this;
    }
    ~Place() {
      if (entry_ != nullptr) {
        entry_->second.admission->release(*entry_);
      }
    }

   private:
    friend class Admission;
    explicit Place(Entries::value_type& entry) : entry_(&entry) {}

    Entries::value_type* entry_ = nullptr;
  };

  explicit Admission(Limits limits) : limits_(limits) {}
  ~Admission();

  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // Errors: why there is no room; the caller refuses the connection and tells its peer to come
  // back. Nothing is counted then, so a refused connection has to be closed soon.
  boost::system::result<Place, Refusal> admit(const boost::asio::ip::address& address);

  // Holds for connections that open from now on; none is closed.
  void set_limits(Limits limits);

  std::size_t connections() const { return total_.load(std::memory_order_relaxed); }

 private:
  void release(Entries::value_type& entry);

  std::atomic<std::size_t> total_{0};  // written with the lock

  std::mutex mutex_;
  Limits limits_;
  Entries entries_;  // of addresses that have a connection
};

}  // namespace vrelo::base
