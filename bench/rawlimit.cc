// SPDX-License-Identifier: Apache-2.0
//
// The limit: the least work with which a server can bring events to readers, at one send() per
// event and reader. It takes connections, answers a GET with the head of an event stream and keeps
// the descriptor in an array; the body of a POST is made an event once, and goes to every
// descriptor of the array. There are no topics, history, grants or heartbeats. A socket that is
// full gets a buffer, so that nothing is lost; the buffer has no bound, and what comes in is
// trusted: this is a measure and no server.
//
//   rawlimit [--port 9100] [--threads 1]
//
// Each thread is a shard with its own listener, epoll set and array. The one that takes a POST
// hands the event to the others, writes it to its own readers, and then answers 200.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

namespace {

using Frame = std::shared_ptr<const std::string>;

constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\r\n";
constexpr std::string_view kPublished = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
constexpr std::string_view kLengthHeader = "Content-Length: ";
constexpr std::size_t kReceiveBytes = 65536;
constexpr int kBacklog = 4096;

// Ends the process where the system refuses what nothing can go on without.
int checked(int result, const char* what) {
  if (result < 0) {
    fmt::print(stderr, "rawlimit: {}: {}\n", what, std::generic_category().message(errno));
    std::exit(1);
  }
  return result;
}

// One thread with its connections.
//
// Threads: its own, but for post(), which any may call.
class Shard {
 public:
  // Listens on 127.0.0.1; 0: at any port that is free.
  explicit Shard(std::uint16_t port);

  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  std::uint16_t port() const;

  // Serves for ever. `shards` are all of them, this one too.
  [[noreturn]] void run(const std::vector<std::unique_ptr<Shard>>& shards,
                        std::atomic<std::uint64_t>& next_id);

 private:
  void watch(int fd, std::uint32_t events, int operation);
  void accept_all();
  void receive(int fd);
  void read_requests(int fd);
  void publish(std::string_view body);
  void post(const Frame& frame);
  void take_posted();
  void fan_out(const std::string& frame);
  void send_or_keep(int fd, const std::string& frame);
  void keep(int fd, std::string_view rest);
  void send_kept(int fd);
  void drop(int fd);

  struct State {
    bool is_full = false;  // bytes are kept for it
  };
  bool& is_full(int fd) { return states_[static_cast<std::size_t>(fd)].is_full; }

  int epoll_ = -1;
  int listener_ = -1;
  int wake_ = -1;
  const std::vector<std::unique_ptr<Shard>>* shards_ = nullptr;
  std::atomic<std::uint64_t>* next_id_ = nullptr;

  std::vector<int> readers_;                           // the array
  std::unordered_map<int, std::size_t> reader_index_;  // by descriptor
  std::vector<State> states_;                          // by descriptor
  std::unordered_map<int, std::string> kept_;          // what full sockets are still to get
  std::unordered_map<int, std::string> requests_;      // what has come of them so far
  std::array<char, kReceiveBytes> buffer_ = {};

  std::mutex mutex_;
  std::vector<Frame> posted_;  // by other shards
};

Shard::Shard(std::uint16_t port) {
  epoll_ = checked(::epoll_create1(EPOLL_CLOEXEC), "epoll");
  wake_ = checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
  listener_ = checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  const int on = 1;
  checked(::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
  checked(::setsockopt(listener_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), "SO_REUSEPORT");
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  checked(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  checked(::listen(listener_, kBacklog), "listen");
  watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
  watch(wake_, EPOLLIN, EPOLL_CTL_ADD);
}

std::uint16_t Shard::port() const {
  sockaddr_in address = {};
  socklen_t bytes = sizeof address;
  checked(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &bytes), "getsockname");
  return ntohs(address.sin_port);
}

void Shard::run(const std::vector<std::unique_ptr<Shard>>& shards,
                std::atomic<std::uint64_t>& next_id) {
  shards_ = &shards;
  next_id_ = &next_id;
  std::array<epoll_event, 512> events = {};
  for (;;) {
    const int count =
        ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), /*timeout=*/-1);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const int fd = event.data.fd;
      if (fd == listener_) {
        accept_all();
        continue;
      }
      if (fd == wake_) {
        take_posted();
        continue;
      }
      if ((event.events & EPOLLOUT) != 0) {
        send_kept(fd);
      }
      if ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        receive(fd);
      }
    }
  }
}

void Shard::watch(int fd, std::uint32_t events, int operation) {
  epoll_event event = {};
  event.events = events;
  event.data.fd = fd;
  checked(::epoll_ctl(epoll_, operation, fd, &event), "epoll_ctl");
}

void Shard::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      return;
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (states_.size() <= static_cast<std::size_t>(fd)) {
      states_.resize(static_cast<std::size_t>(fd) * 2 + 1);
    }
    watch(fd, EPOLLIN, EPOLL_CTL_ADD);
  }
}

void Shard::receive(int fd) {
  const ssize_t count = ::recv(fd, buffer_.data(), buffer_.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
    return;
  }
  if (count <= 0) {
    drop(fd);
    return;
  }
  if (!reader_index_.contains(fd)) {  // a reader has nothing more to say
    requests_[fd].append(buffer_.data(), static_cast<std::size_t>(count));
    read_requests(fd);
  }
}

