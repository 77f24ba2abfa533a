"""Fee rates and their rounding, straight from the definition."""

from dataclasses import dataclass

from tests.reference.codes import PPM


@dataclass(frozen=True, slots=True)
class FeeRates:
    """What an order pays per million of its notional. Negative is a rebate. Fixed when the order is accepted."""

    taker_ppm: int = 0
    maker_ppm: int = 0


def resolved_tier(tiers: dict[tuple[int, int], FeeRates], schedule: int, tier: int) -> FeeRates:
    """The rates of a tier: its own, else those of the nearest lower one that was set, else none."""
    lower = (tiers.get((schedule, other)) for other in range(tier, -1, -1))
    return next((rates for rates in lower if rates is not None), FeeRates())


def ceil_div(dividend: int, divisor: int) -> int:
    """Divide and round up, for either sign of the dividend."""
    return -(-dividend // divisor)


def fee_on(cumulative_quanta: int, rate_ppm: int) -> int:
    """The fee of a part of an order, on everything it has traded: rounded up, which rounds a rebate's payment down."""
    return ceil_div(cumulative_quanta * rate_ppm, PPM)


def fee_of_fill(posted_on_quanta: int, notional_quanta: int, rate_ppm: int) -> int:
    """What a further fill posts: the fee on the new cumulative notional without what was posted before."""
    return fee_on(posted_on_quanta + notional_quanta, rate_ppm) - fee_on(posted_on_quanta, rate_ppm)
