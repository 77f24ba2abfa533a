from __future__ import annotations

import json
import re
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from tradewright._core import Demo
from tradewright.cli.demo import View, bar_of, short
from tradewright.cli.exit_codes import ExitCode
from tradewright.cli.main import build_app

ORDERS = 20_000

# The state after 20,000 orders of seed 7, as in crates/sim/src/flow/tests.rs. The same on every platform and build; it
# changes only when the flow, the rules or the definition of the state hash do.
GOLDEN_SEED_7 = "aa933975d9b779b7e242691a4da81d9f"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build_app(), ["demo", *arguments])


def run_json(*arguments: str) -> dict[str, Any]:
    result = run("--json", *arguments)
    assert (result.exit_code, result.stderr) == (ExitCode.OK, "")
    assert result.stdout.count("\n") == 1
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def test_the_state_hash_of_seed_7_never_changes() -> None:
    report = run_json("--seed", "7", "--orders", str(ORDERS))
    assert report["state_hash"] == GOLDEN_SEED_7
    assert report["orders"] == ORDERS == sum(report["orders_by_class"].values())
    unknown = report["rejects_by_reason"]["UnknownCommand"]
    assert report["commands"] == sum(report["commands_by_kind"].values()) + unknown
    assert report["trades"] == report["events_by_kind"]["Trade"] > 1_000
    assert report["rejects"] == sum(report["rejects_by_reason"].values())
    assert report["elapsed_s"] > 0
    assert report["commands_per_s"] > 0
    assert Decimal(report["notional"]["USDT"]) > 1_000_000


def test_another_seed_ends_elsewhere() -> None:
    assert run_json("--seed", "8", "--orders", "2000")["state_hash"] != run_json("--orders", "2000")["state_hash"]


@pytest.mark.parametrize("size", [(100, 30), (140, 50), (90, 24)])
def test_looking_does_not_change_the_stream(size: tuple[int, int]) -> None:
    width, height = size
    console = Console(file=StringIO(), width=width, height=height, force_terminal=True, record=True)
    venue = Demo(7, ORDERS)
    view = View(venue, "seed 7")
    done = False
    while not done:
        console.print(view.draw(console))
        drawn = console.export_text().splitlines()
        assert len(drawn) == height
        assert max(map(len, drawn)) <= width
        done = venue.step(1_234)
    assert venue.summary().state_hash == GOLDEN_SEED_7


def test_the_view_shows_markets_ladder_tape_and_pace() -> None:
    console = Console(file=StringIO(), width=100, height=30, force_terminal=True, record=True)
    venue = Demo(7, ORDERS)
    venue.step(ORDERS)
    console.print(View(venue, "seed 7").draw(console))
    drawn = console.export_text()
    for word in ("BTC/USDT", "PEPE/USDT", "bid", "ask", "last", "volume", "tape", "commands/s", "20,000 orders"):
        assert word in drawn
    assert "…" not in drawn


def test_without_a_terminal_it_says_how_far_it_is_and_what_happened() -> None:
    result = run("--orders", str(ORDERS))
    assert result.exit_code == ExitCode.OK
    assert re.search(r"^demo: [1-9]0 %, [0-9,]+ commands, [0-9,]+ trades$", result.stderr, re.MULTILINE)
    assert GOLDEN_SEED_7 in result.stdout
    assert f"tradewright demo --seed 7 --orders {ORDERS}" in result.stdout


def test_the_command_to_see_it_again_names_what_differs() -> None:
    words = " ".join(run("--headless", "--orders", "500", "--accounts", "80", "--instruments", "3").stdout.split())
    assert "tradewright demo --seed 7 --orders 500 --accounts 80 --instruments 3" in words


@pytest.mark.parametrize("option", ["--orders=0", "--accounts=63", "--instruments=51", "--seed=-1"])
def test_a_number_out_of_range_is_a_usage_error(option: str) -> None:
    result = run(option)
    assert result.exit_code == ExitCode.USAGE
    assert option.split("=")[0] in result.stderr


def test_the_driver_refuses_what_it_cannot_cast() -> None:
    with pytest.raises(ValueError, match="instruments=51 must be 1 to 50"):
        Demo(7, 10, 100, 51)
    with pytest.raises(ValueError, match="accounts=3 must be 64 to 1000000"):
        Demo(7, 10, 3, 1)
    with pytest.raises(IndexError, match="market=2 must be below 2"):
        Demo(7, 10, 100, 2).depth(2, 1)


def test_depth_is_sorted_and_two_sided() -> None:
    venue = Demo(3, ORDERS, 200, 4)
    venue.step(10_000)
    for place, market in enumerate(venue.markets()):
        bids, asks = venue.depth(place, 5)
        assert (bids[0][0], asks[0][0]) == (market.bid_ticks, market.ask_ticks)
        assert [price for price, _, _ in bids] == sorted({price for price, _, _ in bids}, reverse=True)
        assert [price for price, _, _ in asks] == sorted({price for price, _, _ in asks})
        assert all(lots > 0 and orders > 0 for _, lots, orders in bids + asks)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0", "0.0000"),
        ("0.01234", "0.0123"),
        ("12.346", "12.35"),
        ("999.4", "999.4"),
        ("1234", "1.23K"),
        ("56789000", "56.79M"),
        ("1E+13", "10.00T"),
    ],
)
def test_numbers_are_short(number: str, text: str) -> None:
    assert short(Decimal(number)) == text


def test_a_bar_never_vanishes_and_never_overflows() -> None:
    assert bar_of(1, 1_000_000, 10) == "▏"
    assert bar_of(10, 10, 10) == "█" * 10
    assert bar_of(5, 8, 1) == "▋"
