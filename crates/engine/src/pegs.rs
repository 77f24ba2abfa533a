//! Pegs: orders whose price is tied to the best displayed ones. A fixed peg finds its price once and is an order like any
//! other from there on. A following one moves after each command, in the order in which they came.
//!
//! Where the following pegs of a market stand is a function of the best prices around them and of nothing else: each stands
//! where it wants, but behind what would trade with it, those pegs included that came before it. So as long as those prices
//! stay, nobody needs to be looked at but who is new.

use std::collections::BTreeMap;

use tradewright_book::Slot;
use tradewright_risk::HeldOrder;
use tradewright_types::{
    Decoded, InstrumentId, NewOrder, OrderId, Peg, PegKind, Price, Quantity, RejectReason, RoundedFee, Side, Size,
};

use crate::Engine;
use crate::approvals::Stake;
use crate::emit::Emitter;
use crate::floor::{Floor, Market};
use crate::open_orders::{OpenOrders, Shelf, Station};

/// The following pegs of a market.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pegs {
    /// All of them, in the order in which they came.
    pub(crate) following: BTreeMap<OrderId, Slot>,
    /// Those that were not placed yet.
    fresh: Vec<OrderId>,
    /// What was around them when they were placed. None when that must be done anew.
    seen: Option<Around>,
    /// Whether one of them stands behind another one instead of where it wants.
    pressed: bool,
}

/// What decides where following pegs stand: the best bid and ask of the book, of the hidden orders, and the price increment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Around {
    displayed: [Option<Price>; 2],
    hidden: [Option<Price>; 2],
    increment: u32,
}

impl Market {
    fn around(&self) -> Around {
        let best = |shelf: Shelf| [Side::Buy, Side::Sell].map(|side| self.shelf(shelf).best(side));
        let increment = self.instrument.limits().price_increment_ticks;
        Around { displayed: best(Shelf::Book), hidden: best(Shelf::Hidden), increment }
    }

    /// The limit of a fixed peg: the price so many levels behind the best one of the side that it refers to, as if the order
    /// `without` were gone.
    pub(crate) fn fixed_price(&self, open: &OpenOrders, side: Side, peg: Peg, without: Option<Slot>) -> Option<Price> {
        let of = match peg.kind {
            PegKind::Primary => side,
            PegKind::Market | PegKind::Midpoint => side.opposite(),
        };
        let is_there = |slot: Slot| Some(slot) != without;
        let levels = self.book.levels(of).filter(|(_, level)| self.book.queue(&open.slab, level).any(is_there));
        levels.map(|(price, _)| price).nth(peg.offset as usize)
    }
}

impl Engine {
    /// Places an order whose price follows others.
    pub(crate) fn place_following(&mut self, order: &NewOrder<'_>, emit: &mut Emitter<'_>) -> Decoded<()> {
        let mut floor = self.floor(order.instrument).ok_or(RejectReason::UnknownInstrument)?;
        let (mut gate, open, market) = floor.gate_beside();
        let is_duplicate = || open.is_client_open(order.account, order.client_order_id);
        let stake = Stake { risk: gate.risk, market, open, gone: None };
        let approval = |limit, opposite_best| stake.approval(order, limit, opposite_best);
        let held = gate.check_and_hold_following(order, is_duplicate, None, approval)?;
        floor.begin_following(&held, emit);
        Ok(())
    }

    /// Lets the following pegs of all markets stand where they belong now.
    #[inline(always)]
    pub(crate) fn move_pegs(&mut self, emit: &mut Emitter<'_>) {
        if !self.open.pegged.is_empty() {
            self.move_some_pegs(emit);
        }
    }

    #[cold]
    #[inline(never)]
    fn move_some_pegs(&mut self, emit: &mut Emitter<'_>) {
        let mut next = self.open.pegged.first().copied();
        while let Some(id) = next {
            if let Some(mut floor) = self.floor(id) {
                floor.move_pegs(emit);
            }
            next = self.open.pegged.range(InstrumentId(id.0 + 1)..).next().copied();
        }
    }
}

