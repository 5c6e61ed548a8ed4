// SPDX-License-Identifier: Apache-2.0
#include "simulator/debug/packet_stream.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace kiln::sim {

namespace {

Status socketError(std::string_view what) {
  return {StatusCode::kInvalidArgument,
          fmt::format("{}: {}", what, std::strerror(errno))};
}

int digitOf(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

constexpr char kEscape = 0x7d;
constexpr char kInterrupt = 0x03;

} // namespace

std::string toHexBytes(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (char byte : bytes) {
    text += kDigits[static_cast<uint8_t>(byte) >> 4];
    text += kDigits[static_cast<uint8_t>(byte) & 15];
  }
  return text;
}

std::optional<std::string> fromHexBytes(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    int high = digitOf(text[i]);
    int low = i + 1 < text.size() ? digitOf(text[i + 1]) : -1;
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

PacketStream::PacketStream(PacketStream &&other) noexcept {
  *this = std::move(other);
}

PacketStream &PacketStream::operator=(PacketStream &&other) noexcept {
  std::swap(listener_, other.listener_);
  std::swap(connection_, other.connection_);
  std::swap(port_, other.port_);
  std::swap(acknowledges_, other.acknowledges_);
  std::swap(buffer_, other.buffer_);
  std::swap(used_, other.used_);
  return *this;
}

PacketStream::~PacketStream() {
  close();
  if (listener_ >= 0) {
    ::close(listener_);
  }
}

void PacketStream::close() {
  if (connection_ >= 0) {
    ::close(connection_);
    connection_ = -1;
  }
}

Result<PacketStream> PacketStream::listen(uint16_t port) {
  PacketStream stream;
  stream.listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (stream.listener_ < 0) {
    return socketError("cannot open a socket");
  }
  int yes = 1;
  ::setsockopt(stream.listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  auto *any = reinterpret_cast<sockaddr *>(&address);
  socklen_t size = sizeof address;
  if (::bind(stream.listener_, any, size) < 0 ||
      ::listen(stream.listener_, 1) < 0 ||
      ::getsockname(stream.listener_, any, &size) < 0) {
    return socketError(fmt::format("cannot listen on port {}", port));
  }
  stream.port_ = ntohs(address.sin_port);
  return stream;
}

Status PacketStream::accept() {
  while (connection_ < 0) {
    connection_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection_ < 0 && errno != EINTR) {
      return socketError("no debugger came");
    }
  }
  int yes = 1;
  ::setsockopt(connection_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return Status::ok();
}

/// The next byte, or -1.
int PacketStream::next() {
  if (used_ == buffer_.size()) {
    char part[4096];
    ssize_t got = connection_ < 0 ? 0 : ::read(connection_, part, sizeof part);
    if (got <= 0) {
      close();
      return -1;
    }
    buffer_.assign(part, static_cast<size_t>(got));
    used_ = 0;
  }
  return static_cast<uint8_t>(buffer_[used_++]);
}

void PacketStream::send(std::string_view bytes) {
  while (connection_ >= 0 && !bytes.empty()) {
    ssize_t sent =
        ::send(connection_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      close();
      return;
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

std::optional<std::string> PacketStream::read() {
  for (;;) {
    int c = next();
    if (c < 0) {
      return std::nullopt;
    }
    if (c == kInterrupt) {
      return std::string(1, kInterrupt);
    }
    if (c != '$') {
      continue; // an acknowledgement
    }
    std::string packet;
    uint8_t sum = 0;
    while ((c = next()) >= 0 && c != '#') {
      sum = static_cast<uint8_t>(sum + c);
      if (c == kEscape) {
        c = next();
        sum = static_cast<uint8_t>(sum + c);
        c ^= 0x20;
      }
      packet.push_back(static_cast<char>(c));
    }
    int high = next(), low = next();
    if (low < 0) {
      return std::nullopt;
    }
    bool right = digitOf(static_cast<char>(high)) == sum >> 4 &&
                 digitOf(static_cast<char>(low)) == (sum & 15);
    if (acknowledges_) {
      send(right ? "+" : "-");
    }
    if (right) {
      return packet;
    }
  }
}

void PacketStream::write(std::string_view packet) {
  std::string frame = "$";
  uint8_t sum = 0;
  for (char c : packet) {
    bool special = c == '$' || c == '#' || c == kEscape || c == '*';
    if (special) {
      frame.push_back(kEscape);
      sum = static_cast<uint8_t>(sum + kEscape);
      c = static_cast<char>(c ^ 0x20);
    }
    frame.push_back(c);
    sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(c));
  }
  frame += fmt::format("#{:02x}", sum);
  send(frame);
}

bool PacketStream::interrupted() {
  char c = 0;
  if (connection_ < 0 || used_ != buffer_.size() ||
      ::recv(connection_, &c, 1, MSG_DONTWAIT | MSG_PEEK) != 1 ||
      c != kInterrupt) {
    return false;
  }
  ::recv(connection_, &c, 1, 0);
  return true;
}

} // namespace kiln::sim
