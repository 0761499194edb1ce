// SPDX-License-Identifier: Apache-2.0
// What must hold: the invariants of docs/threat-model.md, in every state that is reached.

// What all operations of a chain did to their card, and to the associated account.
#define MOVED_ACCOUNT(o) (-1 * (KIND(o) > CASH_OUT) * ON_CARD(o))
#define AT(chain, k) (LAST_OF(EARLIER(chain, k)))
#define EFFECT(f, chain) (f(AT(chain, 0)) + f(AT(chain, 1)) + f(AT(chain, 2)) + \
    f(AT(chain, 3)) + f(AT(chain, 4)) + f(AT(chain, 5)))

#define REAL(c) card[c].slot[NEWEST(c)].balance
#define SEQUENCE(c) card[c].slot[NEWEST(c)].sequence
#define CHAIN(c) card[c].slot[NEWEST(c)].chain[SEQUENCE(c) % LOG]
#define RESERVES(kind, c) ((KIND(standing[c].pending) == kind) * AMOUNT(standing[c].pending))

// I1: accounts (what is reserved is no longer theirs) and real balances are not more than was issued.
#define CREATED (cash - cash_reserved + account - account_reserved + REAL(0) + REAL(1) > 0)
// I2, I4, I8: a card holds what it was given and what its results say, the platform knows it up to a
// result of that chain, and reserves just what is pending.
#define OFF(c) (IDLE(c) && (REAL(c) != START_OF(c) + EFFECT(ON_CARD, CHAIN(c)) || \
    standing[c].balance != START_OF(c) + EFFECT(ON_CARD, standing[c].chain) || \
    standing[c].settled > SEQUENCE(c) || REAL(c) > MAX_BALANCE || \
    EARLIER(CHAIN(c), SEQUENCE(c) - standing[c].settled) != standing[c].chain))
#define UNACCOUNTED (OFF(0) || OFF(1) || \
    cash_reserved != RESERVES(TOP_UP, 0) + RESERVES(TOP_UP, 1) || \
    account_reserved != RESERVES(TRANSFER_IN, 0) + RESERVES(TRANSFER_IN, 1))
// I3: the sum over all accounts, the cards' included.
#define BOOKS_OFF (cash + account + standing[0].balance + standing[1].balance != 0)
// I10, I11: the account has what settled results, signed by cards, have given it.
#define UNEARNED (account != START + EFFECT(MOVED_ACCOUNT, standing[0].chain) + \
    EFFECT(MOVED_ACCOUNT, standing[1].chain))

// Which are checked. One at a time tells what a fault breaks, and what it does not.
#define CHECK_CREATION 1
#define CHECK_ACCOUNTED 2
#define CHECK_BOOKS 4
#define CHECK_EARNED 8
#define CHECK_ENDS 16
#define CHECK_PROOF 32
#ifndef CHECKS
#define CHECKS (CHECK_CREATION | CHECK_ACCOUNTED | CHECK_BOOKS | CHECK_EARNED | CHECK_ENDS)
#endif
#define CHECKED(check) ((CHECKS) & (check))

mtype = { creation, accounted, books, earned, ends, proof };
#define BROKEN(name, check, what) CHECKED(check) && (what) -> printf("BROKEN %e\n", name); assert(false)

// Enabled only where something is broken: it adds no states.
proctype monitor() provided (!over)
{
end_fine:
    atomic {
        if
        :: BROKEN(creation, CHECK_CREATION, CREATED)
        :: BROKEN(accounted, CHECK_ACCOUNTED, UNACCOUNTED)
        :: BROKEN(books, CHECK_BOOKS, BOOKS_OFF)
        :: BROKEN(earned, CHECK_EARNED, UNEARNED)
        fi
    }
}

// One contact with a working terminal: resolve() of src/terminal/resolve.cpp. Nothing is lost and
// nothing cut while it lasts.
inline contact(c)
{
#ifdef FAULT_CLONED_CARD
    // The receipts that a card gave away get to the platform too, whatever order they come in.
    x = 1;
    do
    :: EXISTS(c) && x <= SEQUENCE(c) -> hand_in(c); x++
    :: else -> break
    od;
#endif
    if
    :: EXISTS(c) && SEQUENCE(c) >= standing[ID(c)].settled -> resolve(c)
    :: else  // behind: a clone
    fi
}

