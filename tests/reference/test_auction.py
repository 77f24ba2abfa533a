"""The call auction: the published examples and the case of each step. `crates/book/tests/auction.rs` has the same."""

import pytest

from tests.reference.auction import Orders, Row, Terms, Waiting, matches, uncross


def outcome(bids: Orders, asks: Orders, terms: Terms | None = None) -> tuple[int, int, int] | None:
    row = uncross(bids, asks, terms)
    return None if row is None else (row.ticks, row.executable, row.surplus)


ASX_BIDS = [(640, 500), (639, 500), (639, 500), (634, 1_000), (633, 500)]
ASX_ASKS = [(610, 1_000), (640, 500), (641, 520), (642, 550), (643, 519)]
MARKETGRID_BIDS = [
    *((13_000, 45), (12_900, 95), (12_800, 25), (12_700, 35), (12_600, 25)),
    *((12_500, 55), (12_400, 200), (12_300, 80), (12_200, 60)),
]
MARKETGRID_ASKS = [
    *((12_200, 10), (12_300, 125), (12_400, 155), (12_500, 90), (12_600, 20)),
    *((12_700, 10), (12_800, 15), (12_900, 10), (13_000, 50), (13_100, 35)),
]


@pytest.mark.parametrize("reference", [None, 1, 637, 9_999])
def test_the_asx_example_in_cents(reference: int | None) -> None:
    assert outcome(ASX_BIDS, ASX_ASKS, Terms(reference_ticks=reference)) == (639, 1_000, 500)


def test_the_asx_example_in_a_mirror() -> None:
    bids = [(1_280 - ticks, lots) for ticks, lots in ASX_ASKS]
    asks = [(1_280 - ticks, lots) for ticks, lots in ASX_BIDS]
    assert outcome(bids, asks) == (641, 1_000, -500)


def test_the_most_that_can_trade_comes_first() -> None:
    assert outcome([(101, 50), (100, 30), (99, 20)], [(99, 40), (100, 30), (102, 50)]) == (100, 70, 10)


@pytest.mark.parametrize("increment", [1, 100])
def test_the_marketgrid_table_in_dollars(increment: int) -> None:
    given = outcome(MARKETGRID_BIDS, MARKETGRID_ASKS, Terms(increment_ticks=increment))
    assert given == (12_400, 290, 190)


def test_nothing_trades_where_nobody_meets() -> None:
    assert uncross([], []) is None
    assert uncross([(10, 5)], []) is None
    assert uncross([(10, 5)], [(11, 5)], Terms(reference_ticks=10)) is None


@pytest.mark.parametrize(("reference", "price"), [(50, 100), (103, 103), (500, 105), (None, 102)])
def test_with_nobody_left_over_the_reference_decides(reference: int | None, price: int) -> None:
    given = outcome([(110, 5), (99, 7)], [(90, 5), (106, 7)], Terms(reference_ticks=reference))
    assert given == (price, 5, 0)


@pytest.mark.parametrize(
    ("reference", "price", "surplus"), [(1, 97, 7), (100, 100, 7), (101, 101, -7), (999, 104, -7), (None, 100, 7)]
)
def test_with_as_many_left_over_on_either_side_the_reference_decides(
    reference: int | None, price: int, surplus: int
) -> None:
    bids, asks = [(110, 5), (100, 7), (96, 1)], [(90, 5), (101, 7), (105, 1)]
    assert outcome(bids, asks, Terms(reference_ticks=reference)) == (price, 5, surplus)


@pytest.mark.parametrize(
    ("collar", "expected"),
    [
        ((0, 200), (103, 5, 0)),
        ((95, 101), (101, 5, 0)),
        ((107, 108), (107, 5, -7)),
        ((80, 89), None),
        ((200, 300), None),
        ((104, 103), None),
    ],
)
def test_a_collar_cuts_the_range(collar: tuple[int, int], expected: tuple[int, int, int] | None) -> None:
    terms = Terms(reference_ticks=103, collar=collar)
    assert outcome([(110, 5), (99, 7)], [(90, 5), (106, 7)], terms) == expected


def test_market_orders_alone_trade_at_the_reference() -> None:
    assert uncross([], [], Terms(market_buys=5, market_sells=5)) is None
    assert uncross([], [], Terms(market_buys=8, market_sells=5, reference_ticks=100)) == Row(100, 8, 5)
    by_eight = Terms(market_buys=5, market_sells=8, reference_ticks=100, increment_ticks=8)
    assert uncross([], [], by_eight) == Row(96, 5, 8)


def test_market_orders_meet_everybody() -> None:
    asks = [(90, 50), (95, 10)]
    assert outcome([], asks, Terms(market_buys=100)) == (95, 60, 40)
    assert outcome([], asks[:1], Terms(market_buys=100, reference_ticks=120)) == (120, 50, 50)
    assert outcome([(70, 9)], asks, Terms(market_buys=50, reference_ticks=200)) == (94, 50, 0)
    assert outcome([], [(1_000, 5)], Terms(market_buys=100, market_sells=100, reference_ticks=85)) == (85, 100, 0)


def test_candidates_are_multiples_of_the_increment() -> None:
    assert outcome([(140, 5)], [(100, 5)], Terms(increment_ticks=10, reference_ticks=129)) == (120, 5, 0)
    assert outcome([(140, 5)], [(100, 5)], Terms(increment_ticks=10)) == (120, 5, 0)
    assert outcome([(130, 5)], [(100, 5)], Terms(increment_ticks=10)) == (110, 5, 0)
    assert outcome([(-95, 5)], [(-138, 5)], Terms(increment_ticks=10, reference_ticks=-111)) == (-120, 5, 0)


def test_market_orders_come_first_then_the_best_price_then_the_oldest() -> None:
    bids = [
        Waiting(order_id=1, lots=3),
        Waiting(order_id=2, lots=4, ticks=100),
        Waiting(order_id=3, lots=2, ticks=101),
        Waiting(order_id=4, lots=6, ticks=100),
        Waiting(order_id=5, lots=50, ticks=99),
    ]
    asks = [
        Waiting(order_id=6, lots=5, ticks=98),
        Waiting(order_id=7, lots=1, ticks=97),
        Waiting(order_id=8, lots=2),
        Waiting(order_id=9, lots=1),
        Waiting(order_id=10, lots=2, ticks=100),
        Waiting(order_id=11, lots=50, ticks=101),
    ]
    expected = [(1, 8, 2), (1, 9, 1), (3, 7, 1), (3, 6, 1), (2, 6, 4), (4, 10, 2)]
    assert matches(bids, asks, 100, 11) == expected
