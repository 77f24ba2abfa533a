"""Approval bands: how many approvers an order needs by what it is worth."""

from __future__ import annotations

from z3 import And, ArithRef, If, Implies, Ints

from tests.lemmas.lemma import Claim, Lemma

APPROVERS = "crates/types/src/approval.rs ApprovalBands::approvers"
VALID = "crates/types/src/approval.rs ApprovalBands::are_valid"

first, second, third = Ints("first second third")
worth, more, part = Ints("worth more part")


def approvers(value: ArithRef) -> ArithRef:
    """The place of the last threshold that is set and below the value."""
    passed = [And(threshold != 0, value > threshold) for threshold in (first, second, third)]
    return If(passed[2], 3, If(passed[1], 2, If(passed[0], 1, 0)))


SET = [first >= 0, second >= 0, third >= 0]
RISING = [
    *SET,
    Implies(And(first != 0, second != 0), first < second),
    Implies(And(second != 0, third != 0), second < third),
    Implies(And(first != 0, third != 0), first < third),
]
WORTH = [worth >= 0, part >= 0, part <= worth, more >= worth]
COUNT = If(worth > first, 1, 0) + If(worth > second, 1, 0) + If(worth > third, 1, 0)

LEMMAS = [
    Lemma(
        name="more worth needs no fewer approvers",
        says="When an order is worth more, or more is open beside it, it needs as many approvers or more; worth"
        " nothing, none.",
        functions=(APPROVERS, VALID),
        claim=Claim(
            given=[*RISING, *WORTH],
            then=And(approvers(worth) <= approvers(more), Implies(worth == 0, approvers(worth) == 0)),
        ),
        control=Claim(given=[*RISING, *WORTH, worth < more], then=approvers(worth) < approvers(more)),
        control_says="a little more need not need more",
    ),
    Lemma(
        name="splitting an order saves no approver",
        says="When an order comes in two parts and the first is still open, the second is judged by both: the stricter"
        " of the two judgements is the one that the whole would get.",
        functions=(APPROVERS,),
        claim=Claim(
            given=[*RISING, *WORTH],
            then=If(approvers(part) > approvers(worth), approvers(part), approvers(worth)) == approvers(worth),
        ),
        control=Claim(
            given=[*RISING, *WORTH],
            then=If(approvers(part) > approvers(worth - part), approvers(part), approvers(worth - part))
            == approvers(worth),
        ),
        control_says="judged each alone, both parts may need nobody",
    ),
    Lemma(
        name="thresholds that rise are counted",
        says="With three thresholds an order needs one approver for each that it is above.",
        functions=(APPROVERS, VALID),
        claim=Claim(given=[*RISING, first > 0, second > 0, third > 0, worth >= 0], then=approvers(worth) == COUNT),
        control=Claim(given=[*SET, first > 0, second > 0, third > 0, worth >= 0], then=approvers(worth) == COUNT),
        control_says="if they did not rise, it might need three and be above one",
    ),
]
