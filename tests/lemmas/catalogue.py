"""All lemmas."""

from __future__ import annotations

from tests.lemmas import allocation, auction, band, bounds, breaker, fees, holds, prevention, settlement

LEMMAS = [
    *fees.LEMMAS,
    *holds.LEMMAS,
    *settlement.LEMMAS,
    *prevention.LEMMAS,
    *allocation.LEMMAS,
    *auction.LEMMAS,
    *band.LEMMAS,
    *breaker.LEMMAS,
    *bounds.LEMMAS,
]
