// SPDX-License-Identifier: Apache-2.0
// The design of docs/protocol.md as a Promela model, for spin: cards whose power fails between any
// two writes, a platform, and a medium that loses, repeats, delays and reorders. docs/reliability.md
// says what is modelled and what is not. check.sh runs it; replay.sh walks it beside the C++.
//
// A terminal has nothing secret and decides nothing: it is part of the medium, which may do with a
// message whatever a broken or hostile terminal could, except make one up. So a message that was
// sent is on the medium for good and arrives whenever it likes, as often as it likes, or never.

#ifndef MAX_SEQUENCE
#define MAX_SEQUENCE 2   // operations that a card executes
#endif
#ifndef AMOUNTS
#define AMOUNTS 1        // an operation moves 1..AMOUNTS
#endif
#ifndef SIGNATURES
#define SIGNATURES 2     // operations that the platform signs, on all cards; voids are not counted
#endif
#ifndef PAYMENTS
#define PAYMENTS 2       // offline payments that are begun, on all cards
#endif
#ifndef REQUESTS
#define REQUESTS 2       // requests that a card keeps, on all cards
#endif
#ifndef LOG
#define LOG 2            // entries of a card's log: 16 on a real one
#endif
#ifndef OFFLINE_LIMIT
#define OFFLINE_LIMIT (LOG - 1)
#endif
#ifndef MAX_BALANCE
#define MAX_BALANCE 3
#endif
#ifndef START
#define START 1          // what each card holds, and the associated account
#endif
#define CARDS 2

// Operations. One of them on a card and with a sequence is a number: amount * 8 + kind. The nonce
// is left out: no two that are signed for one card and sequence are alike.
#define NOTHING 0
#define TOP_UP 1
#define CASH_OUT 2
#define TRANSFER_IN 3
#define TRANSFER_OUT 4
#define PAYMENT 5
#define VOID 6
#define OPERATION(kind, amount) ((amount) * 8 + (kind))
#define KIND(operation) ((operation) & 7)
#define AMOUNT(operation) ((operation) >> 3)
#define IS_CREDIT(operation) (KIND(operation) == TOP_UP || KIND(operation) == TRANSFER_IN)
// What the card executes only after it has asked for it itself: needs_request() of kind.hpp.
#define NEEDS_REQUEST(operation) (KIND(operation) >= CASH_OUT && KIND(operation) <= TRANSFER_OUT)
#define BIT(operation) (1 << (operation))

// A result is the chain of all operations up to it, five bits each, the last one lowest: what the
// previous result digest makes of it. Results differ where their chains do, and the other way round.
#define EXTEND(chain, operation) (((chain) << 5) | (operation))
#define LAST_OF(chain) ((chain) & 31)
#define EARLIER(chain, back) ((chain) >> (5 * (back)))

#ifdef FAULT_CLONED_CARD
#define ID(c) 0          // both cards are one to the platform
#define START_OF(c) ((c) == 0 -> START : 0)
#define EXISTS(c) ((c) == 0 || cloned)
#else
#define ID(c) c
#define START_OF(c) START
#define EXISTS(c) true
#endif

// What a card remembers without power: virtual-card/applet/card_memory.hpp, in the slots of
// virtual-card/nvm/slot_nvm.hpp. `intact` stands for the checksum.
typedef Slot {
    bit intact;
    byte generation;
    byte balance;        // wraps below zero, as an unsigned number does
    byte sequence;
    byte request;        // the operation that the card asked for; NOTHING
    byte offline;        // payments in a row
    int chain[LOG];      // the log: entry of sequence n at n % LOG
    byte after[LOG]      // the balance in that result
}
typedef Card {
    Slot slot[2];
    byte doing;          // volatile: the operation that is being written; NOTHING
    bit asking           // volatile: only a request for it is
}
// What was ever sent for a card, by sequence.
typedef Medium {
    int first[MAX_SEQUENCE + 1];   // bits of the operations that the issuer signed
    int second[MAX_SEQUENCE + 1];  // bits of the operations that the card asked for
    int third[MAX_SEQUENCE + 1];   // the card's result; 0: none yet
    byte after[MAX_SEQUENCE + 1]   // its balance
}
// What the platform's store says of a card: CardRow of include/tallycard/store_rows.hpp with what is
// pending (src/issuer/authorise.cpp, pending_operations()).
typedef Standing {
    byte settled;
    byte balance;
    int chain;           // of the last settled result
    byte pending;        // the operation with sequence settled + 1; NOTHING
    bit voiding;         // a void was signed beside it
    bit denied;
    int kept[MAX_SEQUENCE + 1];    // results that came before those in front of them
    byte kept_after[MAX_SEQUENCE + 1]
}

