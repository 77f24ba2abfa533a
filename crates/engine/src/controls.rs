//! Kill switches and restrictions: what they let in no more, and which open orders they take.

use tradewright_book::Order;
use tradewright_types::{
    ANY, AccountId, CloseReason, CommandKind, ControlScope, Decoded, InstrumentId, RejectReason, Restriction,
};

use crate::Engine;
use crate::emit::Emitter;
use crate::open_orders::Terms;

impl Engine {
    /// Engages a kill switch: every open order of its scope goes.
    pub(crate) fn engage_kill_switch(&mut self, scope: ControlScope, emit: &mut Emitter<'_>) -> Decoded<()> {
        self.set_kill_switch(CommandKind::EngageKillSwitch, scope, true, emit)?;
        self.cancel_of_scope(scope, CloseReason::KillSwitch, emit, |_| true);
        Ok(())
    }

    /// Releases a kill switch.
    pub(crate) fn release_kill_switch(&mut self, scope: ControlScope, emit: &mut Emitter<'_>) -> Decoded<()> {
        self.set_kill_switch(CommandKind::ReleaseKillSwitch, scope, false, emit)
    }

    fn set_kill_switch(
        &mut self,
        kind: CommandKind,
        scope: ControlScope,
        killed: bool,
        emit: &mut Emitter<'_>,
    ) -> Decoded<()> {
        self.check_scope(scope)?;
        self.risk.set_killed(scope, killed);
        let (account, group) = scope.ids();
        emit.setting(kind, (account, ANY), [0, group.into(), 0], (scope.code(), 0, 0));
        Ok(())
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
}
