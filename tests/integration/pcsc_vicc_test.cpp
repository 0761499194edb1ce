// SPDX-License-Identifier: Apache-2.0
// Whole cards in processes of their own, through a real pcscd: issue, top up, lose, recover.
#include <fcntl.h>
#include <sys/stat.h>

#include <winscard.h>

#include <catch2/catch.hpp>

#include <tallycard/pcsc.hpp>

#include "support/paper_issuer.hpp"
#include "support/pcscd_process.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

const auto transport = secret_of<TransportKey>(7);

// The program tallycard-vicc with one card.
class Vicc {
public:
    Vicc(const test::TemporaryFolder& folder, int slot, const char* protocol)
        : image_(folder.file(("card" + std::to_string(slot)).c_str())),
          key_file_(image_ + ".key"),
          port_(std::to_string(std::atoi(std::getenv("TALLYCARD_VPCD_PORT")) + slot)),
          protocol_(protocol)
    {
        write_key();
        insert();
    }
    Vicc(const Vicc&) = delete;
    Vicc& operator=(const Vicc&) = delete;
    ~Vicc() { remove(SIGTERM); }

    void insert()
    {
        pid_ = fork();
        if (pid_ == 0) {
            const int log = open("/dev/null", O_WRONLY);
            dup2(log, STDOUT_FILENO);
            execl(TALLYCARD_VICC, "tallycard-vicc", "--image", image_.c_str(),
                  "--transport-key-file", key_file_.c_str(), "--port", port_.c_str(), "--protocol",
                  protocol_, "--no-fsync", nullptr);
            _exit(127);
        }
    }
    // Its exit status, or the signal's number negated.
    int remove(int signal)
    {
        if (pid_ <= 0) return 0;
        kill(pid_, signal);
        int status = 0;
        waitpid(std::exchange(pid_, 0), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

private:
    void write_key() const
    {
        std::string hex;
        for (int i = 0; i < 32; ++i) hex += "07";
        const int file = open(key_file_.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
        REQUIRE(write(file, hex.data(), hex.size()) == static_cast<ssize_t>(hex.size()));
        close(file);
    }

    std::string image_, key_file_, port_;
    const char* protocol_;
    pid_t pid_ = 0;
};

struct Table {
    explicit Table(const char* protocol = "t1") : vicc(folder, 0, protocol)
    {
        reader = open_pcsc().value()->open("Virtual PCD 00 00").value();
        connect();
    }
    void connect()
    {
        REQUIRE(reader->wait_for_card(10s));
        link = reader->connect(Sharing::shared).value();
    }
    CardSession begin() { return CardSession::begin(*link, issuer.root.public_key()).value(); }
    void issue()
    {
        auto session = begin();
        REQUIRE(session.info().state == CardState::blank);
        REQUIRE(session.personalise(issuer.personalisation_of(card_id, transport)));
        REQUIRE(session.select());
        REQUIRE(session.info().card_id == card_id);
    }

    PcscdProcess pcscd;
    test::TemporaryFolder folder;
    PaperIssuer issuer;
    CardId card_id = bytes_value<CardId>(0xC1);
    Vicc vicc;
    std::unique_ptr<Reader> reader;
    std::unique_ptr<CardLink> link;
};

PinBlock pin_of(std::string digits)
{
    return make_pin_block(digits).value();
}

}  // namespace

TEST_CASE("a card in its own process is issued, topped up and cashed out", "[pcsc][vicc]")
{
    const auto* protocol = GENERATE("t1", "t0");
    Table table(protocol);
    table.issue();
    auto session = table.begin();
    CHECK(session.execute(table.issuer.sign(table.card_id, 1, Kind::top_up, 5000)));
    REQUIRE(session.verify_pin(pin_of("4711")));
    const auto asked =
        session.request(Kind::cash_out, Amount::minor_units(-3000), table.issuer.currency.unit,
                        *AccountId::parse(std::string_view("T1")));
    REQUIRE(asked);
    const auto out = session.execute(table.issuer.sign(asked->operation));
    REQUIRE(out);
    CHECK(out->result.balance == Balance::minor_units(2000));
    CHECK(session.authenticate(bytes_value<Challenge>(9)).value().sequence == 2);
    std::array<std::uint8_t, 256> random{};
    CHECK(session.challenge(random));
}

TEST_CASE("a card that is taken out and put back gives its result again", "[pcsc][vicc]")
{
    Table table;
    table.issue();
    const auto first = table.issuer.sign(table.card_id, 1, Kind::top_up, 5000);
    const auto receipt = table.begin().execute(first).value();
    for (const int signal : {SIGTERM, SIGKILL}) {
        const auto ended = table.vicc.remove(signal);
        CHECK(ended == (signal == SIGTERM ? 0 : -SIGKILL));
        REQUIRE(table.reader->wait_for_removal(10s));
        CHECK(table.link->begin().error().code == Errc::card_removed);
        table.vicc.insert();
        table.connect();
        CHECK(table.begin().execute(first).value() == receipt);
        CHECK(table.begin().result(1).value() == receipt);
    }
}

TEST_CASE("a reset by another program ends the PIN and nothing else", "[pcsc][vicc]")
{
    Table table;
    table.issue();
    {
        auto session = table.begin();
        REQUIRE(session.execute(table.issuer.sign(table.card_id, 1, Kind::top_up, 5000)));
        REQUIRE(session.verify_pin(pin_of("4711")));
    }
    SCARDCONTEXT context = 0;
    SCARDHANDLE card = 0;
    DWORD protocol = 0;
    REQUIRE(SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &context) == 0);
    REQUIRE(SCardConnect(context, "Virtual PCD 00 00", SCARD_SHARE_SHARED, SCARD_PROTOCOL_T1, &card,
                         &protocol) == 0);
    REQUIRE(SCardDisconnect(card, SCARD_RESET_CARD) == 0);
    SCardReleaseContext(context);

    auto session = table.begin();
    CHECK(session.info().balance == Balance::minor_units(5000));
    CHECK(session.pin_tries_left().value() == 3u);
    const auto asked =
        session.request(Kind::cash_out, Amount::minor_units(-3000), table.issuer.currency.unit,
                        *AccountId::parse(std::string_view("T1")));
    CHECK(asked.error().code == Errc::pin_needed);
}

TEST_CASE("a card stays with its holder when pcscd is restarted", "[pcsc][vicc]")
{
    Table table;
    table.issue();
    REQUIRE(table.begin().execute(table.issuer.sign(table.card_id, 1, Kind::top_up, 5000)));
    table.pcscd.stop(SIGKILL);
    CHECK(table.link->begin().error().code == Errc::service_unavailable);
    table.pcscd.start();
    table.connect();
    CHECK(table.begin().info().balance == Balance::minor_units(5000));
}

TEST_CASE("two cards of one issuer are in two readers at once", "[pcsc][vicc]")
{
    Table table;
    table.issue();
    const Vicc other(table.folder, 1, "t0");
    auto reader = open_pcsc().value()->open("Virtual PCD 00 01").value();
    REQUIRE(reader->wait_for_card(10s));
    const auto link = reader->connect(Sharing::exclusive).value();
    const auto& root = table.issuer.root.public_key();
    auto second = CardSession::begin(*link, root).value();
    CHECK(second.info().state == CardState::blank);
    const auto other_id = bytes_value<CardId>(0xC2);
    REQUIRE(second.personalise(table.issuer.personalisation_of(other_id, transport)));
    REQUIRE(second.select());
    auto first = table.begin();
    CHECK(first.public_key() != second.public_key());
    const auto operation = table.issuer.sign(table.card_id, 1, Kind::top_up, 100);
    CHECK(second.execute(operation).error().code == Errc::wrong_card);
    CHECK(first.execute(operation));
}
