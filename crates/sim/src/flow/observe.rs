//! What the flow learns from events: which of its orders are open, at which prices, and what became of its rungs.

use tradewright_types::{
    ClientOrderId, CommandKind, CommandRecord, EventFlags, EventKind, EventRecord, OrderFlags, RejectReason, Side,
    TextEventRecord, TimeInForce,
};

use super::Flow;
use super::lists::Leg;
use super::live::{Guard, LiveOrder, Stand};
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
                Some(EventKind::OrderRepriced) => self.see_repriced(event),
                Some(EventKind::ListAccepted) => self.lists.begin(event),
                Some(EventKind::ListUpdated) => self.see_started(event),
                Some(EventKind::ListDone) => self.see_list_done(event),
                Some(EventKind::ApprovalRequired) => self.see_approval_required(event),
                Some(EventKind::OrderReleased) => self.see_released(event),
                Some(EventKind::InstrumentStateChanged) => self.see_state(event),
                Some(EventKind::Rejected) => self.see_rejected(event),
                Some(EventKind::WithdrawalRequested) => self.housekeeping.withdrawals.push(event.reference),
                Some(
                    EventKind::OrderApproved
                    | EventKind::ApprovalDeclined
                    // Nobody here sends mass quotes.
                    | EventKind::QuoteAccepted
                    | EventKind::QuoteProtectionTriggered
                    | EventKind::SessionOpened
                    | EventKind::SessionNameText
                    | EventKind::CommandRepeated
                    | EventKind::KeyRegistered
                    | EventKind::KeyRevoked
                    | EventKind::KeyIdText
                    | EventKind::OrderRefreshed
                    | EventKind::Deposited
                    | EventKind::WithdrawalConfirmed
                    | EventKind::WithdrawalCancelled
                    | EventKind::Transferred
                    // Nobody sends anything to other shards.
                    | EventKind::TransferSent
                    | EventKind::TransferReceived
                    | EventKind::TransferConfirmed
                    | EventKind::SettingApplied
                    | EventKind::AuctionIndication
                    | EventKind::AuctionUncrossed
                    | EventKind::BreakerTripped
                    | EventKind::MarketWideLevelReached
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
        let leg = self.lists.next_leg(event.order_id);
        let stand = match leg {
            Some(Leg::Pending) => Stand::Turn,
            Some(Leg::First) | None => {
                if waits {
                    Stand::Trigger
                } else {
                    Stand::Book
                }
            }
        };
        if !rests && stand == Stand::Book {
            return;
        }
        let on_rung = event.reference & ON_RUNG != 0;
        let market = &mut self.markets[event.instrument as usize];
        if stand == Stand::Book && !hidden {
            market.add_to_level(event.side as usize, event.price_ticks);
        }
        let list = market.list(stand.waits());
        let slot = self.live.insert(LiveOrder {
            id: event.order_id,
            price: event.price_ticks,
            open_lots: event.quantity_lots,
            total_lots: event.quantity_lots,
            client: event.reference,
            account: event.account,
            instrument: event.instrument as u8,
            side: event.side,
            rung: if on_rung { (event.reference & RUNG) as u8 } else { LiveOrder::NO_RUNG },
            has_text_id: false,
            stand,
            tied: leg.is_some(),
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
        let slot = self.live.find(event.order_id).expect("Invariant: an order with conditions is noted");
        if !has_trigger {
            if self.live.get(slot).stand != Stand::Turn {
                self.see_at_market(event.order_id);
            }
            return;
        }
        self.live.get_mut(slot).guard = Guard {
            kind: event.order_type,
            source: event.time_in_force,
            trail_unit: event.self_trade_prevention,
            trail: event.quantity_lots as u32,
        };
    }

    /// A hidden order stands at no level that anybody sees, and one that follows others nowhere until it is told where.
    #[cold]
    fn see_display(&mut self, event: &EventRecord) {
        let is_hidden = event.order_type != 0;
        let follows = event.time_in_force != 0 && event.self_trade_prevention == 0;
        let Some(slot) = self.live.find(event.order_id).filter(|_| is_hidden || follows) else { return };
        let order = self.live.get_mut(slot);
        if order.is_shown() {
            self.markets[usize::from(order.instrument)].take_from_level(usize::from(order.side), order.price);
        }
        order.hidden |= is_hidden;
        if follows {
            order.stand = Stand::Lost;
        }
    }

    /// An order that follows others has another price, or none.
    #[cold]
    fn see_repriced(&mut self, event: &EventRecord) {
        let slot = self.live.find(event.order_id).expect("Invariant: an order that follows others is noted");
        let order = self.live.get_mut(slot);
        let market = &mut self.markets[usize::from(order.instrument)];
        if order.is_shown() {
            market.take_from_level(usize::from(order.side), order.price);
        }
        if event.price_ticks == 0 {
            order.stand = Stand::Lost;
            return;
        }
        (order.stand, order.price) = (Stand::Following, event.price_ticks);
        if order.is_shown() {
            market.add_to_level(usize::from(order.side), order.price);
        }
    }

    /// The turn of an order of a list has come.
    #[cold]
    fn see_started(&mut self, event: &EventRecord) {
        let slot = self.live.find(event.order_id).expect("Invariant: an order that waits for its turn is noted");
        let order = self.live.get_mut(slot);
        order.price = event.price_ticks;
        if order.guard.kind != 0 {
            order.stand = Stand::Trigger;
        } else {
            self.see_at_market(event.order_id);
        }
    }

    #[cold]
    fn see_list_done(&mut self, event: &EventRecord) {
        for id in self.lists.end(event.reference) {
            if let Some(slot) = self.live.find(id) {
                self.live.get_mut(slot).tied = false;
            }
        }
    }

    /// An order waits outside the book for its approvers, one that was not to rest too.
    #[cold]
    fn see_approval_required(&mut self, event: &EventRecord) {
        let market = event.instrument as usize;
        let place = match self.live.find(event.order_id) {
            Some(slot) => {
                let order = *self.live.get(slot);
                if order.is_shown() {
                    self.markets[market].take_from_level(usize::from(order.side), order.price);
                }
                self.unlist(&order);
                self.live.get_mut(slot).stand = Stand::Approval;
                slot
            }
            None => self.live.insert(LiveOrder {
                id: event.order_id,
                price: event.price_ticks,
                open_lots: event.quantity_lots,
                total_lots: event.quantity_lots,
                client: 0,
                account: event.account,
                instrument: event.instrument as u8,
                side: event.side,
                rung: LiveOrder::NO_RUNG,
                has_text_id: false,
                stand: Stand::Approval,
                tied: false,
                hidden: false,
                rests: false,
                place: 0,
                guard: Guard::default(),
            }),
        };
        self.live.get_mut(place).place = self.markets[market].waiting.len() as u32;
        self.markets[market].waiting.push(place);
        self.ask_for_approval(event);
    }

    /// An order has all its approvals.
    #[cold]
    fn see_released(&mut self, event: &EventRecord) {
        let slot = self.live.find(event.order_id).expect("Invariant: an order that waits for approval is noted");
        let order = self.live.get_mut(slot);
        if order.guard.kind != 0 {
            order.stand = Stand::Trigger;
        } else {
            self.see_at_market(event.order_id);
        }
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
        *self.live.get_mut(slot) = LiveOrder { stand: Stand::Book, place, ..order };
    }

    /// Takes an order that is on no ladder off its list.
    #[inline]
    fn unlist(&mut self, order: &LiveOrder) {
        let list = self.markets[usize::from(order.instrument)].list(order.stand.waits());
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
        } else if matches!(kind, Some(CommandKind::AmendOrder | CommandKind::ReplaceOrder | CommandKind::CancelOrder))
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
