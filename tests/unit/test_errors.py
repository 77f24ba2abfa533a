from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import tradewright as tw
from tradewright import errors

EXAMPLES = [
    (
        tw.ArgumentError("quantity", value=0, rule="must be at least 1"),
        "quantity=0 must be at least 1",
    ),
    (tw.ConfigError("burst_max=1 must be at least 2"), "burst_max=1 must be at least 2"),
    (
        tw.DataError("expected 8 columns, found 7", file=Path("trades.csv"), line=12),
        "trades.csv:12: expected 8 columns, found 7",
    ),
    (tw.DataError("is empty", file=Path("trades.csv")), "trades.csv: is empty"),
    (
        tw.CommandRejected("insufficient_funds", sentence="The hold exceeds the balance."),
        "insufficient_funds: The hold exceeds the balance.",
    ),
    (
        tw.EventsMissed(skipped=3, position=40),
        "skipped=3 events were overwritten before they were read; the next is position=40",
    ),
    (tw.MachineError("2 cores are too few"), "2 cores are too few"),
]


@pytest.mark.parametrize(("error", "text"), EXAMPLES)
def test_text_names_the_thing_and_the_rule(error: tw.TradewrightError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize("error", [error for error, _ in EXAMPLES])
def test_survives_pickling_so_that_worker_processes_can_raise_it(
    error: tw.TradewrightError,
) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_argument_error_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="price=-1 must not be negative"):
        raise tw.ArgumentError("price", value=-1, rule="must not be negative")


def test_the_drawn_tree_is_the_tree() -> None:
    classes = [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, tw.TradewrightError)
    ]
    assert errors.__doc__ is not None
    drawn = {line.strip("│├└─ ").split()[0] for line in errors.__doc__.splitlines() if "──" in line}
    assert drawn == {each.__name__ for each in classes if each is not tw.TradewrightError}
