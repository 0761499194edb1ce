// SPDX-License-Identifier: Apache-2.0
#include <tallycard/issuing.hpp>

#include <algorithm>
#include <array>

#include <sodium/randombytes.h>

#include <tallycard/card_session.hpp>
#include <tallycard/contract.hpp>

#include "../crypto/seal.hpp"
#include "../protocol/digest.hpp"
#include "../protocol/personalisation.hpp"

namespace tallycard {

namespace {

Error refusal(Errc code)
{
    return Error{.code = code, .where = "issue"};
}

CardId random_card_id()
{
    std::array<std::uint8_t, CardId::size> bytes;
    randombytes_buf(bytes.data(), bytes.size());
    return CardId(bytes);
}

// What the card says of itself before anything is sent to it.
Result<CardInfo> look(CardLink& link, const PublicKey& root, Observer* observer)
{
    auto session = CardSession::begin(link, root, observer);
    if (!session) return session.error();
    const auto info = session->info();
    if (const auto ended = session->end(); !ended) return ended.error();
    return info;
}

std::optional<PinBlock> copy_of(const PinBlock* pin)
{
    if (pin == nullptr) return std::nullopt;
    std::array<std::uint8_t, PinBlock::size> bytes;
    std::ranges::copy(pin->reveal(), bytes.begin());
    return PinBlock(bytes);
}

class Issuing {
public:
    Issuing(CardRegistry& registry, const IssuerDescription& issuer, CardRoot& root,
            const CardOrder& order)
        : registry_(&registry), issuer_(&issuer), root_(&root), order_(&order)
    {
    }

    // Under which id the card with this transport key is made, or was.
    Result<void> choose_id(const TransportKey& transport_key)
    {
        transport_digest_ = sha256(transport_key.reveal());
        const auto before = registry_->card_of_transport_key(transport_digest_);
        if (!before) return before.error();
        before_ = *before;
        if (before_ && order_->card_id && *order_->card_id != before_->row.card_id)
            return refusal(Errc::transport_key_used);
        id_ = before_           ? before_->row.card_id
              : order_->card_id ? *order_->card_id
                                : random_card_id();
        return {};
    }

    // Whether a card that is personalised is the one that this order made earlier.
    bool made_before(const CardInfo& info) const
    {
        return before_ && info.card_id == before_->row.card_id &&
               info.certificate == before_->row.certificate;
    }

    // Makes the blank card the one that was ordered; registered, and durable, before any card
    // can be that one. An issuing that was interrupted goes on with what was registered then.
    Result<SealedPersonalisation> prepare(const TransportKey& transport_key)
    {
        if (!before_) return prepare_new(transport_key);
        if (!before_->sealed) return refusal(Errc::transport_key_used);
        if (before_->sealed->size() < seal_overhead) return refusal(Errc::malformed);
        const auto object = unseal(*before_->sealed, transport_key);
        if (!object) return object.error();
        const auto given = Personalisation::decode(object->reveal());
        if (!given) return given.error();
        const bool same = given->card_id == id_ && given->currency == issuer_->currency &&
                          given->limits == order_->limits &&
                          given->private_balance == order_->private_balance && same_pin(*given);
        if (!same) return refusal(Errc::conflict);
        return *before_->sealed;
    }

    // Whether what is in the reader now is the card that was ordered.
    Result<CardInfo> check(CardSession& session) const
    {
        const auto& info = session.info();
        if (info.card_id != id_ || info.currency != issuer_->currency)
            return refusal(Errc::wrong_card);
        if (info.sequence > 0) return info;
        const auto use = session.limits();
        if (!use) return use.error();
        if (use->limits != order_->limits) return refusal(Errc::conflict);
        return info;
    }

private:
    Result<SealedPersonalisation> prepare_new(const TransportKey& transport_key)
    {
        auto key = root_->derive(id_);
        if (!key) return key.error();
        const Personalisation object{.card_id = id_,
                                     .currency = issuer_->currency,
                                     .certificate = key->certificate,
                                     .scalar = std::move(key->scalar),
                                     .operation_key = issuer_->operation_keys.front(),
                                     .limits = order_->limits,
                                     .private_balance = order_->private_balance,
                                     .pin = copy_of(order_->pin)};
        const auto sealed = seal(object.encode(), transport_key);
        const auto registered = registry_->register_card({.card_id = id_,
                                                          .certificate = key->certificate,
                                                          .public_key = key->public_key,
                                                          .transport_key = transport_digest_,
                                                          .limits = order_->limits,
                                                          .sealed = sealed});
        if (!registered) return registered.error();
        return sealed;
    }

    bool same_pin(const Personalisation& given) const
    {
        if (!given.pin || order_->pin == nullptr)
            return given.pin.has_value() == (order_->pin != nullptr);
        return detail::equal(given.pin->reveal(), order_->pin->reveal());
    }

    CardRegistry* registry_;
    const IssuerDescription* issuer_;
    CardRoot* root_;
    const CardOrder* order_;
    Digest transport_digest_;
    std::optional<RegisteredCard> before_;
    CardId id_;
};

}  // namespace

Result<CardInfo> issue_card(CardRegistry& registry, CardRoot& root, CardLink& card,
                            const TransportKey& transport_key, const CardOrder& order,
                            Observer* observer)
{
    TALLYCARD_EXPECTS(order.limits.valid() && (!order.private_balance || order.pin != nullptr));
    const auto issuer = registry.description();
    if (!issuer) return issuer.error();
    if (root.public_key() != issuer->card_root) return refusal(Errc::conflict);
    Issuing issuing(registry, *issuer, root, order);
    if (const auto chosen = issuing.choose_id(transport_key); !chosen) return chosen.error();
    const auto found = look(card, root.public_key(), observer);
    if (!found) return found.error();
    const bool blank = found->state == CardState::blank;
    if (!blank && !issuing.made_before(*found)) return refusal(Errc::not_in_this_state);

    std::optional<SealedPersonalisation> sealed;
    if (blank) {
        const auto prepared = issuing.prepare(transport_key);
        if (!prepared) return prepared.error();
        sealed = *prepared;
    }
    auto session = CardSession::begin(card, root.public_key(), observer);
    if (!session) return session.error();
    if (sealed) {
        if (const auto sent = session->personalise(*sealed); !sent) return sent.error();
        if (const auto selected = session->select(); !selected) return selected.error();
    }
    const auto info = issuing.check(*session);
    if (!info) return info.error();
    if (const auto ended = session->end(); !ended) return ended.error();
    if (const auto confirmed = registry.confirm_card(info->card_id); !confirmed)
        return confirmed.error();
    return *info;
}

}  // namespace tallycard
