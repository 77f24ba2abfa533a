"""A node as a process: served, steered, killed, started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tradewright as tw
from tradewright import commands
from tradewright.operations import NodeControl, ReplicaControl

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a node needs a system of the Unix family")

CONFIGURATION = """\
schema = 1
[node]
directory = "log"
rings = "rings"
event_slots = 4096
[journal]
segment_mib = 8
[monitoring]
listen = "127.0.0.1:0"
[[genesis.asset]]
name = "USDT"
[[genesis.asset]]
name = "BTC"
[[genesis.instrument]]
name = "BTC/USDT"
tick = "0.01"
lot = "0.00001"
reference_price = "100"
[[genesis.account]]
name = "alice"
deposits = { BTC = "10", USDT = "1000" }
"""
GENESIS = 7
ALICE = 2


class Served:
    """A `tradewright serve` that runs, or its `replica`."""

    def __init__(self, folder: Path, role: str = "serve") -> None:
        command = [sys.executable, "-m", "tradewright.cli.main", role, str(folder / "exchange.toml"), "--json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.place: dict[str, Any] = self.next_announcement()

    def next_announcement(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the node did not start"
        announced: dict[str, Any] = json.loads(line)
        return announced

    def ended(self) -> int:
        code = self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def stop(self) -> None:
        self.process.terminate()
        assert self.ended() == 0

    def control(self) -> NodeControl:
        return NodeControl(self.place["directory"])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "exchange.toml").write_text(CONFIGURATION)
    running = Served(tmp_path)
    yield running
    if running.process.poll() is None:
        running.stop()


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, f"not within 20 s: {what}"
        time.sleep(0.01)


def test_an_operator_sees_and_steers_it(served: Served) -> None:
    with served.control() as node:
        wait_until(lambda: node.status().durable >= GENESIS, "the genesis is durable")
        before = node.status()
        assert (before.tier, before.is_ready, before.epoch) == ("local-sync", True, 1)
        node.command(commands.deposit(account=ALICE, asset=0, amount=5))
        wait_until(lambda: node.status().durable > before.durable, "the deposit is durable")
        wait_until(lambda: node.status().hashed >= GENESIS, "the tree grows")
        status = node.status()
        assert {ring.ring for ring in status.rings} == {"sessions", "operators", "log", "marks"}
        assert all(0 <= ring.waiting <= ring.slots for ring in status.rings)
        assert {reader.reader for reader in status.readers} == {"checks"}
        assert (status.sessions, status.feed) == (None, None), "no door is open, and there is no market data"
        assert node.halt() > before.applied
        node.resume()
        with pytest.raises(tw.ArgumentError, match="request='command' records: "):
            node.command(commands.deposit(account=ALICE, asset=0, amount=5)[:0])


def test_its_metrics_and_probes_are_served(served: Served) -> None:
    def get(path: str) -> str:
        with urllib.request.urlopen(f"http://{served.place['monitoring']}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    assert get("/live") == "live\n"
    assert get("/ready") == "ready\n"
    lines = get("/metrics").splitlines()
    assert 'tradewright_ready{shard="0"} 1' in lines
    stage = 'tradewright_stage_seconds{shard="0",stage="journal",quantile="0.99"}'
    assert any(line.startswith(stage) for line in lines)
    assert 'tradewright_ring_slots{shard="0",ring="sessions"} 16384' in lines


def test_a_killed_node_is_started_again_with_all_that_was_durable(served: Served) -> None:
    with served.control() as node:
        node.command(commands.deposit(account=ALICE, asset=0, amount=5))
        wait_until(lambda: node.status().durable > GENESIS, "the deposit is durable")
        durable = node.status().durable
    os.kill(served.place["pid"], signal.SIGKILL)
    place = served.next_announcement()
    assert place["pid"] != served.place["pid"]
    assert place["replayed"] >= durable
    with served.control() as node:
        assert node.status().is_ready


def test_a_stopped_node_ends_with_a_snapshot_and_goes_on_from_it(served: Served, tmp_path: Path) -> None:
    with served.control() as node:
        wait_until(lambda: node.status().durable >= GENESIS, "the genesis is durable")
        node.stop()
    assert served.ended() == 0
    assert len(list((tmp_path / "log").glob("snapshot-*.twsnap"))) == 1
    again = Served(tmp_path)
    assert again.place["replayed"] == 0
    again.stop()


def test_a_replica_takes_over_from_a_node_that_stands_still(served: Served, tmp_path: Path) -> None:
    follower = Served(tmp_path, "replica")
    directory = served.place["directory"]
    with served.control() as node:
        node.command(commands.deposit(account=ALICE, asset=0, amount=5))
        wait_until(lambda: node.status().durable > GENESIS, "the deposit is durable")
        durable = node.status().durable
    with ReplicaControl(directory) as replica:
        wait_until(lambda: replica.status().applied >= durable, "the replica follows")
        with pytest.raises(tw.ArgumentError, match=r"request='promote' lock: process \d+ is alive and wrote "):
            replica.promote()
    promote = [sys.executable, "-m", "tradewright.cli.main", "promote", directory, "--json"]
    os.kill(served.place["pid"], signal.SIGSTOP)
    ended = subprocess.run(promote, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    promotion = json.loads(ended.stdout)
    assert promotion["epoch"] == 2
    assert promotion["applied"] >= durable
    # The supervisor of the old node finds its log taken, and gives up.
    assert served.ended() != 0
    assert follower.next_announcement()["pid"] == follower.place["pid"]
    with follower.control() as node:
        assert (node.status().epoch, node.status().is_ready) == (2, True)
    with pytest.raises(tw.MachineError, match=r"replica\.sock: no replica answers"):
        ReplicaControl(directory)
    follower.stop()


SHARDS = (
    CONFIGURATION.replace('[monitoring]\nlisten = "127.0.0.1:0"\n', "")
    + """\
