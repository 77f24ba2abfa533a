"""Commands that are not about orders: names, limits, halts, money. Each checks everything, then changes."""

from tests.reference import closing, guards, protections, states
from tests.reference.accounts import Account, AccountLimits, transfer_allowed
from tests.reference.allocation import LEADS_MAX, Steps
from tests.reference.checks import known_account, known_instrument
from tests.reference.codes import (
    AMOUNT_MAX,
    ANY,
    PPM,
    SHARD,
    TIERS,
    AccountKind,
    BandScope,
    Cause,
    CloseReason,
    CommandKind,
    ControlScope,
    EventKind,
    HaltScope,
    Permissions,
    Phase,
    PriceSource,
    Restriction,
    Side,
    State,
    TransferKind,
)
from tests.reference.controls import Scope
from tests.reference.decoding import Money, Named, Setting, allocation_rule
from tests.reference.event import Event
from tests.reference.fees import FeeRates, resolved_tier
from tests.reference.instruments import Instrument, Scheduled
from tests.reference.ledger import ShardTransfer, Withdrawal
from tests.reference.orders import Order
from tests.reference.records import halves, signed, unsigned
from tests.reference.reject import Refused, require
from tests.reference.reject import RejectReason as Reason
from tests.reference.triggers import see_price
from tests.reference.venue import Venue


def _applied(
    venue: Venue,
    kind: CommandKind,
    *,
    account: int = 0,
    instrument: int = ANY,
    first: int = 0,
    second: int = 0,
    third: int = 0,
    scope: int = 0,
    tier_or_kind: int = 0,
    schedule: int = 0,
) -> None:
    """Say that a setting took effect; its values stand in price, quantity and reference."""
    venue.emit(
        Event(
            EventKind.SETTING_APPLIED,
            account=account,
            instrument=instrument,
            side=scope,
            order_type=tier_or_kind,
            order_flags=schedule,
            price_ticks=first,
            quantity_lots=second,
            open_lots=kind,
            reference=third,
        )
    )


# New names.


def add_named(venue: Venue, named: Named) -> None:
    match named.kind:
        case CommandKind.ADD_ASSET:
            _add_asset(venue, named)
        case CommandKind.OPEN_ACCOUNT:
            _open_account(venue, named)
        case _:
            _list_instrument(venue, named)


def _check_new(number: int, name: bytes, names: list[bytes]) -> None:
    require(number == len(names), Reason.ID_NOT_NEXT)
    require(name not in names, Reason.NAME_TAKEN)


def _add_asset(venue: Venue, named: Named) -> None:
    _check_new(named.id, named.name, venue.assets)
    venue.assets.append(named.name)
    _applied(venue, named.kind, instrument=named.id, second=named.attribute)


def _open_account(venue: Venue, named: Named) -> None:
    kind = AccountKind(named.attribute)
    _check_new(named.id, named.name, [account.name for account in venue.accounts])
    venue.accounts.append(Account(named.id, named.name, kind, Permissions.INITIAL))
    _applied(venue, named.kind, account=named.id, tier_or_kind=kind)


def _list_instrument(venue: Venue, named: Named) -> None:
    units, limits = named.units, named.limits
    assert units is not None, "Invariant: a listing was read with its units"
    assert limits is not None, "Invariant: a listing was read with its limits"
    _check_new(named.id, named.name, [instrument.name for instrument in venue.instruments])
    require(max(units.base, units.quote) < len(venue.assets), Reason.UNKNOWN_ASSET)
    venue.instruments.append(Instrument(named.id, named.name, units, limits, named.fee_schedule))
    _applied(venue, named.kind, instrument=named.id, tier_or_kind=named.attribute, schedule=named.fee_schedule)
    if venue.is_paused:
        guards.pause_with_market(venue, venue.instruments[-1])


# Values.


