//! Writing events: the one place that knows which field says what.

use tradewright_ledger::ShardTransfer;
use tradewright_risk::{CheckedLeg, HeldOrder};
use tradewright_types::{
    ANY, AccountId, Amount, ApprovalBands, AuctionPhase, ClientOrderId, CloseReason, CommandHeader, CommandKind,
    CommandRecord, Conditions, ConditionsRecord, EventFlags, EventKind, EventRecord, FeeRates, InstrumentId,
    InstrumentState, Label, LegRefused, ListId, NewList, NewOrder, OrderFlags, OrderId, Price, PriceSource,
    ProtectionScope, Quantity, QuoteEntry, RejectReason, SCHEMA_VERSION, SelfTradePrevention, SessionId, ShardId, Side,
    Size, StateCause, TextEventRecord, TransferNumber, Wide,
};

use crate::EventBuffer;
use crate::approvals::Approval;
use crate::call::Told;
use crate::keys::Key;
use crate::lists::List;
use crate::matching::Taker;
use crate::protection::Protection;
use crate::sessions::Answer;

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

/// 32 bytes as they stand in `amount` and `counter_amount`.
fn words(bytes: &[u8; 32]) -> [u64; 4] {
    zerocopy::transmute!(*bytes)
}

impl<'b> Emitter<'b> {
    #[inline(always)]
    pub(crate) fn new(buffer: &'b mut EventBuffer, sequence: u64, time_ns: u64, epoch: u32, shard: u8) -> Self {
        let begin = buffer.len();
        Self { buffer, begin, sequence, time_ns, epoch, shard }
    }

