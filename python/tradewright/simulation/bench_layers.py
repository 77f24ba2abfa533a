"""What the layers of Python cost: floor, ladder, engine and the layer itself in interleaved rounds on one core.

A nanosecond figure travels badly, its ratio to a reference of the same minute on the same core travels well. Times are
of this thread's CPU; what prepares a round or adds up its fills is not timed, unless it is part of what is measured.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from tradewright._core import Bench, BenchOutcome, Engine, build_info
from tradewright.enums import CommandKind, EventKind, SelfTradePrevention, Side, TimeInForce
from tradewright.exchange import Exchange
from tradewright.marketdata.importers.lobster import LobsterBook, LobsterMessages, MessageType
from tradewright.marketdata.replay.lobster import CENT

if TYPE_CHECKING:
    from tradewright.account import Account
    from tradewright.instrument import Instrument
    from tradewright.order import Order

BATCH: Final = 1_024
"""Commands of one `Engine.apply`."""
_CHUNK: Final = 1 << 10
"""Commands that become Python objects at once, untimed."""
_PLACE: Final = int(CommandKind.PLACE_ORDER)
_TRADE: Final = int(EventKind.TRADE)
_ADD, _CANCEL, _IOC = 0, 1, 2

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a bench reports; nanoseconds an operation over the last third, medians over the rounds."""

    ns_per_op: float
    floor_ns_per_op: float
    ladder_ns_per_op: float
    engine_ns_per_op: float | None
    """The engine of the same rounds, for the layers of Python."""
    ratio: float
    p50_ns: float
    p99_ns: float
    p999_ns: float
    max_ns: float
    memory_bytes: int
    target_cpu: str


@dataclass(slots=True)
class Sums:
    """Fills, summed."""

    fills: int = 0
    filled_quantity: int = 0
    notional: int = 0


@dataclass(frozen=True, slots=True)
class _Pass:
    ns_per_op: float
    sums: Sums
    latencies: npt.NDArray[np.int64]
    engine: Engine


def drive_layer(
    bench: Bench, layer: str, *, rounds: int, prevents: bool, progress: Progress
) -> tuple[Figures, dict[str, int | None]]:
    """Measure "python-batch", "python-call" or "python-decimal"; return the figures and the outcome.

    Latencies are those of single calls: a batch of 1,024 in python-batch, one operation in the others.
    """
    run = RUNS[layer]
    commands = bench.commands(prevents=prevents)
    floors, ladders, engines, layers, ratios = [], [], [], [], []
    with _one_core(), _no_collector():
        done: _Pass | None = None
        for number in range(rounds):
            progress(f"round {number + 1} of {rounds}")
            floors.append(bench.round("floor")[0])
            ladders.append(bench.round("ladder")[0])
            engines.append(bench.round("engine", prevents=prevents)[0])
            done = run(bench, commands, prevents=prevents, times_calls=False)
            layers.append(done.ns_per_op)
            ratios.append(done.ns_per_op / ladders[-1])
        progress("latencies")
        latencies = run(bench, commands, prevents=prevents, times_calls=True).latencies
    assert done is not None, "Invariant: at least one round"
    p50, p99, p999, most = np.percentile(latencies, [50, 99, 99.9, 100], method="lower").tolist()
    figures = Figures(
        ns_per_op=median(layers),
        floor_ns_per_op=median(floors),
        ladder_ns_per_op=median(ladders),
        engine_ns_per_op=median(engines),
        ratio=median(ratios),
        p50_ns=p50,
        p99_ns=p99,
        p999_ns=p999,
        max_ns=most,
        memory_bytes=done.engine.memory_bytes,
        target_cpu=build_info().target_cpu,
    )
    return figures, outcome_of_pass(done)


def outcome_of(outcome: BenchOutcome) -> dict[str, int | None]:
    """Return an outcome as the columns that are compared and printed."""
    names = ("fills", "filled_quantity", "notional", "best_bid", "best_ask", "live", "levels")
    return {name: getattr(outcome, name) for name in names}


def outcome_of_pass(done: _Pass) -> dict[str, int | None]:
    """Return what a pass came to, in the same columns."""
    engine = done.engine
    bid, ask = engine.best(0)
    sides = [(instrument, side) for instrument in range(len(engine.instruments())) for side in Side]
    return {
        "fills": done.sums.fills,
        "filled_quantity": done.sums.filled_quantity,
        "notional": done.sums.notional,
        "best_bid": None if bid is None else bid[0],
        "best_ask": None if ask is None else ask[0],
        "live": engine.open_order_count,
        "levels": sum(len(engine.levels(instrument, side)) for instrument, side in sides),
    }


def _fresh(bench: Bench, commands: npt.NDArray[np.void], *, keep_events: bool) -> Engine:
    # A bounded log, as a long-running program has it: its memory is used again and again.
    engine = Engine(keep_events=keep_events, events_max=1 << 10, open_orders_expected=max(8_192, bench.prefill))
    events = engine.apply(bench.set_up())
    assert not (events["kind"] == EventKind.REJECTED).any(), "Invariant: the set-up of the bench is accepted"
    engine.apply(commands[: bench.prefill])
    return engine