def apply_setting(venue: Venue, setting: Setting) -> None:
    kind, (first, second, third) = setting.kind, setting.values
    match kind:
        case CommandKind.ADVANCE_TIME:
            return
        case CommandKind.SET_INSTRUMENT_LIMITS:
            assert setting.limits is not None, "Invariant: limits were read with the command"
            known_instrument(venue, setting.instrument).limits = setting.limits
            _applied(venue, kind, instrument=setting.instrument)
        case CommandKind.SET_REFERENCE_PRICE:
            known_instrument(venue, setting.instrument).set_price_ticks = first or None
            _applied(venue, kind, instrument=setting.instrument, first=first)
        case CommandKind.SET_MARK_PRICE:
            instrument = known_instrument(venue, setting.instrument)
            instrument.mark_price_ticks = first
            _applied(venue, kind, instrument=instrument.id, first=first)
            see_price(venue, instrument, PriceSource.MARK, first)
        case CommandKind.SET_INDEX_PRICE:
            instrument = known_instrument(venue, setting.instrument)
            instrument.index_price_ticks = first
            _applied(venue, kind, instrument=instrument.id, first=first)
            see_price(venue, instrument, PriceSource.INDEX, first)
        case CommandKind.SET_ALLOCATION:
            instrument = known_instrument(venue, setting.instrument)
            require(not (instrument.book.bids or instrument.book.asks), Reason.BOOK_NOT_EMPTY)
            rule = allocation_rule(setting.scope, setting.tier, (first, second, third))
            assert rule is not None, "Invariant: a rule was read"
            instrument.allocation = rule
            instrument.top_lots, instrument.leads = None, {}
            _applied(
                venue,
                kind,
                instrument=instrument.id,
                first=second,
                second=first,
                third=third,
                scope=setting.scope,
                tier_or_kind=setting.tier,
            )
        case CommandKind.SET_INSTRUMENT_STATE:
            instrument = known_instrument(venue, setting.instrument)
            state, phase = State(setting.scope), Phase(setting.tier)
            would_trade = states.would_uncross(instrument.state, state)
            require(not (venue.halted and would_trade), Reason.VENUE_HALTED)
            require(states.is_legal(venue, instrument, state, phase), Reason.ILLEGAL_STATE_CHANGE)
            _applied(venue, kind, instrument=instrument.id, scope=state, tier_or_kind=phase)
            states.become(venue, instrument, state, phase, Cause.COMMAND)
        case CommandKind.SCHEDULE_INSTRUMENT_STATE:
            _schedule(venue, setting)
        case CommandKind.SET_AUCTION_TERMS:
            instrument = known_instrument(venue, setting.instrument)
            instrument.collar_ppm, instrument.extension_ns, instrument.call_ns = first, second, third
            instrument.extensions_max = setting.tier
            _applied(
                venue,
                kind,
                instrument=instrument.id,
                first=first,
                second=second,
                third=third,
                tier_or_kind=setting.tier,
            )
        case CommandKind.SET_BREAKER:
            instrument, terms = known_instrument(venue, setting.instrument), setting.breaker
            assert terms is not None, "Invariant: a breaker was read with its numbers"
            guards.set_breaker(venue, instrument, terms)
            settlement, share, ticks = terms.settlement_ticks, terms.share_ppm, terms.velocity_ticks
            _applied(venue, kind, instrument=instrument.id, first=settlement, second=share, third=ticks)
        case CommandKind.SET_MARKET_REFERENCE:
            venue.market_close, venue.market_reached, venue.market_until_ns = first or None, 0, 0
            _applied(venue, kind, first=first)
        case CommandKind.SET_MARKET_LEVEL:
            _applied(venue, kind, first=first)
            guards.set_market_level(venue, first)
        case CommandKind.SET_TOP:
            instrument = known_instrument(venue, setting.instrument)
            _check_steps(instrument)
            instrument.top_lots = (first, second) if second else None
            instrument.tops = dict.fromkeys(Side)
            _applied(venue, kind, instrument=instrument.id, second=first, third=second)
        case CommandKind.SET_QUOTE_PROTECTION | CommandKind.RESET_QUOTE_PROTECTION:
            _protect(venue, setting)
        case CommandKind.SET_LEAD:
            _set_lead(venue, setting)
        case CommandKind.SET_FEE_TIER:
            _set_fee_tier(venue, setting)
        case CommandKind.SET_ACCOUNT_LIMITS:
            known_account(venue, setting.account).limits = AccountLimits(first, second, third)
            _applied(venue, kind, account=setting.account, first=first, second=second, third=third)
        case CommandKind.SET_ACCOUNT_FEE_TIER:
            known_account(venue, setting.account).tier = setting.tier
            _applied(venue, kind, account=setting.account, tier_or_kind=setting.tier)
        case CommandKind.SET_TRADE_GROUP:
            account = known_account(venue, setting.account)
            account.group = first
            _applied(venue, kind, account=setting.account, second=first)
            if venue.controls.is_killed(account):
                _cancel_all_of(venue, [account], CloseReason.KILL_SWITCH)
        case CommandKind.SET_APPROVAL_BANDS:
            _set_bands(venue, setting)
        case CommandKind.ENGAGE_KILL_SWITCH | CommandKind.RELEASE_KILL_SWITCH:
            _kill_or_release(venue, setting)
        case CommandKind.END_SESSION:
            _applied(venue, kind, second=first)
            _cancel_all_by(venue, first, CloseReason.SESSION_ENDED)
        case CommandKind.SET_RESTRICTION:
            _restrict(venue, setting)
        case CommandKind.SET_PERMISSIONS:
            account = known_account(venue, setting.account)
            fixed = account.kind in (AccountKind.FEE, AccountKind.INSURANCE)
            require(not (fixed and first & ~Permissions.TRANSFER), Reason.SETTING_OUT_OF_RANGE)
            account.permissions = first
            _applied(venue, kind, account=setting.account, second=first)
        case CommandKind.SET_POSITION_LIMIT:
            known_instrument(venue, setting.instrument)
            known_account(venue, setting.account).position_limits[setting.instrument] = first
            _applied(venue, kind, account=setting.account, instrument=setting.instrument, second=first)
        case _:
            _halt_or_resume(venue, setting)


