# Written by `make stubs` from crates/python. Change the Rust source, not this file.

import numpy
import numpy.typing
from _typeshed import SupportsGetItem, SupportsLenAndGetItem
from os import PathLike
from typing import Any, Final, SupportsFloat, SupportsIndex, final

__all__ = ["AccountView", "Bench", "BenchFigures", "BenchOutcome", "BuildInfo", "Demo", "DemoMarket", "DemoProgress", "DemoSummary", "DemoTrade", "Engine", "EventReader", "InstrumentView", "ListView", "MarketDataReader", "OrderEntryConnection", "OrderView", "Outcome", "allocate", "archive_log", "bench_disturb", "bench_pipe", "bench_wire", "build_info", "close_reasons", "command_kinds", "copy_log_folder", "drill_halt", "drill_kill", "drill_log", "drill_promote", "dtypes", "ed25519_public", "event_kinds", "instrument_states", "proof_holds", "prove_command", "prove_log_grew", "reject_reasons", "sample_log", "seal_secret", "serve_node", "serve_replica", "verify_log"]

@final
class AccountView:
    """
    An account: what it is, may do and is limited to.
    """
    @property
    def account(self, /) -> int:
        """
        Its id.
        """
    @property
    def fee_tier(self, /) -> int:
        """
        Its row in the fee schedules.
        """
    @property
    def is_halted(self, /) -> bool:
        """
        Whether it is halted.
        """
    @property
    def is_killed(self, /) -> bool:
        """
        Whether a kill switch is engaged, its own or its trade group's.
        """
    @property
    def kind(self, /) -> int:
        """
        A code of `AccountKind`.
        """
    @property
    def messages_per_second_max(self, /) -> int:
        """
        How many messages about orders it may send in a second of engine time.
        """
    @property
    def name(self, /) -> str:
        """
        Its name.
        """
    @property
    def open_orders(self, /) -> int:
        """
        How many orders it has open.
        """
    @property
    def open_orders_max(self, /) -> int:
        """
        How many orders it may have open.
        """
    @property
    def orders_per_second_max(self, /) -> int:
        """
        How many orders it may send in a second of engine time.
        """
    @property
    def permissions(self, /) -> int:
        """
        Bits of `Permissions`.
        """
    @property
    def trade_group(self, /) -> int:
        """
        Its trade group, 0 for none.
        """

@final
class Bench:
    """
    A workload: its operations, and what any right engine makes of them.
    """
    def __new__(cls, /, workload: str, operations: SupportsIndex) -> Bench:
        """
        Generate a workload: the same one in every run.
        """
    @property
    def answer(self, /) -> BenchOutcome:
        """
        What any right engine makes of it: the published answer where there is one, else the generating book's.
        """
    def commands(self, /, *, prevents: bool) -> numpy.typing.NDArray[numpy.void]:
        """
        Return prefill and operations as commands.
        """
    def drive(self, /, layer: str, *, rounds: SupportsIndex, prevents: bool) -> tuple[BenchFigures, BenchOutcome]:
        """
        Drive floor, ladder and a layer ("book" or "engine") in interleaved rounds.
        """
    @property
    def is_golden(self, /) -> bool:
        """
        Whether the answer is a published one.
        """
    @property
    def operations(self, /) -> int:
        """
        How many operations there are behind the prefill.
        """
    @property
    def prefill(self, /) -> int:
        """
        How many commands lead to the state that is measured from.
        """
    @staticmethod
    def recorded(kinds: numpy.typing.NDArray[numpy.uint8], sides: numpy.typing.NDArray[numpy.uint8], prices: numpy.typing.NDArray[numpy.int64], quantities: numpy.typing.NDArray[numpy.uint32], ids: numpy.typing.NDArray[numpy.uint64], prefill: SupportsIndex) -> Bench:
        """
        Take a recording of one instrument: kinds 0 add, 1 cancel, 2 immediate or cancel; ids dense from 1.
        """
    def round(self, /, subject: str, *, prevents: bool = False) -> tuple[float, BenchOutcome]:
        """
        Drive one round of "floor", "ladder", "book" or "engine" on this thread: nanoseconds an operation, and the outcome.
        """
    def set_up(self, /) -> numpy.typing.NDArray[numpy.void]:
        """
        Return the commands that set the venue up: markets, accounts, money, and limits that are never reached.
        """
    @property
    def timed_from(self, /) -> int:
        """
        Where the last third starts, prefill included.
        """

@final
class BenchFigures:
    """
    The figures of a drive: floor, reference ladder and subject in interleaved rounds.
    """
    @property
    def floor_ns_per_op(self, /) -> float:
        """
        The same for the driver alone.
        """
    @property
    def ladder_ns_per_op(self, /) -> float:
        """
        The same for the reference ladder.
        """
    @property
    def max_ns(self, /) -> float:
        """
        The slowest operation.
        """
    @property
    def memory_bytes(self, /) -> int:
        """
        Bytes that the subject holds at the end.
        """
    @property
    def ns_per_op(self, /) -> float:
        """
        Thread-CPU nanoseconds an operation over the last third; the median of the rounds.
        """
    @property
    def p50_ns(self, /) -> float:
        """
        Median latency of a single operation.
        """
    @property
    def p999_ns(self, /) -> float:
        """
        999 of 1,000 operations are faster.
        """
    @property
    def p99_ns(self, /) -> float:
        """
        99 of 100 operations are faster.
        """
    @property
    def ratio(self, /) -> float:
        """
        Subject over ladder: the median of the rounds' ratios.
        """
    @property
    def target_cpu(self, /) -> str:
        """
        The compiler's target-cpu.
        """

