// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/issuer_description.hpp>
#include <tallycard/passphrase.hpp>
#include <tallycard/platform.hpp>
#include <tallycard/reader.hpp>
#include <tallycard/reader_spec.hpp>
#include <tallycard/terminal.hpp>

#include "keyring/issuer_folder.hpp"
#include "options.hpp"

// Opens what a command works with. Everything here throws ResultError; main() reports it.
namespace workplace {

using tallycard::keyring::IssuerFolder;

// Throws Errc::file_missing with `where`, which names the file for people.
void expect_file(const std::string& path, const char* where);

// The public description: of the folder, or the file itself.
tallycard::IssuerDescription issuer(const Options& options);

// The store at that place, as open_store() takes it; where its server cannot be reached, stderr has
// why.
std::unique_ptr<tallycard::Store> open_store_at(const std::string& place);
std::unique_ptr<tallycard::Store> reached(
    tallycard::Result<std::unique_ptr<tallycard::Store>> store, const std::string& place);
std::string store_place(const Options& options);

// The platform in the issuer's folder; with the operation keys only where something is signed.
enum class Signing : bool { no, yes };
std::unique_ptr<tallycard::Platform> platform(const Options& options, Signing signing);

// The one of `references`, or else of the issuer's folder.
std::string key_or(const std::string& reference, const std::string& in_folder, const char* where);

// A reader, open, and the link to the card in it.
struct Desk {
    std::unique_ptr<tallycard::ReaderDriver> driver;
    std::unique_ptr<tallycard::Reader> reader;
    std::unique_ptr<tallycard::CardLink> card;
};
Desk desk(const Options& options, const std::string& reader_spec);
inline Desk desk(const Options& options)
{
    return desk(options, options.reader);
}

// The readers of `spec`, as open_reader_driver() understands it.
tallycard::ReaderSource readers(const Options& options, const std::string& spec);

// This terminal's. Waits a while for another process that has it. Forgets the oldest of very many.
std::unique_ptr<tallycard::OperationJournal> journal(const Options& options);

tallycard::TerminalSettings terminal_settings(const Options& options,
                                              const tallycard::IssuerDescription& issuer,
                                              tallycard::OperationJournal* journal = nullptr);

// Parsed from the options, or Errc::malformed named after the option.
tallycard::OperationId operation_id(const Options& options);  // a random one where none is given
tallycard::AccountId account(const std::string& text, const char* what);
tallycard::CardId card_id(const std::string& text);
// The PIN, where the command was told to give one: from a descriptor, else typed at the reader that
// has a keypad, else at a prompt.
class Pin {
public:
    explicit Pin(const Options& options) : Pin(options.ask_pin, options.pin_fd, "PIN of the card")
    {
    }
    // `prompt` is a literal.
    Pin(bool is_asked, std::optional<int> descriptor, const char* prompt)
        : is_asked_(is_asked), descriptor_(descriptor), prompt_(prompt)
    {
    }
    // Asks for it. Borrows the object.
    tallycard::HolderPin of(tallycard::CardLink& card);

private:
    bool is_asked_;
    std::optional<int> descriptor_;
    const char* prompt_;
    std::optional<tallycard::PinBlock> block_;
};

}  // namespace workplace