def _schedule(venue: Venue, setting: Setting) -> None:
    instrument, (time_ns, window_ns, draw) = known_instrument(venue, setting.instrument), setting.values
    require(instrument.state is not State.EXPIRED, Reason.ILLEGAL_STATE_CHANGE)
    due_ns = time_ns + draw % (window_ns + 1)
    require(time_ns == 0 or due_ns > venue.time_ns, Reason.SCHEDULE_NOT_IN_FUTURE)
    change = Scheduled(due_ns, State(setting.scope), Phase(setting.tier))
    instrument.scheduled = None if time_ns == 0 else change
    _applied(
        venue,
        setting.kind,
        instrument=instrument.id,
        first=time_ns,
        second=window_ns,
        third=draw,
        scope=setting.scope,
        tier_or_kind=setting.tier,
    )


def _check_steps(instrument: Instrument) -> None:
    """TOP and leads change while the book is empty, where the rule has such steps."""
    require(not (instrument.book.bids or instrument.book.asks), Reason.BOOK_NOT_EMPTY)
    require(isinstance(instrument.allocation, Steps), Reason.RULE_HAS_NO_STEPS)


def _protect(venue: Venue, setting: Setting) -> None:
    where = None if setting.instrument == ANY else known_instrument(venue, setting.instrument).id
    account = known_account(venue, setting.account)
    before = protections.find(venue, account.id, where)
    lots, fills, window_ns = setting.values
    if setting.kind is CommandKind.RESET_QUOTE_PROTECTION:
        if before is not None:
            before.begin_anew()
            before.triggered = False
        _applied(venue, setting.kind, account=account.id, instrument=setting.instrument)
        return
    if before is not None:
        venue.protections.remove(before)
    if window_ns:
        new = protections.Protection(account.id, where, lots, fills, window_ns)
        new.triggered = before is not None and before.triggered
        venue.protections.append(new)
    values = {"first": fills, "second": lots, "third": window_ns}
    _applied(venue, setting.kind, account=account.id, instrument=setting.instrument, **values)