    /// Writes an event: its head, with `body` for the rest. Written in place, field by field: a copy of two cache lines costs
    /// more than the event.
    #[inline(always)]
    fn write(&mut self, kind: EventKind, instrument: u32, body: EventRecord) {
        let k = (self.buffer.len() - self.begin) as u32;
        let (shard, epoch, sequence, time_ns) = (self.shard, self.epoch, self.sequence, self.time_ns);
        if k > 0
            && let Some(before) = self.buffer.last_mut()
        {
            before.flags &= !EventFlags::LAST.0;
        }
        *self.buffer.next() = EventRecord {
            kind: kind as u8,
            schema_version: SCHEMA_VERSION,
            shard,
            k,
            sequence,
            time_ns,
            epoch,
            instrument,
            // Until another one follows.
            flags: body.flags | EventFlags::LAST.0,
            ..body
        };
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn rejected(&mut self, record: &CommandRecord, reason: RejectReason) {
        self.refused(record, LegRefused { reason, leg: 0 });
    }

    /// A command that was refused, perhaps because of one of its orders.
    pub(crate) fn refused(&mut self, record: &CommandRecord, LegRefused { reason, leg }: LegRefused) {
        self.write_refusal(record, reason, i128::from(leg));
    }

    /// A command that its session's window refused; `next` is the client sequence that comes next.
    pub(crate) fn refused_by_window(&mut self, record: &CommandRecord, reason: RejectReason, next: u64) {
        self.write_refusal(record, reason, i128::from(next));
    }

    /// A command that was applied before, with what came of it.
    pub(crate) fn repeated(&mut self, kind: CommandKind, record: &CommandRecord, answer: Answer) {
        let body = EventRecord {
            order_id: answer.first_order().0,
            account: record.account,
            counter_account: record.header.session,
            counter_order_id: record.header.client_sequence,
            reason: answer.reason(),
            open_lots: kind as u64,
            reference: answer.sequence(),
            ..EventRecord::default()
        };
        self.write(EventKind::CommandRepeated, ANY, body);
    }

    /// A session that was opened, or found again, and its last client sequence.
    pub(crate) fn session_opened(&mut self, account: u32, session: SessionId, last: u64, name: &Label) {
        let body =
            EventRecord { account, counter_account: session.0, counter_order_id: last, ..EventRecord::default() };
        self.write(EventKind::SessionOpened, ANY, body);
        self.text(EventKind::SessionNameText, OrderId(0), InstrumentId(ANY), name.as_bytes());
    }

    /// A key that may be used from now on, or no more.
    pub(crate) fn key(&mut self, kind: EventKind, id: &Label, key: &Key) {
        let [low, high, counter_low, counter_high] = words(&key.fingerprint());
        let body = EventRecord {
            account: key.account.map_or(ANY, |account| account.0),
            order_type: key.kind as u8,
            quantity_lots: key.permissions.0.into(),
            open_lots: key.material.as_bytes().len() as u64,
            amount: Wide { low, high: high as i64 },
            counter_amount: Wide { low: counter_low, high: counter_high as i64 },
            ..EventRecord::default()
        };
        self.write(kind, ANY, body);
        self.text(EventKind::KeyIdText, OrderId(0), InstrumentId(ANY), id.as_bytes());
    }

    fn write_refusal(&mut self, record: &CommandRecord, reason: RejectReason, amount: i128) {
        let body = EventRecord {
            amount: Wide::from(amount),
            account: record.account,
            counter_account: record.header.session,
            counter_order_id: record.header.client_sequence,
            reason: reason as u16,
            open_lots: u64::from(record.header.kind),
            ..EventRecord::default()
        };
        if CommandKind::from_code(record.header.kind).is_some_and(CommandKind::is_order_entry) {
            let body = EventRecord {
                side: record.side,
                order_type: record.order_type,
                time_in_force: record.time_in_force,
                self_trade_prevention: record.self_trade_prevention,
                order_flags: record.flags,
                price_ticks: record.price_ticks,
                quantity_lots: record.quantity_lots,
                reference: record.order_ref,
                ..body
            };
            self.write(EventKind::Rejected, record.instrument, body);
        } else {
            self.write(EventKind::Rejected, ANY, body);
        }
    }

    #[inline(always)]
    pub(crate) fn accepted(&mut self, id: OrderId, held: &HeldOrder<'_>) {
        self.accepted_at(id, held.order(), held.limit(), held.rates());
    }

    #[inline(always)]
    fn accepted_at(&mut self, id: OrderId, order: &NewOrder<'_>, limit: Price, rates: FeeRates) {
        let (quantity, amount) = match order.size {
            Size::Lots(quantity) => (quantity.lots(), Wide::default()),
            Size::QuoteAmount(amount) => (0, Wide::from(amount)),
        };
        let body = EventRecord {
            order_id: id.0,
            account: order.account.0,
            side: order.side as u8,
            order_type: order.order_type as u8,
            time_in_force: order.time_in_force as u8,
            self_trade_prevention: order.self_trade_prevention as u8,
            order_flags: order.flags.0,
            price_ticks: limit.ticks(),
            quantity_lots: quantity,
            open_lots: EventRecord::pack_rates(rates),
            amount,
            reference: order.client_order_id.number_or_zero(),
            ..EventRecord::default()
        };
        self.write(EventKind::OrderAccepted, order.instrument.0, body);
        if let ClientOrderId::Text(text) = order.client_order_id {
            self.text(EventKind::ClientOrderIdText, id, order.instrument, text);
        }
    }

    /// A leg of a list that was accepted. `fires_at` is its first trigger price.
    #[cold]
    #[inline(never)]
    pub(crate) fn leg_accepted(&mut self, id: OrderId, order: &NewOrder<'_>, leg: &CheckedLeg<'_>) {
        self.accepted_at(id, order, leg.limit(), leg.rates());
        if order.flags.has(OrderFlags::CONDITIONS) {
            self.conditions(id, order, leg.fires_at());
        }
    }

    /// A list that was accepted; its legs follow.
    #[cold]
    #[inline(never)]
    pub(crate) fn list_accepted(&mut self, id: ListId, list: &NewList<'_>) {
        let is_text = matches!(list.client_list_id, ClientOrderId::Text(_));
        let body = EventRecord {
            account: list.account.0,
            order_type: list.contingency as u8,
            order_flags: if is_text { OrderFlags::TEXT_ID.0 } else { 0 },
            quantity_lots: list.legs().len() as u64,
            open_lots: list.client_list_id.number_or_zero(),
            reference: id.0,
            ..EventRecord::default()
        };
        self.write(EventKind::ListAccepted, list.instrument.0, body);
        if let ClientOrderId::Text(text) = list.client_list_id {
            self.text(EventKind::ClientListIdText, OrderId(0), list.instrument, text);
        }
    }

    /// A leg that starts, at the limit and with the trigger that it starts with.
    pub(crate) fn list_updated(&mut self, list: ListId, leg: &Closing, checked: &CheckedLeg<'_>) {
        let body = EventRecord {
            order_id: leg.id.0,
            account: leg.account.0,
            side: leg.side as u8,
            price_ticks: checked.limit().ticks(),
            quantity_lots: leg.open.lots(),
            open_lots: checked.fires_at().ticks() as u64,
            reference: list.0,
            ..EventRecord::default()
        };
        self.write(EventKind::ListUpdated, leg.instrument.0, body);
    }

    /// A list that ties nothing together any more.
    pub(crate) fn list_done(&mut self, id: ListId, list: &List) {
        let body = EventRecord {
            account: list.account.0,
            order_type: list.contingency as u8,
            open_lots: list.name.number_or_zero(),
            reference: id.0,
            ..EventRecord::default()
        };
        self.write(EventKind::ListDone, list.instrument.0, body);
    }

    /// The half of a replacement that failed: its record, with what names the command.
    #[cold]
    #[inline(never)]
    pub(crate) fn rejected_half(&mut self, first: &CommandHeader, half: &CommandRecord, reason: RejectReason) {
        let header = CommandHeader { session: first.session, client_sequence: first.client_sequence, ..half.header };
        self.rejected(&CommandRecord { header, ..*half }, reason);
    }

    /// The conditions of the order in the event before. `fires_at` is the first trigger price.
    #[cold]
    #[inline(never)]
    pub(crate) fn conditions(&mut self, id: OrderId, order: &NewOrder<'_>, fires_at: Price) {
        let NewOrder { account, instrument, side, .. } = *order;
        self.conditions_of(id, (account, instrument, side), &order.conditions(), fires_at);
    }

    /// The same of any open order.
    pub(crate) fn conditions_of(
        &mut self,
        id: OrderId,
        (account, instrument, side): (AccountId, InstrumentId, Side),
        conditions: &Conditions,
        fires_at: Price,
    ) {
        let Conditions { trigger, expire_time_ns, minimum, iceberg, hidden, peg } = *conditions;
        let record = ConditionsRecord::new(conditions);
        let body = EventRecord {
            order_id: id.0,
            account: account.0,
            side: side as u8,
            order_type: record.trigger,
            time_in_force: record.source,
            self_trade_prevention: record.trail_unit,
            price_ticks: trigger.map_or(0, |_| fires_at.ticks()),
            quantity_lots: record.trail.into(),
            open_lots: minimum.lots(),
            reference: expire_time_ns,
            ..EventRecord::default()
        };
        self.write(EventKind::OrderConditions, instrument.0, body);
        if iceberg.is_some() || hidden || peg.is_some() {
            let body = EventRecord {
                order_id: id.0,
                account: account.0,
                side: side as u8,
                order_type: record.display,
                time_in_force: record.peg,
                self_trade_prevention: record.peg_mode,
                price_ticks: record.peg_offset as i64,
                quantity_lots: record.peak_lots,
                open_lots: record.peak_range_lots,
                reference: record.seed.into(),
                ..EventRecord::default()
            };
            self.write(EventKind::OrderDisplay, instrument.0, body);
        }
    }

    /// A peg that stands at another price than before; 0 is none.
    pub(crate) fn repriced(&mut self, order: &Closing, before: Price) {
        let body = EventRecord {
            order_id: order.id.0,
            account: order.account.0,
            side: order.side as u8,
            price_ticks: order.price.ticks(),
            quantity_lots: order.open.lots(),
            open_lots: before.ticks() as u64,
            reference: order.client_number,
            ..EventRecord::default()
        };
        self.write(EventKind::OrderRepriced, order.instrument.0, body);
    }

    /// The maker of the trade in the event before is not closed by it: it has a reserve.
    pub(crate) fn maker_goes_on(&mut self) {
        let event = self.buffer.last_mut().expect("Invariant: a maker is refreshed behind its trade");
        event.flags &= !EventFlags::MAKER_DONE.0;
    }

    /// An iceberg that shows a new peak.
    pub(crate) fn refreshed(&mut self, order: &Closing, shown: Quantity) {
        let body = EventRecord {
            order_id: order.id.0,
            account: order.account.0,
            side: order.side as u8,
            price_ticks: order.price.ticks(),
            quantity_lots: shown.lots(),
            open_lots: order.open.lots(),
            reference: order.client_number,
            ..EventRecord::default()
        };
        self.write(EventKind::OrderRefreshed, order.instrument.0, body);
    }

    /// A waiting order whose trigger fired.
    pub(crate) fn triggered(&mut self, order: &Closing, trigger: Price, price: Price, source: PriceSource) {
        let body = EventRecord {
            order_id: order.id.0,
            account: order.account.0,
            side: order.side as u8,
            time_in_force: source as u8,
            price_ticks: trigger.ticks(),
            quantity_lots: order.open.lots(),
            open_lots: price.ticks() as u64,
            reference: order.client_number,
            ..EventRecord::default()
        };
        self.write(EventKind::OrderTriggered, order.instrument.0, body);
    }

    /// An order that a check refused when it was made again: its trigger fired, it was to start, or it had its approvals.
    pub(crate) fn refused_again(&mut self, order: &Closing, close: CloseReason, reason: RejectReason) {
        let body = EventRecord {
            order_id: order.id.0,
            account: order.account.0,
            side: order.side as u8,
            reason: close as u16,
            price_ticks: order.price.ticks(),
            quantity_lots: order.open.lots(),
            open_lots: reason as u64,
            reference: order.client_number,
            ..EventRecord::default()
        };
        self.write(EventKind::OrderExpired, order.instrument.0, body);
    }

    /// A step of an order that waits for approval; `approver` is who took it.
    pub(crate) fn approval(&mut self, kind: EventKind, order: &Closing, approval: &Approval, approver: AccountId) {
        let Approval { needed, deadline_ns, hash, fires_at: _, approvers } = approval;
        let [low, high, counter_low, counter_high] = words(hash);
        let body = EventRecord {
            order_id: order.id.0,
            account: order.account.0,
            counter_account: approver.0,
            side: order.side as u8,
            order_type: *needed,
            time_in_force: approvers.len() as u8,
            price_ticks: order.price.ticks(),
            quantity_lots: order.open.lots(),
            amount: Wide { low, high: high as i64 },
            counter_amount: Wide { low: counter_low, high: counter_high as i64 },
            reference: *deadline_ns,
            ..EventRecord::default()
        };
        self.write(kind, order.instrument.0, body);
    }

    /// An order that has all its approvals.
    pub(crate) fn released(&mut self, order: &Closing) {
        let body = EventRecord {
            order_id: order.id.0,
            account: order.account.0,
            side: order.side as u8,
            price_ticks: order.price.ticks(),
            quantity_lots: order.open.lots(),
            reference: order.client_number,
            ..EventRecord::default()
        };
        self.write(EventKind::OrderReleased, order.instrument.0, body);
    }

    /// Approval bands that took effect: the lower two thresholds as amounts, the third as it fits.
    pub(crate) fn bands(&mut self, (scope, account, instrument): (u8, u32, u32), bands: &ApprovalBands) {
        let [first, second, third] = bands.thresholds;
        let third = Wide::from(third);
        let body = EventRecord {
            account,
            side: scope,
            price_ticks: third.low as i64,
            quantity_lots: third.high as u64,
            open_lots: CommandKind::SetApprovalBands as u64,
            amount: first.into(),
            counter_amount: second.into(),
            reference: bands.expiry_ns,
            ..EventRecord::default()
        };
        self.write(EventKind::SettingApplied, instrument, body);
    }

    #[cold]
    #[inline(never)]
    fn text(&mut self, kind: EventKind, id: OrderId, instrument: InstrumentId, text: &[u8]) {
        self.write(kind, instrument.0, EventRecord { order_id: id.0, ..EventRecord::default() });
        if let Some(place) = self.buffer.last_mut() {
            let record: &mut TextEventRecord = zerocopy::transmute_mut!(place);
            record.length = text.len() as u64;
            record.bytes[..text.len()].copy_from_slice(text);
        }
    }

    #[inline(always)]
    fn matched(&mut self, kind: EventKind, event: &Match, mode: SelfTradePrevention) {
        let body = EventRecord {
            flags: event.flags.0,
            order_id: event.taker.0,
            counter_order_id: event.maker.0,
            account: event.taker_account.0,
            counter_account: event.maker_account.0,
            side: event.side as u8,
            self_trade_prevention: mode as u8,
            price_ticks: event.price.ticks(),
            quantity_lots: event.quantity.lots(),
            open_lots: event.open.lots(),
            amount: event.amount.into(),
            counter_amount: event.counter_amount.into(),
            reference: event.reference,
            ..EventRecord::default()
        };
        self.write(kind, event.instrument.0, body);
    }

    /// The state of an instrument, from one to another.
    pub(crate) fn state_changed(
        &mut self,
        instrument: InstrumentId,
        (from, to): (InstrumentState, InstrumentState),
        phase: AuctionPhase,
        cause: StateCause,
        until_ns: u64,
    ) {
        let body = EventRecord {
            order_type: to as u8,
            time_in_force: phase as u8,
            self_trade_prevention: from as u8,
            reason: cause as u16,
            reference: until_ns,
            ..EventRecord::default()
        };
        self.write(EventKind::InstrumentStateChanged, instrument.0, body);
    }

    /// Both sides of an account's quotes on an instrument, as they are from now on.
    pub(crate) fn quoted(&mut self, account: AccountId, entry: &QuoteEntry, [bid, ask]: [OrderId; 2]) {
        let told = |(price, lots): (Price, Quantity)| if lots.is_zero() { 0 } else { price.ticks() };
        let body = EventRecord {
            order_id: bid.0,
            counter_order_id: ask.0,
            account: account.0,
            price_ticks: told(entry.bid),
            quantity_lots: entry.bid.1.lots(),
            open_lots: entry.ask.1.lots(),
            reference: told(entry.ask) as u64,
            ..EventRecord::default()
        };
        self.write(EventKind::QuoteAccepted, entry.instrument.0, body);
    }

    /// A protection that a trade of the account's quote triggered.
    pub(crate) fn protection_triggered(&mut self, scope: ProtectionScope, quote: OrderId, protection: &Protection) {
        let body = EventRecord {
            order_id: quote.0,
            account: scope.account.0,
            order_type: if protection.has_lots() { 1 } else { 2 },
            quantity_lots: protection.lots,
            open_lots: protection.fills,
            reference: protection.until_ns,
            ..EventRecord::default()
        };
        self.write(EventKind::QuoteProtectionTriggered, scope.code(), body);
    }

    /// How an auction would trade, or did.
    pub(crate) fn auction(&mut self, kind: EventKind, instrument: InstrumentId, phase: AuctionPhase, told: Told) {
        let Told { price_ticks, quantity_lots, surplus_lots } = told;
        let body = EventRecord {
            time_in_force: phase as u8,
            price_ticks,
            quantity_lots,
            amount: Wide::from(Amount::from_quanta(surplus_lots)),
            ..EventRecord::default()
        };
        self.write(kind, instrument.0, body);
    }

    /// A taker that a circuit breaker stopped.
    pub(crate) fn tripped(&mut self, instrument: InstrumentId, taker: &Taker, price: Price, trip: u8, until_ns: u64) {
        let body = EventRecord {
            order_id: taker.id.0,
            account: taker.account.0,
            side: taker.side as u8,
            order_type: trip,
            price_ticks: price.ticks(),
            reference: until_ns,
            ..EventRecord::default()
        };
        self.write(EventKind::BreakerTripped, instrument.0, body);
    }

    /// The index reached a market-wide level.
    pub(crate) fn market_wide(&mut self, level: u8, index: Price, until_ns: u64) {
        let body = EventRecord {
            order_type: level,
            price_ticks: index.ticks(),
            reference: until_ns,
            ..EventRecord::default()
        };
        self.write(EventKind::MarketWideLevelReached, ANY, body);
    }

    /// The events of the command so far.
    pub(crate) fn written(&self) -> &[EventRecord] {
        &self.buffer.as_slice()[self.begin..]
    }

    #[inline(always)]
    pub(crate) fn trade(&mut self, event: &Match) {
        self.matched(EventKind::Trade, event, SelfTradePrevention::None);
    }

    #[inline(never)]
    pub(crate) fn prevented(&mut self, event: &Match, mode: SelfTradePrevention) {
        self.matched(EventKind::MatchPrevented, event, mode);
    }

    #[inline(always)]
    pub(crate) fn closed(&mut self, kind: EventKind, order: &Closing, reason: CloseReason, unspent: Amount) {
        let body = EventRecord {
            order_id: order.id.0,
            account: order.account.0,
            side: order.side as u8,
            reason: reason as u16,
            price_ticks: order.price.ticks(),
            quantity_lots: order.open.lots(),
            amount: unspent.into(),
            reference: order.client_number,
            ..EventRecord::default()
        };
        self.write(kind, order.instrument.0, body);
    }

    /// An amended order. `renamed` is its client order id when that is new.
    #[inline(never)]
    pub(crate) fn amended(
        &mut self,
        order: &Closing,
        total: Quantity,
        kept_priority: bool,
        renamed: &ClientOrderId<'_>,
    ) {
        let body = EventRecord {
            flags: EventFlags::KEPT_PRIORITY.when(kept_priority).0,
            order_id: order.id.0,
            account: order.account.0,
            side: order.side as u8,
            price_ticks: order.price.ticks(),
            quantity_lots: total.lots(),
            open_lots: order.open.lots(),
            reference: order.client_number,
            ..EventRecord::default()
        };
        self.write(EventKind::OrderAmended, order.instrument.0, body);
        if let ClientOrderId::Text(text) = renamed {
            self.text(EventKind::ClientOrderIdText, order.id, order.instrument, text);
        }
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
        let body = EventRecord {
            account: from.0,
            counter_account: to.0,
            amount: Wide::from(amount),
            reference,
            ..EventRecord::default()
        };
        self.write(kind, asset, body);
    }

    /// Money that goes to another shard, came from one, or arrived there.
    pub(crate) fn between_shards(
        &mut self,
        kind: EventKind,
        shard: ShardId,
        number: TransferNumber,
        transfer: &ShardTransfer,
    ) {
        let body = EventRecord {
            account: transfer.account.0,
            order_type: shard.0,
            amount: Wide::from(transfer.amount),
            reference: number.0,
            ..EventRecord::default()
        };
        self.write(kind, transfer.asset.0, body);
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
        let body = EventRecord {
            account,
            side: scope,
            order_type: tier,
            order_flags: schedule,
            price_ticks: price as i64,
            quantity_lots: quantity,
            open_lots: kind as u64,
            reference,
            ..EventRecord::default()
        };
        self.write(EventKind::SettingApplied, instrument, body);
    }
}