impl Floor<'_> {
    /// An order with the price that it has: of a fixed peg the one that it finds, as if the order `without` were gone.
    pub(crate) fn priced<'r>(&mut self, order: &NewOrder<'r>, without: Option<Slot>) -> Decoded<NewOrder<'r>> {
        let Some(peg @ Peg { is_fixed: true, .. }) = order.conditions().peg else { return Ok(*order) };
        match self.market.fixed_price(self.open, order.side, peg, without) {
            Some(price) => Ok(NewOrder { price, ..*order }),
            None => {
                let (gate, _) = self.gate();
                gate.refuse_unpriced(order)?;
                Err(RejectReason::NoPegReference)
            }
        }
    }

    /// Accepts an order whose price follows others. It waits outside the book until the command is done.
    pub(crate) fn begin_following(&mut self, held: &HeldOrder<'_>, emit: &mut Emitter<'_>) {
        self.last_order.0 += 1;
        let id = *self.last_order;
        emit.accepted(id, held);
        emit.conditions(id, held.order(), Price::default());
        let Size::Lots(open) = held.order().size else { unreachable!("Invariant: only orders by quantity are pegged") };
        let slot = self.open_slot(id, held, held.order().flags, open, Quantity::ZERO, RoundedFee::default());
        self.note_conditions(id, slot, held, Station::Peg);
        self.note_peg(id, slot);
        self.market.aside_mut().pegs.fresh.push(id);
    }

    /// Notes a following peg.
    pub(crate) fn note_peg(&mut self, id: OrderId, slot: Slot) {
        self.market.aside_mut().pegs.following.insert(id, slot);
        self.open.pegged.insert(self.id);
        self.open.timers.attend_pegs(true);
    }

    /// Forgets a following peg that goes.
    pub(crate) fn forget_peg(&mut self, id: OrderId) {
        let pegs = &mut self.market.aside_mut().pegs;
        pegs.following.remove(&id);
        pegs.fresh.retain(|fresh| *fresh != id);
        if pegs.pressed {
            // Those that stood behind it may come forward.
            pegs.seen = None;
        }
        if pegs.following.is_empty() {
            self.open.pegged.remove(&self.id);
            self.open.timers.attend_pegs(!self.open.pegged.is_empty());
        }
    }

    /// Takes the following pegs out of a book that stops trading: they wait until it trades again.
    pub(crate) fn withdraw_pegs(&mut self, emit: &mut Emitter<'_>) {
        let Some(aside) = self.market.aside.as_deref_mut() else { return };
        aside.pegs.seen = None;
        let slots: Vec<Slot> = aside.pegs.following.values().copied().collect();
        for slot in slots.into_iter().filter(|slot| self.open.slab[*slot].is_queued()).collect::<Vec<_>>() {
            self.move_peg(slot, None, emit);
        }
    }

    /// Lets the following pegs stand where they belong now. Nothing moves in a halt, or where nothing trades.
    fn move_pegs(&mut self, emit: &mut Emitter<'_>) {
        if self.risk.halted || !self.market.instrument.state.trades() {
            return;
        }
        let around = self.market.around();
        let Some(aside) = self.market.aside.as_deref_mut() else { return };
        let stays = aside.pegs.seen == Some(around);
        if stays && aside.pegs.fresh.is_empty() {
            return;
        }
        aside.pegs.seen = Some(around);
        let fresh = core::mem::take(&mut aside.pegs.fresh);
        let following = core::mem::take(&mut aside.pegs.following);
        // Who is new came last, so that all others are placed already.
        let mut placed = [None; 2];
        if stays {
            placed = [Side::Buy, Side::Sell].map(|side| {
                let best = [Shelf::Pegs, Shelf::HiddenPegs].map(|shelf| self.market.shelf(shelf).best(side));
                best.into_iter().flatten().reduce(|one, other| side.better(one, other))
            });
            for id in fresh {
                let slot = following.get(&id).copied();
                slot.into_iter().for_each(|slot| self.place_peg(slot, &around, &mut placed, emit));
            }
        } else {
            self.set_pressed(false);
            following.values().for_each(|slot| self.place_peg(*slot, &around, &mut placed, emit));
        }
        if let Some(aside) = self.market.aside.as_deref_mut() {
            aside.pegs.following = following;
        }
    }

    /// Lets a peg stand where it belongs, when those before it are `placed` with these best prices.
    fn place_peg(&mut self, slot: Slot, around: &Around, placed: &mut [Option<Price>; 2], emit: &mut Emitter<'_>) {
        let side = self.open.slab[slot].terms.side;
        let (wanted, is_pressed) = wanted_price(self.open, slot, around, *placed);
        if is_pressed {
            self.set_pressed(true);
        }
        self.move_peg(slot, wanted, emit);
        let best = &mut placed[side as usize];
        *best = [*best, wanted].into_iter().flatten().reduce(|one, other| side.better(one, other));
    }

    /// Lets a peg stand at a price, or outside the book.
    fn move_peg(&mut self, slot: Slot, wanted: Option<Price>, emit: &mut Emitter<'_>) {
        let now = self.open.slab[slot].is_queued().then(|| self.price_of(slot));
        if wanted != now {
            self.leave_book(slot);
            self.open.renew_priority(slot);
            wanted.into_iter().for_each(|price| self.join_book(slot, price));
            let order = self.closing_at(slot, wanted.unwrap_or_default());
            emit.repriced(&order, now.unwrap_or_default());
        }
    }

    fn set_pressed(&mut self, pressed: bool) {
        if let Some(aside) = self.market.aside.as_deref_mut() {
            aside.pegs.pressed = pressed;
        }
    }
}

