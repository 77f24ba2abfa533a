"""The checks of new, amended and replacing orders, in the order of the rulebook's section 3.

They read the venue and change nothing. `gone` is an order that is to be treated as if it had left already.
"""

from dataclasses import dataclass, replace

from tests.reference.accounts import Account
from tests.reference.codes import (
    AMOUNT_MAX,
    ORDERS_MAX,
    BandScope,
    OrderFlags,
    OrderType,
    PegKind,
    Permissions,
    Side,
    State,
)
from tests.reference.conditions import Iceberg, Peg, Trigger
from tests.reference.decoding import Amend, NewOrder, Replace, Target
from tests.reference.fees import fee_on
from tests.reference.instruments import Instrument, Units
from tests.reference.orders import ClientOrderId, Order, bid_cover
from tests.reference.reject import Refused, require
from tests.reference.reject import RejectReason as Reason
from tests.reference.venue import Venue


def known_account(venue: Venue, account_id: int) -> Account:
    account = venue.account(account_id)
    if account is None:
        raise Refused(Reason.UNKNOWN_ACCOUNT)
    return account


def known_instrument(venue: Venue, instrument_id: int) -> Instrument:
    instrument = venue.instrument(instrument_id)
    if instrument is None:
        raise Refused(Reason.UNKNOWN_INSTRUMENT)
    return instrument