[[genesis.instrument]]
name = "USDT/BTC"
tick = "0.01"
lot = "0.01"
[[shards]]
number = 0
instruments = ["BTC/USDT"]
monitoring.listen = "127.0.0.1:0"
[[shards]]
number = 3
instruments = ["USDT/BTC"]
"""
)


def run(*words: str | Path, code: int = 0) -> str:
    command = [sys.executable, "-m", "tradewright.cli.main", *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == code, ended.stderr
    return ended.stdout + ended.stderr


def test_several_shards_are_steered_as_one_and_money_goes_between_them(tmp_path: Path) -> None:
    (tmp_path / "exchange.toml").write_text(SHARDS)
    served = Served(tmp_path)
    folder = Path(served.place["directory"])
    assert [Path(shard["directory"]).name for shard in served.place["shards"]] == ["shard-0", "shard-3"]
    with urllib.request.urlopen(f"http://{served.place['shards'][0]['monitoring']}/ready", timeout=10) as answer:
        assert answer.read() == b"ready\n"
    about = ("transfer", folder, "--account", "alice", "--asset", "USDT", "--from-shard", "0", "--to-shard", "3")
    assert run(*about, "--amount", "250.5") == "transfer 1 from shard 0 to shard 3 has arrived\n"
    assert json.loads(run(*about, "--amount", "1", "--json")) == {"number": 2, "arrived": True}
    assert "InsufficientFunds: " in run(*about, "--amount", "800", code=2)
    status = json.loads(run("status", folder, "--json"))
    assert [shard["shard"] for shard in status["shards"]] == [0, 3]
    assert status["transfers"] == []
    assert "shard 3" in run("status", folder)
    with NodeControl(folder) as node, NodeControl(folder / "shard-3") as third:
        assert [shard.shard for shard in node.venue().shards] == [0, 3]
        assert (third.status().shard, len(third.venue().shards)) == (3, 1)
        with pytest.raises(tw.ArgumentError, match="has several shards"):
            node.status()
        with pytest.raises(tw.ArgumentError, match="to_shard=4: there is no such shard"):
            node.transfer("USDT", "1", account="alice", from_shard=0, to_shard=4)
        applied = third.status().applied
        assert node.halt() > applied
        node.resume()
        node.snapshot()
        with pytest.raises(tw.ArgumentError, match="what is meant for one shard is asked in its folder"):
            node.sessions()
    # An account that was opened later, here on one shard only.
    with NodeControl(folder) as node, NodeControl(folder / "shard-0") as first:
        first.command(commands.open_account(account=3, name="carol"))
        complaint = ""
        for _ in range(100):
            with pytest.raises(tw.ArgumentError) as refused:
                node.transfer("USDT", "1", account="carol", from_shard=0, to_shard=3)
            complaint = str(refused.value)
            if "shard 0" not in complaint:
                break
            time.sleep(0.05)
        assert 'account="carol" is unknown on shard 3' in complaint
    os.kill(served.place["pid"], signal.SIGKILL)
    assert served.next_announcement()["pid"] != served.place["pid"]
    assert json.loads(run(*about, "--amount", "1", "--json")) == {"number": 3, "arrived": True}
    assert run("stop", folder) == "stopping\n"
    assert served.ended() == 0
    run("replica", tmp_path / "exchange.toml", code=2)


def test_a_wrong_configuration_ends_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "exchange.toml"
    file.write_text(CONFIGURATION.replace("event_slots = 4096", "event_slots = 4096\ncolour = 1"))
    command = [sys.executable, "-m", "tradewright.cli.main", "serve", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert f"tradewright: {file}:6: unknown field `colour`" in ended.stderr


def test_nobody_answers_where_no_node_runs(tmp_path: Path) -> None:
    with pytest.raises(tw.MachineError, match=r"control\.sock: no node answers"):
        NodeControl(tmp_path)