inline hand_in(c)
{
    get_result(c, x);
    if
    :: outcome == was_sent -> settle(c, x)
    :: else
    fi
}

inline resolve(c)
{
    // The log, and what in it has not settled.
    x = standing[ID(c)].settled + 1;
    do
    :: x <= SEQUENCE(c) ->
        hand_in(c);
        x++
    :: else -> break
    od;
    // What is pending: delivered, or voided where the card refuses it.
    offer = (standing[ID(c)].voiding || standing[ID(c)].denied
        -> OPERATION(VOID, 0) : standing[ID(c)].pending);
    do
    :: standing[ID(c)].pending != NOTHING && offer != NOTHING ->
        if
        :: KIND(offer) == VOID -> void_pending(ID(c))
        :: else
        fi;
        deliver(c);
        offer = (KIND(offer) == VOID -> NOTHING : OPERATION(VOID, 0))
    :: else -> break
    od;
    printf("EV resolve %d\n", c);
    report(c)
}

inline deliver(c)
{
    k = standing[ID(c)].settled + 1;
    execute(c, k, offer);
    if
    :: outcome == begun -> write_whole(c)
    :: else
    fi;
    if
    :: outcome == begun || outcome == again ->
        x = SEQUENCE(c);
        settle(c, x)
    :: else
    fi
}

// I9, and that everything then agrees.
#define ENDED(c) (standing[c].pending == NOTHING && standing[c].settled == SEQUENCE(c) && \
    standing[c].balance == REAL(c) && standing[c].chain == CHAIN(c))
#ifdef FAULT_CLONED_CARD
#define ALL_ENDED false
#else
#define ALL_ENDED (ENDED(0) && ENDED(1))
#endif
// I14: two cards with one id that went different ways are found out once both have been seen.
#define STRAYS(a, b) (SEQUENCE(a) >= SEQUENCE(b) && \
    EARLIER(CHAIN(a), SEQUENCE(a) - SEQUENCE(b)) != CHAIN(b))
#define DIFFER (STRAYS(0, 1) || STRAYS(1, 0))

inline forget()
{
    for (i : 0 .. CARDS - 1) {
        for (d : 0 .. 1) {
            card[i].slot[d].intact = 1;
            forget_slot(i)
        }
        for (k : 0 .. MAX_SEQUENCE) {
            medium[i].first[k] = 0;
            medium[i].second[k] = 0;
            medium[i].third[k] = 0;
            medium[i].after[k] = 0;
            standing[i].kept[k] = 0;
            standing[i].kept_after[k] = 0
        }
        standing[i].settled = 0;
        standing[i].balance = 0;
        standing[i].chain = 0;
        standing[i].pending = 0;
        standing[i].voiding = 0;
        standing[i].denied = 0
    }
    cash = 0;
    cash_reserved = 0;
    account = 0;
    account_reserved = 0;
    signatures = 0;
    payments = 0;
    requests = 0
#ifdef FAULT_CLONED_CARD
    ;cloned = 0
#endif
}

// At any time the faults may stop and a working terminal see both cards, twice. What is left then is
// checked, and forgotten: nothing comes after it.
proctype working_terminal() provided (!over)
{
    byte c, contacts;
#ifdef WALK
    // On a walk it also comes by in between.
    do
    :: d_step { MAY_GO_ON && events % 32 == 0 && IDLE(0) -> contact(0); COUNT; clear() }
    :: d_step { MAY_GO_ON && events % 32 == 16 && IDLE(1) -> contact(1); COUNT; clear() }
    :: !MAY_GO_ON -> break
    od;
#endif
    atomic {
        MAY_END && IDLE(0) && IDLE(1) ->
        do
        :: contacts < 4 && !ALL_ENDED ->
            d_step { contact(c); clear(); c = 1 - c; contacts++ }
        :: else -> break
        od;
        if
        :: BROKEN(ends, CHECK_ENDS, !ALL_ENDED || cash_reserved != 0 ||
                  account_reserved != 0 ||
                  cash + account + REAL(0) + REAL(1) != 0)
        :: BROKEN(proof, CHECK_PROOF, DIFFER && !standing[0].denied)
        :: else
        fi;
        d_step { over = 1; forget(); clear(); c = 0; contacts = 0 }
    }
}
