"""Holds: money is held for what can still happen, and for exactly that while an order rests."""

from __future__ import annotations

from z3 import And, If, Int, Ints, Or

from tests.lemmas.fees import CHARGE, MILLION, ceiling, charged, remainder
from tests.lemmas.lemma import Claim, Formula, Lemma

BID_HOLD = "crates/risk/src/hold.rs bid_hold"
RESTING_HOLD = "crates/risk/src/hold.rs resting_hold"
ENTRY_HOLD = "crates/risk/src/hold.rs entry_hold"
NOTIONAL = "crates/types/src/instrument.rs InstrumentUnits::notional"
VALUE = "crates/types/src/instrument.rs InstrumentUnits::value"
BASE_AMOUNT = "crates/types/src/instrument.rs InstrumentUnits::base_amount"
RAW_NOTIONAL = "crates/types/src/amount.rs RawNotional::of"
SETTLE_MAKER = "crates/ledger/src/settlement.rs Ledger::settle_maker"
GIVE_BACK = "crates/engine/src/prevention.rs Floor::give_back"

price, higher, lots, more_lots, unit = Ints("price higher lots more_lots unit")
filled, rests, rate, excess = Ints("filled rests rate excess")
taken, taken_at_limit, made, taker, maker, limit_notional = Ints("taken taken_at_limit made taker maker limit_notional")
may_take, may_rest = Int("may_take") == 1, Int("may_rest") == 1


def bid_hold(notional: Formula, rate: Formula, excess: Formula) -> Formula:
    return If(rate > 0, notional + charged(notional * rate, excess)[0], notional)


fill_fee, excess_behind = charged(filled * rate, excess)
held_before, held_behind = bid_hold(filled + rests, rate, excess), bid_hold(rests, rate, excess_behind)
held_behind_rebate = bid_hold(rests, rate, excess)
hold_gives_up = If(rate > 0, held_before - held_behind, held_before - held_behind_rebate)
fill_takes = If(rate > 0, filled + fill_fee, filled)
OPEN = [filled >= 0, rests >= 0, rate >= -MILLION, rate <= MILLION, remainder(excess)]

# Entry: the rates that count, as `entry_hold` picks them.
counted_taker = If(And(may_take, taker > 0), taker, 0)
counted_maker = If(And(may_rest, maker > 0), maker, 0)
highest = If(counted_taker > counted_maker, counted_taker, counted_maker)
last_quantum = If(And(counted_taker > 0, counted_maker > 0), 1, 0)


def entry_hold(notional: Formula, last: Formula) -> Formula:
    return notional + ceiling(notional * highest) + last


part_taken = taken + If(taker > 0, ceiling(taken * taker), 0)
part_made = made + If(maker > 0, ceiling(made * maker), 0)
ENTRY = [
    taken >= 0,
    taken <= taken_at_limit,  # makers' prices are at the limit or better
    made >= 0,
    limit_notional == taken_at_limit + made,
    taker >= -MILLION,
    taker <= MILLION,
    maker >= -MILLION,
    maker <= MILLION,
    Or(may_take, taken == 0),
    Or(may_rest, made == 0),
]

LEMMAS = [
    Lemma(
        name="notional adds up",
        says="The notional of two quantities at one price is that of their sum, and so is their base.",
        functions=(NOTIONAL, VALUE, RAW_NOTIONAL, BASE_AMOUNT),
        claim=Claim(
            then=And(
                price * lots * unit + price * more_lots * unit == price * (lots + more_lots) * unit,
                lots * unit + more_lots * unit == (lots + more_lots) * unit,
            )
        ),
        control=Claim(
            given=[lots > 0, more_lots > 0, unit > 0, higher > price],
            then=price * lots * unit + higher * more_lots * unit == price * (lots + more_lots) * unit,
        ),
        control_says="at two prices it is not",
    ),
    Lemma(
        name="a better price costs no more",
        says="A bid that trades below its limit spends no more than its notional at the limit.",
        functions=(NOTIONAL, VALUE, RAW_NOTIONAL),
        claim=Claim(
            given=[price > 0, price <= higher, lots >= 0, unit > 0], then=price * lots * unit <= higher * lots * unit
        ),
        control=Claim(given=[price <= higher, unit > 0], then=price * lots * unit <= higher * lots * unit),
        control_says="with negative lots it could",
    ),
    Lemma(
        name="a resting bid's hold covers exactly any sequence of its fills",
        says="What a fill takes from the account is what the hold gives up; what is left is the hold of what is left,"
        " so the next fill finds the same, down to nothing.",
        functions=(BID_HOLD, RESTING_HOLD, CHARGE, SETTLE_MAKER),
        claim=Claim(given=OPEN, then=hold_gives_up == fill_takes),
        control=Claim(given=[*OPEN, rate > 0], then=held_before - bid_hold(rests, rate, 0) == fill_takes),
        control_says="a hold that forgets what the fills were rounded does not",
    ),
    Lemma(
        name="a hold is never negative, and nothing when nothing is open",
        says="A bid holds at least its notional, and a filled one nothing.",
        functions=(BID_HOLD, RESTING_HOLD, CHARGE),
        claim=Claim(given=OPEN, then=And(bid_hold(rests, rate, excess) >= rests, bid_hold(0, rate, excess) == 0)),
        control=Claim(given=OPEN, then=bid_hold(rests, rate, excess) > rests),
        control_says="it need not hold more: a rebate holds no fee",
    ),
    Lemma(
        name="the entry hold covers any split into a taker and a maker part",
        says="Whatever part of a bid trades at once, at its limit or better, and whatever rests and trades later, with"
        " the fees of both: the entry hold pays for it.",
        functions=(ENTRY_HOLD, BID_HOLD, CHARGE),
        claim=Claim(given=ENTRY, then=part_taken + part_made <= entry_hold(limit_notional, last_quantum)),
        control=Claim(given=ENTRY, then=part_taken + part_made <= entry_hold(limit_notional, 0)),
        control_says="without the last quantum the two roundings are not covered",
    ),
    Lemma(
        name="the last quantum is needed for two positive rates only",
        says="When only one of the rates is charged, the entry hold without a further quantum covers any split.",
        functions=(ENTRY_HOLD, BID_HOLD, CHARGE),
        claim=Claim(
            given=[*ENTRY, Or(counted_taker == 0, counted_maker == 0)],
            then=part_taken + part_made <= entry_hold(limit_notional, 0),
        ),
        control=Claim(
            given=[*ENTRY, counted_taker > 0, counted_maker > 0],
            then=part_taken + part_made <= entry_hold(limit_notional, 0),
        ),
        control_says="when both are charged, it does not",
    ),
    Lemma(
        name="a transferred bid gives back no less than nothing",
        says="When prevention moves a part of a bid's notional, the hold that is no longer needed covers it, and the"
        " fee part that is given back is not negative.",
        functions=(GIVE_BACK, BID_HOLD, CHARGE),
        claim=Claim(given=OPEN, then=held_before - held_behind_rebate >= filled),
        control=Claim(given=OPEN, then=held_before - held_behind_rebate == filled),
        control_says="what is freed is more than the notional: the rest must be released",
    ),
]
