//! Writing events: the one place that knows which field says what.

use tradewright_types::{
    ANY, AccountId, Amount, ClientOrderId, CloseReason, CommandKind, CommandRecord, EventFlags, EventKind, EventRecord,
    FeeRates, InstrumentId, OrderFlags, OrderId, OrderType, Price, Quantity, RejectReason, SelfTradePrevention, Side,
    TextEventRecord, TimeInForce, Wide,
};

use crate::EventBuffer;
use crate::open_orders::text_of;

/// Writes the events of one command.
#[derive(Debug)]
pub(crate) struct Emitter<'b> {
    buffer: &'b mut EventBuffer,
    begin: usize,
    sequence: u64,
    time_ns: u64,
    epoch: u32,
    shard: u8,
}

/// A closing order as its last event tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closing {
    pub(crate) id: OrderId,
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) price: Price,
    pub(crate) open: Quantity,
    pub(crate) client_number: u64,
}

/// An accepted order as its first event tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accepted {
    pub(crate) id: OrderId,
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) order_type: OrderType,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) self_trade_prevention: SelfTradePrevention,
    pub(crate) flags: OrderFlags,
    pub(crate) limit: Price,
    pub(crate) quantity: Quantity,
    pub(crate) amount: Amount,
    pub(crate) rates: FeeRates,
}

/// A trade or prevented match as its event tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    pub(crate) instrument: InstrumentId,
    pub(crate) taker: OrderId,
    pub(crate) taker_account: AccountId,
    pub(crate) maker: OrderId,
    pub(crate) maker_account: AccountId,
    pub(crate) side: Side,
    pub(crate) price: Price,
    pub(crate) quantity: Quantity,
    /// What the taker has left; in a prevented match, what the maker loses.
    pub(crate) open: Quantity,
    pub(crate) amount: Amount,
    pub(crate) counter_amount: Amount,
    pub(crate) flags: EventFlags,
    pub(crate) reference: u64,
}

impl<'b> Emitter<'b> {
    #[inline(always)]
    pub(crate) fn new(buffer: &'b mut EventBuffer, sequence: u64, time_ns: u64, epoch: u32, shard: u8) -> Self {
        let begin = buffer.len();
        Self { buffer, begin, sequence, time_ns, epoch, shard }
    }

    /// An event's head, with everything else zero.
    #[inline(always)]
    fn event(&self, kind: EventKind, instrument: u32) -> EventRecord {
        EventRecord {
            shard: self.shard,
            k: (self.buffer.len() - self.begin) as u32,
            sequence: self.sequence,
            time_ns: self.time_ns,
            epoch: self.epoch,
            instrument,
            ..EventRecord::new(kind)
        }
    }

    /// Marks the last event of the command.
    #[inline(always)]
    pub(crate) fn finish(self) {
        if let Some(last) = self.buffer.last_since(self.begin) {
            last.flags |= EventFlags::LAST.0;
        }
    }

    #[inline(never)]
    pub(crate) fn rejected(&mut self, record: &CommandRecord, reason: RejectReason) {
        let kind = CommandKind::from_code(record.header.kind);
        let head = EventRecord {
            account: record.account,
            counter_account: record.header.session,
            counter_order_id: record.header.client_sequence,
            reason: reason as u16,
            open_lots: u64::from(record.header.kind),
            ..self.event(EventKind::Rejected, ANY)
        };
        self.buffer.push(if kind.is_some_and(CommandKind::is_order_entry) {
            EventRecord {
                instrument: record.instrument,
                side: record.side,
                order_type: record.order_type,
                time_in_force: record.time_in_force,
                self_trade_prevention: record.self_trade_prevention,
                order_flags: record.flags,
                price_ticks: record.price_ticks,
                quantity_lots: record.quantity_lots,
                reference: record.order_ref,
                ..head
            }
        } else {
            head
        });
    }

