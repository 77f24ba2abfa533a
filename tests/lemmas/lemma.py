"""A lemma: a sentence, the Rust functions it speaks of, a claim that must hold always, and a control that must not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import z3

TIMEOUT_MS = 120_000
"""The slowest takes seconds on an idle machine; a busy one is no reason to doubt a lemma."""

Formula = Any
"""A formula of z3, or a bool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """That `then` follows from everything in `given`, for all values of what is free in them."""

    given: list[Formula] = field(default_factory=list)
    then: Formula

    def verdict(self) -> str:
        """Return `proved`, or `refuted` with the values that refute it, or `unknown`."""
        solver = z3.Solver()
        solver.set("timeout", TIMEOUT_MS)
        solver.add(*self.given, z3.Not(self.then))
        result = solver.check()
        if result == z3.unsat:
            return "proved"
        return f"refuted by {solver.model()}" if result == z3.sat else f"unknown: {solver.reason_unknown()}"

    def can_be(self) -> bool:
        """Tell whether what is given can be true at all: everything follows from what cannot."""
        solver = z3.Solver()
        solver.set("timeout", TIMEOUT_MS)
        solver.add(*self.given)
        return bool(solver.check() == z3.sat)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lemma:
    """A claim about Rust functions. `control` is nearly the same and false: it shows that the claim says something."""

    name: str
    says: str
    functions: tuple[str, ...]
    """File and function: `crates/types/src/fee.rs RoundedFee::charge`."""
    claim: Claim
    control: Claim
    control_says: str
