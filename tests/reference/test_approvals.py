"""Section 11: approvals."""

import hashlib
import struct

from tests.reference import records
from tests.reference.blotter import Blotter, check
from tests.reference.codes import EventKind

BANDED = """
    deposit A2 quote 100000
    deposit A2 base 1000
    deposit A3 quote 100000
    deposit A3 base 1000
    deposit A4 base 1000
    permit A5 15
    permit A6 8
    bands 100 200 wait=50
"""


def test_an_order_above_a_band_waits_outside_the_book() -> None:
    check(
        BANDED
        + """
        buy O1 A2 10 @10         => accepted
        buy O2 A3 11 @10         => accepted; needs 1
        A3                       => quote 99890+110
        sell O3 A4 10 @10        => accepted; 10@10 O1 closing both
        amend O2 A3 12 @10       => order_waits_for_approval
        approve O2 A3            => approver_not_independent
        approve O2 A4            => approver_not_permitted
        approve O2 A5            => approved 1 of 1; O2 released
        approve O2 A6            => order_needs_no_approval
        sell O4 A4 1 @10         => accepted; 1@10 O2 closing taker
        """
    )


def test_two_of_two_and_none_twice() -> None:
    check(
        BANDED
        + """
        sell O1 A2 21 @10        => accepted; needs 2
        approve O1 A5            => approved 1 of 2
        approve O1 A5            => already_approved
        approve O1 A6            => approved 2 of 2; O1 released
        buy O2 A3 1 @10          => accepted; 1@10 O1 closing taker
        """
    )


def test_what_is_open_counts_for_the_group() -> None:
    check(
        BANDED
        + """
        group A2 7
        group A3 7
        buy O1 A2 5 @10          => accepted
        buy O2 A3 5 @10          => accepted
        buy O3 A2 1 @1           => accepted; needs 1
        sell O4 A2 10 @20        => accepted; needs 1
        replace O1 A2 by buy O5 3 @10     => O1 cancelled 5 (replaced); accepted
        replace O5 A2 by buy O6 6 @10     => O5 cancelled 3 (replaced); accepted; needs 1
        amend O2 A3 6 @10        => amendment_needs_approval
        amend O2 A3 4 @10        => amended in place open 4
        """
    )


def test_an_ask_is_worth_what_it_may_trade_at() -> None:
    check(
        BANDED
        + """
        buy O1 A3 10 @10
        sell O2 A2 11 @1         => accepted; needs 1
        sell A2 for 101          => no_reference_price
        reference 50
        sell A2 for 101          => order_not_approvable
        cancel O2 A2
        sell O3 A2 3 @40         => accepted; needs 1
        """
    )


def test_an_ask_is_worth_what_an_auction_gave() -> None:
    check(
        BANDED
        + """
        state auction opening       => setting_applied; auction
        buy O1 A3 2 @40             => accepted
        sell O2 A4 2 @40            => accepted; would trade 2@40 +0
        state continuous            => setting_applied; 2@40 O1 with O2 closing both; uncrossed 2@40 +0; continuous
        sell O3 A2 3 @1             => accepted; needs 1
        """
    )


def test_how_it_ends_without_approval() -> None:
    check(
        BANDED
        + """
        buy O1 A2 11 @10
        decline O1 A4            => approver_not_permitted
        decline O1 A5            => approval_declined; O1 cancelled 11 (declined)
        A2                       => quote 100000+0
        buy O2 A2 11 @10
        cancel O2 A2             => O2 cancelled 11
        buy O3 A2 11 @10
        time 50
        cancel all A2            => O3 expired 11 (approval_expired)
        buy O4 A2 11 @10 until=80
        time 80
        cancel all A2            => O4 expired 11 (good_till_date)
        """
    )


def test_at_release_it_is_checked_again() -> None:
    check(
        BANDED
        + """
        buy O1 A2 11 @10 post    => accepted; needs 1
        sell O2 A4 1 @10
        approve O1 A5            => approved 1 of 1; O1 released; expired 11 (refused_at_release: post_only_would_trade)
        buy O3 A3 11 @10 ioc     => accepted; needs 1
        halt account A3
        approve O3 A6            => approved 1 of 1; O3 released; expired 11 (refused_at_release: account_halted)
        """
    )


def test_a_stop_waits_for_approval_and_then_for_its_price() -> None:
    check(
        BANDED
        + """
        mark 10
        buy O1 A2 11 @20 stop=15 of=mark      => accepted; waits for 15; needs 2
        mark 15                               => setting_applied
        mark 9                                => setting_applied
        approve O1 A5                         => approved 1 of 2
        approve O1 A6                         => approved 2 of 2; O1 released
        mark 15                               => setting_applied; O1 fires at 15
        """
    )


def test_the_hash() -> None:
    blotter = Blotter()
    blotter.lines(BANDED)
    order = records.place(2, 0, 0, 11, 10, client_order_id=b"mine", conditions=records.conditions_record(peak_lots=3))
    events = blotter.send(order)
    (event,) = (event for event in events if event.kind is EventKind.APPROVAL_REQUIRED)
    digest = hashlib.sha256(struct.pack("<Q", 1) + order[24:]).digest()
    assert event.pack()[88:120] == digest
    assert blotter.send(records.approve(5, 1, bytes(32)))[0].kind is EventKind.REJECTED
    assert blotter.send(records.approve(5, 1, digest))[0].kind is EventKind.ORDER_APPROVED
    blotter.finish()
