"""What the machine grants to threads and memory, and what it costs to lack it.

Figures: measured on two virtual cores of a Sapphire Rapids class machine, Linux 6.18, short bursts.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

CORES_WANTED = 4
"""The hot path, the journal, the sessions of the gateway and the clients, a core each."""
RINGS_BYTES = 256 * 2**20
"""What the rings of a node take with their default sizes, generously."""

_SYS = Path("/sys")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One thing that a node can use. `is_granted` is None where the system does not tell."""

    name: str
    value: str
    is_granted: bool | None
    cost: str
    """What it costs to lack it."""


def grants(*, cores_granted: int, shared_memory_bytes: int | None) -> list[Grant]:
    """Ask the system; nothing is changed."""
    return [
        _cores(cores_granted),
        _isolated_cores(),
        _real_time(),
        _huge_pages(),
        _reserved_huge_pages(),
        _locked_memory(),
        _shared_memory(shared_memory_bytes),
        _clock(),
        _memory_nodes(),
        _busy_poll(),
    ]


def _cores(granted: int) -> Grant:
    return Grant(
        name="cores",
        value=f"{granted} of {CORES_WANTED} wanted",
        is_granted=granted >= CORES_WANTED,
        cost="threads that cannot spin sleep: an echo takes 24 to 69 us instead of 3.7",
    )


def _isolated_cores() -> Grant:
    isolated = _text(_SYS / "devices/system/cpu/isolated")
    return Grant(
        name="isolated cores",
        value="unknown" if isolated is None else isolated or "none",
        is_granted=None if isolated is None else bool(isolated),
        cost="others run on the cores of the node: p99.9 is 8,000 us under load instead of 28 "
        "(isolcpus=, nohz_full=, or a real-time class); pinning alone changes nothing",
    )


def _real_time() -> Grant:
    priority_max = _real_time_priority_max()
    return Grant(
        name="real-time class",
        value="unknown" if priority_max is None else f"priority up to {priority_max}" if priority_max else "refused",
        is_granted=None if priority_max is None else priority_max > 0,
        cost="p99.9 is 8,000 us under load instead of 28 (CAP_SYS_NICE, or LimitRTPRIO= of the unit); "
        "with it, a thread that spins for a second is stopped for 50 ms",
    )


def _real_time_priority_max() -> int | None:
    if sys.platform != "linux":
        return None
    import resource

    if _has_capability(23):  # CAP_SYS_NICE
        return 99
    soft, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
    return 99 if soft == resource.RLIM_INFINITY else min(soft, 99)


def _huge_pages() -> Grant:
    modes = _text(_SYS / "kernel/mm/transparent_hugepage/enabled")
    mode = None if modes is None else modes.partition("[")[2].partition("]")[0]
    return Grant(
        name="huge pages",
        value=mode or "unknown",
        is_granted=None if mode is None else mode in {"always", "madvise"},
        cost="a random access in 4 GiB takes 428 to 441 ns instead of 265 to 288",
    )


def _reserved_huge_pages() -> Grant:
    pages = _value_in(_PROC / "meminfo", "HugePages_Free")
    return Grant(
        name="reserved huge pages",
        value="unknown" if pages is None else f"{pages} free",
        is_granted=None if pages is None else pages != "0",
        cost="nothing: pages that are asked for by madvise are as fast",
    )


def _locked_memory() -> Grant:
    limit = _locked_memory_bytes()
    return Grant(
        name="locked memory",
        value=limit if isinstance(limit, str) else f"{limit / 2**20:.0f} MiB",
        is_granted=None if limit == "unknown" else limit == "unlimited" or int(limit) >= RINGS_BYTES,
        cost="nothing until the machine swaps; AF_XDP needs 8 MiB (`ulimit -l`, LimitMEMLOCK=)",
    )


def _locked_memory_bytes() -> int | str:
    if sys.platform != "linux":
        return "unknown"
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return "unlimited" if soft == resource.RLIM_INFINITY or _has_capability(14) else soft  # CAP_IPC_LOCK


def _shared_memory(size_bytes: int | None) -> Grant:
    return Grant(
        name="room for rings",
        value="unknown" if size_bytes is None else f"{size_bytes / 2**20:.0f} MiB",
        is_granted=None if size_bytes is None else size_bytes >= RINGS_BYTES,
        cost="rings that do not fit are refused when they are made: smaller rings, or a larger tmpfs",
    )


def _clock() -> Grant:
    source = _text(_SYS / "devices/system/clocksource/clocksource0/current_clocksource")
    flags = (_value_in(_PROC / "cpuinfo", "flags") or "").split()
    is_steady = {"constant_tsc", "nonstop_tsc"} <= set(flags)
    return Grant(
        name="clock",
        value="unknown" if source is None else f"{source}, {'steady' if is_steady else 'not steady'} cycle counter",
        is_granted=None if source is None else source in {"tsc", "arch_sys_counter"},
        cost="every reading of the clock is a system call (not measured here), and stamps are coarser",
    )


def _memory_nodes() -> Grant:
    nodes = [node for node in _children(_SYS / "devices/system/node") if node.removeprefix("node").isdecimal()]
    return Grant(
        name="memory nodes",
        value=str(len(nodes)) if nodes else "unknown",
        is_granted=bool(nodes) or None,
        cost="with one there is nothing to place; with more, memory of another node is farther (not measured here)",
    )


def _busy_poll() -> Grant:
    time_us = _text(_PROC / "sys/net/core/busy_read")
    may_set = _has_capability(12)  # CAP_NET_ADMIN
    return Grant(
        name="busy poll",
        value="unknown" if time_us is None else f"{time_us} us by default, {'may' if may_set else 'may not'} be raised",
        is_granted=None if time_us is None else may_set or time_us != "0",
        cost="nothing on virtual interfaces; on a network card the wake-up by its interrupt (not measured here)",
    )


def _has_capability(number: int) -> bool:
    """Whether this process has the Linux capability of this number."""
    effective = _value_in(_PROC / "self/status", "CapEff")
    return effective is not None and bool(int(effective, 16) >> number & 1)


def _children(folder: Path) -> list[str]:
    try:
        return [child.name for child in folder.iterdir()]
    except OSError:
        return []


def _value_in(file: Path, field: str) -> str | None:
    """Return the first value of `field` in a file of `field : value` lines."""
    for line in (_text(file) or "").splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip() == field:
            return value.strip()
    return None


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
