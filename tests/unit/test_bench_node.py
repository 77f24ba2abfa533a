"""The benches of a node: nothing is lost on the way, and the figures hold together."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tradewright import _core

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a node needs a system of the Unix family")

FIELDS = {
    *("commands_per_s", "events_per_s", "engine_busy_share", "floor_commands_per_s", "record_bytes"),
    *("disk_floor_bytes_per_s", "prepare_bytes_per_s", "events_skipped"),
}


def setting(folder: Path, tier: str) -> dict[str, object]:
    return {
        "node": [sys.executable, "-m", "tradewright.cli.node"],
        "directory": str(folder),
        "tier": tier,
        "idle": "yield",
        "engine_core": None,
        "journal_core": None,
        "sessions_core": None,
        "client_core": None,
        "segment_mib": 32,
        "prepared": 3,
    }


def pipe(folder: Path, route: str, tier: str) -> dict[str, Any]:
    told: list[str] = []
    text = _core.bench_pipe(setting(folder, tier), route, seconds=0.5, operations=3_000, window=0, progress=told.append)
    assert told[-1] == "the floors"
    report: dict[str, Any] = json.loads(text)
    return report


@pytest.mark.parametrize(
    ("route", "tier"), [("shm-records", "local-sync"), ("shm-frames", "memory"), ("tcp-frames", "local-sync")]
)
def test_everything_that_goes_into_the_pipe_comes_out(tmp_path: Path, route: str, tier: str) -> None:
    report = pipe(tmp_path, route, tier)
    assert report.keys() >= FIELDS
    assert (report["transport"], report["tier"]) == (route, tier)
    assert report["sent"] == report["acknowledged"] > 1_000
    assert (report["refused"], report["events_skipped"]) == (0, 0)
    assert 0 < report["commands_per_s"] < report["events_per_s"]
    assert report["commands_per_s"] * report["seconds"] < report["sent"]
    # The header of its record, the record, and something of its batch.
    assert 96 < report["record_bytes"] < 4_096
    assert report["request_bytes"] == 64 if route == "shm-records" else report["request_bytes"] > 100
    assert 0 < report["engine_busy_share"] < 1
    assert report["engine_cpu_ns_per_command"] > 0
    assert report["engine_cpu_ns_without_journal"] > 0
    assert report["journal_cost_ratio"] > 0
    assert report["floor_commands_per_s"] > 0
    assert report["disk_floor_bytes_per_s"] > 0
    assert report["prepare_bytes_per_s"] > 0
    if route == "shm-records":
        assert report["laps_checked"] >= 1
        assert report["read_per_s"] == pytest.approx(report["events_per_s"], rel=0.5)
    # The rings are gone, and so is the node.
    assert not list(Path("/dev/shm").glob(f"tradewright-bench-{os.getpid()}-*"))  # noqa: S108 - where rings are
    assert not (tmp_path / "log" / "node.json").exists()


def test_a_way_in_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='route="post" is unknown'):
        pipe(tmp_path, "post", "memory")
    with pytest.raises(RuntimeError, match="the node did not start"):
        pipe(tmp_path, "shm-records", "quorum")


WIRE_FIELDS = {
    *("sent", "acknowledged", "p50_us", "p90_us", "p99_us", "p999_us", "max_us", "echo_p50_us", "echo_p99_us"),
    *("ring_p50_us", "fsync_p50_us", "feed_p50_us", "feed_p99_us"),
}


def wire(folder: Path, route: str, **changed: object) -> tuple[dict[str, Any], list[str]]:
    told: list[str] = []
    options: dict[str, Any] = {
        "rate": 2_000.0,
        "seconds": 1.0,
        "rounds": 2,
        "operations": 1_000,
        "window": 64,
        "hlog": None,
        "soak_interval_s": None,
        **changed,
    }
    text = _core.bench_wire(setting(folder, "memory"), route, progress=told.append, **options)
    report: dict[str, Any] = json.loads(text)
    return report, told


@pytest.mark.parametrize("route", ["shm-records", "shm-frames", "tcp-frames"])
def test_every_order_is_answered_at_its_rate(tmp_path: Path, route: str) -> None:
    hlog = tmp_path / "run.hlog"
    report, told = wire(tmp_path, route, hlog=hlog)
    assert report.keys() >= WIRE_FIELDS
    assert report["sent"] == report["acknowledged"] == 2_000
    assert report["refused"] == 0
    assert 0 < report["p50_us"] <= report["p90_us"] <= report["p99_us"] <= report["p999_us"] <= report["max_us"]
    assert 0 < report["echo_p50_us"] <= report["echo_p99_us"]
    assert 0 < report["feed_p50_us"] <= report["feed_p99_us"]
    assert report["p50_ratio"] > 0
    assert report["ring_p50_us"] > 0
    assert report["fsync_p50_us"] > 0
    assert report["feed_source"] == "events.ring"
    assert [curve["name"] for curve in report["curves"]] == ["order", "echo", "feed"]
    tags = [line.split(",")[0] for line in hlog.read_text().splitlines() if line.startswith("Tag=")]
    assert sorted(tags) == sorted(["Tag=order", "Tag=echo", "Tag=feed"] * 2)
    assert [line for line in told if line.startswith("pair")] == [
        *("pair 1 of 2: node", "pair 1 of 2: copier", "pair 2 of 2: node", "pair 2 of 2: copier"),
    ]


def test_a_closed_loop_and_a_soak_run_through_the_node_alone(tmp_path: Path) -> None:
    report, told = wire(tmp_path, "shm-frames", rate=0.0, soak_interval_s=0.4)
    assert report["sent"] == report["acknowledged"] > 100
    assert report["commands_per_s"] > 100
    assert report["echo_p50_us"] == 0
    assert report["node_mib"][2] >= report["node_mib"][0] > 0
    assert len([line for line in told if "requests answered" in line]) == 3


def test_distributions_are_drawn(tmp_path: Path) -> None:
    bench_plots = pytest.importorskip("tradewright.cli.bench_plots")
    points = [(0.5, 10.0), (0.9, 12.0), (0.99, 40.0), (1.0, 90.0)]
    curves = [{"name": "order", "points": points}, {"name": "echo", "points": []}]
    bench_plots.draw(tmp_path, curves, {"transport": "tcp-frames", "tier": "memory", "rate": 1e5})
    assert (tmp_path / "latency.png").read_bytes().startswith(b"\x89PNG")
    assert "order in to report out" in (tmp_path / "latency.html").read_text(encoding="utf-8")


def test_nobody_waits_for_a_reader_or_a_client_that_does_not_read(tmp_path: Path) -> None:
    told: list[str] = []
    text = _core.bench_disturb(
        setting(tmp_path, "memory"),
        "shm-frames",
        rate=2_000.0,
        seconds=1.0,
        pairs=1,
        operations=1_000,
        reader=[sys.executable, "-m", "tradewright.cli.event_follower"],
        progress=told.append,
    )
    report = json.loads(text)
    # Whether it holds is a question of who else wants the cores.
    assert report["sent"] == report["acknowledged"] == 3 * 2 * 2_000
    assert [row["name"] for row in report["rows"]] == ["slow-reader", "killed-reader", "stuck-client"]
    for row in report["rows"]:
        assert row["disturbed"] > 0, row
        assert min(row["p50_ratio"], row["p99_ratio"], row["engine_ratio"], row["p99_spread"]) > 0
        assert row["grown_mib"] < 64
