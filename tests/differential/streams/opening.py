"""The opening of the venue: its assets, instruments and accounts, and what they begin with."""

from __future__ import annotations

from tests.differential.streams.breakers import Breakers
from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import (
    ASSETS,
    CLIENTS,
    FEE_SCHEDULE_WITH_REBATES,
    HUGE_BASE,
    HUGE_INSTRUMENTS,
    HUGE_QUOTE,
    MARKETS,
    RICH,
    TRADERS,
)
from tests.differential.streams.money import Money
from tests.differential.streams.settings import Settings
from tests.reference import records
from tests.reference.codes import AccountKind


class Opening:
    """The commands that build the venue."""

    def __init__(self, floor: Floor, money: Money, settings: Settings, breakers: Breakers) -> None:
        self._random = floor.random
        self._floor = floor
        self._money = money
        self._settings = settings
        self._breakers = breakers

    def commands(self) -> list[bytes]:
        """The commands that build the venue."""
        commands = [records.add_asset(asset, b"ASSET%d" % asset, scale=asset * 3) for asset in range(ASSETS)]
        for number, market in enumerate(MARKETS):
            units = market.units
            record = records.units_record(
                units.base, units.quote, units.quote_quanta_per_tick_lot, units.base_quanta_per_lot
            )
            limits, schedule = market.limits_record(), market.fee_schedule
            commands.append(records.list_instrument(number, market.name, record, limits, schedule))
            if number not in HUGE_INSTRUMENTS and self._random.random() < 0.5:
                commands.append(self._breakers.breaker_of(number))
            if number not in HUGE_INSTRUMENTS and self._random.random() < 0.4:
                commands.append(self._settings.allocation_of(number))
        for account in TRADERS:
            kind = AccountKind.CLIENT if account in CLIENTS else AccountKind.HOUSE
            commands.append(records.open_account(account, b"trader-%d" % account, kind))
            commands.append(records.set_trade_group(account, self._random.choice([0, 0, 1, 1, 2])))
            commands.append(records.set_account_fee_tier(account, self._random.choice([0, 1, 2])))
        commands += self._fee_tiers()
        for number in (0, 1):
            choice = self._random.randrange(10)
            if choice < 4:
                fifo_ppm, minimum = self._random.choice([(0, 2), (10**6, 0), (400_000, 0)])
                commands.append(records.set_allocation(number, 2, fifo_ppm=fifo_ppm, minimum=minimum))
            if choice < 5:
                # Refused where the rule has no such steps.
                commands += self._settings.steps_of(number)
        for _ in range(30):
            commands.append(self._money.deposit())
        for account in RICH:
            commands.append(records.deposit(account, HUGE_BASE, 2**90))
            commands.append(records.deposit(account, HUGE_QUOTE, 2**117))
        if self._floor.seed % 10 == 3:
            # One more session than an account may have.
            commands += [records.open_session(TRADERS[0], b"s%d" % number) for number in range(257)]
        self._floor.accounts, self._floor.assets, self._floor.instruments = 2 + len(TRADERS), ASSETS, len(MARKETS)
        return [records.with_header(command, time_ns=self._floor.time_ns) for command in commands]

    def _fee_tiers(self) -> list[bytes]:
        random = self._random
        commands = [records.set_fee_tier(0, tier, 333 * (tier + 1), random.choice([0, 77, 500])) for tier in range(2)]
        commands += [records.set_fee_tier(2, tier, random.choice([0, 1, 10**6]), 0) for tier in range(2)]
        schedule = FEE_SCHEDULE_WITH_REBATES
        if self._floor.rebates == "maker":
            rates = [(3_000, -2_777), (3_001, -1_001), (3_000, 450)]
            commands += [records.set_fee_tier(schedule, 2 * tier, *rate) for tier, rate in enumerate(rates)]
        if self._floor.rebates == "taker":
            rates = [(-777, 2_000), (-1_000, 1_001), (600, 1_500)]
            commands += [records.set_fee_tier(schedule, 2 * tier, *rate) for tier, rate in enumerate(rates)]
        return commands
