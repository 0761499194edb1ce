// SPDX-License-Identifier: Apache-2.0
// The platform: src/issuer; docs/protocol.md, section 8. Each step is one transaction of its store,
// so a platform that stops between two of them is one that does nothing for a while.

// What an operation adds to its card; nothing, for a void.
#define ON_CARD(operation) ((2 * IS_CREDIT(operation) - 1) * AMOUNT(operation))

// Books::post(): between the card and the terminal's cash, or the card and the account.
inline post(what)
{
    if
    :: KIND(what) == TOP_UP || KIND(what) == CASH_OUT -> cash = cash - ON_CARD(what)
    :: KIND(what) == VOID
#ifdef FAULT_CREDIT_ON_SECOND
    :: KIND(what) == TRANSFER_OUT
#endif
    :: else -> account = account - ON_CARD(what)
    fi
}

// Books::reserve() and Books::release(): a credit's amount, `times` 1 or -1.
inline reserve(what, times)
{
    if
    :: KIND(what) == TOP_UP -> cash_reserved = cash_reserved + times * AMOUNT(what)
    :: KIND(what) == TRANSFER_IN -> account_reserved = account_reserved + times * AMOUNT(what)
    :: else
    fi
}

// Authoriser::sign_and_store()
inline sign(c, what)
{
    reserve(what, 1);
    medium[c].first[standing[c].settled + 1] =
        medium[c].first[standing[c].settled + 1] | BIT(what);
    standing[c].pending = what;
    signatures--;
    outcome = signed_first
}

// Whether another operation may be signed: Authoriser::ready_card().
inline check_ready(c)
{
    if
    :: standing[c].denied -> outcome = card_denied
#ifndef FAULT_TWO_IN_FLIGHT
    :: !standing[c].denied && standing[c].pending != NOTHING -> outcome = busy
#endif
    :: else -> outcome = begun
    fi
}

// What the card would refuse is not signed: check_value() of src/issuer/authorise.cpp, with the
// balance that settled last.
inline check_limits(c, what)
{
    if
    :: IS_CREDIT(what) && standing[c].balance + AMOUNT(what) > MAX_BALANCE -> outcome = too_high
    :: !IS_CREDIT(what) && standing[c].balance < AMOUNT(what) -> outcome = too_low
    :: else
    fi
}

// Authoriser::authorise() of a top-up, `what`.
inline authorise(c, what)
{
    check_ready(c);
    if
    :: outcome == begun -> check_limits(c, what)
    :: else
    fi;
    if
    :: outcome == begun -> sign(c, what)
    :: else
    fi
}

// Authoriser::authorise_transfer() of `what`, which the card asked for with sequence `at`.
inline authorise_transfer(c, at, what)
{
    check_ready(c);
    if
    :: outcome != begun
    :: outcome == begun && at <= standing[c].settled -> outcome = wrong_sequence
    :: outcome == begun && at > standing[c].settled + 1 -> outcome = unsettled
    :: outcome == begun && at == standing[c].settled + 1 ->
        check_limits(c, what);
        if
        :: outcome != begun
        :: outcome == begun && KIND(what) == TRANSFER_IN && account - account_reserved < AMOUNT(what) ->
            outcome = no_funds
        :: else ->
#ifdef FAULT_CREDIT_ON_SECOND
            if
            :: KIND(what) == TRANSFER_OUT ->
                account = account + AMOUNT(what);
                standing[c].balance = standing[c].balance - AMOUNT(what)
            :: else
            fi;
#endif
            sign(c, what)
        fi
    fi
}

// Authoriser::void_pending()
inline void_pending(c)
{
    if
    :: standing[c].pending == NOTHING -> outcome = nothing_pending
    :: standing[c].pending != NOTHING && standing[c].voiding -> outcome = again
    :: else ->
        standing[c].voiding = 1;
        medium[c].first[standing[c].settled + 1] =
            medium[c].first[standing[c].settled + 1] | BIT(OPERATION(VOID, 0));
        outcome = signed_first;
#ifdef FAULT_VOID_ENDS_AT_ONCE
        give_up(c)
#endif
    fi
}

// What faulty designs do to a pending operation that no result has ended.
inline give_up(c)
{
    reserve(standing[c].pending, -1);
    standing[c].pending = NOTHING;
    standing[c].voiding = 0
}

// Settler::apply() of the result `chain` with sequence k and `balance`.
inline apply(c)
{
    reserve(standing[c].pending, -1);
    post(LAST_OF(chain));
    standing[c].settled = k;
    standing[c].balance = balance;
    standing[c].chain = chain;
    standing[c].pending = NOTHING;
    standing[c].voiding = 0
}

#ifdef FAULT_CREDIT_ON_SECOND
#define FOLLOWS(c) (KIND(LAST_OF(chain)) == TRANSFER_OUT -> balance == standing[c].balance : \
    balance == standing[c].balance + ON_CARD(LAST_OF(chain)))
#else
#define FOLLOWS(c) (balance == standing[c].balance + ON_CARD(LAST_OF(chain)))
#endif
// contradiction(): the result does not follow from where the card stood.
#define CONTRADICTS(c) (EARLIER(chain, 1) != standing[c].chain || !FOLLOWS(c))