Card card[CARDS];
Medium medium[CARDS];
Standing standing[CARDS];
short cash, cash_reserved, account, account_reserved;
byte signatures = SIGNATURES, payments = PAYMENTS, requests = REQUESTS;
bit over;                // the working terminal has been: nothing follows
#ifdef FAULT_CLONED_CARD
bit cloned;
#endif

// Scratch of one atomic step, zeros between steps. Not hidden: spin would not put it back where it
// takes a step back.
byte n, operation, amount, s, d, i, x, k, offer, balance, known;
int chain;

// The slot that the card finds at power-on: SlotNvm::load().
#define NEWEST(c) (card[c].slot[1].intact && \
    (!card[c].slot[0].intact || card[c].slot[1].generation > card[c].slot[0].generation))
#define IDLE(c) (card[c].doing == NOTHING)

// How a step ended: the status words of docs/protocol.md, section 6, and the platform's answers.
mtype = { begun, again, not_next, no_request, too_low, too_high, offline_limit, signed_first, busy,
          card_denied, wrong_sequence, unsettled, no_funds, nothing_pending, was_settled, was_kept,
          unknown, evidence, not_in_log, was_sent };
mtype outcome;

inline clear()
{
    n = 0; operation = 0; amount = 0;
    s = 0; d = 0; i = 0; x = 0; k = 0;
    offer = 0; balance = 0; known = 0; chain = 0;
    outcome = 0
}

// Walks stop after so many events; a check stops anywhere.
#ifdef WALK
short events = WALK;
#define COUNT events = (events > 0 -> events - 1 : 0)
#define MAY_END (events == 0)
#define MAY_GO_ON (events > 0)
#define MAY_AUTHORISE (events > 0 && events % 4 == 0)  // so that transfers get their turn
#else
#define COUNT skip
#define MAY_END true
#define MAY_GO_ON true
#define MAY_AUTHORISE true
#endif

inline report(c)
{
    printf("ST card %d balance %d sequence %d settled %d booked %d pending %d voiding %d\n", c,
        card[c].slot[NEWEST(c)].balance, card[c].slot[NEWEST(c)].sequence, standing[ID(c)].settled,
        standing[ID(c)].balance, standing[ID(c)].pending, standing[ID(c)].voiding);
    printf("ST books cash %d reserved %d account %d reserved %d\n", cash, cash_reserved, account,
        account_reserved)
}

inline report_idle(c)
{
    if
    :: IDLE(c) -> report(c)
    :: else
    fi
}

#include "card.pml"
#include "platform.pml"
#include "properties.pml"

init
{
    d_step {
        for (i : 0 .. CARDS - 1) {
            card[i].slot[0].intact = EXISTS(i);
            card[i].slot[0].balance = START_OF(i);
            standing[i].balance = START_OF(i);
#ifdef FAULT_NO_CHECKSUM
            card[i].slot[1].intact = 1;
#endif
            cash = cash - START_OF(i)
        }
        account = START;
        cash = cash - START;
        i = 0;
        printf("WORLD %d %d %d\n", START, MAX_BALANCE, OFFLINE_LIMIT)
    }
    atomic {
        run card_process(0);
        run card_process(1);
        run platform_process();
        run working_terminal();
        run monitor()
    }
}
