// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "sse/client/alarm.h"
#include "sse/client/errc.h"
#include "sse/client/task.h"
#include "sse/client/url.h"

namespace vrelo::sse::client {

// What is needed to connect.
//
// Lifetime: all of it must outlive whatever is made with it.
struct Network {
  Executor executor;
  boost::asio::ssl::context& tls;
  MakeAlarm make_alarm;
};

// TLS as a client should have it: 1.2 or later, and only servers whose certificate somebody has
// signed whom the system trusts (OpenSSL's own variables SSL_CERT_FILE and SSL_CERT_DIR change
// that).
boost::asio::ssl::context make_tls_context();

// Whether TLS was what failed: the other side does not speak it, or its certificate is not trusted
// or for another host.
bool is_tls_error(const boost::system::error_code& error);

// A stream of bytes to the server of a URL, plain or through TLS, with the certificate checked.
//
// Threads: one, that of its loop.
// Order: open(), once, before all else. One read and one write at a time; both may be under way.
// Lifetime: must outlive its operations; after close() each of them ends soon, but for the look-up
// of a name, which cannot be interrupted.
// Errors: those of the system and of OpenSSL; operation_aborted after close().
class Connection {
 public:
  explicit Connection(const Network& network);

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Connects to the first address of the host that answers. Where there are several, each has 5 s.
  Task<boost::system::error_code> open(Url url);

  // Returns how many bytes came; 0: the other side has ended the stream. Errors: kCut too, where
  // TLS was not ended as it should be.
  Task<Result<std::size_t>> read_some(std::span<char> into);

  // Writes all of `bytes`.
  Task<boost::system::error_code> write(std::string_view bytes);

  void close();

 private:
  using Tcp = boost::asio::ip::tcp;
  using Socket = boost::asio::basic_stream_socket<Tcp, Executor>;

  Task<Result<std::vector<Tcp::endpoint>>> look_up(Url url);
  Task<boost::system::error_code> connect(std::vector<Tcp::endpoint> endpoints);
  Task<boost::system::error_code> shake_hands(Url url);

  boost::asio::ssl::context& tls_context_;
  boost::asio::ip::basic_resolver<Tcp, Executor> resolver_;
  Socket socket_;
  std::optional<boost::asio::ssl::stream<Socket&>> tls_;  // over socket_; nullopt: plain
  std::unique_ptr<Alarm> address_alarm_;
  bool is_closed_ = false;
};

}  // namespace vrelo::sse::client
