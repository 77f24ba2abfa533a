"""What an auction costs its two sides: each pays its maker rate on its cumulative notional, and nobody is paid."""

from __future__ import annotations

from z3 import And, If, Ints

from tests.lemmas.fees import CHARGE, MILLION, charged, rebated, remainder
from tests.lemmas.holds import BID_HOLD, RESTING_HOLD, bid_hold
from tests.lemmas.lemma import Claim, Formula, Lemma

AUCTION_FEE = "crates/engine/src/call.rs auction_fee"
TRADE_PAIR = "crates/engine/src/call.rs Floor::trade_pair"

notional, bid_rate, bid_excess, ask_rate, ask_excess = Ints("notional bid_rate bid_excess ask_rate ask_excess")
at_limit, cost, rests, rate, excess = Ints("at_limit cost rests rate excess")


def auction_fee(notional: Formula, rate: Formula, excess: Formula) -> tuple[Formula, Formula]:
    """Return the fee of one side of an auction's trade, and the excess behind it."""
    fee, behind = charged(notional * rate, excess)
    return If(rate > 0, fee, 0), If(rate > 0, behind, excess)


def with_rebate(notional: Formula, rate: Formula, excess: Formula) -> Formula:
    return If(rate > 0, charged(notional * rate, excess)[0], -rebated(-notional * rate, excess)[0])


def is_rate(rate: Formula, most: int = MILLION) -> Formula:
    return And(rate >= -MILLION, rate <= most)


BOTH = [notional >= 0, is_rate(bid_rate), is_rate(ask_rate), remainder(bid_excess), remainder(ask_excess)]
bid_fee, ask_fee = auction_fee(notional, bid_rate, bid_excess)[0], auction_fee(notional, ask_rate, ask_excess)[0]

fee, excess_behind = auction_fee(cost, rate, excess)
held = bid_hold(at_limit + rests, rate, excess)
spent_and_kept = cost + fee + bid_hold(rests, rate, excess_behind)
BID = [at_limit >= 0, rests >= 0, cost >= 0, is_rate(rate), remainder(excess)]

LEMMAS = [
    Lemma(
        name="an auction pays no rebate",
        says="Of a trade in an auction neither side is paid anything: the fee account never loses by one, whatever the"
        " rates are.",
        functions=(AUCTION_FEE, TRADE_PAIR, CHARGE),
        claim=Claim(given=BOTH, then=And(bid_fee >= 0, ask_fee >= 0)),
        control=Claim(
            given=BOTH,
            then=with_rebate(notional, bid_rate, bid_excess) + with_rebate(notional, ask_rate, ask_excess) >= 0,
        ),
        control_says="with both rebates it would: no taker is there to pay for them",
    ),
    Lemma(
        name="a bid's hold covers its part of an auction",
        says="At its limit or better, what a bid pays in an auction with its fee, and what the rest of it goes on"
        " holding, come out of what it held: nothing that is available is touched.",
        functions=(AUCTION_FEE, TRADE_PAIR, BID_HOLD, RESTING_HOLD, CHARGE),
        claim=Claim(given=[*BID, cost <= at_limit], then=spent_and_kept <= held),
        control=Claim(given=[*BID, cost <= at_limit + 1], then=spent_and_kept <= held),
        control_says="a quantum above its limit is not covered",
    ),
    Lemma(
        name="a seller gets something out of an auction or nothing",
        says="A seller's fee in an auction is at most the notional: its proceeds are not negative.",
        functions=(AUCTION_FEE, TRADE_PAIR, CHARGE),
        claim=Claim(
            given=[notional >= 0, is_rate(ask_rate), remainder(ask_excess)],
            then=notional - ask_fee >= 0,
        ),
        control=Claim(
            given=[notional >= 0, is_rate(ask_rate, MILLION + 1), remainder(ask_excess)],
            then=notional - ask_fee >= 0,
        ),
        control_says="at a rate one part per million above the bound they could be",
    ),
]
