//! What the flow learns from events: which of its orders are open, at which prices, and what became of its rungs.

use tradewright_types::{
    ClientOrderId, CommandKind, CommandRecord, EventFlags, EventKind, EventRecord, OrderFlags, RejectReason, Side,
    TextEventRecord, TimeInForce,
};

use super::Flow;
use super::live::{Guard, LiveOrder};
use super::market::Rung;

/// In a numeric client order id the lowest eight bits name the rung that the order is for.
const ON_RUNG: u64 = 0x80;
const RUNG: u64 = 0x7F;
/// What text ids start with.
const WORD: &[u8; 4] = b"web-";

/// The `number`-th client order id, for an order on `rung`.
#[inline]
pub(super) fn number_id(number: u64, rung: Option<usize>) -> u64 {
    number << 8 | rung.map_or(0, |rung| ON_RUNG | rung as u64)
}

/// The record of the `number`-th client order id, in words.
pub(super) fn text_id(number: u64) -> CommandRecord {
    let mut text = [0; 24];
    text[..WORD.len()].copy_from_slice(WORD);
    let mut length = WORD.len();
    let mut divisor = 10_u64.pow(number.max(1).ilog10());
    while divisor > 0 {
        text[length] = b'0' + (number / divisor % 10) as u8;
        length += 1;
        divisor /= 10;
    }
    let id = ClientOrderId::parse(&text[..length]).expect("Invariant: a word and digits are an id");
    CommandRecord::text(&id).expect("Invariant: the id is not a number")
}