def _set_lead(venue: Venue, setting: Setting) -> None:
    instrument, account = known_instrument(venue, setting.instrument), known_account(venue, setting.account)
    _check_steps(instrument)
    share = setting.values[0]
    leads = {lead: ppm for lead, ppm in instrument.leads.items() if lead != account.id}
    if share:
        leads[account.id] = share
    require(sum(leads.values()) <= PPM, Reason.LEADS_ABOVE_WHOLE)
    require(len(leads) <= LEADS_MAX, Reason.TOO_MANY_LEADS)
    instrument.leads = leads
    _applied(venue, setting.kind, account=account.id, instrument=instrument.id, first=share)


def _set_fee_tier(venue: Venue, setting: Setting) -> None:
    schedule, rates = setting.fee_schedule, FeeRates(setting.values[0], setting.values[1])
    tiers = venue.fee_tiers | {(schedule, setting.tier): rates}
    every_rate = [resolved_tier(tiers, schedule, tier) for tier in range(TIERS)]
    orders = venue.open_orders()
    every_rate += [order.rates for order in orders if venue.instruments[order.instrument].fee_schedule == schedule]
    # Any order may meet any other: the cheapest taker with the dearest rebate must still leave nothing to pay.
    lowest = min(rate.taker_ppm for rate in every_rate) + min(rate.maker_ppm for rate in every_rate)
    require(lowest >= 0, Reason.FEE_SCHEDULE_NEGATIVE)
    venue.fee_tiers = tiers
    taker, maker = rates.taker_ppm, unsigned(rates.maker_ppm)
    _applied(venue, setting.kind, first=taker, second=maker, tier_or_kind=setting.tier, schedule=schedule)


def _halt_or_resume(venue: Venue, setting: Setting) -> None:
    halted = setting.kind is CommandKind.HALT
    match HaltScope(setting.scope):
        case HaltScope.VENUE:
            venue.halted = halted
            _applied(venue, setting.kind, scope=setting.scope)
        case HaltScope.INSTRUMENT:
            instrument = known_instrument(venue, setting.instrument)
            require(instrument.state is not State.EXPIRED, Reason.ILLEGAL_STATE_CHANGE)
            _applied(venue, setting.kind, instrument=setting.instrument, scope=setting.scope)
            (states.halt if halted else states.resume)(venue, instrument)
        case HaltScope.ACCOUNT:
            known_account(venue, setting.account).halted = halted
            _applied(venue, setting.kind, account=setting.account, scope=setting.scope)


def _scope(venue: Venue, setting: Setting) -> Scope:
    """Whom a control is for; an account must be there."""
    if setting.scope == ControlScope.ACCOUNT:
        return Scope(ControlScope.ACCOUNT, known_account(venue, setting.account).id)
    return Scope(ControlScope(setting.scope), setting.values[0])


def _kill_or_release(venue: Venue, setting: Setting) -> None:
    scope = _scope(venue, setting)
    account, other = (scope.id, 0) if scope.kind is ControlScope.ACCOUNT else (0, scope.id)
    _applied(venue, setting.kind, account=account, second=other, scope=scope.kind)
    if setting.kind is CommandKind.RELEASE_KILL_SWITCH:
        venue.controls.release(scope)
        return
    venue.controls.kill(scope)
    if scope.kind is ControlScope.SESSION:
        _cancel_all_by(venue, scope.id, CloseReason.KILL_SWITCH)
        return
    _cancel_all_of(venue, [each for each in venue.accounts if scope.includes(each)], CloseReason.KILL_SWITCH)


