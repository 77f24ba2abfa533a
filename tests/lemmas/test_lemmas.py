"""Every lemma is proved, its control is refuted, and its functions are the ones that somebody held against it.

docs/internals/lemmas.md has them as sentences. That a lemma's formula is what Rust computes is for the tests beside the
crates: `crates/{types,book,risk,ledger}/tests/lemmas.rs`, and the other tests here, which ask the whole engine.
"""

from __future__ import annotations

import pytest

from tests.lemmas.catalogue import LEMMAS
from tests.lemmas.lemma import Lemma
from tests.lemmas.source import ROOT, accepted, fingerprint, source

PLACES = sorted({place for lemma in LEMMAS for place in lemma.functions})
each_lemma = pytest.mark.parametrize("lemma", LEMMAS, ids=lambda lemma: lemma.name)


@each_lemma
def test_it_is_proved(lemma: Lemma) -> None:
    assert lemma.claim.can_be(), "what is given cannot be true, so the claim says nothing"
    assert lemma.claim.verdict() == "proved", lemma.says


@each_lemma
def test_its_control_is_refuted(lemma: Lemma) -> None:
    assert lemma.control.verdict().startswith("refuted"), lemma.control_says


@each_lemma
def test_it_names_functions(lemma: Lemma) -> None:
    assert lemma.functions


@pytest.mark.parametrize("place", PLACES)
def test_its_functions_are_as_they_were(place: str) -> None:
    about = [lemma.name for lemma in LEMMAS if place in lemma.functions]
    assert fingerprint(place) == accepted().get(place), (
        f"{place} changed since its lemmas were looked at: {', '.join(about)}. Hold them against\n    {source(place)}\n"
        f"and then: python -m tests.lemmas.source --accept {place.split(' ')[1]}"
    )


def test_no_function_is_noted_that_no_lemma_names() -> None:
    assert sorted(accepted()) == PLACES


def test_names_are_different() -> None:
    names = [lemma.name for lemma in LEMMAS]
    assert sorted(set(names)) == sorted(names)


@each_lemma
def test_the_page_tells_it(lemma: Lemma) -> None:
    page = (ROOT / "docs" / "internals" / "lemmas.md").read_text(encoding="utf-8")
    assert f"| **{lemma.name}**: {lemma.says} | {lemma.control_says} |" in page
