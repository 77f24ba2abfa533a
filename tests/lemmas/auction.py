"""The price of a call auction: of four prices with any quantities, the walk finds the one that the rules name."""

from __future__ import annotations

from collections.abc import Iterable

from z3 import And, If, Ints, Or

from tests.lemmas.lemma import Claim, Formula, Lemma

MEET = "crates/book/src/auction.rs meet"

PRICES = (1, 2, 3, 4)
bids = dict(zip(PRICES, Ints("bid_1 bid_2 bid_3 bid_4"), strict=True))
asks = dict(zip(PRICES, Ints("ask_1 ask_2 ask_3 ask_4"), strict=True))
QUANTITIES = [lots >= 0 for lots in (*bids.values(), *asks.values())]

price = Ints("price")[0]


def demand(at: int) -> Formula:
    return sum(bids[limit] for limit in PRICES if limit >= at)


def supply(at: int) -> Formula:
    return sum(asks[limit] for limit in PRICES if limit <= at)


def smaller(left: Formula, right: Formula) -> Formula:
    return If(left < right, left, right)


def size(number: Formula) -> Formula:
    return If(number < 0, -number, number)


def executable(at: int) -> Formula:
    return smaller(demand(at), supply(at))


def at_price(value: Formula, function: object) -> Formula:
    """Return `function` at a price that is free, by cases."""
    assert callable(function)
    result: Formula = function(PRICES[-1])
    for known in PRICES[:-1]:
        result = If(value == known, function(known), result)
    return result


class Walk:
    """The walk of `meet`: the best buyer and the best seller trade as long as they meet.

    Unrolled: each step ends a level.
    """

    def __init__(self) -> None:
        self.lots: Formula = 0
        self.low: Formula = 0
        self.high: Formula = 5
        rest_bids, rest_asks = dict(bids), dict(asks)
        for _ in range(2 * len(PRICES) - 1):
            bid, ask = self._best(rest_bids, reversed(PRICES)), self._best(rest_asks, PRICES)
            meets = And(bid != 0, ask != 0, bid >= ask)
            traded = If(meets, smaller(at_price(bid, rest_bids.get), at_price(ask, rest_asks.get)), 0)
            self.lots = self.lots + traded
            self.low, self.high = If(meets, ask, self.low), If(meets, bid, self.high)
            rest_bids = {limit: If(bid == limit, lots - traded, lots) for limit, lots in rest_bids.items()}
            rest_asks = {limit: If(ask == limit, lots - traded, lots) for limit, lots in rest_asks.items()}
        self.bid, self.ask = self._best(rest_bids, reversed(PRICES)), self._best(rest_asks, PRICES)
        self.bid_lots, self.ask_lots = at_price(self.bid, rest_bids.get), at_price(self.ask, rest_asks.get)
        without_bid = {limit: If(self.bid == limit, 0, lots) for limit, lots in rest_bids.items()}
        without_ask = {limit: If(self.ask == limit, 0, lots) for limit, lots in rest_asks.items()}
        self.second_bid, self.second_ask = self._best(without_bid, reversed(PRICES)), self._best(without_ask, PRICES)

    @staticmethod
    def _best(levels: dict[int, Formula], order: Iterable[int]) -> Formula:
        """The first price in `order` where something is left; 0 is none."""
        best: Formula = 0
        for limit in reversed(list(order)):
            best = If(levels[limit] > 0, limit, best)
        return best

    def above(self, bid: Formula) -> Formula:
        """Return the lowest price that is not below the last seller and above `bid`."""
        return If(And(bid != 0, bid + 1 > self.low), bid + 1, self.low)

    def below(self, ask: Formula) -> Formula:
        return If(And(ask != 0, ask - 1 < self.high), ask - 1, self.high)

    def chooses(self, at: Formula) -> Formula:
        """Return that `at` is a price that `meet` may answer, whatever the reference is."""
        buyer_is_left = And(self.bid != 0, self.bid == self.high)
        seller_is_left = And(self.ask != 0, self.ask == self.low)
        lowest, highest = self.above(self.bid), self.below(self.ask)
        nobody = And(lowest <= at, at <= highest)
        either = And(self.above(self.second_bid) <= at, at <= self.below(self.second_ask))
        apart = If(
            self.bid_lots < self.ask_lots, at == self.bid, If(self.bid_lots > self.ask_lots, at == self.ask, either)
        )
        decided = If(lowest <= highest, nobody, apart)
        return If(buyer_is_left, at == self.high, If(seller_is_left, at == self.low, decided))


WALK = Walk()
TRADES = [*QUANTITIES, WALK.lots > 0]
IS_A_PRICE = [price >= PRICES[0], price <= PRICES[-1]]
surplus_at_price = size(at_price(price, lambda at: demand(at) - supply(at)))

LEMMAS = [
    Lemma(
        name="an auction trades the most",
        says="On four prices with any quantities: what the walk trades is what can trade at the price that it answers,"
        " and at"
        " no price can more trade.",
        functions=(MEET,),
        claim=Claim(
            given=[*TRADES, *IS_A_PRICE, WALK.chooses(price)],
            then=And(at_price(price, executable) == WALK.lots, *(executable(at) <= WALK.lots for at in PRICES)),
        ),
        control=Claim(
            given=[*TRADES, *IS_A_PRICE],
            then=at_price(price, executable) == WALK.lots,
        ),
        control_says="at other prices less can trade",
    ),
    Lemma(
        name="an auction leaves the least over",
        says="Of the prices at which the most can trade, none leaves less over, of buyers or of sellers, than the"
        " price that"
        " the walk answers.",
        functions=(MEET,),
        claim=Claim(
            given=[*TRADES, *IS_A_PRICE, WALK.chooses(price)],
            then=And(
                *(Or(executable(at) < WALK.lots, size(demand(at) - supply(at)) >= surplus_at_price) for at in PRICES)
            ),
        ),
        control=Claim(
            given=[*TRADES, *IS_A_PRICE, at_price(price, executable) == WALK.lots],
            then=And(
                *(Or(executable(at) < WALK.lots, size(demand(at) - supply(at)) >= surplus_at_price) for at in PRICES)
            ),
        ),
        control_says="another price at which the most trades may leave more over",
    ),
    Lemma(
        name="an auction fills everybody who is better",
        says="What the walk trades is all of every bid above its last buyer and of every ask below its last seller.",
        functions=(MEET,),
        claim=Claim(
            given=TRADES,
            then=And(
                *(Or(WALK.high != at, sum(bids[limit] for limit in PRICES if limit > at) < WALK.lots) for at in PRICES),
                *(Or(WALK.low != at, sum(asks[limit] for limit in PRICES if limit < at) < WALK.lots) for at in PRICES),
            ),
        ),
        control=Claim(
            given=TRADES,
            then=And(*(Or(WALK.high != at, demand(at) <= WALK.lots) for at in PRICES)),
        ),
        control_says="of the last buyer himself a part may be left",
    ),
]