def _set_bands(venue: Venue, setting: Setting) -> None:
    assert setting.bands is not None, "Invariant: bands were read with the command"
    scope, bands = BandScope(setting.scope), setting.bands
    if scope is BandScope.INSTRUMENT:
        number, account, instrument = known_instrument(venue, setting.instrument).id, 0, setting.instrument
    else:
        number, account, instrument = known_account(venue, setting.account).id, setting.account, ANY
    if any(bands.thresholds):
        venue.controls.bands[scope, number] = bands
    else:
        venue.controls.bands.pop((scope, number), None)
    first, second, third = bands.thresholds
    low, high = halves(third)
    venue.emit(
        Event(
            EventKind.SETTING_APPLIED,
            account=account,
            instrument=instrument,
            side=scope,
            open_lots=setting.kind,
            price_ticks=signed(low),
            quantity_lots=unsigned(high),
            amount=first,
            counter_amount=second,
            reference=bands.expiry_ns,
        )
    )


def _restrict(venue: Venue, setting: Setting) -> None:
    instrument = known_instrument(venue, setting.instrument)
    scope, restriction, cancels = _scope(venue, setting), Restriction(setting.tier), setting.values[1]
    venue.controls.restrict(scope, instrument.id, restriction)
    account, group = (scope.id, 0) if scope.kind is ControlScope.ACCOUNT else (0, scope.id)
    _applied(
        venue,
        setting.kind,
        account=account,
        instrument=instrument.id,
        second=group,
        third=cancels,
        scope=scope.kind,
        tier_or_kind=restriction,
    )
    if cancels:
        members = [each for each in venue.accounts if scope.includes(each)]
        orders = [order for each in members for order in each.open_orders.values() if order.instrument == instrument.id]
        _cancel(venue, [order for order in orders if restriction.forbids(order.side)], CloseReason.RESTRICTED)


def _cancel_all_of(venue: Venue, accounts: list[Account], reason: CloseReason) -> None:
    _cancel(venue, [order for account in accounts for order in account.open_orders.values()], reason)


def _cancel_all_by(venue: Venue, session: int, reason: CloseReason) -> None:
    _cancel(venue, [order for order in venue.open_orders() if order.session == session], reason)


def _cancel(venue: Venue, orders: list[Order], reason: CloseReason) -> None:
    """Cancel orders, the oldest first."""
    for order in sorted(orders, key=lambda order: order.order_id):
        # One may have gone with its list.
        if order.order_id in venue.accounts[order.account].open_orders:
            closing.cancel(venue, order, reason)


# Money.


def move_money(venue: Venue, money: Money) -> None:
    ledger = venue.ledger
    match money.kind:
        case CommandKind.DEPOSIT:
            known_account(venue, money.account)
            _check_amount(venue, money)
            require(ledger.here(money.asset) + money.amount <= AMOUNT_MAX, Reason.AMOUNT_TOO_LARGE)
            ledger.deposit(money.account, money.asset, money.amount)
            _moved(venue, EventKind.DEPOSITED, money.account, money.asset, money.amount)
        case CommandKind.REQUEST_WITHDRAWAL:
            account = known_account(venue, money.account)
            require(account.may(Permissions.WITHDRAW), Reason.ACCOUNT_NOT_PERMITTED)
            _check_amount(venue, money)
            _check_available(venue, money)
            withdrawal = ledger.request_withdrawal(money.account, money.asset, money.amount)
            _withdrawal_event(venue, EventKind.WITHDRAWAL_REQUESTED, withdrawal)
        case CommandKind.TRANSFER:
            _transfer(venue, money)
        case CommandKind.SEND_TRANSFER:
            _send_transfer(venue, money)
        case CommandKind.RECEIVE_TRANSFER:
            _receive_transfer(venue, money)
        case CommandKind.CONFIRM_TRANSFER:
            place = (money.counter_account, money.withdrawal)
            require(place in ledger.in_transit, Reason.UNKNOWN_TRANSFER)
            _between_shards(venue, EventKind.TRANSFER_CONFIRMED, ledger.confirm(*place))
        case _:
            confirmed = money.kind is CommandKind.CONFIRM_WITHDRAWAL
            if money.withdrawal not in ledger.withdrawals:
                raise Refused(Reason.UNKNOWN_WITHDRAWAL)
            withdrawal = ledger.end_withdrawal(money.withdrawal, confirmed=confirmed)
            kind = EventKind.WITHDRAWAL_CONFIRMED if confirmed else EventKind.WITHDRAWAL_CANCELLED
            _withdrawal_event(venue, kind, withdrawal)


