//! What one command came to, read from its events.

use pyo3::prelude::*;
use pyo3::types::PyInt;
use tradewright_types::{CloseReason, CommandKind, EventFlags, EventKind, EventRecord, RejectReason};

/// The states of an order as codes; `tradewright.OrderStatus` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Status {
    /// The command was not about a single order.
    None = 0,
    New = 1,
    PartiallyFilled = 2,
    Filled = 3,
    Cancelled = 4,
    Expired = 5,
    Prevented = 6,
    Rejected = 7,
}

/// What one command came to. Integers in ticks, lots and quanta.
#[pyclass(frozen, module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The order; 0 when the command was refused.
    #[pyo3(get)]
    order_id: u64,
    /// A code of `OrderStatus`.
    status: Status,
    /// What the order traded in this command.
    #[pyo3(get)]
    filled_lots: u64,
    notional: i128,
    /// What the order has open.
    #[pyo3(get)]
    open_lots: u64,
    /// What self-trade prevention took from the order in this command.
    #[pyo3(get)]
    prevented_lots: u64,
    /// A code of `RejectReason` when the status is REJECTED, of `CloseReason` when the order was cancelled or expired,
    /// otherwise 0.
    #[pyo3(get)]
    reason: u16,
    /// Of a replacement whose halves may fail apart: why its cancel was refused, a code of `RejectReason`; otherwise 0.
    #[pyo3(get)]
    cancel_reason: u16,
    /// Whether the command cancelled an order, be it that another took its place or not.
    #[pyo3(get)]
    has_cancelled: bool,
    fee: i128,
    /// The command's place in the log.
    #[pyo3(get)]
    sequence: u64,
    /// Where the command's events start in the engine's event log.
    #[pyo3(get)]
    position: u64,
    /// The first fill stands here, because most orders that trade have one and it then needs no memory of its own.
    first_fill: Option<Fill>,
    more_fills: Vec<Fill>,
}

/// Why lists close other orders than the one that a command is about.
const OF_LISTS: [u16; 3] =
    [CloseReason::OtherLegExecuted as u16, CloseReason::ListClosed as u16, CloseReason::RefusedAtStart as u16];

/// The maker's order id, the price in ticks, the quantity in lots.
type Fill = (u64, i64, u64);

/// Whether an event shows that the command itself has begun.
#[inline]
fn is_of_command(event: &EventRecord) -> bool {
    const NOT_BEFORE: &[EventKind] = &[
        EventKind::Trade,
        EventKind::MatchPrevented,
        EventKind::OrderExpired,
        EventKind::OrderTriggered,
        EventKind::InstrumentStateChanged,
        EventKind::AuctionUncrossed,
        EventKind::AuctionIndication,
        EventKind::BreakerTripped,
        EventKind::OrderRefreshed,
        EventKind::QuoteProtectionTriggered,
        EventKind::ListUpdated,
        EventKind::ListDone,
    ];
    const BY_ITSELF: &[CloseReason] = &[CloseReason::InstrumentExpired, CloseReason::QuoteProtection];
    if event.kind == EventKind::OrderCancelled as u8 {
        return BY_ITSELF.iter().all(|reason| event.reason != *reason as u16) && !OF_LISTS.contains(&event.reason);
    }
    event.kind == EventKind::OrderAccepted as u8 || NOT_BEFORE.iter().all(|kind| event.kind != *kind as u8)
}

impl Outcome {
    /// Reads the events of one command.
    #[inline]
    pub(crate) fn of(events: &[EventRecord], sequence: u64, position: u64) -> Self {
        let mut outcome = Self {
            order_id: 0,
            status: Status::None,
            filled_lots: 0,
            notional: 0,
            open_lots: 0,
            prevented_lots: 0,
            reason: 0,
            cancel_reason: 0,
            has_cancelled: false,
            fee: 0,
            sequence,
            position,
            first_fill: None,
            more_fills: Vec::new(),
        };
        // What is before it are timers: orders that expire, states that end, auctions that trade.
        let begin = events.iter().position(is_of_command).unwrap_or(events.len());
        let mut events = events[begin..].iter();
        for event in events.by_ref() {
            // What is behind it are other orders, which its trades started.
            if [EventKind::OrderTriggered as u8, EventKind::ListUpdated as u8].contains(&event.kind) {
                break;
            }
            outcome.read(event);
        }
        // They may meet what is left of it.
        let order_id = outcome.order_id;
        for event in events {
            if event.kind == EventKind::Rejected as u8 {
                outcome.read_refusal(event.open_lots, event.reason);
            } else if event.counter_order_id == order_id {
                outcome.read_as_maker(event);
            }
        }
        outcome
    }

