"""Draws approval bands, and words about the orders that wait for approval."""

from __future__ import annotations

from tests.differential.streams.draws import Draws
from tests.differential.streams.floor import Floor
from tests.differential.streams.markets import MARKETS, SECOND_NS
from tests.differential.streams.settings import Settings
from tests.reference import records
from tests.reference.codes import HaltScope, Permissions


class Approvals:
    """Approval bands, and words about the orders above them."""

    def __init__(self, floor: Floor, draws: Draws, settings: Settings) -> None:
        self._random = floor.random
        self._floor = floor
        self._draws = draws
        self._settings = settings

    def bands(self) -> bytes:
        """Approval bands within the reach of an order or two."""
        random = self._random
        whom: dict[str, int] = {"instrument": random.choice([0, 0, 0, 1, 1, 2, 88])}
        if random.random() < 0.4:
            whom = {"account": self._draws.trader()}
        unit = random.choice([3_000, 6_000, 12_000])
        thresholds = random.choice([(unit, 0, 0), (unit, 2 * unit, 0), (unit, 2 * unit, 3 * unit), (0, unit, 0)])
        expiry_ns = random.choice([1, SECOND_NS // 3, SECOND_NS, 3 * SECOND_NS, 2**62])
        if random.random() < 0.12:
            wrong = [(unit, unit, 0), (2 * unit, unit, 0), (-1, 0, 0), (2**120 + 1, 0, 0), (0, 0, 2**120), (0, 0, 0)]
            thresholds = random.choice(wrong)
            expiry_ns = random.choice([0, 1, 2**62 + 1])
        command = records.set_approval_bands(thresholds, expiry_ns, **whom)
        if random.random() < 0.04:
            return records.patched(command, 32, bytes([random.choice([0, 3, 255])]))
        return command

    def approval(self) -> bytes:
        """A word about an order that waits for approval; first, if need be, the right to give it."""
        random, venue = self._random, self._floor.exchange.venue
        if not venue.unapproved or random.random() < 0.06:
            order_id = (
                random.choice(list(self._floor.live) or [1]) if random.random() < 0.7 else random.choice([0, 2**63])
            )
            digest = bytes(32)
        else:
            order = random.choice(venue.unapproved)
            order_id, digest = order.order_id, order.approval_hash
            if random.random() < 0.04:
                digest = bytes([digest[0] ^ 1]) + digest[1:]
        approver = self._draws.trader()
        able = [each.id for each in venue.accounts if each.permissions & Permissions.APPROVE]
        if able and random.random() < 0.85:
            approver = random.choice(able)
        elif random.random() < 0.5:
            return records.set_permissions(approver, random.choice([15, 15, 8]))
        if random.random() < 0.08:
            return records.decline(approver, order_id)
        if random.random() < 0.3:
            self._floor.next.append(records.approve(approver, order_id, digest))
            return self._before_a_release(order_id)
        return records.approve(approver, order_id, digest)

    def _before_a_release(self, order_id: int) -> bytes:
        """Something after which an order that waits for approval may be refused."""
        random, venue = self._random, self._floor.exchange.venue
        order = next((order for order in venue.unapproved if order.order_id == order_id), None)
        if order is None:
            return self._settings.setting()
        market = MARKETS[order.instrument % len(MARKETS)]
        kind = random.randrange(9)
        if kind in (2, 8):
            return records.halt(HaltScope.ACCOUNT, account=order.account)
        if kind == 0:
            return records.set_restriction(order.instrument, 2, account=order.account)
        if kind == 1:
            return records.set_permissions(order.account, 6)
        if kind == 3:
            return records.set_reference_price(order.instrument, market.price_middle * random.choice([2, 1]))
        if kind == 4:
            return records.set_position_limit(order.account, order.instrument, 0)
        if kind == 5:
            return records.set_instrument_limits(order.instrument, market.limits_record(random))
        if kind == 6 and order.trigger_ticks is not None:
            return records.set_mark_price(order.instrument, order.trigger_ticks)
        opposite = order.side.opposite
        return records.place(self._draws.owner(order.instrument), order.instrument, opposite, 5, order.price_ticks)