/// The price at which a following peg belongs, and whether a peg before it keeps it from a better one.
fn wanted_price(open: &OpenOrders, slot: Slot, around: &Around, placed: [Option<Price>; 2]) -> (Option<Price>, bool) {
    let side = open.slab[slot].terms.side;
    let known = open.conditional(slot);
    let peg = known.conditions.peg.expect("Invariant: what follows is pegged");
    let opposite = side.opposite() as usize;
    let better = |one: Option<Price>, other: Option<Price>| {
        [one, other].into_iter().flatten().reduce(|one, other| side.opposite().better(one, other))
    };
    let others = better(around.displayed[opposite], around.hidden[opposite]);
    let price = |barrier| peg.price(side, around.displayed, known.limit, barrier, around.increment);
    let (free, behind) = (price(others), price(better(others, placed[opposite])));
    (behind, free != behind)
}

/// Panics unless the following pegs of a market are those that are open, and stand where they belong.
pub(crate) fn check_pegs(market: &Market, open: &OpenOrders, id: InstrumentId, halted: bool) {
    let own =
        open.slab.iter().filter(|(slot, order)| order.terms.instrument == id && open.station(*slot) == Station::Peg);
    let pegs: BTreeMap<OrderId, Slot> = own.map(|(slot, order)| (order.id, slot)).collect();
    assert_eq!(!pegs.is_empty(), open.pegged.contains(&id), "Invariant: markets with following pegs are known");
    let Some(aside) = market.aside.as_deref() else {
        assert!(pegs.is_empty(), "Invariant: following pegs stand beside the book");
        return;
    };
    let Pegs { following, fresh, seen: _, pressed: _ } = &aside.pegs;
    assert_eq!(pegs, *following, "Invariant: following pegs are known");
    if !market.instrument.state.trades() {
        let waits = following.values().all(|slot| !open.slab[*slot].is_queued());
        assert!(waits, "Invariant: pegs stand on the book only where it trades");
        return;
    }
    if halted {
        return;
    }
    assert!(fresh.is_empty(), "Invariant: a following peg is placed when the command is done");
    let (around, mut placed) = (market.around(), [None; 2]);
    for slot in following.values() {
        let order = &open.slab[*slot];
        let side = order.terms.side;
        let (wanted, _) = wanted_price(open, *slot, &around, placed);
        let now = order.is_queued().then(|| market.shelf(open.shelf(*slot)).price_of(&open.slab, side, *slot));
        assert_eq!(now, wanted, "Invariant: a following peg stands where it belongs");
        let best = &mut placed[side as usize];
        *best = [*best, wanted].into_iter().flatten().reduce(|one, other| side.better(one, other));
    }
}
