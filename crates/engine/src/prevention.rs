//! Self-trade prevention: what happens instead of a trade with oneself.

use tradewright_book::Front;
use tradewright_risk::resting_hold;
use tradewright_types::{Amount, EventFlags, Quantity, SelfTradePrevention, Side};

use crate::emit::{Emitter, Match};
use crate::floor::{Floor, held_price};
use crate::matching::Taker;

impl Floor<'_> {
    /// Prevents a match of the taker with its own maker. Returns whether the taker goes on.
    #[cold]
    pub(crate) fn prevent(&mut self, taker: &mut Taker, front: Front, emit: &mut Emitter<'_>) -> bool {
        use SelfTradePrevention::{Decrement, ExpireBoth, ExpireMaker, ExpireTaker, None, Transfer};
        let Front { slot, price } = front;
        let maker = self.open.slab[slot];
        let mode = match (taker.self_trade_prevention, maker.terms.self_trade_prevention) {
            // Within one account there is nothing to move.
            (Transfer, Transfer) if maker.account != taker.account => Transfer,
            (Transfer, Transfer) => Decrement,
            (Transfer, None | ExpireTaker | ExpireMaker | ExpireBoth | Decrement) => Decrement,
            (mode, _) => mode,
        };
        let maker_open = self.open.open_of(slot);
        let smaller = taker.open.min(maker_open);
        let (from_taker, from_maker) = match mode {
            None | ExpireMaker => (Quantity::ZERO, maker_open),
            ExpireTaker => (taker.open, Quantity::ZERO),
            ExpireBoth => (taker.open, maker_open),
            Decrement | Transfer => (smaller, smaller),
        };
        let moves = mode == Transfer;
        let closes_taker = match mode {
            ExpireTaker | ExpireBoth => true,
            None | ExpireMaker => false,
            Decrement | Transfer => from_taker == taker.open,
        };
        let closes_maker = from_maker == maker_open;
        if self.market.lists > 0 {
            self.before_loss(taker.id, from_taker, emit);
            self.before_loss(maker.id, from_maker, emit);
        }
        taker.open -= from_taker;
        taker.prevented += from_taker;
        let notional = self.give_back(taker, front, from_maker, moves);
        self.market.prevented += 1;
        emit.prevented(
            &Match {
                instrument: self.id,
                taker: taker.id,
                taker_account: taker.account,
                maker: maker.id,
                maker_account: maker.account,
                side: taker.side,
                price,
                quantity: from_taker,
                open: from_maker,
                amount: if closes_taker && !moves { taker.unspent() } else { notional },
                counter_amount: Amount::ZERO,
                flags: EventFlags::TAKER_DONE
                    .when(closes_taker)
                    .with(EventFlags::MAKER_DONE.when(closes_maker))
                    .with(EventFlags::TRANSFERRED.when(moves)),
                reference: self.market.prevented,
            },
            mode,
        );
        if !from_maker.is_zero() {
            self.open.notes[slot.0 as usize].prevented += from_maker;
            if closes_maker {
                self.leave_book(slot);
                self.forget(slot);
            } else {
                self.reduce_resting(slot, from_maker);
            }
        }
        !closes_taker
    }

    /// Gives back what a maker holds for `quantity`, or moves it to the other account. Returns the notional that moved.
    fn give_back(&mut self, taker: &mut Taker, front: Front, quantity: Quantity, moves: bool) -> Amount {
        let (maker, open) = (self.open.slab[front.slot], self.open.open_of(front.slot));
        let side = taker.side.opposite();
        let units = self.market.instrument.units;
        let held_at = held_price(self.market, self.open, front.slot);
        let hold = |open| resting_hold(&units, side, held_at, open, maker.terms.maker_rate, maker.terms.maker_fee);
        let freed = hold(open) - hold(open - quantity);
        let (base, notional) = (units.base_amount(quantity), units.notional(front.price, quantity));
        if side == Side::Buy {
            *self.market.instrument.open_bids_mut(maker.account) -= quantity.lots();
        }
        if !moves {
            let asset = if side == Side::Buy { units.quote } else { units.base };
            self.ledger.release(maker.account, asset, freed);
            return Amount::ZERO;
        }
        let (seller, buyer) =
            if side == Side::Buy { (taker.account, maker.account) } else { (maker.account, taker.account) };
        self.ledger.settle_prevented(seller, buyer, (units.base, base), (units.quote, notional));
        if side == Side::Buy {
            self.ledger.release(maker.account, units.quote, freed - notional);
            taker.transferred += base;
        } else {
            taker.transferred += notional;
        }
        notional
    }
}
