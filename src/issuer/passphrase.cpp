// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include <tallycard/passphrase.hpp>
#include <tallycard/secret.hpp>

namespace tallycard {

Result<Passphrase> Passphrase::take(std::span<char> characters)
{
    const std::span source(reinterpret_cast<std::uint8_t*>(characters.data()), characters.size());
    Passphrase taken;
    const bool fits = !source.empty() && source.size() <= max_size;
    if (fits) {
        std::ranges::copy(source, taken.bytes_.begin());
        taken.size_ = source.size();
    }
    detail::erase(source);
    if (!fits) return Error{.code = Errc::malformed, .where = "passphrase"};
    return taken;
}

Passphrase::Passphrase(Passphrase&& other) noexcept
    : bytes_(other.bytes_), size_(std::exchange(other.size_, 0))
{
    detail::erase(other.bytes_);
}

Passphrase& Passphrase::operator=(Passphrase&& other) noexcept
{
    if (this == &other) return *this;
    bytes_ = other.bytes_;
    size_ = std::exchange(other.size_, 0);
    detail::erase(other.bytes_);
    return *this;
}

Passphrase::~Passphrase()
{
    detail::erase(bytes_);
}

}  // namespace tallycard