def known_order(account: Account, target: Target) -> Order:
    """The account's open order that is meant. A client order id of 0 names none."""
    if target.order_id is None:
        order = account.order_by_client_id(target.client_order_id)
    else:
        order = account.open_orders.get(target.order_id)
    if order is None:
        raise Refused(Reason.UNKNOWN_ORDER)
    return order


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks found out about a new order."""

    limit_ticks: int
    """The price that limits it."""
    trigger_ticks: int | None
    """Its first trigger price, if it waits for a trigger."""
    approvers: int
    """How many must approve it."""
    expiry_ns: int
    """How long it waits for them."""


def check_may_trade(venue: Venue, account: Account, instrument: Instrument, side: Side) -> None:
    """Whether the account may send an order of this side at all."""
    require(not account.halted, Reason.ACCOUNT_HALTED)
    require(account.may(Permissions.TRADE), Reason.ACCOUNT_NOT_PERMITTED)
    require(not venue.controls.forbids(account, instrument.id, side), Reason.ACCOUNT_RESTRICTED)
    require(not venue.controls.is_killed(account), Reason.KILL_SWITCH_ENGAGED)


def check_standing(venue: Venue, new: NewOrder) -> tuple[Account, Instrument]:
    """Whether the account may trade this instrument now."""
    instrument = known_instrument(venue, new.instrument)
    require(not venue.halted, Reason.VENUE_HALTED)
    check_state(instrument, must_trade=not new.time_in_force.may_rest and new.conditions.trigger is None)
    account = known_account(venue, new.account)
    check_may_trade(venue, account, instrument, new.side)
    return account, instrument


def leaving_order(venue: Venue, replace: Replace) -> Order:
    """The order that a replacement is to cancel, if it may."""
    order = known_order(known_account(venue, replace.new_order.account), replace.target)
    require(order.in_list is None, Reason.ORDER_IN_LIST)
    if replace.has(OrderFlags.ONLY_NEW):
        require(order.executed_lots == 0, Reason.ORDER_NOT_NEW)
    if replace.has(OrderFlags.ONLY_PARTIALLY_FILLED):
        require(order.executed_lots > 0, Reason.ORDER_NOT_PARTIALLY_FILLED)
    return order


def found_before_cancel(reason: Reason) -> bool:
    """Whether a replacement in two halves is refused for this as a whole."""
    return reason <= Reason.ORDER_RATE_EXCEEDED or reason is Reason.AMOUNT_NOT_POSITIVE


def check_new_order(venue: Venue, new: NewOrder, gone: Order | None = None, *, legs_before: int = 0) -> Checked:
    """Check a new order, as if `gone` were not there any more, behind so many legs of its list."""
    account, instrument = check_standing(venue, new)
    if new.conditions.follows:
        return check_following(venue, account, instrument, new, gone)
    if new.conditions.peg is not None:
        new = priced(venue, instrument, new, new.conditions.peg, gone)
    trigger = new.conditions.trigger
    if new.order_type is OrderType.LIMIT:
        check_price(instrument, new.price_ticks)
    if new.by_amount:
        require(new.amount > 0, Reason.AMOUNT_NOT_POSITIVE)
        check_notional(instrument, new.amount)
    else:
        check_quantity(instrument, new.quantity_lots)
    if new.order_type is OrderType.LIMIT:
        check_notional(instrument, instrument.units.notional(new.price_ticks, new.quantity_lots))
    # The centre of the band: of an order with a trigger, the price at which it is to fire.
    first_trigger = None if trigger is None else check_trigger_price(instrument, new.side, trigger)
    centre = instrument.reference_price_ticks if trigger is None else first_trigger
    if new.order_type is OrderType.LIMIT:
        if trigger is None:
            check_band(instrument, new.price_ticks)
        limit = new.price_ticks
    else:
        if centre is None:
            raise Refused(Reason.NO_REFERENCE_PRICE)
        if not new.by_amount:
            check_notional(instrument, instrument.units.notional(centre, new.quantity_lots))
        limit = instrument.worst_price(new.side, centre)
    check_expiry(venue, new)
    if new.conditions.iceberg is not None:
        check_iceberg(instrument, new.conditions.iceberg, new.quantity_lots)
    require(account.messages <= account.limits.messages_per_second_max, Reason.MESSAGE_RATE_EXCEEDED)
    require(account.orders <= account.limits.orders_per_second_max, Reason.ORDER_RATE_EXCEEDED)
    others = [order for order in account.open_orders.values() if order is not gone]
    if new.client_order_id is not None:
        is_unique = all(order.client_order_id != new.client_order_id for order in others)
        require(is_unique, Reason.DUPLICATE_CLIENT_ORDER_ID)
    if new.time_in_force.may_rest or trigger is not None:
        check_open_orders(venue, account, len(others) + legs_before, legs_before - (gone is not None))
    best_opposite = instrument.book.best(new.side.opposite, without=gone)
    if new.side is Side.BUY:
        quantity = new.quantity_lots
        if new.by_amount and best_opposite is not None:
            quantity = lots_for_amount(instrument, new.amount, best_opposite.price_ticks)
        check_position(venue, account, instrument, quantity, gone)
    rates = venue.rates_of(account, instrument)
    if new.side is Side.SELL and new.by_amount:
        lots = lots_for_amount(instrument, new.amount, limit)
        require(lots > 0, Reason.INSUFFICIENT_FUNDS)
        needed = instrument.units.base_quanta(lots)
    elif new.side is Side.SELL:
        needed = instrument.units.base_quanta(new.quantity_lots)
    elif new.by_amount:
        needed = new.amount
    elif new.time_in_force.is_for_auction:
        # Nothing trades on entry: it needs what it holds while it rests.
        notional = instrument.units.notional(limit, new.quantity_lots)
        require(notional <= AMOUNT_MAX, Reason.INSUFFICIENT_FUNDS)
        needed = notional + fee_on(notional, max(rates.maker_ppm, 0))
    else:
        if new.order_type is OrderType.MARKET:
            worst = instrument.units.notional(limit, new.quantity_lots)
            require(worst <= AMOUNT_MAX, Reason.INSUFFICIENT_FUNDS)
        may_rest = new.time_in_force.may_rest
        needed = bid_cover(instrument.units, limit, new.quantity_lots, rates, may_rest, new.post_only)
    check_funds(venue, account, instrument.units, new.side, needed, gone)
    if new.post_only and best_opposite is not None and instrument.state is State.CONTINUOUS:
        crosses = new.side.crosses(new.price_ticks, best_opposite.price_ticks)
        require(not crosses, Reason.POST_ONLY_WOULD_TRADE)
    if trigger is not None and first_trigger is not None:
        price = instrument.price_of(trigger.source)
        is_there = price is not None and trigger.is_reached(new.side, first_trigger, price)
        require(not is_there, Reason.WOULD_TRIGGER_AT_ONCE)
    best_bid = None if best_opposite is None or new.side is Side.BUY else best_opposite.price_ticks
    size = new.amount if new.by_amount else None
    approvers, expiry_ns = needed_approvers(
        venue, account, instrument, new.side, limit, new.quantity_lots, best_bid, gone, amount=size
    )
    fine = not new.by_amount and not new.time_in_force.is_for_auction and new.conditions.peg is None
    require(approvers == 0 or fine, Reason.ORDER_NOT_APPROVABLE)
    return Checked(limit, first_trigger, approvers, expiry_ns)


def needed_approvers(
    venue: Venue,
    account: Account,
    instrument: Instrument,
    side: Side,
    limit_ticks: int,
    quantity_lots: int,
    best_bid: int | None,
    gone: Order | None,
    *,
    amount: int | None = None,
) -> tuple[int, int]:
    """How many must approve an order, and how long it waits for them."""
    units = instrument.units

    def worth(price_ticks: int, lots: int) -> int:
        # An ask may trade above its limit.
        least = 0 if side is Side.BUY else max(best_bid or 0, instrument.reference_price_ticks or 0)
        return units.notional(max(price_ticks, least), lots)

    total = worth(limit_ticks, quantity_lots) if amount is None else amount
    for other in venue.open_orders():
        same = other.instrument == instrument.id and other.side is side and other is not gone
        if same and venue.accounts[other.account].owns_together_with(account):
            total += worth(other.price_ticks, other.open_lots)
    bands = [
        venue.controls.bands[scope]
        for scope in ((BandScope.ACCOUNT, account.id), (BandScope.INSTRUMENT, instrument.id))
        if scope in venue.controls.bands
    ]
    asking = [band for band in bands if band.approvers(total) > 0]
    if not asking:
        return 0, 0
    return max(band.approvers(total) for band in asking), min(band.expiry_ns for band in asking)


def check_released(venue: Venue, order: Order) -> int:
    """Check an order again that has all its approvals, and return the price that limits it from now on."""
    account, instrument = venue.accounts[order.account], venue.instruments[order.instrument]
    check_may_trade(venue, account, instrument, order.side)
    is_limit = order.order_type is OrderType.LIMIT
    units, lots, limit = instrument.units, order.open_lots, order.price_ticks
    trigger, trigger_ticks = order.conditions.trigger, order.trigger_ticks
    if is_limit:
        check_price(instrument, order.price_ticks)
    check_quantity(instrument, lots)
    if is_limit:
        check_notional(instrument, units.notional(order.price_ticks, lots))
    if trigger is not None and trigger.price_ticks is not None:
        check_trigger_price(instrument, order.side, trigger)
    if is_limit and trigger is None:
        check_band(instrument, order.price_ticks)
    if not is_limit:
        centre = instrument.reference_price_ticks if trigger is None else trigger_ticks
        if centre is None:
            raise Refused(Reason.NO_REFERENCE_PRICE)
        check_notional(instrument, units.notional(centre, lots))
        if trigger is None:
            limit = instrument.worst_price(order.side, centre)
            limit = min(limit, order.price_ticks) if order.side is Side.BUY else limit
    if order.side is Side.BUY:
        # It is not among the open orders while it is looked at.
        check_position(venue, account, instrument, lots, None)
    best_opposite = instrument.book.best(order.side.opposite)
    if order.post_only and best_opposite is not None:
        crosses = order.side.crosses(order.price_ticks, best_opposite.price_ticks)
        require(not crosses, Reason.POST_ONLY_WOULD_TRADE)
    if trigger is not None and trigger_ticks is not None:
        price = instrument.price_of(trigger.source)
        is_there = price is not None and trigger.is_reached(order.side, trigger_ticks, price)
        require(not is_there, Reason.WOULD_TRIGGER_AT_ONCE)
    return limit


def check_following(
    venue: Venue, account: Account, instrument: Instrument, new: NewOrder, gone: Order | None
) -> Checked:
    """Check an order whose price is to follow others."""
    reference = instrument.reference_price_ticks
    limit = new.price_ticks
    if limit != 0:
        check_price(instrument, limit)
    check_quantity(instrument, new.quantity_lots)
    if limit != 0:
        check_notional(instrument, instrument.units.notional(limit, new.quantity_lots))
        check_band(instrument, limit)
    elif reference is None:
        raise Refused(Reason.NO_REFERENCE_PRICE)
    else:
        # As of a market order.
        check_notional(instrument, instrument.units.notional(reference, new.quantity_lots))
        limit = instrument.worst_price(new.side, reference)
    check_expiry(venue, new)
    require(account.messages <= account.limits.messages_per_second_max, Reason.MESSAGE_RATE_EXCEEDED)
    require(account.orders <= account.limits.orders_per_second_max, Reason.ORDER_RATE_EXCEEDED)
    others = [order for order in account.open_orders.values() if order is not gone]
    if new.client_order_id is not None:
        is_unique = all(order.client_order_id != new.client_order_id for order in others)
        require(is_unique, Reason.DUPLICATE_CLIENT_ORDER_ID)
    require(len(others) + 1 <= account.limits.open_orders_max, Reason.OPEN_ORDER_LIMIT_EXCEEDED)
    units = instrument.units
    needed = units.base_quanta(new.quantity_lots)
    if new.side is Side.BUY:
        check_position(venue, account, instrument, new.quantity_lots, gone)
        notional = units.notional(limit, new.quantity_lots)
        require(notional <= AMOUNT_MAX, Reason.INSUFFICIENT_FUNDS)
        # It is a maker always.
        needed = notional + fee_on(notional, max(venue.rates_of(account, instrument).maker_ppm, 0))
    check_funds(venue, account, units, new.side, needed, gone)
    best = instrument.book.best(new.side.opposite, without=gone)
    best_bid = None if best is None or new.side is Side.BUY else best.price_ticks
    approvers, _ = needed_approvers(
        venue, account, instrument, new.side, limit, new.quantity_lots, best_bid, gone, amount=None
    )
    require(approvers == 0, Reason.ORDER_NOT_APPROVABLE)
    return Checked(limit, None, 0, 0)


def level_price(instrument: Instrument, own_side: Side, peg: Peg, gone: Order | None) -> int | None:
    """The price of the level that a fixed peg means, as if `gone` had left already; None when there is none."""
    side = own_side if peg.kind is PegKind.PRIMARY else own_side.opposite
    orders = [order for order in instrument.book.referred_to(side) if order is not gone]
    prices = list(dict.fromkeys(order.price_ticks for order in orders))
    return prices[peg.offset] if peg.offset < len(prices) else None


def priced(venue: Venue, instrument: Instrument, new: NewOrder, peg: Peg, gone: Order | None) -> NewOrder:
    """A fixed peg with the price that it finds, as if `gone` had left already."""
    price = level_price(instrument, new.side, peg, gone)
    if price is not None:
        return replace(new, price_ticks=price)
    check_quantity(instrument, new.quantity_lots)
    check_expiry(venue, new)
    raise Refused(Reason.NO_PEG_REFERENCE)


def check_at_trigger(venue: Venue, order: Order) -> int:
    """Check an order that fired, and return the price that limits it from now on."""
    account, instrument = venue.accounts[order.account], venue.instruments[order.instrument]
    check_may_trade(venue, account, instrument, order.side)
    if order.order_type is OrderType.LIMIT:
        check_band(instrument, order.price_ticks)
        return order.price_ticks
    reference = instrument.reference_price_ticks
    if reference is None:
        raise Refused(Reason.NO_REFERENCE_PRICE)
    limit = instrument.worst_price(order.side, reference)
    # A bid holds for the price it was accepted with, and can pay no more.
    return min(limit, order.price_ticks) if order.side is Side.BUY else limit


@dataclass(frozen=True, slots=True)
class Amendment:
    """What the checks found out about an amendment."""

    order: Order
    price_ticks: int
    """The limit from now on."""
    quantity_lots: int
    renamed: ClientOrderId
    """The new client order id; none when it stays."""
    keeps_place: bool
    trigger_ticks: int | None
    """The new trigger price; none when it stays."""
    trigger: Trigger | None


def check_amend(venue: Venue, amend: Amend) -> Amendment:
    """Check an amendment of an order that is on the book or waits."""
    require(not venue.halted, Reason.VENUE_HALTED)
    account = known_account(venue, amend.account)
    order = known_order(account, amend.target)
    require(order.in_list is None, Reason.ORDER_IN_LIST)
    require(order.approvers_needed == 0, Reason.ORDER_WAITS_FOR_APPROVAL)
    require(not order.is_quote and not order.follows and not order.beside, Reason.ORDER_NOT_AMENDABLE)
    if order.waits:
        return check_waiting_amend(venue, account, order, amend)
    require(amend.trigger is None, Reason.ORDER_NOT_AMENDABLE)
    instrument = venue.instruments[order.instrument]
    check_state(instrument, must_trade=False)
    check_may_trade(venue, account, instrument, order.side)
    check_price(instrument, amend.price_ticks)
    check_quantity(instrument, amend.quantity_lots)
    check_notional(instrument, instrument.units.notional(amend.price_ticks, amend.quantity_lots))
    renamed = None if amend.client_order_id == order.client_order_id else amend.client_order_id
    same_price, same_total = amend.price_ticks == order.price_ticks, amend.quantity_lots == order.quantity_lots
    reduces = is_reduction(order, amend)
    if not reduces:
        check_band(instrument, amend.price_ticks)
    done = order.executed_lots + order.prevented_lots
    require(amend.quantity_lots > done, Reason.QUANTITY_NOT_ABOVE_EXECUTED)
    require(not (same_price and same_total and renamed is None), Reason.AMEND_CHANGES_NOTHING)
    iceberg = order.conditions.iceberg
    require(iceberg is None or not iceberg.has_too_many_peaks(amend.quantity_lots), Reason.TOO_MANY_PEAKS)
    require(account.messages <= account.limits.messages_per_second_max, Reason.MESSAGE_RATE_EXCEEDED)
    _check_new_name(account, order, renamed)
    checked = Amendment(order, amend.price_ticks, amend.quantity_lots, renamed, reduces, None, None)
    if reduces:
        return checked
    open_lots = amend.quantity_lots - done
    if order.side is Side.BUY:
        check_position(venue, account, instrument, open_lots, order)
        price = amend.price_ticks
        needed = bid_cover(instrument.units, price, open_lots, order.rates, True, order.post_only)
    else:
        needed = instrument.units.base_quanta(open_lots)
    check_funds(venue, account, instrument.units, order.side, needed, order)
    best_opposite = instrument.book.best(order.side.opposite)
    if order.post_only and best_opposite is not None and instrument.state is State.CONTINUOUS:
        crosses = order.side.crosses(amend.price_ticks, best_opposite.price_ticks)
        require(not crosses, Reason.POST_ONLY_WOULD_TRADE)
    best_bid = None if best_opposite is None or order.side is Side.BUY else best_opposite.price_ticks
    price = amend.price_ticks
    approvers, _ = needed_approvers(venue, account, instrument, order.side, price, open_lots, best_bid, order)
    require(approvers == 0, Reason.AMENDMENT_NEEDS_APPROVAL)
    return checked


def is_reduction(order: Order, amend: Amend) -> bool:
    """Whether an amendment only makes the order smaller, or names it anew, so that it keeps its place."""
    if amend.price_ticks != order.price_ticks or amend.quantity_lots > order.quantity_lots:
        return False
    is_new = amend.client_order_id not in (None, order.client_order_id)
    return amend.quantity_lots < order.quantity_lots or is_new


def check_waiting_amend(venue: Venue, account: Account, order: Order, amend: Amend) -> Amendment:
    """The same for an order that waits for its trigger: it has not traded yet."""
    instrument, own = venue.instruments[order.instrument], order.conditions.trigger
    assert own is not None, "Invariant: an order that waits has a trigger"
    assert order.trigger_ticks is not None, "Invariant: an order that waits has a trigger price"
    is_limit = order.order_type is OrderType.LIMIT
    named = amend.trigger
    if named is not None:
        same_trigger = (named.kind, named.source, named.trail) == (own.kind, own.source, own.trail)
        require(same_trigger, Reason.ORDER_NOT_AMENDABLE)
    require(is_limit or amend.price_ticks == 0, Reason.ORDER_NOT_AMENDABLE)
    check_state(instrument, must_trade=False)
    check_may_trade(venue, account, instrument, order.side)
    units, quantity = instrument.units, amend.quantity_lots
    if is_limit:
        check_price(instrument, amend.price_ticks)
    check_quantity(instrument, quantity)
    if is_limit:
        check_notional(instrument, units.notional(amend.price_ticks, quantity))
    fires_at = order.trigger_ticks if named is None else check_trigger_price(instrument, order.side, named)
    if not is_limit:
        check_notional(instrument, units.notional(fires_at, quantity))
    moves = fires_at != order.trigger_ticks
    limit = order.price_ticks
    if is_limit:
        limit = amend.price_ticks
    elif moves:
        limit = instrument.worst_price(order.side, fires_at)
    renamed = None if amend.client_order_id == order.client_order_id else amend.client_order_id
    stays = limit == order.price_ticks and not moves
    changes = not stays or quantity != order.quantity_lots or renamed is not None
    require(changes, Reason.AMEND_CHANGES_NOTHING)
    iceberg = order.conditions.iceberg
    require(iceberg is None or not iceberg.has_too_many_peaks(quantity), Reason.TOO_MANY_PEAKS)
    require(account.messages <= account.limits.messages_per_second_max, Reason.MESSAGE_RATE_EXCEEDED)
    _check_new_name(account, order, renamed)
    if order.side is Side.BUY:
        if not (stays and quantity <= order.quantity_lots):
            check_position(venue, account, instrument, quantity, order)
        require(units.notional(limit, quantity) <= AMOUNT_MAX, Reason.INSUFFICIENT_FUNDS)
        needed = bid_cover(units, limit, quantity, order.rates, order.may_rest, post_only=False)
    else:
        needed = units.base_quanta(quantity)
    check_funds(venue, account, units, order.side, needed, order)
    if moves:
        price = instrument.price_of(own.source)
        is_there = price is not None and own.is_reached(order.side, fires_at, price)
        require(not is_there, Reason.WOULD_TRIGGER_AT_ONCE)
    if not (stays and quantity <= order.quantity_lots):
        best_bid = instrument.book.best(Side.BUY) if order.side is Side.SELL else None
        best = None if best_bid is None else best_bid.price_ticks
        approvers, _ = needed_approvers(venue, account, instrument, order.side, limit, quantity, best, order)
        require(approvers == 0, Reason.AMENDMENT_NEEDS_APPROVAL)
    return Amendment(order, limit, quantity, renamed, not moves, fires_at if moves else None, named)


def _check_new_name(account: Account, order: Order, renamed: ClientOrderId) -> None:
    if renamed is not None:
        others = (other for other in account.open_orders.values() if other is not order)
        is_unique = all(other.client_order_id != renamed for other in others)
        require(is_unique, Reason.DUPLICATE_CLIENT_ORDER_ID)


# The single checks.


def check_state(instrument: Instrument, *, must_trade: bool) -> None:
    """Whether the instrument lets an order in, which perhaps must trade at once."""
    refusals = {
        State.HALTED: Reason.INSTRUMENT_HALTED,
        State.PAUSED: Reason.INSTRUMENT_PAUSED,
        State.CANCEL_ONLY: Reason.INSTRUMENT_CANCEL_ONLY,
        State.CLOSED: Reason.INSTRUMENT_CLOSED,
        State.EXPIRED: Reason.INSTRUMENT_EXPIRED,
    }
    if instrument.state in refusals:
        raise Refused(refusals[instrument.state])
    require(not (must_trade and instrument.state.is_call), Reason.IMMEDIATE_IN_CALL)


def check_price(instrument: Instrument, price_ticks: int) -> None:
    require(price_ticks >= 1, Reason.PRICE_NOT_POSITIVE)
    require(price_ticks % instrument.limits.price_increment_ticks == 0, Reason.PRICE_NOT_ON_TICK)


def check_quantity(instrument: Instrument, quantity_lots: int) -> None:
    limits = instrument.limits
    require(quantity_lots >= 1, Reason.QUANTITY_NOT_POSITIVE)
    require(quantity_lots % limits.quantity_increment_lots == 0, Reason.QUANTITY_NOT_ON_LOT)
    require(quantity_lots >= limits.quantity_min_lots, Reason.QUANTITY_BELOW_MINIMUM)
    require(quantity_lots <= limits.quantity_max_lots, Reason.QUANTITY_ABOVE_MAXIMUM)


def check_notional(instrument: Instrument, notional: int) -> None:
    require(notional >= instrument.limits.notional_min_quanta, Reason.NOTIONAL_BELOW_MINIMUM)
    require(notional <= instrument.limits.notional_max_quanta, Reason.NOTIONAL_ABOVE_MAXIMUM)


def check_band(instrument: Instrument, price_ticks: int) -> None:
    reference = instrument.reference_price_ticks
    if reference is not None:
        low, high = instrument.band(reference)
        require(low <= price_ticks <= high, Reason.PRICE_OUTSIDE_BAND)


def check_trigger_price(instrument: Instrument, side: Side, trigger: Trigger) -> int:
    """The first trigger price: the given one, else that of the trail for the price there is."""
    if trigger.price_ticks is not None:
        require(trigger.price_ticks >= 1, Reason.TRIGGER_PRICE_NOT_POSITIVE)
        on_tick = trigger.price_ticks % instrument.limits.price_increment_ticks == 0
        require(on_tick, Reason.TRIGGER_PRICE_NOT_ON_TICK)
        return trigger.price_ticks
    price = instrument.price_of(trigger.source)
    if price is None or trigger.trail is None:
        raise Refused(Reason.NO_TRIGGER_REFERENCE)
    return trigger.trail.trigger_ticks(side, price)


def check_expiry(venue: Venue, new: NewOrder) -> None:
    expires = new.conditions.expire_time_ns
    require(expires == 0 or expires > venue.time_ns, Reason.EXPIRY_NOT_IN_FUTURE)


def check_iceberg(instrument: Instrument, iceberg: Iceberg, quantity_lots: int) -> None:
    increment = instrument.limits.quantity_increment_lots
    fine = iceberg.peak_lots % increment == 0 and iceberg.range_lots % increment == 0
    require(fine, Reason.PEAK_NOT_ON_LOT)
    require(iceberg.peak_lots + iceberg.range_lots <= quantity_lots, Reason.PEAK_ABOVE_QUANTITY)
    require(not iceberg.has_too_many_peaks(quantity_lots), Reason.TOO_MANY_PEAKS)


def check_position(venue: Venue, account: Account, instrument: Instrument, lots: int, gone: Order | None) -> None:
    """All base the account has and may still buy here stays within its limit."""
    units = instrument.units
    open_lots = account.open_bid_lots(instrument.id)
    if gone is not None and gone.instrument == instrument.id and gone.side is Side.BUY:
        open_lots -= gone.open_lots
    total = venue.ledger.balance(account.id, units.base) + units.base_quanta(open_lots + lots)
    limit = units.base_quanta(account.position_limit(instrument.id))
    require(total <= limit, Reason.POSITION_LIMIT_EXCEEDED)


def check_funds(venue: Venue, account: Account, units: Units, side: Side, needed: int, gone: Order | None) -> None:
    asset = units.quote if side is Side.BUY else units.base
    available = venue.ledger.available[account.id, asset]
    if gone is not None:
        gone_units = venue.instruments[gone.instrument].units
        if gone.held_asset(gone_units) == asset:
            available += gone.hold(gone_units)
    require(available >= needed, Reason.INSUFFICIENT_FUNDS)


def check_open_orders(venue: Venue, account: Account, others: int, more: int) -> None:
    """One more beside so many others; in the whole venue beside all that are open, and `more`."""
    require(others + 1 <= account.limits.open_orders_max, Reason.OPEN_ORDER_LIMIT_EXCEEDED)
    open_orders = sum(len(each.open_orders) for each in venue.accounts) + more
    require(open_orders < ORDERS_MAX, Reason.OPEN_ORDER_LIMIT_EXCEEDED)


# What an amount comes to.


def lots_for_amount(instrument: Instrument, amount: int, price_ticks: int) -> int:
    """The lots that an amount is worth at a price, whole increments or not."""
    return amount // (price_ticks * instrument.units.quote_quanta_per_tick_lot)
