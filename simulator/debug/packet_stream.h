// SPDX-License-Identifier: Apache-2.0
//
// PacketStream: packets of the GDB remote serial protocol over one TCP
// connection on the loopback device.
//
//   KILN_ASSIGN_OR_RETURN(PacketStream stream, PacketStream::listen(1234));
//   KILN_RETURN_IF_ERROR(stream.accept());
//   while (std::optional<std::string> packet = stream.read()) {
//     stream.write("OK");
//   }
//
// Source: Debugging with GDB, appendix "GDB Remote Serial Protocol".
#pragma once

#include "isa/support/status.h"

#include <optional>
#include <string>
#include <string_view>

namespace kiln::sim {

class PacketStream {
public:
  /// A socket that waits for a debugger; port 0 takes a free one.
  static Result<PacketStream> listen(uint16_t port);
  PacketStream(PacketStream &&other) noexcept;
  PacketStream &operator=(PacketStream &&other) noexcept;
  ~PacketStream();

  uint16_t port() const { return port_; }
  /// Waits for the debugger.
  Status accept();
  bool connected() const { return connection_ >= 0; }

  /// The next packet without its frame; "\x03" for an interrupt; nothing when
  /// the debugger has gone.
  std::optional<std::string> read();
  void write(std::string_view packet);
  /// Whether an interrupt has come; consumes it. Never blocks.
  bool interrupted();
  void stopAcknowledging() { acknowledges_ = false; }
  void close();

private:
  PacketStream() = default;
  int next();
  void send(std::string_view bytes);

  int listener_ = -1, connection_ = -1;
  uint16_t port_ = 0;
  bool acknowledges_ = true;
  std::string buffer_;
  size_t used_ = 0;
};

/// Two hexadecimal digits per byte.
std::string toHexBytes(std::string_view bytes);
/// Nothing when the text is not pairs of hexadecimal digits.
std::optional<std::string> fromHexBytes(std::string_view text);

} // namespace kiln::sim
