"""`tradewright demo`: fifty simulated markets trade in this process, live in the terminal.

The simulator and the engine run in Rust; this module looks at them ten times a second and draws what it sees. Looking
changes nothing: the same seed and number of orders give the same state hash with and without the view.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Final

import typer
from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tradewright._core import Demo, DemoMarket, DemoProgress, DemoSummary, build_info

# Between two looks at the clock: some ten milliseconds of work.
COMMANDS_A_STEP: Final = 10_000
REFRESH_S: Final = 0.1
# A smaller terminal gets a progress bar instead of the view.
WIDTH_MIN: Final = 90
WIDTH_WITH_CHANGE: Final = 108
HEIGHT_MIN: Final = 24
LADDER_WIDTH: Final = 38
DEFAULT_ORDERS: Final = 5_000_000

BUY, SELL, DIM = "green", "red", "bright_black"


def register(app: typer.Typer) -> None:
    """Add the command `demo`."""
    app.command("demo")(demo)


def demo(
    *,
    seed: Annotated[int, typer.Option(min=0, max=2**64 - 1, help="Decides every draw of the simulation.")] = 7,
    orders: Annotated[int, typer.Option(min=1, max=10**12, help="New orders to send.")] = DEFAULT_ORDERS,
    accounts: Annotated[int, typer.Option(min=64, max=1_000_000, help="Simulated accounts.")] = 10_000,
    instruments: Annotated[int, typer.Option(min=1, max=50, help="Markets, the busiest first.")] = 50,
    headless: Annotated[bool, typer.Option("--headless", help="Show progress only, not the markets.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON at the end, and nothing else.")
    ] = False,
) -> None:
    """Run fifty markets with ten thousand simulated traders, and print a state hash that a second run reproduces."""
    venue = Demo(seed, orders, accounts, instruments)
    console = Console()
    if as_json:
        while not venue.step(COMMANDS_A_STEP):
            pass
    elif headless or not _has_room(console):
        _run_with_progress(venue, Console(stderr=True))
    else:
        _run_live(venue, console, title=f"seed {seed}")
    progress, summary = venue.progress(), venue.summary()
    if as_json:
        asked = {"seed": seed, "orders": orders, "accounts": accounts, "instruments": instruments}
        typer.echo(json.dumps(asked | _report(progress, summary)))
    else:
        asked = {"seed": seed, "orders": orders}
        asked |= {} if accounts == 10_000 else {"accounts": accounts}
        asked |= {} if instruments == 50 else {"instruments": instruments}
        again = "tradewright demo " + " ".join(f"--{name} {value}" for name, value in asked.items())
        console.print(_closing_words(progress, summary, instruments=instruments, again=again))


def _has_room(console: Console) -> bool:
    return console.is_terminal and console.width >= WIDTH_MIN and console.height >= HEIGHT_MIN


def _report(progress: DemoProgress, summary: DemoSummary) -> dict[str, Any]:
    """Return what machines read. Money is written as decimal text."""
    build = build_info()
    return {
        "commands": progress.commands,
        "trades": progress.trades,
        "events": progress.events,
        "rejects": progress.rejects,
        "open_orders": progress.open_orders,
        "elapsed_s": progress.elapsed_ns / 1e9,
        "engine_cpu_s": progress.engine_cpu_ns / 1e9,
        "venue_s": progress.venue_time_ns / 1e9,
        "commands_per_s": progress.commands_per_s,
        "engine_commands_per_s": progress.engine_commands_per_s,
        "set_up_commands": summary.set_up_commands,
        "notional": {asset: f"{_scaled(quanta, scale):f}" for asset, scale, quanta in summary.notional},
        "commands_by_kind": dict(summary.commands_by_kind),
        "orders_by_class": dict(summary.orders_by_class),
        "events_by_kind": dict(summary.events_by_kind),
        "rejects_by_reason": dict(summary.rejects_by_reason),
        "memory_bytes": summary.memory_bytes,
        "version": build.version,
        "profile": build.profile,
        "target_cpu": build.target_cpu,
        "state_hash": summary.state_hash,
    }


# Running.


def _run_with_progress(venue: Demo, console: Console) -> None:
    """Run to the end with a progress bar; where there is no terminal, with a line for every tenth."""
    total = venue.progress().orders_total
    if not console.is_terminal:
        _run_with_lines(venue, lambda line: console.print(line, highlight=False, soft_wrap=True))
        return
    bar = Progress(
        TextColumn("demo"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("orders"),
        TimeElapsedColumn(),
        console=console,
    )
    with bar:
        task = bar.add_task("demo", total=total)
        while not venue.step(COMMANDS_A_STEP):
            bar.update(task, completed=venue.progress().orders)
        bar.update(task, completed=total)


def _run_with_lines(venue: Demo, write: Callable[[str], None]) -> None:
    tenths = 0
    while not venue.step(COMMANDS_A_STEP):
        progress = venue.progress()
        if progress.orders * 10 // progress.orders_total > tenths:
            tenths = progress.orders * 10 // progress.orders_total
            write(f"demo: {tenths}0 %, {progress.commands:,} commands, {progress.trades:,} trades")


def _run_live(venue: Demo, console: Console, *, title: str) -> None:
    """Run to the end under the live view. The last picture stays for a moment."""
    view = View(venue, title)
    with Live(view.draw(console), console=console, screen=True, auto_refresh=False) as live:
        drawn_s = time.monotonic()
        done = False
        while not done:
            done = venue.step(COMMANDS_A_STEP)
            if done or time.monotonic() - drawn_s >= REFRESH_S:
                live.update(view.draw(console), refresh=True)
                drawn_s = time.monotonic()
        time.sleep(1)


# Looking.


class View:
    """The picture of a running demonstration: markets, one ladder, the tape, the pace."""

    def __init__(self, venue: Demo, title: str) -> None:
        self._venue = venue
        self._title = title
        self._last: dict[str, int] = {}

    def draw(self, console: Console) -> RenderableType:
        """Return the picture of this moment, as large as the terminal."""
        progress, markets = self._venue.progress(), self._venue.markets()
        order = sorted(range(len(markets)), key=lambda place: -markets[place].trades)
        body_height = console.height - 5
        prices = body_height // 2 - 2
        busiest = [markets[place] for place in order[: body_height - 3]]
        layout = Layout()
        layout.split_column(
            Layout(self._head(progress), size=1),
            Layout(name="body"),
            Layout(_pace(progress), size=4),
        )
        layout["body"].split_row(
            Layout(self._market_table(busiest, wide=console.width >= WIDTH_WITH_CHANGE)),
            Layout(name="right", size=LADDER_WIDTH),
        )
        ladder = _ladder(markets[order[0]], *self._venue.depth(order[0], prices // 2), width=LADDER_WIDTH - 4)
        tape = self._tape(markets, lines=body_height - 2 * (prices // 2) - 5)
        layout["right"].split_column(Layout(ladder, size=2 * (prices // 2) + 3), Layout(tape))
        return layout

    def _head(self, progress: DemoProgress) -> Text:
        name = Text(" tradewright ", style="bold reverse")
        clock = f"  {progress.venue_time_ns / 1e9:,.1f} s on the venue's clock, {self._title}"
        return name.append(clock, style="not bold not reverse")

    def _market_table(self, markets: list[DemoMarket], *, wide: bool) -> Panel:
        table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="bold")
        table.add_column("market", no_wrap=True)
        for name in ("bid", "ask", "bp", "last", *(["change"] if wide else []), "volume"):
            table.add_column(name, justify="right", no_wrap=True)
        for market in markets:
            last, before = market.last_ticks, self._last.get(market.symbol)
            moved = "" if last is None or before is None or last == before else BUY if last > before else SELL
            if last is not None:
                self._last[market.symbol] = last
            cells = [
                Text(_price(market, market.bid_ticks), style=BUY),
                Text(_price(market, market.ask_ticks), style=SELL),
                Text(_spread(market), style=DIM),
                Text(_price(market, last), style=moved),
                *([_change(market)] if wide else []),
                Text(short(_scaled(market.notional_quanta, market.quote_scale))),
            ]
            table.add_row(market.symbol, *cells)
        return Panel(table, title="markets", title_align="left", border_style=DIM)

    def _tape(self, markets: list[DemoMarket], *, lines: int) -> Panel:
        table = Table(box=None, expand=True, show_header=False, padding=(0, 1, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        trades = self._venue.tape()
        for trade in reversed(trades[max(0, len(trades) - lines) :]):
            market = markets[trade.market]
            style = BUY if trade.is_buy else SELL
            quantity = short(_scaled(trade.quantity_lots, market.lot_decimals))
            table.add_row(market.symbol, Text(_price(market, trade.price_ticks), style=style), quantity)
        return Panel(table, title="tape", title_align="left", border_style=DIM)


Levels = list[tuple[int, int, int]]


def _ladder(market: DemoMarket, bids: Levels, asks: Levels, *, width: int) -> Panel:
    """Draw the best prices of a market, asks above bids, with a bar for what stands there."""
    most = max((lots for _, lots, _ in bids + asks), default=1)
    rows = [(price, lots, SELL) for price, lots, _ in reversed(asks)] + [(price, lots, BUY) for price, lots, _ in bids]
    prices = [_price(market, ticks) for ticks, _, _ in rows]
    price_width = max(map(len, prices), default=0)
    lines = Text(no_wrap=True)
    bar_width = width - price_width - 8
    for place, ((_, lots, style), price) in enumerate(zip(rows, prices, strict=True)):
        if place == len(asks):
            lines.append(f"{'─' * width}\n", style=DIM)
        lines.append(f"{price:>{price_width}}", style=style)
        lines.append(f"{short(_scaled(lots, market.lot_decimals)):>7} ")
        lines.append(f"{bar_of(lots, most, bar_width)}\n", style=style)
    lines.rstrip()
    return Panel(lines, title=market.symbol, title_align="left", border_style=DIM)


def _pace(progress: DemoProgress) -> RenderableType:
    """Draw what has happened so far, how fast, and how much of it all that is."""
    counts = Table.grid(expand=True)
    words = {
        "commands": progress.commands,
        "trades": progress.trades,
        "events": progress.events,
        "refused": progress.rejects,
        "open": progress.open_orders,
    }
    cells = [Text.assemble((f"{count:,}", "bold"), f" {word}") for word, count in words.items()]
    for _ in cells:
        counts.add_column(justify="center")
    counts.add_row(*cells)
    speed = Text.assemble(
        (f"{progress.commands_per_s:,}", "bold cyan"),
        " commands/s with the simulator, engine alone ",
        (f"{progress.engine_commands_per_s:,}", "bold cyan"),
        justify="center",
    )
    bar = ProgressBar(total=progress.orders_total, completed=progress.orders)
    share = f" {progress.orders * 100 // progress.orders_total:3} % of {progress.orders_total:,} orders"
    line = Table.grid(expand=True)
    line.add_column(ratio=1)
    line.add_column(justify="right", no_wrap=True)
    line.add_row(bar, share)
    return Group(counts, speed, line)


def _closing_words(progress: DemoProgress, summary: DemoSummary, *, instruments: int, again: str) -> RenderableType:
    """Say what happened, how fast, and how to see it again."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()

    def counted(counts: list[tuple[str, int]], most: int) -> str:
        named = ", ".join(f"{name} {count:,}" for name, count in counts[:most])
        return named + (f" and {len(counts) - most} more" if len(counts) > most else "")

    traded = [f"{short(_scaled(quanta, scale))} {asset}" for asset, scale, quanta in summary.notional if quanta]
    build = build_info()
    table.add_row(
        "venue",
        f"{instruments} markets, {summary.accounts:,} accounts, {progress.venue_time_ns / 1e9:,.0f} s of trading",
    )
    table.add_row("commands", f"{progress.commands:,}: {counted(summary.commands_by_kind, 4)}")
    classes = sorted(summary.orders_by_class, key=lambda counted_class: -counted_class[1])
    table.add_row("orders", f"{progress.orders:,}: {counted(classes, 6)}")
    table.add_row("trades", f"{progress.trades:,} for {', '.join(traded) or 'nothing'}")
    table.add_row("refused", f"{progress.rejects:,}: {counted(summary.rejects_by_reason, 3)}")
    table.add_row("events", f"{progress.events:,}")
    table.add_row(
        "at the end",
        f"{progress.open_orders:,} open orders, {summary.memory_bytes / 2**20:,.0f} MiB; every invariant holds",
    )
    note = "" if build.is_release else f" (profile {build.profile}: do not quote)"
    table.add_row(
        "speed",
        f"{progress.commands_per_s:,} commands/s in {progress.elapsed_ns / 1e9:.2f} s with the simulator, "
        f"{progress.engine_commands_per_s:,} commands/s of engine time{note}",
    )
    table.add_row("state hash", Text(summary.state_hash, style="bold cyan"))
    table.add_row("again", again)
    return table


