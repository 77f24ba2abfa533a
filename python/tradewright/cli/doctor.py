"""`tradewright doctor`: what this machine and this build give."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from tradewright import BuildInfo, MachineError, build_info
from tradewright.cli._grants import Grant, grants


def register(app: typer.Typer) -> None:
    """Add the command `doctor`."""
    app.command("doctor")(doctor)


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    require_release: Annotated[
        bool, typer.Option("--require-release", help="Fail unless this is a release build.")
    ] = False,
) -> None:
    """Show what the machine grants and how the extension was built."""
    report = DoctorReport.of_this_process()
    typer.echo(json.dumps(asdict(report), indent=2) if as_json else report.to_text())
    if require_release and not report.release_build:
        raise MachineError(
            f"profile={report.profile!r} must be 'release' for figures that count: "
            "unset MATURIN_PEP517_ARGS and install again"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorReport:
    """The facts that decide how fast Tradewright can be here. None: the system does not tell."""

    version: str
    commit: str
    profile: str
    release_build: bool
    target: str
    target_cpu: str
    rustc: str
    python: str
    system: str
    processor: str
    cores: int
    cores_granted: int
    cpu_quota: float | None
    memory_bytes: int | None
    memory_available_bytes: int | None
    memory_limit_bytes: int | None
    shared_memory_bytes: int | None
    grants: list[Grant]

    @classmethod
    def of_this_process(cls) -> DoctorReport:
        """Ask the system; nothing is changed."""
        build: BuildInfo = build_info()
        cores = os.cpu_count() or 1
        cores_granted = _affinity_cores(otherwise=cores)
        shared_memory_bytes = _shared_memory_bytes()
        return cls(
            version=build.version,
            commit=build.commit,
            profile=build.profile,
            release_build=build.is_release,
            target=build.target,
            target_cpu=build.target_cpu,
            rustc=build.rustc,
            python=f"{platform.python_implementation()} {platform.python_version()}",
            system=platform.platform(),
            processor=_processor(),
            cores=cores,
            cores_granted=cores_granted,
            cpu_quota=_cpu_quota(),
            memory_bytes=_memory_bytes(),
            memory_available_bytes=_meminfo_bytes("MemAvailable"),
            memory_limit_bytes=_memory_limit_bytes(),
            shared_memory_bytes=shared_memory_bytes,
            grants=grants(cores_granted=cores_granted, shared_memory_bytes=shared_memory_bytes),
        )

    def to_text(self) -> str:
        """Return the report as aligned lines for a terminal."""
        profile = self.profile if self.release_build else f"{self.profile} (do not measure with it)"
        cores = f"{self.cores_granted} of {self.cores} granted"
        if self.cpu_quota is not None:
            cores += f", quota {self.cpu_quota:g}"
        memory = f"{_size(self.memory_bytes)}, {_size(self.memory_available_bytes)} available"
        if self.memory_limit_bytes is not None:
            memory += f", limit {_size(self.memory_limit_bytes)}"
        rows = {
            "tradewright": f"{self.version}, commit {self.commit}",
            "profile": profile,
            "target": f"{self.target}, cpu {self.target_cpu}",
            "compiler": self.rustc,
            "python": self.python,
            "system": self.system,
            "processor": self.processor,
            "cores": cores,
            "memory": memory,
            "shared memory": _size(self.shared_memory_bytes),
        }
        width = max(map(len, [*rows, *(grant.name for grant in self.grants)]))
        lines = [f"{name:<{width}}  {value}" for name, value in rows.items()]
        lines += ["", "For a node, what is granted and what it costs to lack it:"]
        for grant in self.grants:
            word = {True: "yes", False: "no", None: "?"}[grant.is_granted]
            lines.append(f"{grant.name:<{width}}  {word:<3}  {grant.value}")
            if grant.is_granted is False:
                lines.append(f"{'':<{width}}       {grant.cost}")
        return "\n".join(lines)


def _processor() -> str:
    model = _value_in(Path("/proc/cpuinfo"), "model name")
    return model or platform.processor() or platform.machine()


def _affinity_cores(*, otherwise: int) -> int:
    """Count the cores this process may run on; only Linux restricts them per process."""
    if sys.platform != "linux":
        return otherwise
    return len(os.sched_getaffinity(0))


def _cpu_quota() -> float | None:
    """Return the container's share in cores, such as 1.5."""
    quota = _text(Path("/sys/fs/cgroup/cpu.max")).split()
    if len(quota) != 2 or quota[0] == "max":
        return None
    return int(quota[0]) / int(quota[1])


def _memory_bytes() -> int | None:
    if sys.platform == "win32":
        return None
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _meminfo_bytes(field: str) -> int | None:
    value = _value_in(Path("/proc/meminfo"), field)
    return int(value.removesuffix("kB")) * 1024 if value else None


def _memory_limit_bytes() -> int | None:
    limit = _text(Path("/sys/fs/cgroup/memory.max")).strip()
    return int(limit) if limit.isdecimal() else None


def _shared_memory_bytes() -> int | None:
    """Return the size of the folder in which rings between processes lie."""
    if sys.platform == "win32":
        return None
    try:
        shared = os.statvfs("/dev/shm")  # noqa: S108 - only its size is asked for
    except OSError:
        return None
    return shared.f_blocks * shared.f_frsize


def _value_in(file: Path, field: str) -> str | None:
    """Return the first value of `field` in a file of `field : value` lines."""
    for line in _text(file).splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip() == field:
            return value.strip()
    return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _size(count_bytes: int | None) -> str:
    return "unknown" if count_bytes is None else f"{count_bytes / 2**30:.1f} GiB"
