"""Machines: numpy batches and single calls in integers, against each other."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

import tradewright as tw
from tradewright import _core, commands
from tradewright._core import Bench
from tradewright.enums import Code


def opened(bench: Bench, *, events_max: int | None = None, keep_events: bool = True) -> tw.Engine:
    engine = tw.Engine(keep_events=keep_events, events_max=events_max)
    engine.apply(bench.set_up())
    return engine


def test_a_batch_is_the_same_as_its_commands_one_by_one() -> None:
    bench = Bench("mix60", 4_000)
    records = bench.commands(prevents=True)
    whole, single = opened(bench), opened(bench)
    events = whole.apply(records)
    for row in records:
        call = single.place if row["kind"] == tw.CommandKind.PLACE_ORDER else None
        if call is None:
            single.cancel(int(row["account"]), int(row["order_ref"]), 0, int(row["time_ns"]))
        else:
            names = ("side", "price_ticks", "quantity_lots", "time_in_force", "order_type", "self_trade_prevention")
            fields = [int(row[name]) for name in ("account", "instrument", *names, "flags", "order_ref", "time_ns")]
            call(*fields)
    assert whole.state_hash == single.state_hash
    assert whole.events().tobytes() == single.events().tobytes()
    assert whole.events()[-len(events) :].tobytes() == events.tobytes()
    single.check_invariants()


def test_the_outcome_of_a_call_is_what_its_events_say() -> None:
    bench = Bench("mix60", 1)
    engine = opened(bench)
    first = engine.place(2, 0, 1, 100_000, 5)
    second = engine.place(3, 0, 1, 100_001, 5)
    outcome = engine.place(4, 0, 0, 100_001, 8, 2, client_order_id=7)
    assert outcome.fills == [(first.order_id, 100_000, 5), (second.order_id, 100_001, 3)]
    assert (outcome.status, outcome.filled_lots, outcome.open_lots) == (tw.OrderStatus.FILLED, 8, 0)
    assert outcome.fee == 801, "1,000 ppm of 800,003, rounded up once"
    refused = engine.place(4, 9, 0, 100_001, 8)
    assert (refused.is_accepted, refused.reason) == (False, tw.RejectReason.UNKNOWN_INSTRUMENT)
    assert "UnknownInstrument" in repr(refused)
    amended = engine.amend(3, second.order_id, 100_001, 4)
    assert (amended.open_lots, engine.open_lots(second.order_id)) == (1, 1)
    replaced = engine.replace(3, second.order_id, 0, 1, 100_005, 9)
    assert (replaced.open_lots, engine.open_lots(second.order_id)) == (9, 0)
    assert engine.cancel(3, replaced.order_id).status == tw.OrderStatus.CANCELLED
    assert len(engine.order_events(second.order_id)) == 4


@pytest.mark.parametrize(
    ("records", "error", "text"),
    [
        (np.zeros(2, np.uint8), ValueError, "records.itemsize=1 must be 64"),
        (np.zeros(4, commands.COMMAND)[::2], ValueError, "records must be C-contiguous"),
        ([1], TypeError, "records must be a numpy array of command records"),
    ],
)
def test_arrays_of_another_shape_are_refused(records: object, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        tw.Engine().apply(records)  # type: ignore[arg-type]  # what is refused at run time too


def test_single_calls_take_integers_only() -> None:
    with pytest.raises(TypeError, match="price_ticks"):
        tw.Engine().place(2, 0, 0, 1.5, 1)  # type: ignore[arg-type]  # as above


def test_any_rows_of_64_bytes_will_do_wherever_they_lie() -> None:
    bench = Bench("mix60", 100)
    packed = b"\0" + bench.set_up().tobytes()
    engine = tw.Engine()
    events = engine.apply(np.frombuffer(packed, np.dtype("V64"), offset=1))
    assert not (events["kind"] == tw.EventKind.REJECTED).any()
    assert engine.state_hash == opened(bench).state_hash


def test_commands_longer_than_a_piece_and_cut_short_ones() -> None:
    engine = tw.Engine()
    long = np.concatenate([commands.advance_time(5)] * 300)
    long["record_count"][0] = 300
    events = engine.apply(np.concatenate((long, commands.advance_time(7), long[:10])))
    assert [int(event["reason"]) for event in events] == [tw.RejectReason.MALFORMED_RECORDS] * 2
    assert (engine.sequence, engine.time_ns) == (3, 7)


def test_a_bounded_log_keeps_the_last_events_and_positions_go_on() -> None:
    bench = Bench("mix60", 20_000)
    bounded, whole = opened(bench, events_max=3_000), opened(bench)
    for batch in np.array_split(bench.commands(prevents=False), 7):
        bounded.apply(batch)
        whole.apply(batch)
    for price in range(1, 3_000):
        bounded.place(2, 0, 0, price, 1)
        whole.place(2, 0, 0, price, 1)
    kept = bounded.events()
    assert 3_000 <= len(kept) < 30_000
    assert bounded.events_end == whole.events_end == bounded.events_begin + len(kept)
    assert kept.tobytes() == whole.events()[-len(kept) :].tobytes()
    assert whole.events(bounded.events_end - 5).tobytes() == kept[-5:].tobytes()


def test_shared_arrays_of_events_cannot_be_written() -> None:
    bench = Bench("mix60", 2_000)
    engine = opened(bench)
    events = engine.apply(bench.commands(prevents=False))
    with pytest.raises(ValueError, match="read-only"):
        events["kind"] = 0
    del engine
    assert int(events["kind"][0]) == tw.EventKind.ORDER_ACCEPTED, "the rows outlive their engine"


def test_a_later_batch_never_writes_into_events_that_somebody_holds() -> None:
    bench = Bench("mix60", 20_000)
    engine, records = opened(bench, keep_events=False), bench.commands(prevents=False)
    held = [engine.apply(batch) for batch in np.array_split(records, 9)]
    copies = [events.tobytes() for events in held]
    del held[::2]
    for batch in np.array_split(bench.commands(prevents=False), 5):
        engine.apply(batch)
    assert [events.tobytes() for events in held] == copies[1::2]


def test_submit_takes_batches_of_every_command(exchange: tw.Exchange, virtual_clock: tw.VirtualClock) -> None:
    virtual_clock.advance(5)
    limits = commands.instrument_limits()
    events = exchange.submit(
        np.concatenate(
            (
                commands.add_asset(asset=0, name="USD", scale=2),
                commands.add_asset(asset=1, name="GOLD", scale=3),
                commands.list_instrument(
                    instrument=0,
                    name="GOLD/USD",
                    base=1,
                    quote=0,
                    quote_quanta_per_tick_lot=1,
                    base_quanta_per_lot=1_000,
                    limits=limits,
                ),
                commands.set_fee_tier(schedule=0, tier=3, taker_ppm=100, maker_ppm=50),
                commands.open_account(account=2, name="alice"),
                commands.deposit(account=np.array([2, 2]), asset=np.array([0, 1]), amount=np.array([10**6, 10**6])),
                commands.place(
                    account=2, instrument=0, side=np.array([0, 1]), price_ticks=np.array([90, 110]), quantity_lots=3
                ),
                commands.cancel(account=2, order_id=1),
                commands.replace(
                    2, commands.place(account=2, instrument=0, side=tw.Side.SELL, price_ticks=120, quantity_lots=2)
                ),
                commands.cancel_all(account=2),
                commands.halt(account=2),
            )
        )
    )
    assert not len(events.of_kind(tw.EventKind.REJECTED)), events.to_polars()
    assert set(events.array["time_ns"].tolist()) == {5 * 10**9}
    gold = exchange.instrument("GOLD/USD")
    assert (str(gold.tick), str(gold.lot)) == ("0.01", "1")
    assert exchange.engine.fee_tiers() == [(0, 3, 100, 50)]
    assert exchange.account("alice").is_halted


def test_python_words_are_the_engines() -> None:
    for enum, rows in (
        (tw.EventKind, _core.event_kinds()),
        (tw.CommandKind, _core.command_kinds()),
        (tw.CloseReason, _core.close_reasons()),
        (tw.RejectReason, [(code, name) for code, name, _ in _core.reject_reasons()]),
    ):
        words: list[tuple[int, str]] = [(member.value, member.label) for member in enum]
        assert words == list(rows), enum
        assert issubclass(enum, Code)


def test_every_reject_reason_has_its_exception() -> None:
    from tradewright._rejections import FAMILIES, rejection

    assert list(FAMILIES) == list(tw.RejectReason)
    for reason in tw.RejectReason:
        error = rejection(reason, {})
        assert isinstance(error, tw.CommandRejected)
        assert error.reason == reason.label


def test_dtypes_have_the_size_of_their_records() -> None:
    sizes = {name: dtype.itemsize for name, dtype in _core.dtypes().items()}
    assert {name: size for name, size in sizes.items() if size != 64} == {"event": 128, "text_event": 128}


# -- snapshots ---------------------------------------------------------------------------------------------------------


def busy(exchange: tw.Exchange) -> tw.Instrument:
    market = exchange.list_spot("BTC/USDT", tick="0.01", lot="0.001", fees=tw.Fees(taker="0.001"))
    for name in ("alice", "bob"):
        account = exchange.open_account(name)
        account.deposit("USDT", 10**6)
        account.deposit("BTC", 10**3)
    exchange.account("alice").buy(market, quantity=2, price=100, client_order_id="resting")
    exchange.account("bob").sell(market, quantity=1, price=100)
    return market


def test_a_restored_exchange_has_the_same_future(tmp_path: Path, exchange: tw.Exchange) -> None:
    busy(exchange)
    path = exchange.snapshot(tmp_path / "state.snapshot")
    restored = tw.Exchange.restore(path)
    assert restored.state_hash == exchange.state_hash
    (order,) = restored.account("alice").open_orders()
    assert (order.client_order_id, order.filled, order.remaining, order.average_price) == (
        "resting",
        Decimal(1),
        Decimal(1),
        None,
    )
    assert restored.instrument("BTC/USDT").tick == exchange.instrument("BTC/USDT").tick

    futures = []
    for each in (exchange, restored):
        begin = each.engine.events_end
        each.account("bob").sell("BTC/USDT", quantity=3, price=99)
        each.clock.advance(1)
        futures.append(each.engine.events(begin).tobytes())
        each.check_invariants()
    assert futures[0] == futures[1]
    assert order.status is tw.OrderStatus.FILLED


def test_damaged_snapshots_name_file_section_and_rule(tmp_path: Path, exchange: tw.Exchange) -> None:
    busy(exchange)
    may_read = tw.KeyPermissions.READ
    exchange.register_key("k", account=None, kind=tw.KeyKind.ED25519, permissions=may_read, material=bytes(32))
    path = exchange.snapshot(tmp_path / "state.snapshot")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(tw.DataError) as raised:
        tw.Exchange.restore(path)
    assert str(raised.value) == f"{path}: section Transfers: is damaged, its checksum must match"
    with pytest.raises(tw.DataError, match="reading failed"):
        tw.Exchange.restore(tmp_path / "missing")
    with pytest.raises(tw.DataError, match="cannot be written"):
        exchange.snapshot(tmp_path / "missing" / "state")
    assert tw.Engine.restore(content).state_hash == exchange.state_hash