    #[inline(always)]
    pub(crate) fn accepted(&mut self, order: &Accepted, client_order_id: &ClientOrderId) {
        self.buffer.push(EventRecord {
            order_id: order.id.0,
            account: order.account.0,
            side: order.side as u8,
            order_type: order.order_type as u8,
            time_in_force: order.time_in_force as u8,
            self_trade_prevention: order.self_trade_prevention as u8,
            order_flags: order.flags.0,
            price_ticks: order.limit.ticks(),
            quantity_lots: order.quantity.lots(),
            open_lots: EventRecord::pack_rates(order.rates),
            amount: order.amount.into(),
            reference: client_order_id.number_or_zero(),
            ..self.event(EventKind::OrderAccepted, order.instrument.0)
        });
        if order.flags.has(OrderFlags::TEXT_ID) {
            self.text(order, client_order_id);
        }
    }

    #[cold]
    fn text(&mut self, order: &Accepted, client_order_id: &ClientOrderId) {
        let Some(text) = text_of(client_order_id) else { return };
        let head = EventRecord { order_id: order.id.0, ..self.event(EventKind::ClientOrderIdText, order.instrument.0) };
        let mut record: TextEventRecord = zerocopy::transmute!(head);
        record.length = text.as_bytes().len() as u64;
        record.bytes[..text.as_bytes().len()].copy_from_slice(text.as_bytes());
        self.buffer.push(zerocopy::transmute!(record));
    }

    #[inline(always)]
    fn matched(&self, kind: EventKind, event: &Match) -> EventRecord {
        EventRecord {
            flags: event.flags.0,
            order_id: event.taker.0,
            counter_order_id: event.maker.0,
            account: event.taker_account.0,
            counter_account: event.maker_account.0,
            side: event.side as u8,
            price_ticks: event.price.ticks(),
            quantity_lots: event.quantity.lots(),
            open_lots: event.open.lots(),
            amount: event.amount.into(),
            counter_amount: event.counter_amount.into(),
            reference: event.reference,
            ..self.event(kind, event.instrument.0)
        }
    }

    #[inline(always)]
    pub(crate) fn trade(&mut self, event: &Match) {
        self.buffer.push(self.matched(EventKind::Trade, event));
    }

    #[inline(never)]
    pub(crate) fn prevented(&mut self, event: &Match, mode: SelfTradePrevention) {
        self.buffer
            .push(EventRecord { self_trade_prevention: mode as u8, ..self.matched(EventKind::MatchPrevented, event) });
    }

    #[inline(always)]
    pub(crate) fn closed(&mut self, kind: EventKind, order: &Closing, reason: CloseReason, unspent: Amount) {
        self.buffer.push(EventRecord {
            order_id: order.id.0,
            account: order.account.0,
            side: order.side as u8,
            reason: reason as u16,
            price_ticks: order.price.ticks(),
            quantity_lots: order.open.lots(),
            amount: unspent.into(),
            reference: order.client_number,
            ..self.event(kind, order.instrument.0)
        });
    }

    pub(crate) fn amended(&mut self, order: &Closing, total: Quantity, kept_priority: bool) {
        self.buffer.push(EventRecord {
            flags: EventFlags::KEPT_PRIORITY.when(kept_priority).0,
            order_id: order.id.0,
            account: order.account.0,
            side: order.side as u8,
            price_ticks: order.price.ticks(),
            quantity_lots: total.lots(),
            open_lots: order.open.lots(),
            reference: order.client_number,
            ..self.event(EventKind::OrderAmended, order.instrument.0)
        });
    }

    /// Money that came in, is held, left, stays or moved.
    pub(crate) fn money(
        &mut self,
        kind: EventKind,
        (from, to): (AccountId, AccountId),
        asset: u32,
        amount: Amount,
        reference: u64,
    ) {
        self.buffer.push(EventRecord {
            account: from.0,
            counter_account: to.0,
            amount: Wide::from(amount),
            reference,
            ..self.event(kind, asset)
        });
    }

    /// A setting that took effect. `values` are price, quantity and reference.
    pub(crate) fn setting(
        &mut self,
        kind: CommandKind,
        (account, instrument): (u32, u32),
        values: [u64; 3],
        (scope, tier, schedule): (u8, u8, u16),
    ) {
        let [price, quantity, reference] = values;
        self.buffer.push(EventRecord {
            account,
            side: scope,
            order_type: tier,
            order_flags: schedule,
            price_ticks: price as i64,
            quantity_lots: quantity,
            open_lots: kind as u64,
            reference,
            ..self.event(EventKind::SettingApplied, instrument)
        });
    }
}
