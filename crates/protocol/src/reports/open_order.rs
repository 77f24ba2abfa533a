//! What reports have to know of an open order.

use tradewright_engine::OrderView;
use tradewright_types::{
    AccountId, ClientOrderId, EventRecord, InstrumentId, OrderFlags, OrderType, SelfTradePrevention, Side, TimeInForce,
};

/// A client's id: up to 36 characters, by value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClientId {
    bytes: [u8; ClientOrderId::LENGTH_MAX],
    length: u8,
}

impl Default for ClientId {
    fn default() -> Self {
        Self { bytes: [0; ClientOrderId::LENGTH_MAX], length: 0 }
    }
}

impl core::fmt::Debug for ClientId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.as_bytes()))
    }
}

impl ClientId {
    /// The characters; what is longer than an id may be is cut.
    pub fn new(text: &[u8]) -> Self {
        let length = text.len().min(ClientOrderId::LENGTH_MAX);
        let mut bytes = [0; ClientOrderId::LENGTH_MAX];
        bytes[..length].copy_from_slice(&text[..length]);
        Self { bytes, length: length as u8 }
    }

    /// The digits of a number; nothing for zero, which is none.
    pub fn of_number(mut number: u64) -> Self {
        let mut digits = [0; 20];
        let mut begin = digits.len();
        while number > 0 {
            begin -= 1;
            digits[begin] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        Self::new(&digits[begin..])
    }

    /// The id as the engine tells it.
    pub fn of(id: &ClientOrderId<'_>) -> Self {
        match id {
            ClientOrderId::Absent => Self::default(),
            ClientOrderId::Number(number) => Self::of_number(number.get()),
            ClientOrderId::Text(text) => Self::new(text),
        }
    }

    /// The characters.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// Conditions as reports tell them: codes of the events that told them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// A trigger's kind: 0 none, 1 stop-loss, 2 take-profit.
    pub trigger: u8,
    /// The price source that the trigger looks at.
    pub source: u8,
    /// The trigger's first price.
    pub trigger_price_ticks: i64,
    /// The trail's unit: 0 none, 1 ticks, 2 basis points.
    pub trail_unit: u8,
    /// The trail.
    pub trail: u64,
    /// What an iceberg shows.
    pub peak_lots: u64,
    /// The peg's kind: 0 none, 1 primary, 2 market, 3 midpoint.
    pub peg: u8,
    /// Whether the peg is fixed.
    pub peg_is_fixed: bool,
    /// The peg's offset: levels, or ticks.
    pub peg_offset: u64,
}

/// Where an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// At the market.
    Working,
    /// Outside of it: for its trigger, its auction, or the price that it follows.
    Waiting,
    /// For another order of its list, or for approval.
    Pending,
}

/// An open order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOrder {
    /// Its id.
    pub id: u64,
    /// Its owner.
    pub account: AccountId,
    /// Its instrument.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// What decides its price.
    pub order_type: OrderType,
    /// How long it stays.
    pub time_in_force: TimeInForce,
    /// Its prevention mode.
    pub self_trade_prevention: SelfTradePrevention,
    /// As they were sent.
    pub flags: OrderFlags,
    /// Where it is.
    pub standing: Standing,
    /// Its limit; of a peg where it stands.
    pub price_ticks: i64,
    /// Its total; 0 when it is by amount.
    pub total_lots: u64,
    /// What has traded.
    pub executed_lots: u64,
    /// What prevention took.
    pub prevented_lots: u64,
    /// Price times quantity of what has traded, in ticks times lots; unknown of orders older than what the reports know.
    pub executed_raw: Option<i128>,
    /// The amount of an order by amount, in quanta.
    pub amount_quanta: i128,
    /// The client's id.
    pub client_id: ClientId,
    /// When it was accepted; 0 when that is not known.
    pub accepted_ns: u64,
    /// The list that it belongs to; 0 is none.
    pub list: u64,
    /// Its conditions.
    pub terms: Terms,
}

impl OpenOrder {
    /// What is open.
    #[inline]
    pub fn open_lots(&self) -> u64 {
        self.total_lots.saturating_sub(self.executed_lots).saturating_sub(self.prevented_lots)
    }

    /// Whether it is sized by amount.
    #[inline]
    pub fn is_by_amount(&self) -> bool {
        self.flags.has(OrderFlags::QUOTE_AMOUNT)
    }

