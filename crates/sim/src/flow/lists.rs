//! Orders that traders tie together: a way out on both sides of the price, and entries that bring their ways out along.

use std::collections::BTreeMap;

use tradewright_types::{
    AccountId, CommandKind, CommandRecord, Conditions, Contingency, EventRecord, OrderFlags, Side, TriggerKind,
};

use super::Flow;
use super::observe::{number_id, text_id};
use super::population::Population;
use super::protection::record_of;

/// Of a million ways out of a pair, how many wait for a take-profit instead of standing on the book.
const TRIGGERED_PPM: u64 = 300_000;

/// A part of a list, as its events come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    /// It comes to the market, or begins to wait for its trigger, with the list.
    First,
    /// It waits until the first is filled.
    Pending,
}

/// A list that ties orders together.
#[derive(Clone, Debug)]
struct KnownList {
    account: u32,
    /// The ids of its orders.
    orders: Vec<u64>,
}

/// The lists that are not done, as the events tell of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    known: BTreeMap<u64, KnownList>,
    /// The list whose orders the next events are about.
    accepting: u64,
    has_working_leg: bool,
    /// How many of its orders are still to come.
    left: u64,
}

impl Lists {
    /// A list was accepted: its orders follow.
    #[cold]
    pub(super) fn begin(&mut self, event: &EventRecord) {
        let contingency = Contingency::from_code(event.order_type);
        let contingency = contingency.expect("Invariant: the engine tells contingencies that it has");
        self.has_working_leg = contingency.has_working_leg();
        (self.accepting, self.left) = (event.reference, event.quantity_lots);
        self.known.insert(event.reference, KnownList { account: event.account, orders: Vec::new() });
    }

    /// Which part of a list the order is that was accepted, if it is one.
    #[inline]
    pub(super) fn next_leg(&mut self, order: u64) -> Option<Leg> {
        if self.left == 0 { None } else { Some(self.take_leg(order)) }
    }

    #[cold]
    fn take_leg(&mut self, order: u64) -> Leg {
        self.left -= 1;
        let list = self.known.get_mut(&self.accepting).expect("Invariant: a list is known until it is done");
        list.orders.push(order);
        if self.has_working_leg && list.orders.len() > 1 { Leg::Pending } else { Leg::First }
    }

    /// Forgets a list that is done, and tells which orders it had.
    pub(super) fn end(&mut self, list: u64) -> Vec<u64> {
        self.known.remove(&list).map(|known| known.orders).unwrap_or_default()
    }
}

/// An order of a list that is to be sent.
#[derive(Clone, Debug)]
pub(super) struct NewLeg {
    pub(super) order: CommandRecord,
    pub(super) conditions: Option<Conditions>,
}

impl Flow {
    /// Two ways out of what an order of `entry` brought: one with a profit, and a stop-loss.
    pub(super) fn pair(&mut self, account: AccountId, market: usize, entry: Side, lots: u64) -> [NewLeg; 2] {
        let side = entry.opposite();
        let (order, conditions) = self.guard(account, market, side, TriggerKind::StopLoss, lots);
        let stop = NewLeg { order, conditions: Some(conditions) };
        let profit = if self.random.chance_ppm(TRIGGERED_PPM) {
            let (order, conditions) = self.guard(account, market, side, TriggerKind::TakeProfit, lots);
            NewLeg { order, conditions: Some(conditions) }
        } else {
            NewLeg { order: self.profit_limit(account, market, side, lots), conditions: None }
        };
        [profit, stop]
    }

    /// Ties two ways out together.
    pub(super) fn place_pair(
        &mut self,
        account: AccountId,
        market: usize,
        entry: Side,
        lots: u64,
        out: &mut Vec<CommandRecord>,
    ) {
        let legs = self.pair(account, market, entry, lots);
        self.place_list(Contingency::OneCancelsOther, &legs, out);
    }

    /// Sends an entry together with the stop-loss that is to guard what it brings.
    pub(super) fn enter_with_stop(&mut self, market: usize, entry: CommandRecord, out: &mut Vec<CommandRecord>) {
        let side = if entry.side == Side::Buy as u8 { Side::Sell } else { Side::Buy };
        let (account, lots) = (AccountId(entry.account), entry.quantity_lots);
        let (order, conditions) = self.guard(account, market, side, TriggerKind::StopLoss, lots);
        let legs = [NewLeg { order: entry, conditions: None }, NewLeg { order, conditions: Some(conditions) }];
        self.place_list(Contingency::OneTriggersOther, &legs, out);
    }

    /// Sends an entry together with both ways out.
    pub(super) fn enter_with_pair(&mut self, market: usize, entry: CommandRecord, out: &mut Vec<CommandRecord>) {
        let side = if entry.side == Side::Buy as u8 { Side::Buy } else { Side::Sell };
        let [profit, stop] = self.pair(AccountId(entry.account), market, side, entry.quantity_lots);
        let legs = [NewLeg { order: entry, conditions: None }, profit, stop];
        self.place_list(Contingency::OneTriggersPair, &legs, out);
    }

    /// Sends a list of new orders under ids of its own.
    pub(super) fn place_list(&mut self, contingency: Contingency, legs: &[NewLeg], out: &mut Vec<CommandRecord>) {
        self.client_ids += 1;
        self.send_list(contingency as u8, self.client_ids, legs, out);
    }

    /// Sends a list under the `number`-th client id, unless so many orders are not to be sent any more.
    pub(super) fn send_list(&mut self, contingency: u8, number: u64, legs: &[NewLeg], out: &mut Vec<CommandRecord>) {
        if self.orders_sent + legs.len() as u64 > self.config.orders {
            return;
        }
        self.orders_sent += legs.len() as u64;
        let CommandRecord { account, instrument, .. } = legs[0].order;
        let in_words = Population::writes_text_ids(AccountId(account));
        let head = CommandRecord {
            account,
            instrument,
            order_type: contingency,
            flags: if in_words { OrderFlags::TEXT_ID.0 } else { 0 },
            order_ref: if in_words { 0 } else { number_id(number, None) },
            ..CommandRecord::new(CommandKind::PlaceList)
        };
        let start = out.len();
        out.push(head);
        out.extend(in_words.then(|| text_id(number)));
        for NewLeg { order, conditions } in legs {
            self.client_ids += 1;
            let mut order = *order;
            if in_words {
                order.flags |= OrderFlags::TEXT_ID.0;
            } else {
                order.order_ref = number_id(self.client_ids, None);
            }
            if conditions.is_some() {
                order.flags |= OrderFlags::CONDITIONS.0;
            }
            out.push(order);
            out.extend(in_words.then(|| text_id(self.client_ids)));
            out.extend(conditions.as_ref().map(record_of));
        }
        out[start].header.record_count = (out.len() - start) as u16;
        self.stamp(&mut out[start]);
    }

    /// Cancels a list: the oldest behind a number that is drawn.
    pub(super) fn cancel_a_list(&mut self, out: &mut Vec<CommandRecord>) {
        let Some((newest, _)) = self.lists.known.last_key_value() else { return };
        let from = self.random.below(newest + 1);
        let Some((id, KnownList { account, .. })) = self.lists.known.range(from..).next() else { return };
        let cancel = CommandRecord { account: *account, order_ref: *id, ..CommandRecord::new(CommandKind::CancelList) };
        self.send(cancel, out);
    }
}