fn number_of_text(event: &EventRecord) -> u64 {
    let text: &TextEventRecord = zerocopy::transmute_ref!(event);
    let digits = &text.bytes[WORD.len()..text.length as usize];
    digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

impl Flow {
    pub(super) fn observe(&mut self, events: &[EventRecord]) {
        for event in events {
            match EventKind::from_code(event.kind) {
                Some(EventKind::OrderAccepted) => self.see_accepted(event),
                Some(EventKind::Trade) => {
                    if let Some(market) = self.markets.get_mut(event.instrument as usize) {
                        let taker = if event.side == Side::Buy as u8 { Side::Buy } else { Side::Sell };
                        market.feel_trade(taker, event.price_ticks);
                    }
                    self.see_match(event, event.quantity_lots);
                }
                Some(EventKind::MatchPrevented) => self.see_match(event, event.open_lots),
                Some(EventKind::OrderCancelled | EventKind::OrderExpired) => self.see_closed(event.order_id),
                Some(EventKind::OrderAmended) => self.see_amended(event),
                Some(EventKind::ClientOrderIdText) => {
                    if let Some(slot) = self.live.find(event.order_id) {
                        let order = self.live.get_mut(slot);
                        order.client = number_of_text(event);
                        order.has_text_id = true;
                    }
                }
                Some(EventKind::OrderConditions) => self.see_conditions(event),
                Some(EventKind::OrderTriggered) => self.see_at_market(event.order_id),
                Some(EventKind::OrderDisplay) => self.see_display(event),
                Some(EventKind::InstrumentStateChanged) => self.see_state(event),
                Some(EventKind::Rejected) => self.see_rejected(event),
                Some(EventKind::WithdrawalRequested) => self.housekeeping.withdrawals.push(event.reference),
                Some(
                    // Nobody here needs approval.
                    EventKind::ApprovalRequired
                    | EventKind::OrderApproved
                    | EventKind::ApprovalDeclined
                    | EventKind::OrderReleased
                    // Nobody here sends mass quotes.
                    | EventKind::QuoteAccepted
                    | EventKind::QuoteProtectionTriggered
                    | EventKind::OrderRefreshed
                    | EventKind::OrderRepriced
                    | EventKind::Deposited
                    | EventKind::WithdrawalConfirmed
                    | EventKind::WithdrawalCancelled
                    | EventKind::Transferred
                    | EventKind::SettingApplied
                    | EventKind::AuctionIndication
                    | EventKind::AuctionUncrossed
                    | EventKind::BreakerTripped
                    | EventKind::MarketWideLevelReached
                    | EventKind::ListAccepted
                    | EventKind::ListUpdated
                    | EventKind::ListDone
                    | EventKind::ClientListIdText,
                )
                | None => {}
            }
        }
    }

    #[inline]
    fn see_accepted(&mut self, event: &EventRecord) {
        let rests = event.time_in_force != TimeInForce::ImmediateOrCancel as u8
            && event.time_in_force != TimeInForce::FillOrKill as u8;
        // What is for auctions only stands beside the book most of the time: its level is nobody's business.
        let hidden = event.time_in_force >= TimeInForce::AtOpening as u8;
        // Until the event behind this one tells its conditions.
        let waits = OrderFlags(event.order_flags).has(OrderFlags::CONDITIONS);
        if !rests && !waits {
            return;
        }
        let on_rung = event.reference & ON_RUNG != 0;
        let market = &mut self.markets[event.instrument as usize];
        if !waits && !hidden {
            market.add_to_level(event.side as usize, event.price_ticks);
        }
        let list = market.list(waits);
        let slot = self.live.insert(LiveOrder {
            id: event.order_id,
            price: event.price_ticks,
            open_lots: event.quantity_lots,
            total_lots: event.quantity_lots,
            client: event.reference,
            account: event.account,
            instrument: event.instrument as u16,
            side: event.side,
            rung: if on_rung { (event.reference & RUNG) as u8 } else { LiveOrder::NO_RUNG },
            has_text_id: false,
            waits,
            hidden,
            rests,
            place: list.len() as u32,
            guard: Guard::default(),
        });
        if on_rung {
            market.rungs[(event.reference & RUNG) as usize] = Rung::Live(slot);
        } else {
            list.push(slot);
        }
    }

    fn see_conditions(&mut self, event: &EventRecord) {
        let has_trigger = event.order_type != 0;
        if !has_trigger {
            return self.see_at_market(event.order_id);
        }
        let slot = self.live.find(event.order_id).expect("Invariant: an order with conditions is noted");
        self.live.get_mut(slot).guard = Guard {
            kind: event.order_type,
            source: event.time_in_force,
            trail_unit: event.self_trade_prevention,
            trail: event.quantity_lots as u32,
        };
    }

    /// A hidden order stands at no level that anybody sees.
    #[cold]
    fn see_display(&mut self, event: &EventRecord) {
        let is_hidden = event.order_type != 0;
        let Some(slot) = self.live.find(event.order_id).filter(|_| is_hidden) else { return };
        let order = self.live.get_mut(slot);
        if order.is_shown() {
            self.markets[usize::from(order.instrument)].take_from_level(usize::from(order.side), order.price);
        }
        order.hidden = true;
    }

    /// An order waits no longer, or never had to: what does not rest is not noted.
    fn see_at_market(&mut self, id: u64) {
        let slot = self.live.find(id).expect("Invariant: an order with conditions waits until it comes to the market");
        let order = *self.live.get(slot);
        if !order.rests {
            return self.forget(slot);
        }
        self.unlist(&order);
        let market = &mut self.markets[usize::from(order.instrument)];
        if !order.hidden {
            market.add_to_level(usize::from(order.side), order.price);
        }
        let place = market.orders.len() as u32;
        market.orders.push(slot);
        *self.live.get_mut(slot) = LiveOrder { waits: false, place, ..order };
    }

    /// Takes an order that is on no ladder off its list.
    #[inline]
    fn unlist(&mut self, order: &LiveOrder) {
        let list = self.markets[usize::from(order.instrument)].list(order.waits);
        let place = order.place as usize;
        list.swap_remove(place);
        if let Some(moved) = list.get(place) {
            self.live.get_mut(*moved).place = place as u32;
        }
    }

    /// Two orders met; the maker lost `maker_lots`.
    #[inline]
    fn see_match(&mut self, event: &EventRecord, maker_lots: u64) {
        let flags = EventFlags(event.flags);
        for (id, lots, done) in [
            (event.counter_order_id, maker_lots, EventFlags::MAKER_DONE),
            (event.order_id, event.quantity_lots, EventFlags::TAKER_DONE),
        ] {
            if let Some(slot) = self.live.find(id) {
                if flags.has(done) {
                    self.forget(slot);
                } else {
                    self.live.get_mut(slot).open_lots -= lots;
                }
            }
        }
    }

    #[inline]
    fn see_closed(&mut self, id: u64) {
        // Orders that were not to rest were never noted.
        if let Some(slot) = self.live.find(id) {
            self.forget(slot);
        }
    }

    fn see_amended(&mut self, event: &EventRecord) {
        let slot = self.live.find(event.order_id).expect("Invariant: an amended order is open");
        let order = self.live.get_mut(slot);
        let market = &mut self.markets[usize::from(order.instrument)];
        if order.is_shown() {
            market.take_from_level(usize::from(order.side), order.price);
            market.add_to_level(usize::from(order.side), event.price_ticks);
        }
        if event.reference != 0 {
            order.client = event.reference;
        }
        order.price = event.price_ticks;
        order.total_lots = event.quantity_lots;
        order.open_lots = event.open_lots;
        if order.rung != LiveOrder::NO_RUNG {
            market.rungs[usize::from(order.rung)] = Rung::Live(slot);
        }
    }

    #[cold]
    fn see_rejected(&mut self, event: &EventRecord) {
        let kind = CommandKind::from_code(event.open_lots as u8);
        let Some(market) = self.markets.get_mut(event.instrument as usize) else { return };
        if kind == Some(CommandKind::PlaceOrder) {
            let rung = (event.reference & RUNG) as usize;
            if event.reference & ON_RUNG != 0 && market.rungs[rung] == Rung::Pending {
                market.rungs[rung] = Rung::Empty;
            }
            if event.reason == RejectReason::InsufficientFunds as u16 {
                let asset = if event.side == Side::Buy as u8 { market.quote_asset } else { market.base_asset };
                self.housekeeping.note_shortage(event.account, event.instrument, asset);
            }
        } else if kind.is_some_and(CommandKind::is_order_entry)
            && let Some(slot) = self.live.find(event.reference)
        {
            // A change of a rung's order was refused: the order stays as it is.
            let order = self.live.get(slot);
            if order.rung != LiveOrder::NO_RUNG {
                self.markets[usize::from(order.instrument)].rungs[usize::from(order.rung)] = Rung::Live(slot);
            }
        }
    }

    /// An order is open no more.
    #[inline]
    fn forget(&mut self, slot: u32) {
        let order = self.live.remove(slot);
        let market = &mut self.markets[usize::from(order.instrument)];
        if order.is_shown() {
            market.take_from_level(usize::from(order.side), order.price);
        }
        if order.rung == LiveOrder::NO_RUNG {
            self.unlist(&order);
        } else {
            let rung = &mut market.rungs[usize::from(order.rung)];
            if matches!(*rung, Rung::Live(live) if live == slot) || *rung == Rung::Pending {
                *rung = Rung::Empty;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_id_is_read_as_it_was_written() {
        for number in [1, 9, 10, 1_234_567, u64::MAX] {
            let record = text_id(number);
            let text: &tradewright_types::TextRecord = zerocopy::transmute_ref!(&record);
            assert_eq!(&text.bytes[..usize::from(text.length)], format!("web-{number}").as_bytes());
            let mut event: TextEventRecord = zerocopy::transmute!(EventRecord::default());
            event.length = text.length.into();
            event.bytes[..56].copy_from_slice(&text.bytes);
            assert_eq!(number_of_text(&zerocopy::transmute!(event)), number);
        }
    }
}