@final
class BenchOutcome:
    """
    What a run of a workload comes to, to be compared with the answer that is known.
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...
    @property
    def best_ask(self, /) -> int | None:
        """
        Best ask at the end, of instrument 0.
        """
    @property
    def best_bid(self, /) -> int | None:
        """
        Best bid at the end, of instrument 0.
        """
    @property
    def filled_quantity(self, /) -> int:
        """
        Lots traded.
        """
    @property
    def fills(self, /) -> int:
        """
        Fills behind the prefill.
        """
    @property
    def levels(self, /) -> int:
        """
        Price levels at the end.
        """
    @property
    def live(self, /) -> int:
        """
        Resting orders at the end.
        """
    @property
    def notional(self, /) -> int:
        """
        Sum of price x quantity.
        """

@final
class BuildInfo:
    """
    How the compiled extension was built. A figure without these facts cannot be compared.
    """
    def __repr__(self, /) -> str: ...
    @property
    def commit(self, /) -> str:
        """
        The git commit, or "unknown" outside a clone.
        """
    @property
    def is_release(self, /) -> bool:
        """
        Whether measurements of this build count: it was compiled under the release profile.
        """
    @property
    def profile(self, /) -> str:
        """
        The Cargo profile: "release" in wheels, "fast" in an editable install.
        """
    @property
    def rustc(self, /) -> str:
        """
        The version line of the compiler.
        """
    @property
    def target(self, /) -> str:
        """
        The target triple.
        """
    @property
    def target_cpu(self, /) -> str:
        """
        The processor the compiler may assume; "generic" is the oldest of the target.
        """
    @property
    def version(self, /) -> str:
        """
        The version of the package.
        """

@final
class Demo:
    """
    Fifty simulated markets in one process. The same arguments end in the same state, however the steps are cut.
    """
    def __new__(cls, /, seed: SupportsIndex, orders: SupportsIndex, accounts: SupportsIndex = 10000, instruments: SupportsIndex = 50) -> Demo: ...
    def depth(self, /, market: SupportsIndex, levels: SupportsIndex) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
        """
        Return the bids and the asks of a market, best first: price in ticks, quantity in lots, number of orders.
        """
    def markets(self, /) -> list[DemoMarket]:
        """
        Return what each market has come to, the busiest first.
        """
    def progress(self, /) -> DemoProgress:
        """
        Return how far it is.
        """
    def step(self, /, commands: SupportsIndex) -> bool:
        """
        Run at least so many commands, or to the end. Return whether all orders are sent.
        """
    def summary(self, /) -> DemoSummary:
        """
        Audit the whole state and return what happened.
        """
    def tape(self, /) -> list[DemoTrade]:
        """
        Return the last trades, the oldest first.
        """

@final
class DemoMarket:
    """
    What a market of a demonstration has come to.
    """
    @property
    def ask_ticks(self, /) -> int | None:
        """
        The best ask.
        """
    @property
    def bid_ticks(self, /) -> int | None:
        """
        The best bid.
        """
    @property
    def first_ticks(self, /) -> int | None:
        """
        The price of the first trade.
        """
    @property
    def last_ticks(self, /) -> int | None:
        """
        The price of the last trade.
        """
    @property
    def lot_decimals(self, /) -> int:
        """
        A lot is ten to the minus this; may be negative.
        """
    @property
    def notional_quanta(self, /) -> int:
        """
        What was paid for it, in quanta of the quote asset.
        """
    @property
    def orders(self, /) -> int:
        """
        New orders that named the market.
        """
    @property
    def price_decimals(self, /) -> int:
        """
        A tick is ten to the minus this.
        """
    @property
    def quote(self, /) -> str:
        """
        The asset that prices are in.
        """
    @property
    def quote_scale(self, /) -> int:
        """
        A quote quantum is ten to the minus this.
        """
    @property
    def symbol(self, /) -> str:
        """
        Such as `BTC/USDT`.
        """
    @property
    def trades(self, /) -> int:
        """
        Trades.
        """
    @property
    def volume_lots(self, /) -> int:
        """
        What was traded, in lots.
        """

@final
class DemoProgress:
    """
    How far a demonstration is.
    """
    @property
    def commands(self, /) -> int:
        """
        Commands applied, without those that made the venue.
        """
    @property
    def commands_per_s(self, /) -> int:
        """
        Commands in a second of wall time, flow and engine together.
        """
    @property
    def elapsed_ns(self, /) -> int:
        """
        Wall time in which the flow and the engine worked.
        """
    @property
    def engine_commands_per_s(self, /) -> int:
        """
        Commands in a second of the engine's CPU time.
        """
    @property
    def engine_cpu_ns(self, /) -> int:
        """
        CPU time of the engine alone.
        """
    @property
    def events(self, /) -> int:
        """
        Events.
        """
    @property
    def is_done(self, /) -> bool:
        """
        Whether all orders are sent.
        """
    @property
    def open_orders(self, /) -> int:
        """
        Orders that are open.
        """
    @property
    def orders(self, /) -> int:
        """
        New orders sent.
        """
    @property
    def orders_total(self, /) -> int:
        """
        New orders to be sent in all.
        """
    @property
    def rejects(self, /) -> int:
        """
        Refused commands.
        """
    @property
    def trades(self, /) -> int:
        """
        Trades.
        """
    @property
    def venue_time_ns(self, /) -> int:
        """
        The venue's clock, since the market opened.
        """

@final
class DemoSummary:
    """
    What happened in a demonstration. Counts come as pairs, the most frequent first.
    """
    @property
    def accounts(self, /) -> int:
        """
        Accounts, the venue's own two included.
        """
    @property
    def commands_by_kind(self, /) -> list[tuple[str, int]]:
        """
        Commands by kind, without those of a kind that nobody knows.
        """
    @property
    def events_by_kind(self, /) -> list[tuple[str, int]]:
        """
        Events by kind.
        """
    @property
    def memory_bytes(self, /) -> int:
        """
        Bytes of open orders, books and balances.
        """
    @property
    def notional(self, /) -> list[tuple[str, int, int]]:
        """
        Quote asset, its decimals, and the quanta that were paid in it.
        """
    @property
    def orders_by_class(self, /) -> list[tuple[str, int]]:
        """
        New orders by class.
        """
    @property
    def rejects_by_reason(self, /) -> list[tuple[str, int]]:
        """
        Refused commands by reason.
        """
    @property
    def set_up_commands(self, /) -> int:
        """
        Commands that made the venue.
        """
    @property
    def state_hash(self, /) -> str:
        """
        The hash of the engine's whole state: 32 hexadecimal digits.
        """

@final
class DemoTrade:
    """
    A trade of a demonstration.
    """
    @property
    def is_buy(self, /) -> bool:
        """
        Whether the taker bought.
        """
    @property
    def market(self, /) -> int:
        """
        The market's place in `markets()`.
        """
    @property
    def price_ticks(self, /) -> int:
        """
        Its price.
        """
    @property
    def quantity_lots(self, /) -> int:
        """
        Its quantity.
        """
    @property
    def time_ns(self, /) -> int:
        """
        When, on the venue's clock.
        """

@final
class Engine:
    """
    A matching engine with accounts and balances, driven by command records. Integers only: ticks, lots, quanta, dense ids.

    One thread at a time: a second one that calls it while a batch runs gets a `RuntimeError`.
    """
    SCHEMA_VERSION: Final[int]
    """
    The layout version of the records.
    """
    def __new__(cls, /, *, shard: SupportsIndex = 0, epoch: SupportsIndex = 1, open_orders_expected: SupportsIndex = 8192, keep_events: bool = True, events_max: SupportsIndex | None = None) -> Engine:
        """
        Make an empty exchange with the venue's own two accounts.

        `events_max` bounds the log of kept events: at least that many of the last ones stay.
        """
    def account(self, /, account: SupportsIndex) -> AccountView:
        """
        Return what an account is, may do and is limited to.
        """
    def accounts(self, /) -> list[str]:
        """
        Return the name of every account by id.
        """
    def amend(self, /, account: SupportsIndex, order_id: SupportsIndex, price_ticks: SupportsIndex, quantity_lots: SupportsIndex, flags: SupportsIndex = 0, time_ns: SupportsIndex | None = None) -> Outcome:
        """
        Change an order's price and total quantity.
        """
    def apply(self, records: numpy.typing.NDArray[numpy.void], /) -> numpy.typing.NDArray[numpy.void]:
        """
        Apply a stream of command records and return their events.

        `records` is a C-contiguous numpy array whose rows have 64 bytes. The events are also kept, and then the array is
        read-only. Large batches run without the interpreter's lock; nothing may write to `records` meanwhile.
        """
    def assets(self, /) -> list[tuple[str, int]]:
        """
        Return every asset by id: (name, decimal places of its quantum).
        """
    def balance(self, /, account: SupportsIndex, asset: SupportsIndex) -> tuple[int, int]:
        """
        Return an account's balance of an asset in quanta: (available, held).
        """
    def balances(self, /) -> list[tuple[int, int, int, int]]:
        """
        Return every balance that is not zero: (asset, account, available, held).
        """
    def best(self, /, instrument: SupportsIndex) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        """
        Return the best bid and the best ask: (price, quantity), None where there is none.
        """
    def cancel(self, /, account: SupportsIndex, order_id: SupportsIndex, flags: SupportsIndex = 0, time_ns: SupportsIndex | None = None) -> Outcome:
        """
        Cancel an order. With the flag BY_CLIENT_ORDER_ID `order_id` is the client's.
        """
    def cancel_all(self, /, account: SupportsIndex, instrument: SupportsIndex | None = None, side: SupportsIndex | None = None, time_ns: SupportsIndex | None = None) -> numpy.typing.NDArray[numpy.void]:
        """
        Cancel an account's orders, on all instruments and both sides unless they are named. Return the events.
        """
    def check_invariants(self, /) -> None:
        """
        Recompute the whole state. Raises AssertionError where it does not fit together, which is a bug.
        """
    def depth_bytes(self, /, instrument: SupportsIndex, levels: SupportsIndex) -> bytes:
        """
        Return the best levels as little-endian int64: `levels` pairs (price, quantity) of bids, then of asks, zeros where none.
        """
    def drain_events(self, /) -> numpy.typing.NDArray[numpy.void]:
        """
        Return the kept events and forget them.
        """
    def events(self, /, position: SupportsIndex = 0) -> numpy.typing.NDArray[numpy.void]:
        """
        Return the kept events from `position` on as a new array.
        """
    @property
    def events_begin(self, /) -> int:
        """
        The position of the first event that is still kept; positions count all events ever kept.
        """
    @property
    def events_end(self, /) -> int:
        """
        The position behind the last kept event.
        """
    def execute(self, records: numpy.typing.NDArray[numpy.void], /) -> Outcome:
        """
        Apply one command of any number of records and return its outcome.
        """
    def fee_tiers(self, /) -> list[tuple[int, int, int, int]]:
        """
        Return every fee tier that was set: (schedule, tier, taker ppm, maker ppm).
        """
    def instrument(self, /, instrument: SupportsIndex) -> InstrumentView:
        """
        Return an instrument's units, limits and state.
        """
    def instruments(self, /) -> list[str]:
        """
        Return the name of every instrument by id.
        """
    @property
    def is_halted(self, /) -> bool:
        """
        Whether the whole venue is halted.
        """
    def levels(self, /, instrument: SupportsIndex, side: SupportsIndex, levels: SupportsIndex | None = None) -> list[tuple[int, int, int]]:
        """
        Return at most `levels` levels of one side, best first: (price, quantity, orders).
        """
    @property
    def memory_bytes(self, /) -> int:
        """
        Bytes of all open orders, books and balances.
        """
    def open_at(self, /, instrument: SupportsIndex, side: SupportsIndex, price_ticks: SupportsIndex) -> int:
        """
        Return what is open at one price of one side.
        """
    def open_lots(self, /, order_id: SupportsIndex) -> int:
        """
        Return what is open of an order, 0 when it is not open.
        """
    @property
    def open_order_count(self, /) -> int:
        """
        How many orders are open.
        """
    def open_orders(self, /, account: SupportsIndex | None = None) -> list[OrderView]:
        """
        Return the open orders, of one account or of all, by ascending id.
        """
    def order(self, /, order_id: SupportsIndex) -> OrderView | None:
        """
        Return an open order, None when it is not open.
        """
    def order_events(self, /, order_id: SupportsIndex, position: SupportsIndex = 0) -> numpy.typing.NDArray[numpy.void]:
        """
        Return the kept events about an order from `position` on.
        """
    def order_list(self, /, list_id: SupportsIndex) -> ListView | None:
        """
        Return a list that ties orders together, None when it does not any more.
        """
    def order_lists(self, /, account: SupportsIndex | None = None) -> list[ListView]:
        """
        Return the lists that tie orders together, of one account or of all, by ascending id.
        """
    def place(self, /, account: SupportsIndex, instrument: SupportsIndex, side: SupportsIndex, price_ticks: SupportsIndex, quantity_lots: SupportsIndex, time_in_force: SupportsIndex = 1, order_type: SupportsIndex = 1, self_trade_prevention: SupportsIndex = 1, flags: SupportsIndex = 0, client_order_id: SupportsIndex = 0, time_ns: SupportsIndex | None = None) -> Outcome:
        """
        Place an order. Flags, type and time in force are codes of the command record.
        """
    def queue(self, /, instrument: SupportsIndex, side: SupportsIndex) -> list[OrderView]:
        """
        Return the orders of one side in the order in which they would trade.
        """
    def quote_protection(self, /, account: SupportsIndex, instrument: SupportsIndex | None = None) -> tuple[int, int, int, bool] | None:
        """
        Return the protection of an account's quotes on an instrument, or on all of them together without one:
        (lots, fills, nanoseconds of the window, whether it was triggered).
        """
    @staticmethod
    def read_snapshot(path: str | PathLike[str], *, keep_events: bool = True, events_max: SupportsIndex | None = None) -> Engine:
        """
        Return the engine of a snapshot file, verified. Raises OSError or ValueError naming the section and the rule.
        """
    def registered_keys(self, /) -> list[tuple[str, int | None, int, int, bytes]]:
        """
        Return the keys by id: (id, account or None for an operator, a code of `KeyKind`, `KeyPermissions`, bytes).
        """
    def replace(self, /, account: SupportsIndex, order_id: SupportsIndex, instrument: SupportsIndex, side: SupportsIndex, price_ticks: SupportsIndex, quantity_lots: SupportsIndex, time_in_force: SupportsIndex = 1, order_type: SupportsIndex = 1, self_trade_prevention: SupportsIndex = 1, flags: SupportsIndex = 0, client_order_id: SupportsIndex = 0, time_ns: SupportsIndex | None = None) -> Outcome:
        """
        Cancel an order and place another in one step; the outcome is the new order's.
        """
    @staticmethod
    def restore(snapshot: bytes, *, keep_events: bool = True, events_max: SupportsIndex | None = None) -> Engine:
        """
        Return the engine that `snapshot` was taken from. Raises ValueError naming the section and the rule it breaks.
        """
    @property
    def sequence(self, /) -> int:
        """
        How many commands were applied.
        """
    def sessions(self, /) -> list[tuple[int, int | None, str, int]]:
        """
        Return the opened sessions by number: (number, account or None for operators, name, last client sequence).
        """
    def snapshot(self, /) -> bytes:
        """
        Return the whole state as the bytes of a snapshot file.
        """
    @property
    def state_hash(self, /) -> str:
        """
        The hash of the logical state, in 32 hexadecimal digits.
        """
    @property
    def time_ns(self, /) -> int:
        """
        The engine's time in nanoseconds.
        """
    def transfers_in_transit(self, /) -> list[tuple[int, int, int, int, int]]:
        """
        Return what was sent to other shards and is not confirmed: (shard, number, account, asset, amount).
        """
    def withdrawals(self, /) -> list[tuple[int, int, int, int]]:
        """
        Return the pending withdrawals: (withdrawal, account, asset, amount).
        """
    def write_snapshot(self, /, path: str | PathLike[str]) -> None:
        """
        Write the whole state to a file, durably: under its name there is always a whole snapshot.
        """

@final
class EventReader:
    """
    Follows the events that another process broadcasts through a file in shared memory.

    Costs the writer nothing. A reader that is too slow is overrun, and told how many events it missed.
    """
    def __new__(cls, /, path: str | PathLike[str], *, start: SupportsIndex | str | None = None, name: str | None = None) -> EventReader:
        """
        Open the ring. `start` is "oldest", "latest" or a position. A `name` shows the reader in the operator's table, for
        which the file must be writable. Raises OSError when the file cannot be had, ValueError when it is no ring of events
        or closed.
        """
    @property
    def generation(self, /) -> int:
        """
        The number of the ring: another one after each start of the node.
        """
    @property
    def is_closed(self, /) -> bool:
        """
        Whether the node has ended or started again: nothing new will come, and a reader attaches again.
        """
    def is_intact(self, /, position: SupportsIndex) -> bool:
        """
        Return whether everything from `position` on was whole until now.
        """
    @property
    def lag(self, /) -> int:
        """
        How many events wait to be read, those that are gone included.
        """
    def poll(self, /, count_max: SupportsIndex = 65536, *, timeout_s: SupportsFloat | SupportsIndex = 0.0) -> numpy.typing.NDArray[numpy.void]:
        """
        Take a copy of what is new, at most `count_max` events. Waits up to `timeout_s` for something new. Whether some were
        missed before it shows in `skipped`.
        """
    @property
    def position(self, /) -> int:
        """
        The position of the next event.
        """
    def seek(self, /, position: SupportsIndex) -> None:
        """
        Go to another position, back or ahead.
        """
    @property
    def skipped(self, /) -> int:
        """
        How many events it missed in all.
        """
    def view(self, /, count_max: SupportsIndex = 65536) -> numpy.typing.NDArray[numpy.void]:
        """
        Show what is new where it lies, at most `count_max` events, up to where the ring ends. Whether some were missed before it
        shows in `skipped`. The writer may change what is shown: ask `is_intact` with the position of the first when done, and
        throw away what was made of it when it is not.
        """

@final
class InstrumentView:
    """
    An instrument: its units, its limits and its state.
    """
    @property
    def allocation_rule(self, /) -> int:
        """
        A code of `AllocationRule`.
        """
    @property
    def band_down_ppm(self, /) -> int:
        """
        How far below the reference an order may be priced.
        """
    @property
    def band_up_ppm(self, /) -> int:
        """
        How far above the reference an order may be priced.
        """
    @property
    def base(self, /) -> int:
        """
        The id of its base asset.
        """
    @property
    def base_quanta_per_lot(self, /) -> int:
        """
        Base quanta of one lot.
        """
    @property
    def fee_schedule(self, /) -> int:
        """
        Its fee schedule.
        """
    @property
    def index_ticks(self, /) -> int | None:
        """
        The index price, if there is one.
        """
    @property
    def indication(self, /) -> tuple[int, int, int] | None:
        """
        How the auction would trade, as it was told last: price, quantity, surplus.
        """
    @property
    def instrument(self, /) -> int:
        """
        Its id.
        """
    @property
    def last_ticks(self, /) -> int | None:
        """
        The price of the last trade.
        """
    @property
    def leads_ppm(self, /) -> list[tuple[int, int]]:
        """
        The lead market makers: account and parts per million.
        """
    @property
    def mark_ticks(self, /) -> int | None:
        """
        The mark price, if there is one.
        """
    @property
    def name(self, /) -> str:
        """
        Its name.
        """
    @property
    def notional_max(self, /) -> int:
        """
        The largest order by value, in quote quanta.
        """
    @property
    def notional_min(self, /) -> int:
        """
        The smallest order by value, in quote quanta.
        """
    @property
    def phase(self, /) -> int:
        """
        A code of `AuctionPhase`: the auction it is in, or goes on to from a pause.
        """
    @property
    def price_increment_ticks(self, /) -> int:
        """
        A price must be a multiple of this.
        """
    @property
    def quantity_increment_lots(self, /) -> int:
        """
        A quantity must be a multiple of this.
        """
    @property
    def quantity_max_lots(self, /) -> int:
        """
        The largest order.
        """
    @property
    def quantity_min_lots(self, /) -> int:
        """
        The smallest order.
        """
    @property
    def quote(self, /) -> int:
        """
        The id of its quote asset.
        """
    @property
    def quote_quanta_per_tick_lot(self, /) -> int:
        """
        Quote quanta of one lot at one tick.
        """
    @property
    def reference_ticks(self, /) -> int | None:
        """
        The reference price that was set.
        """
    @property
    def scheduled(self, /) -> tuple[int, int, int] | None:
        """
        The change that is scheduled: state, phase, time.
        """
    @property
    def state(self, /) -> int:
        """
        A code of `InstrumentState`.
        """
    @property
    def state_until_ns(self, /) -> int:
        """
        When its state ends by itself; 0 is never.
        """
    @property
    def top_lots(self, /) -> tuple[int, int] | None:
        """
        The smallest order that becomes TOP, and the most that it gets of one incoming order; None without TOP.
        """
    @property
    def trade_count(self, /) -> int:
        """
        How many trades it has seen.
        """

@final
class ListView:
    """
    A list that ties orders together.
    """
    @property
    def account(self, /) -> int:
        """
        Its owner.
        """
    @property
    def client_list_id(self, /) -> str | None:
        """
        The client's own id of the list: a decimal number as text too; None when it gave none.
        """
    @property
    def contingency(self, /) -> int:
        """
        A code of `Contingency`.
        """
    @property
    def instrument(self, /) -> int:
        """
        Its instrument.
        """
    @property
    def list_id(self, /) -> int:
        """
        Its id.
        """
    @property
    def order_ids(self, /) -> list[int]:
        """
        The ids of the orders that it ties together.
        """

@final
class MarketDataReader:
    """
    Follows a channel of market data over a ring in shared memory, or over the lines A and B; keeps its books.

    Costs the publisher nothing. What is lost on the way is asked for again, and a reader that is too slow takes a snapshot.
    """
    def counts(self, /) -> list[tuple[str, int]]:
        """
        Return how it does: names and counts.
        """
    @property
    def is_current(self, /) -> bool:
        """
        Whether nothing is missing of what was heard of.
        """
    def levels(self, /, instrument: SupportsIndex, side: SupportsIndex, depth: SupportsIndex) -> list[tuple[int, int, int]]:
        """
        Return the best levels of a side, 0 buy and 1 sell, the best first: price, lots, orders.
        """
    @property
    def next_sequence(self, /) -> int | None:
        """
        The sequence of the next message; None before it is known where the channel stands.
        """
    def orders(self, /, instrument: SupportsIndex, side: SupportsIndex) -> list[tuple[int, int, int]]:
        """
        Return the orders of a side in the order in which they trade: id, price, lots.
        """
    @staticmethod
    def over_lines(lines: SupportsLenAndGetItem[str], *, interface: str, channel: SupportsIndex = 1, service: str | None = None) -> MarketDataReader:
        """
        Join one or two lines, each a group with its port, over an interface. Raises ValueError when an address is none, OSError
        when the system refuses.
        """
    @staticmethod
    def over_ring(path: str | PathLike[str], *, channel: SupportsIndex = 1, service: str | None = None) -> MarketDataReader:
        """
        Attach to the ring `path`. `service` is the address that gives messages again, and snapshots. Raises OSError when the file
        cannot be had, ValueError when it is no ring of market data or the address is none.
        """
    def poll(self, /, *, timeout_s: SupportsFloat | SupportsIndex = 0.0) -> bytes:
        """
        Take what is new, and return its messages as rows, one behind the other. Waits up to `timeout_s` for something new. Raises
        OSError when a line is broken.
        """
    def states(self, /) -> list[tuple[int, int, int]]:
        """
        Return state and phase of each instrument that was heard of: instrument, state, phase.
        """
    def take_tops(self, /) -> list[tuple[int, tuple[int, int, int] | None, tuple[int, int, int] | None, int | None, int]]:
        """
        Return the tops of the instruments that changed since this was asked last, each once and as it is now: instrument, best bid,
        best ask, last price, sequence.
        """
    def top(self, /, instrument: SupportsIndex) -> tuple[int, tuple[int, int, int] | None, tuple[int, int, int] | None, int | None, int]:
        """
        Return the top of an instrument, as `take_tops` does.
        """

@final
class OrderEntryConnection:
    """
    One connection to an exchange, over TCP or shared memory.

    Its numbers are those of `tradewright_gateway::client`: it answers test requests when it is read, and knows the last output
    that it gave.
    """
    def hang_up(self, /) -> None:
        """
        Hang up, without a word.
        """
    @property
    def last(self, /) -> tuple[int, int, int] | None:
        """
        The last output that was given: shard, index, event number.
        """
    def log_on(self, /, session: str, username: str, *, seed: SupportsLenAndGetItem[SupportsIndex] | None = None, hmac_secret: SupportsGetItem[int, SupportsIndex] | None = None, target: str, heartbeat_s: SupportsIndex, keeps_orders: bool, is_drop_copy: bool, resume: tuple[SupportsIndex, SupportsIndex, SupportsIndex] | None = None, timeout_s: SupportsFloat | SupportsIndex) -> tuple[int, int, int]:
        """
        Log on and wait for the answer: the number of the session, that of the account, the last client sequence that was
        applied. `resume` is the last output that was seen: shard, index, event number. Raises ConnectionAbortedError with the
        exchange's reason when it refuses, else ConnectionError.
        """
    def receive(self, /, timeout_s: SupportsFloat | SupportsIndex) -> "list[tuple[str, dict[str, int | str | bytes | list[dict[str, int | str | bytes]]]]]":
        """
        Take what came, each message as its name and its fields, waiting up to `timeout_s` for something. Raises
        ConnectionAbortedError with the exchange's reason when it ended the session, ConnectionError when the connection is
        lost; both when everything that came before was taken.
        """
    def send(self, /, message: str, fields: "dict[str, int | str | bytes]") -> None:
        """
        Send a message: its name and its fields, both as the schema has them. Raises ValueError for a field that it does not
        have, ConnectionError when the connection is lost.
        """
    @staticmethod
    def shm(directory: str | PathLike[str], link: str) -> OrderEntryConnection:
        """
        Take the link of this name in a folder of shared memory. Raises ConnectionError.
        """
    @staticmethod
    def tcp(address: str) -> OrderEntryConnection:
        """
        Connect over TCP to `address` and a port. Raises ConnectionError, and ValueError for what is no address.
        """

@final
class OrderView:
    """
    An open order.
    """
    @property
    def account(self, /) -> int:
        """
        Its owner.
        """
    @property
    def approval_deadline_ns(self, /) -> int | None:
        """
        When it expires without them.
        """
    @property
    def approval_hash(self, /) -> bytes | None:
        """
        What they approve: SHA-256 of the canonical order.
        """
    @property
    def approvers(self, /) -> list[int]:
        """
        The accounts that have approved it so far.
        """
    @property
    def approvers_needed(self, /) -> int:
        """
        How many approvers it needs while it waits for them, otherwise 0.
        """
    @property
    def client_order_id(self, /) -> str | None:
        """
        The client's own id: a decimal number as text too; None when it gave none.
        """
    @property
    def displayed_lots(self, /) -> int:
        """
        What of it the book shows; zero while it waits.
        """
    @property
    def expire_time_ns(self, /) -> int | None:
        """
        When it expires in nanoseconds of engine time; None is never.
        """
    @property
    def flags(self, /) -> int:
        """
        `OrderFlags`.
        """
    @property
    def hold(self, /) -> int:
        """
        What it holds in quanta: quote for a bid, base for an ask.
        """
    @property
    def instrument(self, /) -> int:
        """
        Its instrument.
        """
    @property
    def is_hidden(self, /) -> bool:
        """
        Whether the book shows nothing of it.
        """
    @property
    def is_pending(self, /) -> bool:
        """
        Whether it waits for another order of its list.
        """
    @property
    def list_id(self, /) -> int | None:
        """
        The list that ties it to others.
        """
    @property
    def open_lots(self, /) -> int:
        """
        What is open.
        """
    @property
    def order_id(self, /) -> int:
        """
        Its id.
        """
    @property
    def order_type(self, /) -> int:
        """
        A code of `OrderType`.
        """
    @property
    def prevented_lots(self, /) -> int:
        """
        What self-trade prevention took.
        """
    @property
    def price_ticks(self, /) -> int:
        """
        Its price.
        """
    @property
    def self_trade_prevention(self, /) -> int:
        """
        A code of `SelfTradePrevention`.
        """
    @property
    def session(self, /) -> int:
        """
        By which session it came; 0 is none.
        """
    @property
    def side(self, /) -> int:
        """
        0 buy, 1 sell.
        """
    @property
    def time_in_force(self, /) -> int:
        """
        A code of `TimeInForce`.
        """
    @property
    def total_lots(self, /) -> int:
        """
        Its total quantity.
        """
    @property
    def trail_bps(self, /) -> int:
        """
        How far its trigger stays behind the price, in basis points; 0 when it does not follow, or in ticks.
        """
    @property
    def trail_ticks(self, /) -> int:
        """
        How far its trigger stays behind the price, in ticks; 0 when it does not follow, or in basis points.
        """
    @property
    def trigger(self, /) -> int:
        """
        A code of `TriggerKind`, 0 when it waits for none.
        """
    @property
    def trigger_price_ticks(self, /) -> int | None:
        """
        The price at which it fires while it waits for its trigger.
        """
    @property
    def trigger_source(self, /) -> int:
        """
        A code of `PriceSource`.
        """

@final
class Outcome:
    """
    What one command came to. Integers in ticks, lots and quanta.
    """
    def __repr__(self, /) -> str: ...
    @property
    def cancel_reason(self, /) -> int:
        """
        Of a replacement whose halves may fail apart: why its cancel was refused, a code of `RejectReason`; otherwise 0.
        """
    @property
    def fee(self, /) -> int:
        """
        What the order pays in fees for this command, in quote quanta; negative is a rebate.
        """
    @property
    def fill_count(self, /) -> int:
        """
        How many trades the order made in the command.
        """
    @property
    def filled_lots(self, /) -> int:
        """
        What the order traded in this command.
        """
    @property
    def fills(self, /) -> list[tuple[int, int, int]]:
        """
        The trades of the order in the command: (the other order's id, price in ticks, quantity in lots).
        """
    @property
    def has_cancelled(self, /) -> bool:
        """
        Whether the command cancelled an order, be it that another took its place or not.
        """
    @property
    def is_accepted(self, /) -> bool:
        """
        Whether the command took effect.
        """
    @property
    def notional(self, /) -> int:
        """
        The sum of price x quantity of the order's trades in the command, in ticks x lots.
        """
    @property
    def open_lots(self, /) -> int:
        """
        What the order has open.
        """
    @property
    def order_id(self, /) -> int:
        """
        The order; 0 when the command was refused.
        """
    @property
    def position(self, /) -> int:
        """
        Where the command's events start in the engine's event log.
        """
    @property
    def prevented_lots(self, /) -> int:
        """
        What self-trade prevention took from the order in this command.
        """
    @property
    def reason(self, /) -> int:
        """
        A code of `RejectReason` when the status is REJECTED, of `CloseReason` when the order was cancelled or expired,
        otherwise 0.
        """
    @property
    def sequence(self, /) -> int:
        """
        The command's place in the log.
        """
    @property
    def status(self, /) -> int:
        """
        A code of `OrderStatus`.
        """

def allocate(rule: str, quantity_lots: SupportsIndex, resting: SupportsGetItem[int, tuple[SupportsIndex, bool, SupportsIndex | None]], *, minimum_lots: SupportsIndex = 0, top_maximum_lots: SupportsIndex | None = None, leads_ppm: SupportsGetItem[int, SupportsIndex] = ..., fifo_ppm: SupportsIndex = 0, leveling: bool = False, weight: SupportsIndex = 0) -> list[int]:
    """
    Share a quantity among the orders of one price, given in time order: open lots, is TOP, number of the lead market maker.

    `rule` is "price_time", "pro_rata", "steps" or "time_pro_rata"; each reads the arguments that it knows. Raises ValueError
    for a rule that makes no sense.
    """

def archive_log(folder: str | PathLike[str]) -> list[int]:
    """
    Compress the segments below the second newest snapshot. Returns their first indices. Raises as `verify_log`.
    """

def bench_disturb(setting: "dict[str, object]", route: str, *, rate: SupportsFloat | SupportsIndex, seconds: SupportsFloat | SupportsIndex, pairs: SupportsIndex, operations: SupportsIndex, reader: SupportsGetItem[int, str], progress: Any) -> str:
    """
    See whether slow, killed and stuck readers and clients are felt by others; see `tradewright bench disturb`. `progress` is told what is
    being done.
    """

def bench_pipe(setting: "dict[str, object]", route: str, *, seconds: SupportsFloat | SupportsIndex, operations: SupportsIndex, window: SupportsIndex, progress: Any) -> str:
    """
    Measure how many commands pass through a node; see `tradewright bench pipe`. `progress` is told what is being done.
    """

def bench_wire(setting: "dict[str, object]", route: str, *, rate: SupportsFloat | SupportsIndex, seconds: SupportsFloat | SupportsIndex, rounds: SupportsIndex, operations: SupportsIndex, window: SupportsIndex, hlog: str | PathLike[str] | None, soak_interval_s: SupportsFloat | SupportsIndex | None, progress: Any) -> str:
    """
    Measure how long an order takes through a node; see `tradewright bench wire`. `progress` is told what is being done.
    """

def build_info() -> BuildInfo:
    """
    Return how the compiled extension was built.
    """

def close_reasons() -> list[tuple[int, str]]:
    """
    Return every reason for which an order closes without trading in full: code, name.
    """

def command_kinds() -> list[tuple[int, str]]:
    """
    Return every kind of command record: code, name.
    """

def copy_log_folder(folder: str | PathLike[str], to: str | PathLike[str]) -> str:
    """
    Copy a log with its archives and snapshots to a folder that has none, and read the copy back. Returns the report as JSON.
    Raises as `verify_log`.
    """

def drill_halt(directory: str | PathLike[str], *, runs: SupportsIndex, seed: SupportsIndex, tier: str, fifo_priority: SupportsIndex | None = None) -> str:
    """
    Halt a node under full load again and again; see `tradewright drill halt`. Return the report as JSON.
    """

def drill_kill(node: SupportsGetItem[int, str], directory: str | PathLike[str], *, runs: SupportsIndex, seed: SupportsIndex) -> str:
    """
    Kill a node again and again while clients trade; see `tradewright drill kill`. Return the report as JSON.
    """

def drill_log(name: str, *, runs: SupportsIndex, seed: SupportsIndex, acknowledges_early: bool = False) -> str:
    """
    Run a drill of the log: "power-cut", "torn-write", "disk-full" or "bit-flip". Returns the report as JSON.

    `acknowledges_early` is the control: it acknowledges before the sync, and must lose commands. Raises ValueError for another
    drill.
    """

def drill_promote(node: SupportsGetItem[int, str], directory: str | PathLike[str], *, runs: SupportsIndex, seed: SupportsIndex) -> str:
    """
    Have the replica of a node take over again and again while clients trade; see `tradewright drill promote`. Return the report
    as JSON.
    """

def dtypes() -> "dict[str, numpy.dtype[numpy.void]]":
    """
    Return the numpy dtype of each record by its name; the offsets are the compiler's.
    """

def ed25519_public(seed: SupportsLenAndGetItem[SupportsIndex]) -> bytes:
    """
    The public half of the Ed25519 key with this seed of 32 bytes: what an exchange has to know.
    """

def event_kinds() -> list[tuple[int, str]]:
    """
    Return every kind of event: code, name.
    """

def instrument_states() -> list[tuple[str, list[str | None]]]:
    """
    Return what each state of an instrument admits: name, and for each action None, the name of a reject reason, or "waits".
    """

def proof_holds(proof: str) -> bool:
    """
    Return whether a proof of `prove_command` holds together: record, path, root and signature.
    """

def prove_command(folder: str | PathLike[str], index: SupportsIndex) -> str:
    """
    Prove that the command of an index is in a log. Returns the proof as JSON. Raises as `verify_log`.
    """

def prove_log_grew(folder: str | PathLike[str], size: SupportsIndex) -> str:
    """
    Prove that a log begins with its first `size` commands. Returns the proof as JSON. Raises as `verify_log`.
    """

def reject_reasons() -> list[tuple[int, str, str]]:
    """
    Return every reject reason in precedence order: code, name, sentence.
    """

def sample_log(folder: str | PathLike[str], commands: SupportsIndex, segment_bytes: SupportsIndex) -> int:
    """
    Write a log of simulated orders, signed by a key that everybody knows. Returns its last index.
    """

def seal_secret(master_key: SupportsLenAndGetItem[SupportsIndex], key_id: str, secret: bytes) -> bytes:
    """
    Seal the secret of the key `key_id` by a master key of 32 bytes, for a configuration or a `RegisterKey` command. Raises ValueError
    for a secret that is empty or too long.
    """

def serve_node(file: str | PathLike[str], announce: Any) -> None:
    """
    Run a node until a signal or an operator stops it. `announce` is called with one line of JSON when it takes commands.

    Raises ValueError when the configuration breaks a rule, OSError when the machine does not give what it asks for, RuntimeError
    when the log is damaged or a thread failed.
    """

def serve_replica(file: str | PathLike[str], announce: Any) -> None:
    """
    Follow the log of a node until this process is promoted, then be the node. `announce` is called with one line of JSON when it
    begins to follow, and with one as of `serve_node` when it takes commands.

    Raises what `serve_node` raises, and RuntimeError when events differ from those of the primary.
    """

def verify_log(folder: str | PathLike[str], *, replays: bool = True, public_key: SupportsLenAndGetItem[SupportsIndex] | None = None) -> str:
    """
    Verify a log: records, chain, tree and signed heads; with `replays` also checks and snapshots, by applying every command.

    `public_key` is the key that must have signed every head, 64 hexadecimal digits. Returns the report as JSON. Raises OSError
    when there is no such folder and ValueError with file, place and rule when something is wrong.
    """