def _run_batches(bench: Bench, commands: npt.NDArray[np.void], *, prevents: bool, times_calls: bool) -> _Pass:
    """Hand over numpy batches. The events come back as arrays; adding up their fills is not timed."""
    del prevents  # it stands in the commands
    engine, sums = _fresh(bench, commands, keep_events=False), Sums()
    clock = time.perf_counter_ns if times_calls else time.thread_time_ns
    own = _cost_of(clock)
    apply = engine.apply
    spent, calls = 0, []
    bounds = [*range(bench.prefill, bench.timed_from, BATCH), *range(bench.timed_from, len(commands), BATCH)]
    for first, last in zip(bounds, [*bounds[1:], len(commands)], strict=True):
        batch = commands[first:last]
        before = clock()
        events = apply(batch)
        elapsed = clock() - before - own
        if first >= bench.timed_from:
            spent += elapsed
            calls.append(elapsed)
        _add_up(events, sums)
    return _Pass(spent / (len(commands) - bench.timed_from), sums, np.array(calls, dtype=np.int64), engine)


def _add_up(events: npt.NDArray[np.void], sums: Sums) -> None:
    trades = events[events["kind"] == _TRADE]
    quantities = trades["quantity_lots"].astype(np.int64)
    sums.fills += len(trades)
    sums.filled_quantity += int(quantities.sum())
    sums.notional += int((trades["price_ticks"] * quantities).sum())


def _run_calls(bench: Bench, commands: npt.NDArray[np.void], *, prevents: bool, times_calls: bool) -> _Pass:
    """Make one call an operation and add up its fills: that is what is timed."""
    engine, sums = _fresh(bench, commands, keep_events=True), Sums()
    mode = 2 if prevents else 0
    spent, latencies = 0, []
    bounds = sorted({bench.timed_from, *range(bench.prefill, len(commands), _CHUNK), len(commands)})
    for first, last in pairwise(bounds):
        rows = _rows(commands[first:last])
        if times_calls and first >= bench.timed_from:
            latencies.append(_timed_calls(engine, rows, mode))
            continue
        before = time.thread_time_ns()
        _calls(engine, rows, mode, sums)
        if first >= bench.timed_from:
            spent += time.thread_time_ns() - before
    calls = np.concatenate(latencies) if latencies else np.zeros(1, dtype=np.int64)
    return _Pass(spent / (len(commands) - bench.timed_from), sums, calls, engine)


def _run_decimals(bench: Bench, commands: npt.NDArray[np.void], *, prevents: bool, times_calls: bool) -> _Pass:
    """Make one call an operation in words for people: decimals in, an `Order` out, whose `filled` is read."""
    exchange, sums = Exchange(events_max=1 << 14), Sums()
    exchange.submit(bench.set_up())
    exchange.submit(commands[: bench.prefill])
    mode = SelfTradePrevention.EXPIRE_MAKER if prevents else SelfTradePrevention.NONE
    accounts = {account.id: account for account in exchange.accounts.values()}
    instruments = {instrument.id: instrument for instrument in exchange.instruments.values()}
    clock = time.perf_counter_ns if times_calls else time.thread_time_ns
    own = _cost_of(clock)
    spent, calls = 0, []
    bounds = sorted({bench.timed_from, *range(bench.prefill, len(commands), _CHUNK), len(commands)})
    for first, last in pairwise(bounds):
        # Time stands still: the clock of an exchange in words is moved by its owner, not by each order.
        rows = _words(_rows(commands[first:last]), accounts, instruments, mode)
        filled, elapsed = _word_calls(rows, clock, own) if times_calls else _words_at_once(rows)
        if first >= bench.timed_from:
            spent += sum(elapsed)
            calls.extend(elapsed)
        for order in filled:
            _add_up_order(order, sums)
    return _Pass(spent / (len(commands) - bench.timed_from), sums, np.maximum(np.array(calls), 0), exchange.engine)


_Row = tuple[int, int, int, int, int, int, int, int, int]
_Words = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def _words(
    rows: list[_Row], accounts: dict[int, Account], instruments: dict[int, Instrument], mode: SelfTradePrevention
) -> list[_Words]:
    calls: list[_Words] = []
    for kind, account, instrument, side, price, quantity, in_force, reference, _ in rows:
        owner = accounts[account]
        if kind == _PLACE:
            market = instruments[instrument]
            arguments = {
                "quantity": quantity * market.lot,
                "price": price * market.tick,
                "time_in_force": TimeInForce(in_force),
                "self_trade_prevention": mode,
                "client_order_id": reference,
            }
            calls.append((owner.buy if side == Side.BUY else owner.sell, (market,), arguments))
        else:
            calls.append((owner.cancel, (reference,), {}))
    return calls


def _words_at_once(rows: list[_Words]) -> tuple[list[Order], list[int]]:
    filled = []
    before = time.thread_time_ns()
    for call, positional, named in rows:
        order = call(*positional, **named)
        if order is not None and order.filled:
            filled.append(order)
    return filled, [time.thread_time_ns() - before]


