"""All lemmas."""

from __future__ import annotations

from tests.lemmas import (
    allocation,
    approvals,
    auction,
    band,
    bounds,
    breaker,
    display,
    fees,
    holds,
    prevention,
    settlement,
)

LEMMAS = [
    *fees.LEMMAS,
    *holds.LEMMAS,
    *settlement.LEMMAS,
    *prevention.LEMMAS,
    *allocation.LEMMAS,
    *auction.LEMMAS,
    *band.LEMMAS,
    *breaker.LEMMAS,
    *display.LEMMAS,
    *approvals.LEMMAS,
    *bounds.LEMMAS,
]