    /// Reads what an order that this one started did to it.
    #[cold]
    fn read_as_maker(&mut self, event: &EventRecord) {
        let done = event.flags & EventFlags::MAKER_DONE.0 != 0;
        match EventKind::from_code(event.kind) {
            Some(EventKind::Trade) => {
                self.more_fills.push((event.order_id, event.price_ticks, event.quantity_lots));
                self.filled_lots += event.quantity_lots;
                self.notional += i128::from(event.price_ticks) * i128::from(event.quantity_lots);
                self.fee += event.counter_amount.get();
                self.open_lots -= event.quantity_lots;
                self.status = if done { Status::Filled } else { Status::PartiallyFilled };
            }
            Some(EventKind::MatchPrevented) => {
                self.prevented_lots += event.open_lots;
                self.open_lots -= event.open_lots;
                if done {
                    self.status = Status::Prevented;
                }
            }
            _ => {}
        }
    }

    /// Reads why a command, or a half of a replacement, was refused; `kind` is that of the record that is repeated.
    #[cold]
    fn read_refusal(&mut self, kind: u64, reason: u16) {
        let is_new_order = kind == CommandKind::PlaceOrder as u64;
        if self.order_id != 0 && !self.has_cancelled && !is_new_order {
            // The new order came all the same.
            self.cancel_reason = reason;
            return;
        }
        if self.status == Status::Rejected {
            self.cancel_reason = self.reason;
        }
        (self.status, self.order_id, self.reason) = (Status::Rejected, 0, reason);
    }

