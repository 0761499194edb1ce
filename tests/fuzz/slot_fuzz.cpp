// SPDX-License-Identifier: Apache-2.0
// A slot of our driver for pcscd, and a card program at its socket that says anything: after each
// question what the input has for it, then nothing, or it leaves. Whatever it says, pcscd gets an
// answer that the program gave, whole, or an error; and the PIN commands of part 10 make sense of
// any structure.
#include <winscard.h>

#include <ifdhandler.h>
#include <reader.h>
#include <sys/stat.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>

#include "../../readers/ifd/ifd_attributes.hpp"
#include "../../readers/ifd/ifd_reader.hpp"
#include "../../readers/ifd/part10.hpp"
#include "fuzz.hpp"
#include "input.hpp"
#include "said_program.hpp"
#include "scratch.hpp"

using namespace tallycard;
using fuzz::Bytes;
using fuzz::Input;
using namespace std::chrono_literals;

namespace {

// PINs come from a pipe, or from a program, which says anything as well: what is in the file
// "pins".
std::string make_config(const char* name, const std::string& pins)
{
    const auto file = fuzz::scratch().file(name);
    std::ofstream(file) << "directory = " << fuzz::scratch().file("sockets") << "\nslots = 1\n"
                        << "deadline-ms = 20\nserial = F\npin-timeout-s = 1\n"
                        << pins << "\n";
    ::chmod(file.c_str(), 0600);
    return file;
}

std::string pins_file()
{
    return fuzz::scratch().file("typed");
}

const std::string& config_file(bool has_prompt)
{
    static const auto pipe = make_config("pipe", "pin-pipe = " + fuzz::scratch().file("pins"));
    static const auto prompt = make_config("prompt", "pin-prompt = cat " + pins_file());
    return has_prompt ? prompt : pipe;
}

// Bytes as a PIN structure would be, most of the time.
Bytes structure(Input& input, std::uint8_t feature)
{
    Bytes bytes = {1, 1, 0x89, 0x47, 0x04, 0x0C, 0x04, 0x02, 0x01, 0x09, 0x04, 0,   0,
                   0, 0, 13,   0,    0,    0,    0x00, 0x20, 0x00, 0x01, 0x08, 0x20};
    if (feature == FEATURE_MODIFY_PIN_DIRECT)
        bytes = {1, 1, 0x89, 0x47, 0x04, 0,  8, 0x0C, 0x04, 3,    2,    3,    9,    4,    0,
                 1, 2, 0,    0,    0,    21, 0, 0,    0,    0x00, 0x24, 0x00, 0x01, 0x10, 0x20};
    bytes.resize(bytes.size() + (feature == FEATURE_MODIFY_PIN_DIRECT ? 15 : 7), 0xFF);
    if (input.one_in(2)) fuzz::edit(bytes, input);
    return bytes;
}

class World {
public:
    explicit World(Input& input)
        : input_(input), reader_(ifd::IfdReader::open(config_file(input.byte() >= 0xF0)))
    {
        FUZZ_CHECK(reader_ && reader_->open_slot(0));
        FUZZ_CHECK(!reader_->open_slot(1));
    }
    ~World() { reader_->close_slot(0); }

    void step()
    {
        const auto slot = reader_->slot(0);
        switch (input_.below(10)) {
        case 0: return (void)slot->is_present();
        case 1: return power(slot->power_on());
        case 2: return power(slot->reset());
        case 3: return slot->power_off();
        case 4:
        case 5: return transmit(*slot);
        case 6: return control(*slot);
        case 7: return attribute();
        case 8: slot->wait_for_change(0ms); return (void)slot->is_present();
        default: return come_in();
        }
    }
    void come_in()
    {
        if (programs_.size() == 3) programs_.pop_front();
        programs_.push_back(
            std::make_unique<fuzz::SaidProgram>(reader_->config().socket_of(0), input_));
        (void)reader_->slot(0)->is_present();
    }

private:
    void power(const Result<Atr>& atr)
    {
        if (atr) FUZZ_CHECK(atr->size() >= 2 && (atr->bytes()[0] | 4) == 0x3F);
    }
    void transmit(ifd::Slot& slot)
    {
        const auto command = input_.bytes(input_.below(16));
        Bytes answer(input_.one_in(4) ? 8 : 300);
        const auto size = slot.transmit(command, answer);
        if (!size) {
            FUZZ_CHECK(size.error().code != Errc::no_card || size.error().effect == Effect::none);
            return;
        }
        FUZZ_CHECK(*size >= 2 && *size <= answer.size() && command.size() >= 2);
    }
    void control(ifd::Slot& slot)
    {
        const auto which = input_.byte();
        const auto feature = which % 4 == 0   ? FEATURE_VERIFY_PIN_DIRECT
                             : which % 4 == 1 ? FEATURE_MODIFY_PIN_DIRECT
                                              : which / 4;
        const auto code = which == 0xFF ? CM_IOCTL_GET_FEATURE_REQUEST
                                        : SCARD_CTL_CODE(3500) + static_cast<unsigned>(feature);
        const auto in = structure(input_, static_cast<std::uint8_t>(feature));
        type_pins();
        Bytes out(input_.one_in(8) ? 1 : 300);
        const ifd::Pinpad pinpad{reader_->pinpad(), 1s, 0};
        const auto size = ifd::control(slot, pinpad, static_cast<std::uint32_t>(code), in, out);
        FUZZ_CHECK(!size || !*size || **size <= out.size());
    }
    // Lines in the pipe, so that nobody is waited for.
    void type_pins()
    {
        std::string lines;
        for (int i = 0; i < 3; ++i) {
            const auto how = input_.byte();
            lines += how < 0x80 ? "4711" : std::string(how % 40u, how % 2 == 0 ? '7' : 'x');
            lines += '\n';
        }
        const auto& pipe = reader_->config().pin_pipe;
        if (pipe.empty() && input_.one_in(4))
            std::filesystem::remove(pins_file());  // the program fails
        else
            std::ofstream(pipe.empty() ? pins_file() : pipe) << lines;
    }
    void attribute()
    {
        constexpr unsigned long tags[] = {TAG_IFD_ATR,
                                          TAG_IFD_SLOTS_NUMBER,
                                          TAG_IFD_SIMULTANEOUS_ACCESS,
                                          TAG_IFD_THREAD_SAFE,
                                          TAG_IFD_SLOT_THREAD_SAFE,
                                          TAG_IFD_POLLING_THREAD_KILLABLE,
                                          SCARD_ATTR_VENDOR_NAME,
                                          SCARD_ATTR_VENDOR_IFD_TYPE,
                                          SCARD_ATTR_VENDOR_IFD_SERIAL_NO,
                                          SCARD_ATTR_VENDOR_IFD_VERSION,
                                          SCARD_ATTR_MAXINPUT,
                                          SCARD_ATTR_ICC_PRESENCE,
                                          SCARD_ATTR_ICC_INTERFACE_STATUS,
                                          SCARD_ATTR_ATR_STRING,
                                          SCARD_ATTR_ICC_TYPE_PER_ATR,
                                          0xFFFF};
        (void)ifd::attribute(*reader_, input_.one_in(8) ? 1 : 0,
                             tags[input_.below(std::size(tags))]);
    }

    Input& input_;
    std::shared_ptr<ifd::IfdReader> reader_;
    std::deque<std::unique_ptr<fuzz::SaidProgram>> programs_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Input input(data, size);
    World world(input);
    world.come_in();
    for (int i = 0; i < 12 && !input.empty(); ++i) world.step();
    return 0;
}