// Settler::settle_kept(): results that were ahead.
inline settle_kept(c)
{
    do
    :: standing[c].settled < MAX_SEQUENCE && standing[c].kept[standing[c].settled + 1] != 0 ->
        k = standing[c].settled + 1;
        chain = standing[c].kept[k];
        balance = standing[c].kept_after[k];
        standing[c].kept[k] = 0;
        standing[c].kept_after[k] = 0;
        if
        :: CONTRADICTS(c) -> standing[c].denied = 1; break
        :: else -> apply(c)
        fi
    :: else -> break
    od
}

// Settler::settle_new(). Of operations the platform knows what it signed; a payment comes along with
// its result: Settler::find_executed().
inline settle_new(c)
{
    known = KIND(LAST_OF(chain)) == PAYMENT ||
        (LAST_OF(chain) == standing[c].pending && k == standing[c].settled + 1) ||
        (KIND(LAST_OF(chain)) == VOID && standing[c].voiding && k == standing[c].settled + 1);
    if
    :: !known -> outcome = unknown
#ifndef FAULT_SETTLE_ANY_ORDER
    :: known && k > standing[c].settled + 1 ->
        if
        :: standing[c].kept[k] == 0 || standing[c].kept[k] == chain ->
            standing[c].kept[k] = chain;
            standing[c].kept_after[k] = balance;
            outcome = was_kept
        :: else ->
            standing[c].denied = 1;
            outcome = evidence
        fi
    :: known && k == standing[c].settled + 1 && CONTRADICTS(c) ->
        standing[c].denied = 1;
        outcome = evidence
#endif
    :: else ->
        apply(c);
        outcome = was_settled;
        settle_kept(c)
    fi
}

// Settler::settle() of the result of card c with sequence `at`, off the medium.
inline settle(c, at)
{
    k = at;
    chain = medium[c].third[k];
    balance = medium[c].after[k];
    if
    :: k > standing[ID(c)].settled -> settle_new(ID(c))
    :: else ->
        if
        :: EARLIER(standing[ID(c)].chain, standing[ID(c)].settled - k) == chain ->
#ifdef FAULT_SETTLE_TWICE
            post(LAST_OF(chain));
            standing[ID(c)].balance = standing[ID(c)].balance + ON_CARD(LAST_OF(chain));
#endif
            outcome = again
        :: else ->
            standing[ID(c)].denied = 1;
            outcome = evidence
        fi
    fi
}

inline pick_card()
{
    if
    :: c = 0
    :: c = 1
    fi
}

proctype platform_process() provided (!over)
{
    byte c;
end_idle:
    do
    :: atomic {
        MAY_AUTHORISE && signatures > 0 ->
        pick_card();
        pick_amount();
        operation = OPERATION(TOP_UP, amount);
        if
        :: standing[ID(c)].settled < MAX_SEQUENCE ->
            d_step {
                authorise(ID(c), operation);
                COUNT;
                printf("EV authorise %d %d %d %e\n", c, KIND(operation), amount, outcome);
                report(c);
                clear()
            }
        :: else -> d_step { clear() }
        fi;
        c = 0
       }
    // A request that a card ever made, now or long ago.
    :: atomic {
        MAY_GO_ON && signatures > 0 ->
        pick_card();
        pick_sequence();
        pick_walking(card[c].slot[NEWEST(c)].sequence + 1);
        pick_amount();
        if
        :: operation = OPERATION(CASH_OUT, amount)
        :: operation = OPERATION(TRANSFER_IN, amount)
        :: operation = OPERATION(TRANSFER_OUT, amount)
        fi;
        if
        :: medium[c].second[n] & BIT(operation) ->
            d_step {
                authorise_transfer(ID(c), n, operation);
                COUNT;
                printf("EV transfer %d %d %d %d %e\n", c, n, KIND(operation), amount, outcome);
                report(c);
                clear()
            }
        :: else -> d_step { clear() }
        fi;
        c = 0
       }
    :: atomic {
        MAY_GO_ON ->
        pick_card();
        d_step {
            void_pending(ID(c));
            COUNT;
            printf("EV void %d %e\n", c, outcome);
            report(c);
            clear()
        };
        c = 0
       }
    // A result that ever left a card, now or long ago.
    :: atomic {
        MAY_GO_ON ->
        pick_card();
        pick_sequence();
        if
        :: medium[c].third[n] != 0 ->
            d_step {
                settle(c, n);
                COUNT;
                printf("EV settle %d %d %e\n", c, n, outcome);
                report(c);
                clear()
            }
        :: else -> d_step { clear() }
        fi;
        c = 0
       }
#ifdef FAULT_REFUND_ON_TIMEOUT
    :: atomic {
        pick_card();
        if
        :: standing[c].pending != NOTHING -> d_step { give_up(c); printf("EV refund %d\n", c); report(c) }
        :: else
        fi;
        c = 0
       }
#endif
#ifdef FAULT_REFUND_ON_STATEMENT
    // The card says, signed and freshly, that its sequence has not moved.
    :: atomic {
        pick_card();
        if
        :: standing[c].pending != NOTHING && IDLE(c) &&
           card[c].slot[NEWEST(c)].sequence == standing[c].settled ->
            d_step { give_up(c); printf("EV refund %d\n", c); report(c) }
        :: else
        fi;
        c = 0
       }
#endif
    od
}
