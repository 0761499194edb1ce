// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <tallycard/export.hpp>
#include <tallycard/result.hpp>

namespace tallycard::chip {

// The VSCard protocol, version 0.0.2, as QEMU's ccid-card-passthru speaks it (vscard_common.h of
// libcacard): twelve bytes of header, which are type, reader and length of the payload, each four
// bytes with the highest first; then the payload. The card's side is the client.
enum class VscardType : std::uint32_t {
    init = 1,  // both ways
    error,     // both ways; the host's says yes or no to what the client asked for
    reader_add,
    reader_remove,
    atr,
    card_remove,
    apdu,            // both ways
    flush,           // host to client
    flush_complete,  // client to host
};

// In an error message.
enum class VscardError : std::uint32_t {
    none = 0,
    general = 1,
    cannot_add_more_readers = 2,
    card_already_inserted = 3,
};

inline constexpr std::size_t vscard_header_size = 12, vscard_init_size = 12, vscard_error_size = 4;
inline constexpr std::uint32_t vscard_no_reader = 0xFFFFFFFF;

// What a host says.
struct VscardMessage {
    VscardType type;
    std::uint32_t reader;
    std::span<const std::uint8_t> payload;
    VscardError error = VscardError::none;  // of an error message
};

// Cuts what a host sends into messages, in whatever pieces it comes. Strict: the first thing that
// no host says fails, as soon as its header is there, and it stays failed. Allocates nothing.
class TALLYCARD_EXPORT VscardDecoder {
public:
    // QEMU passes on what a guest sends in one block of at most 64 KiB, sensible or not.
    static constexpr std::size_t max_payload = 0x10000;

    VscardDecoder() = default;
    VscardDecoder(const VscardDecoder&) = delete;
    VscardDecoder& operator=(const VscardDecoder&) = delete;
    ~VscardDecoder();

    // Where to put what comes next; never empty once next() has answered that nothing is complete.
    // A message that was given out ends here, and is erased: it may have held a PIN.
    std::span<std::uint8_t> space();
    // How much of that was filled. Requires count <= space().size().
    void received(std::size_t count);

    // The next complete message, valid until the next call of anything here; empty when more bytes
    // are needed. Errc::malformed (detail: the byte of the stream where it stops making sense).
    Result<std::optional<VscardMessage>> next();

private:
    Error fail(std::size_t at);
    void drop_given();

    std::array<std::uint8_t, vscard_header_size + max_payload> buffer_{};
    std::size_t size_ = 0;
    std::size_t given_ = 0;  // bytes of the message that next() gave out, at the front
    std::uint32_t position_ = 0;
    std::optional<Error> failure_;
};

// The header of a message with a payload of this size.
TALLYCARD_EXPORT std::array<std::uint8_t, vscard_header_size> vscard_header(VscardType type,
                                                                            std::uint32_t reader,
                                                                            std::size_t size);
// The payload of the client's init message: no capability, as none is defined.
TALLYCARD_EXPORT std::array<std::uint8_t, vscard_init_size> vscard_init();
TALLYCARD_EXPORT std::array<std::uint8_t, vscard_error_size> vscard_error(VscardError error);

}  // namespace tallycard::chip