void Shard::read_requests(int fd) {
  std::string& bytes = requests_[fd];
  std::string answers;
  std::size_t taken = 0;
  for (;;) {
    const std::string_view rest = std::string_view(bytes).substr(taken);
    const std::size_t head_bytes = rest.find("\r\n\r\n");
    if (head_bytes == std::string_view::npos) {
      break;
    }
    if (rest.starts_with("GET ")) {
      if (::send(fd, kStreamHead.data(), kStreamHead.size(), MSG_NOSIGNAL) < 0) {
        drop(fd);
        return;
      }
      reader_index_[fd] = readers_.size();
      readers_.push_back(fd);
      requests_.erase(fd);
      return;
    }
    std::size_t body_bytes = 0;
    if (const std::size_t at = rest.find(kLengthHeader); at < head_bytes) {
      std::from_chars(rest.data() + at + kLengthHeader.size(), rest.data() + head_bytes,
                      body_bytes);
    }
    const std::size_t body_at = head_bytes + 4;
    if (rest.size() - body_at < body_bytes) {
      break;
    }
    publish(rest.substr(body_at, body_bytes));
    answers += kPublished;
    taken += body_at + body_bytes;
  }
  bytes.erase(0, taken);
  if (!answers.empty() && ::send(fd, answers.data(), answers.size(), MSG_NOSIGNAL) < 0) {
    drop(fd);
  }
}

void Shard::publish(std::string_view body) {
  const auto frame = std::make_shared<const std::string>(
      fmt::format("id: {}\ndata: {}\n\n", next_id_->fetch_add(1), body));
  for (const auto& shard : *shards_) {
    if (shard.get() != this) {
      shard->post(frame);
    }
  }
  fan_out(*frame);
}

void Shard::post(const Frame& frame) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = posted_.empty();
    posted_.push_back(frame);
  }
  if (was_empty) {
    checked(::eventfd_write(wake_, 1), "eventfd");
  }
}

void Shard::take_posted() {
  eventfd_t count = 0;
  checked(::eventfd_read(wake_, &count), "eventfd");
  std::vector<Frame> frames;
  {
    const std::lock_guard lock(mutex_);
    frames.swap(posted_);
  }
  for (const Frame& frame : frames) {
    fan_out(*frame);
  }
}

void Shard::fan_out(const std::string& frame) {
  for (const int fd : readers_) {
    send_or_keep(fd, frame);
  }
}

void Shard::send_or_keep(int fd, const std::string& frame) {
  if (is_full(fd)) {
    keep(fd, frame);
    return;
  }
  const ssize_t count = ::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count == static_cast<ssize_t>(frame.size())) {
    return;
  }
  if (count < 0 && errno != EAGAIN) {
    return;  // the next turn of the loop sees that it has gone
  }
  keep(fd, std::string_view(frame).substr(count < 0 ? 0 : static_cast<std::size_t>(count)));
}

void Shard::keep(int fd, std::string_view rest) {
  kept_[fd].append(rest);
  if (!is_full(fd)) {
    is_full(fd) = true;
    watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
  }
}

void Shard::send_kept(int fd) {
  const auto found = kept_.find(fd);
  assert(found != kept_.end());
  std::string& bytes = found->second;
  const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count > 0) {
    bytes.erase(0, static_cast<std::size_t>(count));
  }
  if (bytes.empty()) {
    kept_.erase(found);
    is_full(fd) = false;
    watch(fd, EPOLLIN, EPOLL_CTL_MOD);
  }
}

void Shard::drop(int fd) {
  if (const auto found = reader_index_.find(fd); found != reader_index_.end()) {
    const std::size_t index = found->second;
    readers_[index] = readers_.back();
    reader_index_[readers_[index]] = index;
    readers_.pop_back();
    reader_index_.erase(fd);
  }
  is_full(fd) = false;
  kept_.erase(fd);
  requests_.erase(fd);
  ::close(fd);
}

// Each reader is a descriptor.
void raise_files_max() {
  rlimit limit = {};
  checked(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  checked(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

}  // namespace

int main(int count, char** arguments) {
  std::uint16_t port = 9100;
  unsigned shard_count = 1;
  CLI::App app("rawlimit: brings events to readers at the least cost that is possible.");
  app.add_option("--port", port, "At 127.0.0.1; 0: any that is free.")->capture_default_str();
  app.add_option("--threads", shard_count, "Shards.")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  CLI11_PARSE(app, count, arguments);

  raise_files_max();
  std::atomic<std::uint64_t> next_id{1};
  std::vector<std::unique_ptr<Shard>> shards;
  for (unsigned i = 0; i < shard_count; ++i) {
    shards.push_back(std::make_unique<Shard>(port));
    port = shards.back()->port();
  }
  fmt::print("listening on http://127.0.0.1:{}\n", port);
  std::fflush(stdout);

  std::vector<std::jthread> threads;
  threads.reserve(shards.size());
  for (const auto& shard : shards) {
    threads.emplace_back([&] { shard->run(shards, next_id); });
  }
}