def _word_calls(rows: list[_Words], clock: Callable[[], int], own: int) -> tuple[list[Order], list[int]]:
    filled, elapsed = [], []
    for call, positional, named in rows:
        before = clock()
        order = call(*positional, **named)
        is_filled = order is not None and bool(order.filled)
        elapsed.append(clock() - before - own)
        if is_filled:
            filled.append(order)
    return filled, elapsed


def _add_up_order(order: Order, sums: Sums) -> None:
    # What it made later is the taking of others.
    for fill in (fill for fill in order.fills if not fill.is_maker):
        lots = int(fill.quantity / order.instrument.lot)
        sums.fills += 1
        sums.filled_quantity += lots
        sums.notional += int(fill.price / order.instrument.tick) * lots


def _rows(commands: npt.NDArray[np.void]) -> list[_Row]:
    names = (
        *("kind", "account", "instrument", "side", "price_ticks", "quantity_lots"),
        *("time_in_force", "order_ref", "time_ns"),
    )
    return list(zip(*(commands[name].tolist() for name in names), strict=True))


def _calls(engine: Engine, rows: list[_Row], mode: int, sums: Sums) -> None:
    place, cancel = engine.place, engine.cancel
    fills = filled_quantity = notional = 0
    for kind, account, instrument, side, price, quantity, in_force, reference, time_ns in rows:
        if kind == _PLACE:
            outcome = place(account, instrument, side, price, quantity, in_force, 1, mode, 0, reference, time_ns)
            filled = outcome.filled_lots
            if filled:
                filled_quantity += filled
                fills += outcome.fill_count
                notional += outcome.notional
        else:
            cancel(account, reference, 0, time_ns)
    sums.fills += fills
    sums.filled_quantity += filled_quantity
    sums.notional += notional


def _timed_calls(engine: Engine, rows: list[_Row], mode: int) -> npt.NDArray[np.int64]:
    clock = time.perf_counter_ns
    own = _cost_of(clock)
    place, cancel = engine.place, engine.cancel
    elapsed = []
    for kind, account, instrument, side, price, quantity, in_force, reference, time_ns in rows:
        if kind == _PLACE:
            before = clock()
            place(account, instrument, side, price, quantity, in_force, 1, mode, 0, reference, time_ns)
            after = clock()
        else:
            before = clock()
            cancel(account, reference, 0, time_ns)
            after = clock()
        elapsed.append(after - before - own)
    return np.maximum(np.array(elapsed, dtype=np.int64), 0)


RUNS: Final[dict[str, Callable[..., _Pass]]] = {
    "python-batch": _run_batches,
    "python-call": _run_calls,
    "python-decimal": _run_decimals,
}


def _cost_of(clock: Callable[[], int]) -> int:
    """Return what reading a clock costs: the least of many readings."""
    return min(-clock() + clock() for _ in range(10_000))


@contextmanager
def _one_core() -> Iterator[None]:
    """Keep the rounds on one core where the system lets a process choose."""
    if sys.platform != "linux":
        yield
        return
    granted = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(granted)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, granted)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Keep Python's collector out, as `timeit` does: the loops make no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def recorded_bench(messages: LobsterMessages, book: LobsterBook) -> Bench:
    """Return a LOBSTER recording as a tape: its first row as resting orders, then what its messages stand for.

    New orders are adds, deletions cancels, visible executions IOCs of the other side at the price of the maker. Partial
    cancellations have no operation of their own and are left out, as are hidden executions; an order from before the
    recording that is deleted cancels nothing.
    """
    kinds, sides, prices, quantities, ids = [], [], [], [], []
    own: dict[int, int] = {}
    last_id = 0
    bids, asks = book.sides(0)
    for side, levels in ((Side.BUY, bids), (Side.SELL, asks)):
        for price, quantity in levels:
            last_id += 1
            kinds.append(_ADD)
            sides.append(int(side))
            prices.append(price // CENT)
            quantities.append(quantity)
            ids.append(last_id)
    prefill = len(kinds)
    columns = (messages.message_type, messages.order_id, messages.size, messages.price, messages.direction)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for message_type, order_id, size, price, direction in rows:
        side = Side.BUY if direction == 1 else Side.SELL
        if message_type == MessageType.DELETE:
            if order_id not in own:
                continue
            kinds.append(_CANCEL)
            sides.append(0)
            prices.append(0)
            quantities.append(0)
            ids.append(own[order_id])
        elif message_type in (MessageType.NEW, MessageType.VISIBLE_EXECUTION):
            last_id += 1
            is_new = message_type == MessageType.NEW
            if is_new:
                own[order_id] = last_id
            kinds.append(_ADD if is_new else _IOC)
            sides.append(int(side if is_new else side.opposite))
            prices.append(price // CENT)
            quantities.append(size)
            ids.append(last_id)
    return Bench.recorded(
        np.array(kinds, dtype=np.uint8),
        np.array(sides, dtype=np.uint8),
        np.array(prices, dtype=np.int64),
        np.array(quantities, dtype=np.uint32),
        np.array(ids, dtype=np.uint64),
        prefill,
    )
