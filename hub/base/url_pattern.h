// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vrelo::base {

inline constexpr std::size_t kUrlPatternBytesMax = 4096;

// The URL that topics and patterns are references from: the hub's.
//
// Threads: any.
class UrlBase {
 public:
  // Returns nullptr if `url` is no absolute URL.
  static std::shared_ptr<const UrlBase> make(std::string_view url);

  ~UrlBase();

 private:
  friend class TopicUrl;
  friend class UrlPattern;

  struct Url;
  explicit UrlBase(std::unique_ptr<const Url> url);

  std::unique_ptr<const Url> url_;
};

// A topic as URL patterns see it: the parts of the URL that it is.
class TopicUrl {
 public:
  // Each part as the WHATWG URL standard writes it, without what separates it from the others.
  struct Parts {
    std::string_view protocol;
    std::string_view username;
    std::string_view password;
    std::string_view host;
    std::string_view port;
    std::string_view path;
    std::string_view query;
    std::string_view fragment;
  };

  TopicUrl() = default;

  TopicUrl(const TopicUrl&) = delete;
  TopicUrl& operator=(const TopicUrl&) = delete;

  // Reads another topic, which is UTF-8. Returns whether it is a URL or a reference to one; no
  // pattern matches what is not.
  //
  // Cost: allocates.
  bool read(std::string_view topic, const UrlBase& base);

  // Lifetime: until the next read().
  const Parts& parts() const { return parts_; }

 private:
  std::string text_;
  Parts parts_;
};

// A topic that patterns are asked about: it is parsed as a URL for the first that wants it, once,
// however many are asked.
//
// Lifetime: the topic outlives it.
class AskedTopic {
 public:
  explicit AskedTopic(const std::string& text) : text_(text) {}

  const std::string& text() const { return text_; }

  // nullptr: it is no URL. Always with the same base.
  const TopicUrl* url(const UrlBase& base) {
    if (!is_url_) {
      is_url_ = url_.read(text_, base);
    }
    return *is_url_ ? &url_ : nullptr;
  }

 private:
  const std::string& text_;
  std::optional<bool> is_url_;  // nullopt: it was not parsed yet
  TopicUrl url_;
};

// Those of an event.
using AskedTopics = std::deque<AskedTopic>;

// A set of topics that cannot be listed.
//
// Threads: any.
class TopicPattern {
 public:
  explicit TopicPattern(std::string_view text) : text_(text) {}
  virtual ~TopicPattern() = default;

  TopicPattern(const TopicPattern&) = delete;
  TopicPattern& operator=(const TopicPattern&) = delete;

  // As who asks for it wrote it.
  const std::string& text() const { return text_; }

  virtual bool matches(AskedTopic& topic) const = 0;

  bool matches(std::string_view topic) const {
    const std::string text(topic);
    AskedTopic asked(text);
    return matches(asked);
  }

 private:
  std::string text_;
};

using TopicPatternPtr = std::shared_ptr<const TopicPattern>;

// A set of topics that is written as a URL pattern.
//
// Source: WHATWG URL Pattern, by Ada; draft-dunglas-mercure-08, section 4.2.
class UrlPattern final : public TopicPattern {
 public:
  // Compiles `text`: by itself if that is possible, else as a reference from `base`. Letters count
  // in their case. Returns nullptr if it is no pattern, is longer than kUrlPatternBytesMax, or has
  // a regular expression that cannot be run in linear time and in little memory (see
  // re2_syntax(), which says what is left out).
  //
  // Cost: some ten microseconds; the memory is in proportion to the text, at most 128 KiB beyond.
  static std::shared_ptr<const UrlPattern> make(std::string_view text,
                                                std::shared_ptr<const UrlBase> base);

  ~UrlPattern() override;

  // Whether it matches a topic that was read from its base().
  //
  // Cost: linear in the topic; no allocation once it was called a few times.
  bool matches(const TopicUrl& topic) const;

  using TopicPattern::matches;
  bool matches(AskedTopic& topic) const override;

  // Whether it has what all topics that it matches have in common, see below.
  //
  // Invariant: a topic that matches may match.
  // Cost: a comparison or two, and no regular expression.
  bool may_match(const TopicUrl& topic) const;

  const UrlBase& base() const { return *base_; }

  // What all topics that it matches have in common, for an index: the host, if it is fixed; the
  // segments that the path begins with ("/a/b"; "": none is fixed), after which it ends or goes on
  // with "/"; and a text that is somewhere in the path ("": none is known).
  const std::optional<std::string>& fixed_host() const { return fixed_host_; }
  const std::string& fixed_path() const { return fixed_path_; }
  const std::string& fixed_text() const { return fixed_text_; }

 private:
  struct Compiled;
  UrlPattern(std::string_view text,
             std::shared_ptr<const UrlBase> base,
             std::unique_ptr<const Compiled> compiled);

  std::shared_ptr<const UrlBase> base_;
  std::unique_ptr<const Compiled> compiled_;
  std::optional<std::string> fixed_host_;
  std::string fixed_path_;
  std::string fixed_text_;
};

}  // namespace vrelo::base
