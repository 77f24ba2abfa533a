"""Distributions of latencies as pictures: a PNG to look at, a page to point at. Needs the extra `plots`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TypeAlias

import matplotlib
import plotly.graph_objects

matplotlib.use("Agg")  # no display
from matplotlib import pyplot as plt

LABELS: Final = {"order": "order in to report out", "echo": "server that only copies", "feed": "order in to feed"}


# A label, the parts, the microseconds.
Line: TypeAlias = tuple[str, list[float], list[float]]


def draw(folder: Path, curves: list[dict[str, Any]], report: dict[str, Any]) -> None:
    """Write `latency.png` and `latency.html`: microseconds over the part of all that took longer."""
    title = f"{report['transport']}, {report['tier']}, {report['rate']:,.0f} orders/s"
    lines = [(LABELS[curve["name"]], *_line(curve["points"])) for curve in curves if curve["points"]]
    _png(folder / "latency.png", title, lines)
    _page(folder / "latency.html", title, lines)


def _line(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Return one over the part that took longer, and microseconds; the longest stands behind the last part."""
    rarest = max((1 / (1 - part) for part, _ in points if part < 1), default=1.0)
    return [1 / (1 - part) if part < 1 else 2 * rarest for part, _ in points], [value for _, value in points]


def _png(file: Path, title: str, lines: list[Line]) -> None:
    figure, axes = plt.subplots(figsize=(9, 5))
    for label, parts, values in lines:
        axes.plot(parts, values, label=label)
    axes.set(title=title, xlabel="one of so many orders took longer", ylabel="microseconds", xscale="log", yscale="log")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(file, dpi=120, bbox_inches="tight")
    plt.close(figure)


def _page(file: Path, title: str, lines: list[Line]) -> None:
    figure = plotly.graph_objects.Figure()
    for label, parts, values in lines:
        figure.add_scatter(x=parts, y=values, name=label, mode="lines")
    figure.update_xaxes(type="log", title="one of so many orders took longer")
    figure.update_yaxes(type="log", title="microseconds")
    figure.update_layout(title=title)
    figure.write_html(file, include_plotlyjs=True)