    #[inline]
    fn read(&mut self, event: &EventRecord) {
        match EventKind::from_code(event.kind) {
            Some(EventKind::OrderAccepted) => {
                (self.order_id, self.status, self.reason) = (event.order_id, Status::New, 0);
                self.open_lots = event.quantity_lots;
            }
            Some(EventKind::OrderAmended) => {
                (self.order_id, self.open_lots) = (event.order_id, event.open_lots);
                self.status =
                    if event.open_lots == event.quantity_lots { Status::New } else { Status::PartiallyFilled };
            }
            Some(EventKind::Trade) => {
                let fill = (event.counter_order_id, event.price_ticks, event.quantity_lots);
                match self.first_fill {
                    None => self.first_fill = Some(fill),
                    Some(_) => self.more_fills.push(fill),
                }
                self.filled_lots += event.quantity_lots;
                self.notional += i128::from(event.price_ticks) * i128::from(event.quantity_lots);
                self.fee += event.amount.get();
                self.open_lots = event.open_lots;
                let done = event.flags & EventFlags::TAKER_DONE.0 != 0;
                self.status = if done { Status::Filled } else { Status::PartiallyFilled };
            }
            Some(EventKind::MatchPrevented) => {
                self.prevented_lots += event.quantity_lots;
                self.open_lots = self.open_lots.saturating_sub(event.quantity_lots);
                if event.flags & EventFlags::TAKER_DONE.0 != 0 {
                    (self.status, self.open_lots) = (Status::Prevented, 0);
                }
            }
            // Quotes that its trades took from the market.
            Some(EventKind::OrderCancelled) if event.reason == CloseReason::QuoteProtection as u16 => {}
            // Other orders, which a list took along or could not start.
            Some(EventKind::OrderExpired | EventKind::OrderCancelled) if OF_LISTS.contains(&event.reason) => {}
            Some(kind @ (EventKind::OrderCancelled | EventKind::OrderExpired)) => {
                let expired = kind == EventKind::OrderExpired;
                self.has_cancelled |= !expired;
                self.status = if expired { Status::Expired } else { Status::Cancelled };
                (self.order_id, self.open_lots, self.reason) = (event.order_id, 0, event.reason);
                // Spending all but a rest that buys nothing is what an order by amount is for.
                if event.reason == CloseReason::QuoteAmountSpent as u16 && self.filled_lots > 0 {
                    self.status = Status::Filled;
                }
            }
            Some(EventKind::Rejected) => self.read_refusal(event.open_lots, event.reason),
            // What came of the original.
            Some(EventKind::CommandRepeated) if event.reason != 0 => self.read_refusal(event.open_lots, event.reason),
            Some(EventKind::CommandRepeated) => self.order_id = event.order_id,
            Some(
                EventKind::ClientOrderIdText
                | EventKind::OrderConditions
                | EventKind::OrderTriggered
                | EventKind::OrderDisplay
                | EventKind::OrderRefreshed
                | EventKind::OrderRepriced
                | EventKind::Deposited
                | EventKind::WithdrawalRequested
                | EventKind::WithdrawalConfirmed
                | EventKind::WithdrawalCancelled
                | EventKind::Transferred
                | EventKind::TransferSent
                | EventKind::TransferReceived
                | EventKind::TransferConfirmed
                | EventKind::SettingApplied
                | EventKind::InstrumentStateChanged
                | EventKind::AuctionIndication
                | EventKind::AuctionUncrossed
                | EventKind::BreakerTripped
                | EventKind::MarketWideLevelReached
                | EventKind::ListAccepted
                | EventKind::ListUpdated
                | EventKind::ListDone
                | EventKind::ClientListIdText
                | EventKind::ApprovalRequired
                | EventKind::OrderApproved
                | EventKind::ApprovalDeclined
                | EventKind::OrderReleased
                | EventKind::QuoteAccepted
                | EventKind::QuoteProtectionTriggered
                | EventKind::SessionOpened
                | EventKind::SessionNameText
                | EventKind::KeyRegistered
                | EventKind::KeyRevoked
                | EventKind::KeyIdText,
            )
            | None => {}
        }
    }
}

/// A 128-bit number as Python has it; nearly all fit 64 bits, and those convert in a tenth of the time.
fn integer(py: Python<'_>, number: i128) -> PyResult<Bound<'_, PyInt>> {
    match i64::try_from(number) {
        Ok(small) => Ok(small.into_pyobject(py)?),
        Err(_) => Ok(number.into_pyobject(py)?),
    }
}

#[pymethods]
impl Outcome {
    /// A code of `OrderStatus`.
    #[getter]
    fn status(&self) -> u8 {
        self.status as u8
    }

    /// What the order pays in fees for this command, in quote quanta; negative is a rebate.
    #[getter]
    fn fee<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyInt>> {
        integer(py, self.fee)
    }

    /// The sum of price x quantity of the order's trades in the command, in ticks x lots.
    #[getter]
    fn notional<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyInt>> {
        integer(py, self.notional)
    }

    /// How many trades the order made in the command.
    #[getter]
    fn fill_count(&self) -> usize {
        usize::from(self.first_fill.is_some()) + self.more_fills.len()
    }

    /// Whether the command took effect.
    #[getter]
    fn is_accepted(&self) -> bool {
        self.status != Status::Rejected
    }

    /// The trades of the order in the command: (the other order's id, price in ticks, quantity in lots).
    #[getter]
    fn fills(&self) -> Vec<Fill> {
        self.first_fill.into_iter().chain(self.more_fills.iter().copied()).collect()
    }

    fn __repr__(&self) -> String {
        let Self { order_id, filled_lots, open_lots, reason, sequence, .. } = self;
        match RejectReason::from_code(*reason) {
            Some(reason) if self.status == Status::Rejected => {
                format!("Outcome(REJECTED, reason={}, sequence={sequence})", reason.name())
            }
            Some(_) | None => {
                let status = format!("{:?}", self.status);
                format!(
                    "Outcome({status}, order_id={order_id}, filled_lots={filled_lots}, open_lots={open_lots}, sequence={sequence})"
                )
            }
        }
    }
}
