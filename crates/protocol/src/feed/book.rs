//! The book as a client of the feed has it: every order that is shown, in the order in which they trade.

use std::collections::BTreeMap;

use tradewright_types::Side;

use super::{FeedError, FeedMessage};
use crate::order_map::NumberMap;

/// An order that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedOrder {
    /// Its id.
    pub order: u64,
    /// Its instrument.
    pub instrument: u32,
    /// Its side.
    pub side: Side,
    /// Its price.
    pub price_ticks: i64,
    /// What it shows.
    pub lots: u64,
}

/// A price, with what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedLevel {
    /// The price.
    pub price_ticks: i64,
    /// What is shown there in all.
    pub lots: u64,
    /// How many orders that is.
    pub orders: u32,
}

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Slot {
    order: FeedOrder,
    before: u32,
    behind: u32,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    first: u32,
    last: u32,
    lots: u64,
    orders: u32,
}

/// What is known of an instrument beside its orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Market {
    state: u8,
    phase: u8,
    last_price_ticks: i64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct FeedBook {
    slots: Vec<Slot>,
    free: Vec<u32>,
    places: NumberMap<u64, u32>,
    /// By instrument, side and rank: the better a price, the smaller its rank.
    levels: BTreeMap<(u32, u8, i64), Level>,
    markets: BTreeMap<u32, Market>,
}

/// What decides which of two prices of a side comes first.
const fn rank(side: Side, price_ticks: i64) -> i64 {
    match side {
        Side::Buy => -price_ticks,
        Side::Sell => price_ticks,
    }
}

impl FeedBook {
    /// Takes a message in.
    ///
    /// # Errors
    /// When it does not fit to what is there: something was missed.
    pub fn apply(&mut self, message: &FeedMessage) -> Result<(), FeedError> {
        let template = message.template();
        match message {
            FeedMessage::Add(add) => {
                let (order, instrument) = (add.order.get(), add.instrument.get());
                self.insert(template, order, instrument, add.side.0, add.price.get(), add.quantity.get())
            }
            FeedMessage::SnapshotOrder(add) => {
                let (order, instrument) = (add.order.get(), add.instrument.get());
                self.insert(template, order, instrument, add.side.0, add.price.get(), add.quantity.get())
            }
            FeedMessage::Execute(execute) => {
                self.market(execute.instrument.get()).last_price_ticks = execute.price.get();
                self.resize(execute.order.get(), execute.remaining.get())
            }
            FeedMessage::Reduce(reduce) => self.resize(reduce.order.get(), reduce.remaining.get()),
            FeedMessage::Delete(delete) => self.resize(delete.order.get(), 0),
            FeedMessage::Replace(replace) => {
                let place = self.place(replace.order.get())?;
                let order = self.slots[place as usize].order;
                self.remove(place);
                let (price, quantity) = (replace.price.get(), replace.quantity.get());
                self.insert(template, order.order, order.instrument, order.side as u8, price, quantity)
            }
            FeedMessage::Trade(trade) => {
                self.market(trade.instrument.get()).last_price_ticks = trade.price.get();
                Ok(())
            }
            FeedMessage::State(state) => {
                let market = self.market(state.instrument.get());
                (market.state, market.phase) = (state.state.0, state.phase.0);
                Ok(())
            }
            FeedMessage::SnapshotInstrument(instrument) => {
                let market = self.market(instrument.instrument.get());
                (market.state, market.phase) = (instrument.state.0, instrument.phase.0);
                market.last_price_ticks = instrument.last_price.get();
                Ok(())
            }
            FeedMessage::SnapshotBegin(_) => {
                *self = Self::default();
                Ok(())
            }
            FeedMessage::Auction(_)
            | FeedMessage::SnapshotEnd(_)
            | FeedMessage::RetransmitRequest(_)
            | FeedMessage::SnapshotRequest(_)
            | FeedMessage::Refused(_) => Ok(()),
        }
    }

    fn market(&mut self, instrument: u32) -> &mut Market {
        self.markets.entry(instrument).or_default()
    }

    fn place(&self, order: u64) -> Result<u32, FeedError> {
        self.places.get(&order).copied().ok_or(FeedError::UnknownOrder { order })
    }