    /// The order that an acceptance tells of.
    ///
    /// # Errors
    /// The name of the field whose code is unknown: the event is of another build.
    #[inline]
    pub(super) fn accepted(event: &EventRecord, list: u64, is_pending: bool) -> Result<Self, &'static str> {
        let time_in_force = TimeInForce::from_code(event.time_in_force).ok_or("time_in_force")?;
        Ok(Self {
            id: event.order_id,
            account: AccountId(event.account),
            instrument: InstrumentId(event.instrument),
            side: Side::from_code(event.side).ok_or("side")?,
            order_type: OrderType::from_code(event.order_type).ok_or("order_type")?,
            time_in_force,
            self_trade_prevention: SelfTradePrevention::from_code(event.self_trade_prevention)
                .ok_or("self_trade_prevention")?,
            flags: OrderFlags(event.order_flags),
            standing: match is_pending {
                true => Standing::Pending,
                // Until it trades nobody says that it joined its auction.
                false if time_in_force.is_for_auction() => Standing::Waiting,
                false => Standing::Working,
            },
            price_ticks: event.price_ticks,
            total_lots: event.quantity_lots,
            executed_lots: 0,
            prevented_lots: 0,
            executed_raw: Some(0),
            amount_quanta: event.amount.get(),
            client_id: ClientId::of_number(event.reference),
            accepted_ns: event.time_ns,
            list,
            terms: Terms::default(),
        })
    }

    /// The order as an engine shows it. What has traded is known, at which prices is not.
    pub(super) fn of_view(view: &OrderView<'_>) -> Self {
        let executed = view.total.lots().saturating_sub(view.open.lots()).saturating_sub(view.prevented.lots());
        let is_pending = view.is_pending || view.approval.is_some();
        // As events tell it: see `accepted`.
        let awaits_auction = view.time_in_force.is_for_auction() && executed == 0;
        let waits = awaits_auction || (view.displayed.is_zero() && !view.hidden);
        Self {
            id: view.id.0,
            account: view.account,
            instrument: view.instrument,
            side: view.side,
            order_type: view.order_type,
            time_in_force: view.time_in_force,
            self_trade_prevention: view.self_trade_prevention,
            flags: view.flags,
            standing: match (is_pending, waits) {
                (true, _) => Standing::Pending,
                (false, true) => Standing::Waiting,
                (false, false) => Standing::Working,
            },
            price_ticks: view.price.ticks(),
            total_lots: view.total.lots(),
            executed_lots: executed,
            prevented_lots: view.prevented.lots(),
            executed_raw: (executed == 0).then_some(0),
            amount_quanta: 0,
            client_id: ClientId::of(&view.client_order_id),
            accepted_ns: 0,
            list: view.list.map_or(0, |list| list.0),
            terms: Terms::of_view(view),
        }
    }
}

impl Terms {
    fn of_view(view: &OrderView<'_>) -> Self {
        let mut terms = Self::default();
        if let Some((trigger, price)) = view.trigger {
            terms.trigger = trigger.kind as u8;
            terms.source = trigger.source as u8;
            terms.trigger_price_ticks = price.ticks();
            (terms.trail_unit, terms.trail) = match trigger.trail {
                None => (0, 0),
                Some(tradewright_types::Trail::Ticks(ticks)) => (1, ticks.into()),
                Some(tradewright_types::Trail::BasisPoints(parts)) => (2, parts.into()),
            };
        }
        if let Some(iceberg) = view.iceberg {
            terms.peak_lots = iceberg.peak.lots();
        }
        if let Some(peg) = view.peg {
            (terms.peg, terms.peg_is_fixed, terms.peg_offset) = (peg.kind as u8, peg.is_fixed, peg.offset);
        }
        terms
    }

    /// Learns what an event about the conditions of the order says.
    pub(super) fn learn_conditions(&mut self, event: &EventRecord) {
        self.trigger = event.order_type;
        self.source = event.time_in_force;
        self.trail_unit = event.self_trade_prevention;
        self.trigger_price_ticks = event.price_ticks;
        self.trail = event.quantity_lots;
    }

    /// Learns what an event about the display of the order says.
    pub(super) fn learn_display(&mut self, event: &EventRecord) {
        self.peak_lots = event.quantity_lots;
        self.peg = event.time_in_force;
        self.peg_is_fixed = event.self_trade_prevention == 1;
        self.peg_offset = event.price_ticks as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_digits() {
        for number in [1, 9, 10, 907, u64::MAX] {
            assert_eq!(ClientId::of_number(number).as_bytes(), number.to_string().as_bytes());
        }
        assert_eq!(ClientId::of_number(0), ClientId::default());
        assert_eq!(ClientId::new(&[b'x'; 40]).as_bytes(), [b'x'; 36]);
    }
}
