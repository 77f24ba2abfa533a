//! Whom the venue cuts off for a while: by the kill switch, or on one market; and whose connection breaks.

use tradewright_types::{AccountId, CommandKind, CommandRecord, ControlScope, KillScope, Restriction, SessionId};

use super::Flow;
use super::records;

/// What is forbidden to whom.
#[derive(Clone, Copy, Debug)]
pub(super) enum Control {
    /// Everything.
    Kill(KillScope),
    /// Something on one market.
    Restrict(ControlScope, usize),
}

/// A session whose connection is gone, and for how many more arrivals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    session: SessionId,
    arrivals: u32,
}

impl Lost {
    /// Whether an arrival later it is back.
    #[inline]
    pub(super) fn passes(&mut self) -> bool {
        self.arrivals -= 1;
        self.arrivals == 0
    }
}

/// A control that is in force.
#[derive(Clone, Copy, Debug)]
pub(super) struct CutOff {
    control: Control,
    /// Somebody whom it is for, and a market that it knows.
    whom: AccountId,
    market: usize,
    /// It is lifted after so many arrivals.
    arrivals: u32,
}

impl CutOff {
    /// Whether an arrival later its time is over.
    #[inline]
    pub(super) fn passes(&mut self) -> bool {
        self.arrivals -= 1;
        self.arrivals == 0
    }
}

impl Flow {
    /// Cuts `whom` off, who trades in `market`. One at a time.
    pub(super) fn cut_off(
        &mut self,
        control: Control,
        (whom, market): (AccountId, usize),
        arrivals: u32,
        out: &mut Vec<CommandRecord>,
    ) {
        if self.housekeeping.cut_off.is_some() {
            return;
        }
        self.housekeeping.cut_off = Some(CutOff { control, whom, market, arrivals });
        let record = match control {
            Control::Kill(scope) => records::kill_switch(CommandKind::EngageKillSwitch, scope),
            Control::Restrict(scope, market) => {
                // Half of them may still sell, and half of them keep what is open.
                let sells = self.random.coin();
                let level = if sells { Restriction::SellOnly } else { Restriction::NoTrading };
                let takes_orders = self.random.coin();
                records::restrict(scope, market, level, takes_orders)
            }
        };
        self.send(record, out);
    }

    /// Lifts what is in force.
    pub(super) fn end_cut_off(&mut self, out: &mut Vec<CommandRecord>) {
        let Some(CutOff { control, .. }) = self.housekeeping.cut_off.take() else { return };
        let record = match control {
            Control::Kill(scope) => records::kill_switch(CommandKind::ReleaseKillSwitch, scope),
            Control::Restrict(scope, market) => records::restrict(scope, market, Restriction::None, false),
        };
        self.send(record, out);
    }

    /// The connection breaks by which a market maker's orders come: they go, and it sends nothing until it is back.
    pub(super) fn lose_connection(&mut self, market: usize, maker: usize, arrivals: u32, out: &mut Vec<CommandRecord>) {
        let session = self.population.session(self.population.maker(market, maker));
        if session != SessionId(0) && self.housekeeping.lost.is_none() {
            self.housekeeping.lost = Some(Lost { session, arrivals });
            self.send(records::end_session(session), out);
        }
    }

    /// Whether a market maker's connection is gone.
    #[inline]
    pub(super) fn is_lost(&self, market: usize, maker: usize) -> bool {
        self.housekeeping
            .lost
            .is_some_and(|lost| lost.session == self.population.session(self.population.maker(market, maker)))
    }

    /// Somebody who is cut off, and where.
    pub(super) fn whom_is_cut_off(&self) -> Option<(AccountId, usize)> {
        self.housekeeping.cut_off.map(|cut_off| (cut_off.whom, cut_off.market))
    }
}