    fn insert(
        &mut self,
        template: u16,
        order: u64,
        instrument: u32,
        side: u8,
        price_ticks: i64,
        lots: u64,
    ) -> Result<(), FeedError> {
        let side = Side::from_code(side).filter(|_| lots > 0 && price_ticks > i64::MIN);
        let side = side.ok_or(FeedError::FieldOutOfRange { template })?;
        if self.places.contains_key(&order) {
            return Err(FeedError::OrderTwice { order });
        }
        let key = (instrument, side as u8, rank(side, price_ticks));
        let last = self.levels.get(&key).map_or(NONE, |level| level.last);
        let order = FeedOrder { order, instrument, side, price_ticks, lots };
        let slot = Slot { order, before: last, behind: NONE };
        let place = match self.free.pop() {
            Some(place) => {
                self.slots[place as usize] = slot;
                place
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        if last != NONE {
            self.slots[last as usize].behind = place;
        }
        let level = self.levels.entry(key).or_insert(Level { first: place, last: place, lots: 0, orders: 0 });
        level.last = place;
        level.lots = level.lots.wrapping_add(lots);
        level.orders += 1;
        self.places.insert(order.order, place);
        Ok(())
    }

    /// Lets an order show so much; with nothing it is gone.
    fn resize(&mut self, order: u64, lots: u64) -> Result<(), FeedError> {
        let place = self.place(order)?;
        if lots == 0 {
            self.remove(place);
            return Ok(());
        }
        let order = &mut self.slots[place as usize].order;
        let before = core::mem::replace(&mut order.lots, lots);
        let key = (order.instrument, order.side as u8, rank(order.side, order.price_ticks));
        if let Some(level) = self.levels.get_mut(&key) {
            level.lots = level.lots.wrapping_sub(before).wrapping_add(lots);
        }
        Ok(())
    }

    fn remove(&mut self, place: u32) {
        let Slot { order, before, behind } = self.slots[place as usize];
        let key = (order.instrument, order.side as u8, rank(order.side, order.price_ticks));
        if before != NONE {
            self.slots[before as usize].behind = behind;
        }
        if behind != NONE {
            self.slots[behind as usize].before = before;
        }
        if let Some(level) = self.levels.get_mut(&key) {
            level.lots = level.lots.wrapping_sub(order.lots);
            level.orders -= 1;
            if before == NONE {
                level.first = behind;
            }
            if behind == NONE {
                level.last = before;
            }
            if level.orders == 0 {
                self.levels.remove(&key);
            }
        }
        self.places.remove(&order.order);
        self.free.push(place);
    }

    /// An order that is shown.
    pub fn order(&self, order: u64) -> Option<&FeedOrder> {
        self.places.get(&order).map(|place| &self.slots[*place as usize].order)
    }

    /// How many orders are shown.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The instruments that were heard of, with state and phase.
    pub fn instruments(&self) -> impl Iterator<Item = (u32, u8, u8)> {
        self.markets.iter().map(|(instrument, market)| (*instrument, market.state, market.phase))
    }

    /// The instruments that have orders.
    pub fn listed(&self) -> impl Iterator<Item = u32> {
        let mut after = Some(0);
        core::iter::from_fn(move || {
            let ((instrument, ..), _) = self.levels.range((after?, 0, i64::MIN)..).next()?;
            after = instrument.checked_add(1);
            Some(*instrument)
        })
    }

    /// The price of the last trade of an instrument that was heard of.
    pub fn last_price_ticks(&self, instrument: u32) -> Option<i64> {
        self.markets.get(&instrument).map(|market| market.last_price_ticks).filter(|price| *price != 0)
    }

    /// The levels of one side, best first.
    pub fn levels(&self, instrument: u32, side: Side) -> impl Iterator<Item = FeedLevel> {
        self.ranked(instrument, side).map(move |(rank, level)| {
            let price_ticks = if side == Side::Buy { -rank } else { rank };
            FeedLevel { price_ticks, lots: level.lots, orders: level.orders }
        })
    }

    fn ranked(&self, instrument: u32, side: Side) -> impl Iterator<Item = (i64, &Level)> {
        let code = side as u8;
        let range = self.levels.range((instrument, code, i64::MIN)..=(instrument, code, i64::MAX));
        range.map(|((_, _, rank), level)| (*rank, level))
    }

    /// The best level of one side.
    pub fn best(&self, instrument: u32, side: Side) -> Option<FeedLevel> {
        self.levels(instrument, side).next()
    }

    /// The orders of one side, in the order in which they trade.
    pub fn queue(&self, instrument: u32, side: Side) -> impl Iterator<Item = &FeedOrder> {
        self.ranked(instrument, side).flat_map(move |(_, level)| {
            let next = |place: &u32| Some(self.slots[*place as usize].behind).filter(|place| *place != NONE);
            core::iter::successors(Some(level.first), next).map(|place| &self.slots[place as usize].order)
        })
    }
}
