"""All lemmas."""

from __future__ import annotations

from tests.lemmas import (
    allocation,
    approvals,
    auction,
    auction_fees,
    band,
    bounds,
    breaker,
    display,
    fees,
    holds,
    pairs,
    prevention,
    quotes,
    settlement,
)

LEMMAS = [
    *fees.LEMMAS,
    *holds.LEMMAS,
    *pairs.LEMMAS,
    *quotes.LEMMAS,
    *settlement.LEMMAS,
    *prevention.LEMMAS,
    *allocation.LEMMAS,
    *auction.LEMMAS,
    *auction_fees.LEMMAS,
    *band.LEMMAS,
    *breaker.LEMMAS,
    *display.LEMMAS,
    *approvals.LEMMAS,
    *bounds.LEMMAS,
]
