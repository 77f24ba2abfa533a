//! Lists: orders that depend on each other, placed by one command.

use crate::command::ensure_read;
use crate::{
    AccountId, ClientOrderId, CommandKind, CommandRecord, Decoded, InstrumentId, NewOrder, OrderFlags, OrderType,
    RejectReason, Size, Target, TimeInForce, TriggerKind,
};

/// How the orders of a list depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Contingency {
    /// A pair (OCO): whichever is executed first cancels the other.
    OneCancelsOther = 1,
    /// The second starts when the first is filled (OTO).
    OneTriggersOther = 2,
    /// The second and third are a pair that starts when the first is filled (OTOCO).
    OneTriggersPair = 3,
}

impl Contingency {
    /// The contingency a record names, if this build knows it.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::OneCancelsOther),
            2 => Some(Self::OneTriggersOther),
            3 => Some(Self::OneTriggersPair),
            _ => None,
        }
    }

    /// How many orders such a list has.
    pub const fn leg_count(self) -> usize {
        match self {
            Self::OneCancelsOther | Self::OneTriggersOther => 2,
            Self::OneTriggersPair => 3,
        }
    }

    /// Whether its first order must be filled before the others start.
    pub const fn has_working_leg(self) -> bool {
        match self {
            Self::OneCancelsOther => false,
            Self::OneTriggersOther | Self::OneTriggersPair => true,
        }
    }

    /// Whether its last two orders are a pair.
    pub const fn has_pair(self) -> bool {
        match self {
            Self::OneCancelsOther | Self::OneTriggersPair => true,
            Self::OneTriggersOther => false,
        }
    }
}

/// Why a list was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegRefused {
    /// The reason.
    pub reason: RejectReason,
    /// The order that it is about, from 1; 0 when it is about the list.
    pub leg: u8,
}

impl From<RejectReason> for LegRefused {
    fn from(reason: RejectReason) -> Self {
        Self { reason, leg: 0 }
    }
}

/// A new list, decoded: its orders are legal in themselves and fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewList<'r> {
    /// Who sends it.
    pub account: AccountId,
    /// On which instrument.
    pub instrument: InstrumentId,
    /// How its orders depend on each other.
    pub contingency: Contingency,
    /// The client's own id of the list.
    pub client_list_id: ClientOrderId<'r>,
    /// As many as the contingency has; the rest repeats the first.
    orders: [NewOrder<'r>; 3],
}

/// The cancel of a list, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelList<'r> {
    /// Whose list.
    pub account: AccountId,
    /// Which one: an order id stands for a list id here.
    pub target: Target<'r>,
}

impl<'r> NewList<'r> {
    /// Its orders, in the order in which they were sent.
    pub fn legs(&self) -> &[NewOrder<'r>] {
        &self.orders[..self.contingency.leg_count()]
    }

    /// Whether the leg at this place waits for the one before.
    pub fn is_pending(&self, place: usize) -> bool {
        place > 0 && self.contingency.has_working_leg()
    }

    /// Reads the whole command.
    ///
    /// # Errors
    /// The fields' reasons: those of the first record, of each order in turn, of what they are together.
    pub fn read(records: &'r [CommandRecord]) -> Result<Self, LegRefused> {
        let first = &records[0];
        first.flags(OrderFlags::TEXT_ID)?;
        let (client_list_id, mut rest) = first.client_order_id(&records[1..])?;
        let CommandRecord { side, time_in_force, self_trade_prevention, reserved, .. } = *first;
        let unused = [side, time_in_force, self_trade_prevention] == [0; 3] && reserved == 0;
        let contingency = Contingency::from_code(first.order_type)
            .filter(|_| unused && first.price_ticks == 0 && first.quantity_lots == 0)
            .ok_or(RejectReason::InvalidContingency)?;
        let mut read_leg = |leg: u8| {
            let refused = |reason| LegRefused { reason, leg };
            let head = rest.first().ok_or(refused(RejectReason::MalformedRecords))?;
            let belongs = head.account == first.account && head.instrument == first.instrument;
            if head.header.kind != CommandKind::PlaceOrder as u8 || !belongs {
                return Err(refused(RejectReason::MalformedRecords));
            }
            let (order, behind) = NewOrder::decode(rest).map_err(refused)?;
            rest = behind;
            Ok(order)
        };
        let (working, second) = (read_leg(1)?, read_leg(2)?);
        let third = if contingency.leg_count() == 3 { read_leg(3)? } else { working };
        ensure_read(rest)?;
        let list = Self {
            account: AccountId(first.account),
            instrument: InstrumentId(first.instrument),
            contingency,
            client_list_id,
            orders: [working, second, third],
        };
        list.check_shape()?;
        Ok(list)
    }

    fn check_shape(&self) -> Result<(), LegRefused> {
        let legs = self.legs();
        let [.., limit, stop] = legs else { unreachable!("Invariant: a list has two or three orders") };
        let working_fits = !self.contingency.has_working_leg() || works(&legs[0]);
        let pair_fits = !self.contingency.has_pair() || is_pair(limit, stop);
        if !working_fits || !pair_fits || !legs.iter().all(is_open) {
            return Err(RejectReason::LegsDoNotFit.into());
        }
        for (place, leg) in legs.iter().enumerate() {
            let is_named = leg.client_order_id != ClientOrderId::Absent;
            if is_named && legs[..place].iter().any(|before| before.client_order_id == leg.client_order_id) {
                return Err(LegRefused { reason: RejectReason::DuplicateClientOrderId, leg: place as u8 + 1 });
            }
        }
        Ok(())
    }
}

/// Whether an order has a quantity, shows it, follows no price, and is not bound to a session or an auction.
fn is_open(order: &NewOrder<'_>) -> bool {
    use TimeInForce::{FillOrKill, GoodTillCancel, GoodTillDate, ImmediateOrCancel};
    let conditions = order.conditions();
    let is_unbound = [GoodTillCancel, ImmediateOrCancel, FillOrKill, GoodTillDate].contains(&order.time_in_force);
    let is_shown = conditions.iceberg.is_none() && !conditions.hidden;
    let follows = conditions.peg.is_some_and(|peg| !peg.is_fixed);
    is_unbound && matches!(order.size, Size::Lots(_)) && is_shown && !follows
}

/// Whether others may wait until an order is filled: a limit order that comes to the market at once.
fn works(order: &NewOrder<'_>) -> bool {
    order.order_type == OrderType::Limit && order.conditions().trigger.is_none()
}

/// Whether two orders are a pair: a limit order that rests, or a take-profit; and a stop-loss.
fn is_pair(limit: &NewOrder<'_>, stop: &NewOrder<'_>) -> bool {
    let first_fits = match limit.conditions().trigger {
        None => limit.order_type == OrderType::Limit && limit.time_in_force.rests(),
        Some(trigger) => trigger.kind == TriggerKind::TakeProfit,
    };
    let stops = stop.conditions().trigger.is_some_and(|trigger| trigger.kind == TriggerKind::StopLoss);
    first_fits && stops && limit.side == stop.side && limit.size == stop.size
}

impl<'r> CancelList<'r> {
    /// Reads the whole command.
    ///
    /// # Errors
    /// The fields' reasons, in precedence order.
    pub fn read(records: &'r [CommandRecord]) -> Decoded<Self> {
        let (target, rest) = records[0].target(&records[1..])?;
        ensure_read(rest)?;
        Ok(Self { account: AccountId(records[0].account), target })
    }
}
