"""How a quantity is shared: no share is above its order, none is lost by rounding, size and time count as they"
" should."""

from __future__ import annotations

from z3 import And, Implies, Ints

from tests.lemmas.lemma import Claim, Formula, Lemma

FILE = "crates/book/src/allocation.rs"
PRO_RATA = f"{FILE} Sharing::pro_rata"
QUOTIENT = f"{FILE} product_quotient"
GIVE = f"{FILE} Sharing::give"
SHARE = f"{FILE} Round::share"
FILL_FRONT = f"{FILE} Sharing::fill_front"
WEIGHTED = f"{FILE} Sharing::weighted"

quantity, volume = Ints("quantity volume")
opens = Ints("open_1 open_2 open_3")
shares = Ints("share_1 share_2 share_3")
COMES_IN = [quantity > 0, quantity < volume]


def rounded_down(share: Formula, product: Formula, divisor: Formula) -> Formula:
    """Return that `share` is `product / divisor`, rounded down."""
    return And(share * divisor <= product, product < (share + 1) * divisor, share >= 0)


first, second = opens[0], opens[1]
first_share, second_share = shares[0], shares[1]
QUEUE = [*(lots > 0 for lots in opens), volume == opens[0] + opens[1] + opens[2], *COMES_IN]
PRO_RATA_OF_THREE = [
    *QUEUE,
    *(rounded_down(share, quantity * lots, volume) for share, lots in zip(shares, opens, strict=True)),
]
TWO = [first > 0, second > 0, first + second <= volume, *COMES_IN]
total = shares[0] + shares[1] + shares[2]

# Time-pro-rata with weight 1: behind an order stand `behind` lots.
behind, weight = Ints("behind weight")


def by_time(share: Formula, lots: Formula, rear: Formula) -> Formula:
    return rounded_down(share, quantity * ((rear + lots) * (rear + lots) - rear * rear), volume * volume)


TIME_OF_THREE = [
    *QUEUE,
    by_time(shares[0], opens[0], opens[1] + opens[2]),
    by_time(shares[1], opens[1], opens[2]),
    by_time(shares[2], opens[2], 0),
]
ONE_BEHIND_THE_OTHER = [*TWO, behind >= 0, first + second + behind <= volume]

given, left, unfilled, own, wanted = Ints("given left unfilled own wanted")
GIVING = [
    own >= 0,
    wanted >= 0,
    left >= 0,
    left <= unfilled,
    own <= unfilled,
    given <= own,
    given <= left,
    given <= wanted,
    given >= 0,
]

LEMMAS = [
    Lemma(
        name="a pro-rata share is at most the order",
        says="The product of an order and the quantity, divided by all that rests, is at most what the order has open.",
        functions=(PRO_RATA, QUOTIENT),
        claim=Claim(
            given=[*COMES_IN, first > 0, first <= volume, rounded_down(first_share, quantity * first, volume)],
            then=first_share <= first,
        ),
        control=Claim(
            given=[quantity > 0, first > 0, first <= volume, rounded_down(first_share, quantity * first, volume)],
            then=first_share <= first,
        ),
        control_says="when more comes in than rests it would be more: then everybody is filled before anything is"
        " divided",
    ),
    Lemma(
        name="rounding leaves less than a lot an order",
        says="The pro-rata shares of three orders add up to what came in, or to two lots less.",
        functions=(PRO_RATA, QUOTIENT),
        claim=Claim(given=PRO_RATA_OF_THREE, then=And(total <= quantity, total >= quantity - 2)),
        control=Claim(given=PRO_RATA_OF_THREE, then=total >= quantity - 1),
        control_says="it can be two",
    ),
    Lemma(
        name="who has more open gets no less",
        says="Of two orders the larger one's pro-rata share is at least the smaller one's.",
        functions=(PRO_RATA, QUOTIENT),
        claim=Claim(
            given=[
                *TWO,
                rounded_down(first_share, quantity * first, volume),
                rounded_down(second_share, quantity * second, volume),
            ],
            then=Implies(first >= second, first_share >= second_share),
        ),
        control=Claim(
            given=[
                *TWO,
                rounded_down(first_share, quantity * first, volume),
                rounded_down(second_share, quantity * second, volume),
            ],
            then=Implies(first > second, first_share > second_share),
        ),
        control_says="it may be the same, rounded down",
    ),
    Lemma(
        name="time-pro-rata gives all of it",
        says="With weight 1 the shares of three orders, rounded down, add up to what came in, or to two lots less.",
        functions=(SHARE, WEIGHTED),
        claim=Claim(given=TIME_OF_THREE, then=And(total <= quantity, total >= quantity - 2)),
        control=Claim(given=TIME_OF_THREE, then=total >= quantity - 1),
        control_says="it can be two",
    ),
    Lemma(
        name="who came first gets no less",
        says="Of two orders of one size the earlier one's share by time-pro-rata, weight 1, is at least the later"
        " one's.",
        functions=(SHARE, WEIGHTED),
        claim=Claim(
            given=[
                *ONE_BEHIND_THE_OTHER,
                first == second,
                by_time(first_share, first, behind + second),
                by_time(second_share, second, behind),
            ],
            then=first_share >= second_share,
        ),
        control=Claim(
            given=[
                *ONE_BEHIND_THE_OTHER,
                first <= second,
                by_time(first_share, first, behind + second),
                by_time(second_share, second, behind),
            ],
            then=first_share >= second_share,
        ),
        control_says="a larger one behind it may get more",
    ),
    Lemma(
        name="who is filled stands in front",
        says="When the exact share of an order by time-pro-rata, weight 1, does not reach what it has open, no later"
        " order's"
        " does: one pass from the front finds all that a round fills.",
        functions=(FILL_FRONT, SHARE),
        claim=Claim(
            # A share reaches its order when quantity x (ahead^2 - behind^2) >= open x volume^2; open divides both.
            given=[*ONE_BEHIND_THE_OTHER, quantity * (first + 2 * (behind + second)) < volume * volume],
            then=quantity * (second + 2 * behind) < volume * volume,
        ),
        control=Claim(
            given=[*ONE_BEHIND_THE_OTHER, quantity * (second + 2 * behind) < volume * volume],
            then=quantity * (first + 2 * (behind + second)) < volume * volume,
        ),
        control_says="the other way round an earlier one may be filled",
    ),
    Lemma(
        name="less is left than is unfilled",
        says="Giving an order the least of what is meant for it, what it has unfilled and what is left keeps all three"
        " from"
        " falling below nothing, and what is left at or below what is unfilled.",
        functions=(GIVE,),
        claim=Claim(
            given=GIVING,
            then=And(left - given >= 0, own - given >= 0, left - given <= unfilled - given, unfilled - given >= 0),
        ),
        control=Claim(
            given=[part for part in GIVING if not part.eq(given <= own)],
            then=own - given >= 0,
        ),
        control_says="without the bound of the order it would be given more than it has",
    ),
]
