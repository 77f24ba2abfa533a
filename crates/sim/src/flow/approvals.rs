//! Who looks at the large orders of a few: most are approved, some declined, some forgotten until their time is over.

use std::collections::VecDeque;

use tradewright_types::{AccountId, CommandKind, CommandRecord, EventRecord, Wide};
use zerocopy::transmute;

use super::Flow;
use super::population::Population;
use super::records;

/// So many arrivals pass until somebody looks at an order.
const LOOKS_AFTER: u32 = 300;
/// Of a hundred orders, those below this are approved, and those below the next declined. The others wait in vain.
const APPROVED_PERCENT: u64 = 76;
const DECLINED_PERCENT: u64 = 88;
/// Of a million looks, how many begin with a mistake.
const MISTAKES_PPM: u64 = 700_000;

/// An order that waits for its approvers.
#[derive(Clone, Copy, Debug)]
struct Asked {
    order: u64,
    market: usize,
    hash: [u8; 32],
    /// How many approvers it needs.
    approvers: usize,
    /// The arrival at which somebody looks at it.
    due: u32,
}

/// The orders that wait for approval, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Approvals {
    asked: VecDeque<Asked>,
}

impl Approvals {
    /// Whether somebody is to look at an order at this arrival.
    #[inline]
    pub(super) fn is_due(&self, arrival: u32) -> bool {
        self.asked.front().is_some_and(|asked| asked.due <= arrival)
    }
}

impl Flow {
    /// An order needs approvers.
    pub(super) fn ask_for_approval(&mut self, event: &EventRecord) {
        let hash: [Wide; 2] = [event.amount, event.counter_amount];
        self.approvals.asked.push_back(Asked {
            order: event.order_id,
            market: event.instrument as usize,
            hash: transmute!(hash),
            approvers: usize::from(event.order_type),
            due: self.housekeeping.arrivals() + LOOKS_AFTER,
        });
    }

    /// Somebody looks at the order that waits longest for it.
    #[cold]
    pub(super) fn look_at_order(&mut self, out: &mut Vec<CommandRecord>) {
        let Some(asked) = self.approvals.asked.pop_front() else { return };
        let (draw, mistakes) = (self.random.below(100), self.random.chance_ppm(MISTAKES_PPM));
        // It may be gone, and is not released but to where it could trade.
        if self.live.find(asked.order).is_none() || !self.markets[asked.market].state.trades() {
            return;
        }
        if mistakes {
            self.approve_wrongly(&asked, out);
        }
        if draw < APPROVED_PERCENT {
            for place in 0..asked.approvers {
                let approver = self.population.approver(place);
                self.send_all(records::approve(approver, asked.order, asked.hash), out);
                if mistakes && place + 1 < asked.approvers {
                    // The same one once more.
                    self.send_all(records::approve(approver, asked.order, asked.hash), out);
                }
            }
        } else if draw < DECLINED_PERCENT {
            let approver = self.population.approver(Population::APPROVERS - 1);
            self.send(records::decline(approver, asked.order), out);
        }
    }

    /// Somebody approves who cannot, or what nobody asked for.
    fn approve_wrongly(&mut self, asked: &Asked, out: &mut Vec<CommandRecord>) {
        let Some(slot) = self.live.find(asked.order) else { return };
        let order = *self.live.get(slot);
        let approver = self.population.approver(0);
        let record = match self.random.below(5) {
            0 => records::approve(AccountId(order.account), asked.order, asked.hash),
            1 => records::approve(self.population.read_only(&mut self.random), asked.order, asked.hash),
            2 => records::approve(approver, asked.order, [0; 32]),
            3 => {
                // What needs nobody.
                let Some(other) = self.any_order(asked.market) else { return };
                records::approve(approver, other.id, asked.hash)
            }
            _ => {
                let amend = Self::about(CommandKind::AmendOrder, &order);
                let (price_ticks, quantity_lots) = (order.price, order.total_lots);
                return self.send(CommandRecord { price_ticks, quantity_lots, ..amend }, out);
            }
        };
        self.send_all(record, out);
    }
}