# Writing numbers.


def _scaled(count: int, decimals: int) -> Decimal:
    return Decimal(count).scaleb(-decimals)


def _price(market: DemoMarket, ticks: int | None) -> str:
    return "-" if ticks is None else f"{_scaled(ticks, market.price_decimals):f}"


def _spread(market: DemoMarket) -> str:
    """Return the spread in basis points of the middle."""
    if market.bid_ticks is None or market.ask_ticks is None:
        return "-"
    if market.ask_ticks <= market.bid_ticks:
        # It gathers orders for an auction.
        return "call"
    return f"{20_000 * (market.ask_ticks - market.bid_ticks) / (market.ask_ticks + market.bid_ticks):.1f}"


def _change(market: DemoMarket) -> Text:
    """Return how far the price has gone since the first trade, in percent."""
    if market.first_ticks is None or market.last_ticks is None:
        return Text("-")
    percent = 100 * (market.last_ticks - market.first_ticks) / market.first_ticks
    return Text(f"{percent:+.2f} %", style=BUY if percent > 0 else SELL if percent < 0 else "")


def short(number: Decimal) -> str:
    """Return `number` in at most six characters: 0.1234, 12.34, 5.21K, 3.40M."""
    for power, letter in ((12, "T"), (9, "B"), (6, "M"), (3, "K")):
        if number >= Decimal(10) ** power:
            return f"{_four_digits(number.scaleb(-power))}{letter}"
    return _four_digits(number)


def _four_digits(number: Decimal) -> str:
    decimals = 4 if number < 1 else 2 if number < 100 else 1
    return f"{number:.{decimals}f}"


def bar_of(value: int, most: int, width: int) -> str:
    """Return a bar of `width` at most, in eighths of a character."""
    eighths = max(1, value * width * 8 // most)
    return "█" * (eighths // 8) + ("▏▎▍▌▋▊▉"[eighths % 8 - 1] if eighths % 8 else "")
