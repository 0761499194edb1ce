// SPDX-License-Identifier: Apache-2.0
// What a terminal of the soak asks its platform for, as words in one packet of a Unix socket. Both
// ends are built together and trust each other: a word that does not read ends the program.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <tallycard/issuer_client.hpp>

namespace soak {

using namespace tallycard;

class Words {
public:
    Words() = default;
    explicit Words(const std::string& text) : text_(text) {}
    std::string str() const { return text_.str(); }

    void put(const std::string& word) { text_ << word << ' '; }
    template <class Number>
    void put_number(Number number)
    {
        put(std::to_string(number));
    }
    template <class Object>
    void put_object(const std::optional<Object>& object)
    {
        put(object ? to_hex(object->encode()) : "-");
    }

    std::string get()
    {
        std::string word;
        if (!(text_ >> word)) throw std::runtime_error("a word is missing: " + text_.str());
        return word;
    }
    template <class Number>
    Number get_number()
    {
        return static_cast<Number>(std::stoll(get()));
    }
    template <class Object>
    std::optional<Object> get_object()
    {
        const auto word = get();
        if (word == "-") return std::nullopt;
        std::vector<std::uint8_t> bytes(word.size() / 2);
        if (!detail::from_hex(word, bytes)) throw std::runtime_error("no hex: " + word);
        return Object::decode(bytes).value();
    }
    template <class Fixed>
    Fixed get_fixed()
    {
        return Fixed::parse(get()).value();
    }

private:
    std::stringstream text_;
};

class Socket {
public:
    explicit Socket(int number) : number_(number)
    {
        if (number_ < 0) throw std::system_error(errno, std::generic_category(), "socket");
    }
    Socket(Socket&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Socket& operator=(Socket&& other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Socket()
    {
        if (number_ >= 0) close(number_);
    }
    static Socket listen_at(const std::string& path)
    {
        Socket made(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        made.named(path, bind);
        if (listen(made.number_, 16) != 0)
            throw std::system_error(errno, std::generic_category(), path);
        return made;
    }
    static Socket connect_to(const std::string& path)
    {
        Socket made(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        made.named(path, connect);
        return made;
    }

    int number() const { return number_; }
    void send(const Words& words) const
    {
        const auto text = words.str();
        if (::send(number_, text.data(), text.size(), MSG_NOSIGNAL) < 0)
            throw std::system_error(errno, std::generic_category(), "send");
    }
    // Empty at the end.
    std::optional<Words> receive() const
    {
        std::array<char, 8192> text{};
        const auto size = recv(number_, text.data(), text.size(), 0);
        if (size <= 0) return std::nullopt;
        return Words(std::string(text.data(), static_cast<std::size_t>(size)));
    }

private:
    template <class Call>
    void named(const std::string& path, Call call) const
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (path.size() >= sizeof address.sun_path) throw std::runtime_error("too long: " + path);
        std::memcpy(address.sun_path, path.c_str(), path.size());
        if (call(number_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            throw std::system_error(errno, std::generic_category(), path);
    }
    int number_;
};

}  // namespace soak
