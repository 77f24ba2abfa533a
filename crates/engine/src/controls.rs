//! Kill switches and restrictions: what they let in no more, and which open orders they take.

use tradewright_book::Order;
use tradewright_types::{
    ANY, AccountId, CloseReason, CommandKind, CommandRecord, ControlScope, Decoded, InstrumentId, KillScope, OrderId,
    RejectReason, Restriction, SessionId,
};

use crate::Engine;
use crate::emit::Emitter;
use crate::open_orders::Terms;

impl Engine {
    /// Engages a kill switch: every open order of its scope goes.
    pub(crate) fn engage_kill_switch(&mut self, scope: KillScope, emit: &mut Emitter<'_>) -> Decoded<()> {
        self.set_kill_switch(CommandKind::EngageKillSwitch, scope, true, emit)?;
        match scope {
            KillScope::Accounts(scope) => self.cancel_of_scope(scope, CloseReason::KillSwitch, emit, |_| true),
            KillScope::Session(session) => self.cancel_of_session(session, CloseReason::KillSwitch, emit),
        }
        Ok(())
    }

    /// Releases a kill switch.
    pub(crate) fn release_kill_switch(&mut self, scope: KillScope, emit: &mut Emitter<'_>) -> Decoded<()> {
        self.set_kill_switch(CommandKind::ReleaseKillSwitch, scope, false, emit)
    }

    fn set_kill_switch(
        &mut self,
        kind: CommandKind,
        scope: KillScope,
        killed: bool,
        emit: &mut Emitter<'_>,
    ) -> Decoded<()> {
        if let KillScope::Accounts(scope) = scope {
            self.check_scope(scope)?;
        }
        self.risk.set_killed(scope, killed);
        self.open.timers.attend_sessions(self.risk.controls.killed_sessions().next().is_some());
        let (account, other) = scope.ids();
        emit.setting(kind, (account, ANY), [0, other.into(), 0], (scope.code(), 0, 0));
        Ok(())
    }

    /// Ends a session: every open order that came by it goes.
    pub(crate) fn end_session(&mut self, session: SessionId, emit: &mut Emitter<'_>) {
        emit.setting(CommandKind::EndSession, (0, ANY), [0, session.0.into(), 0], (0, 0, 0));
        self.cancel_of_session(session, CloseReason::SessionEnded, emit);
    }

    /// Refuses what may not come by a session whose kill switch is engaged.
    pub(crate) fn check_session(&self, kind: CommandKind, record: &CommandRecord) -> Decoded<()> {
        let killed =
            kind.needs_living_session() && self.risk.controls.is_session_killed(SessionId(record.header.session));
        if killed { Err(RejectReason::SessionKilled) } else { Ok(()) }
    }

    /// Notes by which session the orders came that were accepted behind the order `before`. Those that are done already are nobody's.
    #[cold]
    #[inline(never)]
    pub(crate) fn note_session(&mut self, before: OrderId, record: &CommandRecord) {
        for id in before.0 + 1..=self.last_order.0 {
            if let Some(slot) = self.open.find(OrderId(id)) {
                self.open.note_session(slot, SessionId(record.header.session));
            }
        }
    }

    /// Restricts accounts on an instrument. The open orders that the restriction forbids stay, unless it is said that they go.
    pub(crate) fn set_restriction(
        &mut self,
        scope: ControlScope,
        instrument: InstrumentId,
        restriction: Restriction,
        cancels: bool,
        emit: &mut Emitter<'_>,
    ) -> Decoded<()> {
        self.known_instrument(instrument)?;
        self.check_scope(scope)?;
        self.risk.set_restriction(scope, instrument, restriction);
        let (account, group) = scope.ids();
        let values = [0, group.into(), cancels.into()];
        let codes = (scope.code(), restriction as u8, 0);
        emit.setting(CommandKind::SetRestriction, (account, instrument.0), values, codes);
        if cancels {
            self.cancel_of_scope(scope, CloseReason::Restricted, emit, |order| {
                order.terms.instrument == instrument && restriction.forbids(order.terms.side)
            });
        }
        Ok(())
    }

    /// Moves an account to another trade group. One whose kill switch is engaged takes the account's open orders.
    pub(crate) fn set_trade_group(&mut self, account: AccountId, group: u32, emit: &mut Emitter<'_>) -> Decoded<()> {
        self.known_account(account)?;
        self.risk.set_trade_group(account, group);
        emit.setting(CommandKind::SetTradeGroup, (account.0, ANY), [0, group.into(), 0], (0, 0, 0));
        if self.risk.accounts()[account.index()].standing.is_killed() {
            self.cancel_of_scope(ControlScope::Account(account), CloseReason::KillSwitch, emit, |_| true);
        }
        Ok(())
    }

    fn check_scope(&self, scope: ControlScope) -> Decoded<()> {
        match scope {
            ControlScope::Account(account) => {
                self.risk.account(account).map(|_| ()).ok_or(RejectReason::UnknownAccount)
            }
            ControlScope::TradeGroup(_) => Ok(()),
        }
    }

    /// Cancels the open orders of a scope that are `wanted`, by ascending order id.
    fn cancel_of_scope(
        &mut self,
        scope: ControlScope,
        reason: CloseReason,
        emit: &mut Emitter<'_>,
        wanted: impl Fn(&Order<Terms>) -> bool,
    ) {
        let of_scope = |order: &Order<Terms>| self.risk.is_in_scope(order.account, scope);
        let open = self.open.slab.iter().filter(|(_, order)| of_scope(order) && wanted(order));
        let slots = open.map(|(slot, order)| (order.id, slot)).collect();
        self.cancel_each(slots, reason, emit);
    }

    /// Cancels the open orders that came by a session, by ascending order id.
    fn cancel_of_session(&mut self, session: SessionId, reason: CloseReason, emit: &mut Emitter<'_>) {
        let open = self.open.slab.iter().filter(|(slot, _)| self.open.session(*slot) == session);
        let slots = open.map(|(slot, order)| (order.id, slot)).collect();
        self.cancel_each(slots, reason, emit);
    }
}
