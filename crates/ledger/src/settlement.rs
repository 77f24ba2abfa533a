//! Settlement of trades: base against quote, with fees, from what was held.

use tradewright_types::{AccountId, Amount, AssetId, Side};

use crate::Ledger;

/// One trade as money sees it.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    /// The maker's account.
    pub maker: AccountId,
    /// What changes hands, in base quanta.
    pub base: Amount,
    /// For how much, in quote quanta.
    pub notional: Amount,
    /// What the taker is charged.
    pub taker_fee: Amount,
    /// What the maker is charged; negative is a rebate.
    pub maker_fee: Amount,
}

/// A taker's side of all its trades in one command. Makers are posted trade by trade; the taker and the fee account once, at
/// the end. It must be given to [`Ledger::settle_taker`].
#[derive(Debug)]
#[must_use = "the taker has not been posted"]
pub struct TakerSettlement {
    pub(crate) account: AccountId,
    pub(crate) side: Side,
    pub(crate) base: AssetId,
    pub(crate) quote: AssetId,
    base_total: Amount,
    notional_total: Amount,
    taker_fees: Amount,
    maker_fees: Amount,
}

impl TakerSettlement {
    /// What has changed hands so far, in base quanta.
    pub fn base_total(&self) -> Amount {
        self.base_total
    }

    /// For how much so far, in quote quanta, without fees.
    pub fn notional_total(&self) -> Amount {
        self.notional_total
    }

    /// What has left the taker's hold so far: base for a seller, quote with fees for a buyer.
    #[inline(always)]
    pub fn paid(&self) -> Amount {
        match self.side {
            Side::Buy => self.notional_total + self.taker_fees,
            Side::Sell => self.base_total,
        }
    }
}

impl Ledger {
    /// Begins a taker's settlement.
    #[inline(always)]
    pub fn begin_taker(&self, account: AccountId, side: Side, base: AssetId, quote: AssetId) -> TakerSettlement {
        TakerSettlement {
            account,
            side,
            base,
            quote,
            base_total: Amount::ZERO,
            notional_total: Amount::ZERO,
            taker_fees: Amount::ZERO,
            maker_fees: Amount::ZERO,
        }
    }

    /// Posts the maker's side of a trade and notes the taker's. What the maker gives comes out of its hold.
    #[inline(always)]
    pub fn settle_maker(&mut self, taker: &mut TakerSettlement, fill: &Fill) {
        match taker.side {
            // The maker sells: base leaves its hold, the proceeds less the fee come in.
            Side::Buy => {
                self.balance_mut(fill.maker, taker.base).held -= fill.base;
                self.balance_mut(fill.maker, taker.quote).available += fill.notional - fill.maker_fee;
            }
            // The maker buys: its hold covers notional and fee exactly; a rebate comes in free.
            Side::Sell => {
                let quote = self.balance_mut(fill.maker, taker.quote);
                if fill.maker_fee.is_positive() {
                    quote.held -= fill.notional + fill.maker_fee;
                } else {
                    quote.held -= fill.notional;
                    quote.available -= fill.maker_fee;
                }
                self.balance_mut(fill.maker, taker.base).available += fill.base;
            }
        }
        taker.base_total += fill.base;
        taker.notional_total += fill.notional;
        taker.taker_fees += fill.taker_fee;
        taker.maker_fees += fill.maker_fee;
    }

    /// Posts the taker's side of all its trades, and the fees. `hold` is what was held for the order when it came in; `keep` what
    /// the part of it that rests goes on holding. The rest becomes available.
    #[inline(always)]
    pub fn settle_taker(&mut self, taker: &TakerSettlement, hold: Amount, keep: Amount) {
        let &TakerSettlement { account, side, base, quote, base_total, notional_total, taker_fees, maker_fees } = taker;
        let back = match side {
            Side::Buy => hold - (notional_total + taker_fees) - keep,
            Side::Sell => hold - base_total - keep,
        };
        debug_assert!(back >= Amount::ZERO, "Invariant: an order is covered at its worst price");
        let (paid_asset, received_asset) = if side == Side::Buy { (quote, base) } else { (base, quote) };
        let paid = self.balance_mut(account, paid_asset);
        paid.held -= hold - keep;
        paid.available += back;
        if notional_total.is_positive() {
            let received = if side == Side::Buy { base_total } else { notional_total - taker_fees };
            self.balance_mut(account, received_asset).available += received;
            self.balance_mut(AccountId::FEE, quote).available += taker_fees + maker_fees;
        }
    }

    /// Moves base and its notional between two accounts whose orders would have traded, without fees. The seller's base and
    /// the buyer's notional come out of their holds.
    pub fn settle_prevented(
        &mut self,
        seller: AccountId,
        buyer: AccountId,
        (base, base_amount): (AssetId, Amount),
        (quote, notional): (AssetId, Amount),
    ) {
        self.balance_mut(seller, base).held -= base_amount;
        self.balance_mut(buyer, base).available += base_amount;
        self.balance_mut(buyer, quote).held -= notional;
        self.balance_mut(seller, quote).available += notional;
    }
}
