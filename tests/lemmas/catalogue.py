"""All lemmas."""

from __future__ import annotations

from tests.lemmas import band, bounds, fees, holds, prevention, settlement

LEMMAS = [*fees.LEMMAS, *holds.LEMMAS, *settlement.LEMMAS, *prevention.LEMMAS, *band.LEMMAS, *bounds.LEMMAS]
