"""Rules of allocation in words for people: TOP and lead market makers."""

from __future__ import annotations

from decimal import Decimal

import pytest

import tradewright as tw


def test_top_and_leads(exchange: tw.Exchange) -> None:
    market = exchange.list_spot("GOLD/USD", tick=1, lot=1)
    makers = [exchange.open_account(f"maker-{n}") for n in range(4)]
    taker = exchange.open_account("taker")
    taker.deposit("USD", 100_000)
    first, second, third, fourth = makers
    leads = {third: "0.1", fourth: "0.4"}
    market.set_allocation(tw.AllocationRule.SPLIT, fifo=1, top=(0, 10), leads=leads)
    assert market.top == (Decimal(0), Decimal(10))
    assert market.leads == {"maker-2": Decimal("0.1"), "maker-3": Decimal("0.4")}
    for maker, quantity in zip(makers, (20, 50, 50, 50), strict=True):
        maker.deposit("GOLD", 100)
        maker.sell(market, quantity=quantity, price=100)
    taken = taker.buy(market, quantity=60, price=100)
    assert [int(fill.quantity) for fill in taken.fills] == [20, 15, 5, 20]
    with pytest.raises(tw.InvalidSetting, match="BookNotEmpty"):
        market.set_allocation(tw.AllocationRule.SPLIT)
    for maker in makers:
        maker.cancel_all()
    with pytest.raises(tw.InvalidSetting, match="LeadsAboveWhole"):
        market.set_allocation(tw.AllocationRule.SPLIT, leads={first: 1, second: "0.1"})
    with pytest.raises(tw.InvalidSetting, match="RuleHasNoSteps"):
        market.set_allocation(tw.AllocationRule.PRO_RATA, top=(0, 1))
    market.set_allocation(tw.AllocationRule.PRICE_TIME)
    assert not market.leads