def _transfer(venue: Venue, money: Money) -> None:
    sender, receiver = known_account(venue, money.account), known_account(venue, money.counter_account)
    kind = TransferKind(money.transfer_kind)
    require(sender.may(Permissions.TRANSFER), Reason.ACCOUNT_NOT_PERMITTED)
    _check_amount(venue, money)
    _check_available(venue, money)
    require(sender is not receiver, Reason.SAME_ACCOUNT)
    require(transfer_allowed(kind, sender.kind, receiver.kind), Reason.ACCOUNT_KINDS_FORBIDDEN)
    venue.ledger.credit(sender.id, money.asset, -money.amount)
    venue.ledger.credit(receiver.id, money.asset, money.amount)
    _moved(venue, EventKind.TRANSFERRED, sender.id, money.asset, money.amount, receiver.id, kind)


def _send_transfer(venue: Venue, money: Money) -> None:
    ledger = venue.ledger
    sender = known_account(venue, money.account)
    require(sender.may(Permissions.TRANSFER), Reason.ACCOUNT_NOT_PERMITTED)
    _check_amount(venue, money)
    _check_available(venue, money)
    away = ledger.transit_of(money.asset) + ledger.elsewhere[money.asset]
    require(away + money.amount <= AMOUNT_MAX, Reason.AMOUNT_TOO_LARGE)
    require(money.counter_account != SHARD, Reason.SAME_SHARD)
    sent = ledger.send(money.counter_account, money.account, money.asset, money.amount)
    _between_shards(venue, EventKind.TRANSFER_SENT, sent)


def _receive_transfer(venue: Venue, money: Money) -> None:
    ledger = venue.ledger
    transfer = ShardTransfer(money.counter_account, money.withdrawal, money.account, money.asset, money.amount)
    require(transfer.shard != SHARD, Reason.SAME_SHARD)
    last = ledger.received[transfer.shard]
    require(transfer.number > last, Reason.TRANSFER_ALREADY_RECEIVED)
    require(transfer.number == last + 1, Reason.TRANSFER_GAP)
    known_account(venue, money.account)
    _check_amount(venue, money)
    fits = ledger.here(money.asset) + money.amount <= AMOUNT_MAX
    require(fits and ledger.elsewhere[money.asset] - money.amount >= -AMOUNT_MAX, Reason.AMOUNT_TOO_LARGE)
    ledger.receive(transfer)
    _between_shards(venue, EventKind.TRANSFER_RECEIVED, transfer)


def _between_shards(venue: Venue, kind: EventKind, transfer: ShardTransfer) -> None:
    venue.emit(
        Event(
            kind,
            instrument=transfer.asset,
            account=transfer.account,
            order_type=transfer.shard,
            amount=transfer.amount,
            reference=transfer.number,
        )
    )


def _check_amount(venue: Venue, money: Money) -> None:
    require(money.asset < len(venue.assets), Reason.UNKNOWN_ASSET)
    require(money.amount > 0, Reason.AMOUNT_NOT_POSITIVE)


def _check_available(venue: Venue, money: Money) -> None:
    available = venue.ledger.available[money.account, money.asset]
    require(available >= money.amount, Reason.INSUFFICIENT_FUNDS)


def _withdrawal_event(venue: Venue, kind: EventKind, withdrawal: Withdrawal) -> None:
    _moved(venue, kind, withdrawal.account, withdrawal.asset, withdrawal.amount, reference=withdrawal.id)


def _moved(
    venue: Venue, kind: EventKind, account: int, asset: int, amount: int, receiver: int = 0, reference: int = 0
) -> None:
    venue.emit(
        Event(kind, instrument=asset, account=account, counter_account=receiver, amount=amount, reference=reference)
    )
