//! Commands that are not about orders.

use tradewright_ledger::{ShardTransfer, Withdrawal};
use tradewright_risk::{AccountRisk, Instrument, Standing};
use tradewright_types::{
    ANY, AccountId, AccountKind, AllocationTerms, Amount, AssetId, AuctionPhase, CommandKind, Decoded, EventKind,
    FeeRates, HaltScope, InstrumentId, InstrumentKind, InstrumentLimits, InstrumentState, InstrumentUnits, Name,
    Permissions, Price, PriceSource, RejectReason, ScheduledState, Setting, Side, StateCause, TransferKind,
    WithdrawalId,
};

use crate::Engine;
use crate::emit::Emitter;
use crate::floor::Market;
use crate::keys::Key;
use crate::session::uncrosses;
use crate::sharing::Sharing;

pub(crate) fn ensure(condition: bool, otherwise: RejectReason) -> Decoded<()> {
    if condition { Ok(()) } else { Err(otherwise) }
}

impl Engine {
    /// Applies a setting.
    #[inline(never)]
    pub(crate) fn set(&mut self, setting: &Setting, emit: &mut Emitter<'_>) -> Decoded<()> {
        use CommandKind as Kind;
        let none = (0, 0, 0);
        match *setting {
            Setting::AdvanceTime => {}
            Setting::AddAsset { id, scale, name } => {
                self.add_asset(id, scale, name)?;
                emit.setting(Kind::AddAsset, (0, id.0), [0, scale.into(), 0], none);
            }
            Setting::ListInstrument { id, kind, fee_schedule, name, units, limits } => {
                self.list(id, kind, fee_schedule, name, units, limits)?;
                emit.setting(Kind::ListInstrument, (0, id.0), [0; 3], (0, kind as u8, fee_schedule));
                self.list_into_pause(id, emit);
            }
            Setting::SetInstrumentLimits { instrument, limits } => {
                self.known_instrument(instrument)?.set_limits(limits);
                emit.setting(Kind::SetInstrumentLimits, (0, instrument.0), [0; 3], none);
            }
            Setting::SetReferencePrice { instrument, price } => {
                self.known_instrument(instrument)?.set_reference(price);
                let ticks = price.map_or(0, |price| price.ticks() as u64);
                emit.setting(Kind::SetReferencePrice, (0, instrument.0), [ticks, 0, 0], none);
            }
            Setting::SetTriggerPrice { instrument, source, price } => {
                self.set_trigger_price(instrument, source, price, emit)?;
            }
            Setting::SetAllocation { instrument, terms } => {
                self.set_allocation(instrument, terms)?;
                let values = [terms.fifo_ppm.into(), terms.minimum.lots(), terms.leveling.into()];
                emit.setting(Kind::SetAllocation, (0, instrument.0), values, (terms.rule as u8, terms.weight, 0));
            }
            Setting::SetInstrumentState { instrument, state, phase } => {
                self.set_instrument_state(instrument, state, phase, emit)?;
            }
            Setting::ScheduleInstrumentState { instrument, change, values } => {
                self.schedule_instrument_state(instrument, change)?;
                let (state, phase) = change.map_or((0, 0), |change| (change.state as u8, change.phase as u8));
                emit.setting(Kind::ScheduleInstrumentState, (0, instrument.0), values, (state, phase, 0));
            }
            Setting::SetAuctionTerms { instrument, terms } => {
                self.floor(instrument).ok_or(RejectReason::UnknownInstrument)?.session().terms = terms;
                let values = [terms.collar_ppm.into(), terms.extension_ns, terms.call_ns];
                emit.setting(Kind::SetAuctionTerms, (0, instrument.0), values, (0, terms.extensions_max, 0));
            }
            Setting::SetBreaker { instrument, terms } => self.set_breaker(instrument, terms, emit)?,
            Setting::SetMarketReference { close } => self.set_market_reference(close, emit),
            Setting::SetMarketLevel { index } => self.set_market_level(index, emit),
            Setting::SetTop { instrument, top } => {
                self.known_instrument(instrument)?;
                self.steps_of(instrument)?.set_top(top);
                let (minimum, maximum) = top.map_or((0, 0), |top| (top.minimum.lots(), top.maximum.lots()));
                emit.setting(Kind::SetTop, (0, instrument.0), [0, minimum, maximum], none);
            }
            Setting::SetLead { instrument, account, share_ppm } => {
                self.known_instrument(instrument)?;
                self.known_account(account)?;
                self.steps_of(instrument)?.set_lead(account, share_ppm)?;
                emit.setting(Kind::SetLead, (account.0, instrument.0), [share_ppm.into(), 0, 0], none);
            }
            Setting::SetQuoteProtection { scope, terms } => {
                self.set_quote_protection(scope, terms)?;
                let values = terms.map_or([0; 3], |terms| [terms.fills_max, terms.lots_max, terms.window_ns]);
                emit.setting(Kind::SetQuoteProtection, (scope.account.0, scope.code()), values, none);
            }
            Setting::ResetQuoteProtection(scope) => {
                self.reset_quote_protection(scope)?;
                emit.setting(Kind::ResetQuoteProtection, (scope.account.0, scope.code()), [0; 3], none);
            }
            Setting::SetFeeTier { schedule, tier, rates } => {
                self.set_fee_tier(schedule, tier, rates)?;
                let values = [i64::from(rates.taker.ppm()) as u64, i64::from(rates.maker.ppm()) as u64, 0];
                emit.setting(Kind::SetFeeTier, (0, ANY), values, (0, tier, schedule));
            }
            Setting::OpenAccount { id, kind, name } => {
                self.open_account(id, kind, name)?;
                emit.setting(Kind::OpenAccount, (id.0, ANY), [0; 3], (0, kind as u8, 0));
            }
            Setting::SetAccountLimits { account, limits } => {
                self.known_account(account)?.limits = limits;
                let values = [limits.open_orders_max, limits.orders_per_second_max, limits.messages_per_second_max];
                emit.setting(Kind::SetAccountLimits, (account.0, ANY), values.map(u64::from), none);
            }
            Setting::SetAccountFeeTier { account, tier } => {
                self.known_account(account)?.fee_tier = tier;
                emit.setting(Kind::SetAccountFeeTier, (account.0, ANY), [0; 3], (0, tier, 0));
            }
            Setting::SetTradeGroup { account, group } => {
                self.set_trade_group(account, group, emit)?;
            }
            Setting::SetPermissions { account, permissions } => {
                self.set_permissions(account, permissions)?;
                emit.setting(Kind::SetPermissions, (account.0, ANY), [0, permissions.0.into(), 0], none);
            }
            Setting::SetPositionLimit { account, instrument, lots } => {
                self.known_instrument(instrument)?;
                self.known_account(account)?;
                self.known_instrument(instrument)?.exposures.get_mut(account.index()).position_max_lots = lots;
                emit.setting(Kind::SetPositionLimit, (account.0, instrument.0), [0, lots, 0], none);
            }
            Setting::Halt(scope) => self.set_halted(Kind::Halt, scope, true, emit)?,
            Setting::Resume(scope) => self.set_halted(Kind::Resume, scope, false, emit)?,
            Setting::SetApprovalBands { scope, bands } => self.set_approval_bands(scope, bands, emit)?,
            Setting::ApproveOrder { approver, order, hash } => self.approve(approver, order, &hash, emit)?,
            Setting::DeclineOrder { approver, order } => self.decline(approver, order, emit)?,
            Setting::EngageKillSwitch(scope) => self.engage_kill_switch(scope, emit)?,
            Setting::ReleaseKillSwitch(scope) => self.release_kill_switch(scope, emit)?,
            Setting::EndSession(session) => self.end_session(session, emit),
            Setting::OpenSession { account, name } => self.open_session(account, &name, emit)?,
            Setting::RegisterKey { id, account, kind, permissions, key: material } => {
                self.register_key(&id, &Key { account, kind, permissions, material }, emit)?;
            }
            Setting::RevokeKey(id) => self.revoke_key(&id, emit)?,
            Setting::SetRestriction { scope, instrument, restriction, cancels } => {
                self.set_restriction(scope, instrument, restriction, cancels, emit)?;
            }
            Setting::Deposit { account, asset, amount } => {
                self.deposit(account, asset, amount)?;
                emit.money(EventKind::Deposited, (account, AccountId(0)), asset.0, amount, 0);
            }
            Setting::RequestWithdrawal { account, asset, amount } => {
                let id = self.request_withdrawal(account, asset, amount)?;
                emit.money(EventKind::WithdrawalRequested, (account, AccountId(0)), asset.0, amount, id.0);
            }
            Setting::ConfirmWithdrawal(id) => {
                let done = self.ledger.confirm_withdrawal(id).ok_or(RejectReason::UnknownWithdrawal)?;
                emit.money(
                    EventKind::WithdrawalConfirmed,
                    (done.account, AccountId(0)),
                    done.asset.0,
                    done.amount,
                    id.0,
                );
            }
            Setting::CancelWithdrawal(id) => {
                let done = self.ledger.cancel_withdrawal(id).ok_or(RejectReason::UnknownWithdrawal)?;
                emit.money(
                    EventKind::WithdrawalCancelled,
                    (done.account, AccountId(0)),
                    done.asset.0,
                    done.amount,
                    id.0,
                );
            }
            Setting::Transfer { from, to, asset, amount, kind } => {
                self.transfer(from, to, asset, amount, kind)?;
                emit.money(EventKind::Transferred, (from, to), asset.0, amount, kind as u64);
            }
            Setting::SendTransfer { to, account, asset, amount } => {
                self.send_transfer(to, &ShardTransfer { account, asset, amount }, emit)?;
            }
            Setting::ReceiveTransfer { from, number, account, asset, amount } => {
                self.receive_transfer(from, number, &ShardTransfer { account, asset, amount }, emit)?;
            }
            Setting::ConfirmTransfer { to, number } => self.confirm_transfer(to, number, emit)?,
        }
        Ok(())
    }

    pub(crate) fn known_account(&mut self, account: AccountId) -> Decoded<&mut AccountRisk> {
        self.risk.account_mut(account).ok_or(RejectReason::UnknownAccount)
    }

    pub(crate) fn known_instrument(&mut self, instrument: InstrumentId) -> Decoded<&mut Instrument> {
        let market = self.markets.get_mut(instrument.index()).ok_or(RejectReason::UnknownInstrument)?;
        Ok(&mut market.instrument)
    }

    fn set_trigger_price(
        &mut self,
        instrument: InstrumentId,
        source: PriceSource,
        price: Price,
        emit: &mut Emitter<'_>,
    ) -> Decoded<()> {
        let mut floor = self.floor(instrument).ok_or(RejectReason::UnknownInstrument)?;
        let triggers = floor.market.triggers.get_or_insert_default();
        let kind = if source == PriceSource::Mark {
            triggers.mark = Some(price);
            CommandKind::SetMarkPrice
        } else {
            triggers.index = Some(price);
            CommandKind::SetIndexPrice
        };
        emit.setting(kind, (0, instrument.0), [price.ticks() as u64, 0, 0], (0, 0, 0));
        floor.price_came(source, price);
        floor.work_off(emit);
        Ok(())
    }

    fn set_allocation(&mut self, instrument: InstrumentId, terms: AllocationTerms) -> Decoded<()> {
        let market = self.markets.get_mut(instrument.index()).ok_or(RejectReason::UnknownInstrument)?;
        let is_empty = [Side::Buy, Side::Sell].into_iter().all(|side| market.best_of_all(side).is_none());
        ensure(is_empty, RejectReason::BookNotEmpty)?;
        market.sharing = Sharing::new(terms);
        market.refresh();
        Ok(())
    }

    /// The steps of an instrument's rule, which nobody on the book goes by yet.
    fn steps_of(&mut self, instrument: InstrumentId) -> Decoded<&mut Sharing> {
        let market = &mut self.markets[instrument.index()];
        let is_empty = [Side::Buy, Side::Sell].into_iter().all(|side| market.best_of_all(side).is_none());
        ensure(is_empty, RejectReason::BookNotEmpty)?;
        market.sharing.as_deref_mut().filter(|sharing| sharing.has_steps()).ok_or(RejectReason::RuleHasNoSteps)
    }

    pub(crate) fn known_asset(&self, asset: AssetId) -> Decoded<()> {
        ensure(asset.index() < self.ledger.asset_count(), RejectReason::UnknownAsset)
    }

    fn set_permissions(&mut self, account: AccountId, permissions: Permissions) -> Decoded<()> {
        let may_trade = matches!(self.ledger.kind(account), Some(AccountKind::Client | AccountKind::House));
        let known = self.known_account(account)?;
        let allowed = may_trade || Permissions::TRANSFER.allow(permissions);
        ensure(allowed, RejectReason::SettingOutOfRange)?;
        known.permissions = permissions;
        Ok(())
    }

    fn add_asset(&mut self, id: AssetId, scale: u8, name: Name) -> Decoded<()> {
        ensure(id.index() == self.ledger.asset_count(), RejectReason::IdNotNext)?;
        ensure(self.registry.asset(&name).is_none(), RejectReason::NameTaken)?;
        self.registry.add_asset(name, scale);
        self.ledger.add_asset();
        Ok(())
    }

    fn open_account(&mut self, id: AccountId, kind: AccountKind, name: Name) -> Decoded<()> {
        ensure(id.index() == self.risk.accounts().len(), RejectReason::IdNotNext)?;
        ensure(self.registry.account(&name).is_none(), RejectReason::NameTaken)?;
        self.registry.add_account(name, kind);
        self.ledger.open_account(kind);
        self.risk.add_account(AccountRisk::new(kind));
        Ok(())
    }

    fn list(
        &mut self,
        id: InstrumentId,
        kind: InstrumentKind,
        fee_schedule: u16,
        name: Name,
        units: InstrumentUnits,
        limits: InstrumentLimits,
    ) -> Decoded<()> {
        ensure(id.index() == self.markets.len(), RejectReason::IdNotNext)?;
        ensure(self.registry.instrument(&name).is_none(), RejectReason::NameTaken)?;
        self.known_asset(units.base)?;
        self.known_asset(units.quote)?;
        self.registry.add_instrument(name);
        self.markets.push(Market::new(Instrument::new(kind, units, fee_schedule, limits)));
        Ok(())
    }

    fn set_fee_tier(&mut self, schedule: u16, tier: u8, rates: FeeRates) -> Decoded<()> {
        let of_schedule = |id: InstrumentId| self.markets[id.index()].instrument.fee_schedule == schedule;
        let open = self.open.slab.iter().filter(|(_, order)| of_schedule(order.terms.instrument));
        let open_rates = open.map(|(slot, _)| self.open.rates(slot));
        let covered = self.risk.fees.covers_rebates(schedule, tier, rates, open_rates);
        ensure(covered, RejectReason::FeeScheduleNegative)?;
        self.risk.fees.set(schedule, tier, rates);
        Ok(())
    }

    fn set_instrument_state(
        &mut self,
        instrument: InstrumentId,
        state: InstrumentState,
        phase: AuctionPhase,
        emit: &mut Emitter<'_>,
    ) -> Decoded<()> {
        let mut floor = self.floor(instrument).ok_or(RejectReason::UnknownInstrument)?;
        let would_trade = uncrosses(floor.market.instrument.state, state);
        ensure(!(floor.risk.halted && would_trade), RejectReason::VenueHalted)?;
        ensure(floor.may_become(state, phase), RejectReason::IllegalStateChange)?;
        emit.setting(CommandKind::SetInstrumentState, (0, instrument.0), [0; 3], (state as u8, phase as u8, 0));
        floor.become_state(state, phase, StateCause::Command, emit);
        Ok(())
    }

    fn schedule_instrument_state(&mut self, instrument: InstrumentId, change: Option<ScheduledState>) -> Decoded<()> {
        let now_ns = self.risk.time_ns;
        let mut floor = self.floor(instrument).ok_or(RejectReason::UnknownInstrument)?;
        let ended = floor.market.instrument.state == InstrumentState::Expired;
        ensure(!ended, RejectReason::IllegalStateChange)?;
        let is_ahead = change.is_none_or(|change| change.due_ns > now_ns);
        ensure(is_ahead, RejectReason::ScheduleNotInFuture)?;
        floor.schedule(change);
        Ok(())
    }

    /// Halts or resumes an instrument. Halting a halted one and resuming any other changes nothing.
    fn set_instrument_halted(&mut self, id: InstrumentId, halted: bool, emit: &mut Emitter<'_>) -> Decoded<()> {
        let mut floor = self.floor(id).ok_or(RejectReason::UnknownInstrument)?;
        let state = floor.market.instrument.state;
        ensure(state != InstrumentState::Expired, RejectReason::IllegalStateChange)?;
        let kind = if halted { CommandKind::Halt } else { CommandKind::Resume };
        emit.setting(kind, (0, id.0), [0; 3], (1, 0, 0));
        match (state == InstrumentState::Halted, halted) {
            (true, true) | (false, false) => {}
            (false, true) => floor.halt(emit),
            (true, false) => floor.resume(emit),
        }
        Ok(())
    }

    fn set_halted(&mut self, kind: CommandKind, scope: HaltScope, halted: bool, emit: &mut Emitter<'_>) -> Decoded<()> {
        let (code, account, instrument) = match scope {
            HaltScope::Venue => {
                self.risk.halted = halted;
                (0, 0, ANY)
            }
            HaltScope::Instrument(instrument) => {
                return self.set_instrument_halted(instrument, halted, emit);
            }
            HaltScope::Account(account) => {
                let known = self.known_account(account)?;
                known.standing = known.standing.set(Standing::HALTED, halted);
                (2, account.0, ANY)
            }
        };
        emit.setting(kind, (account, instrument), [0; 3], (code, 0, 0));
        Ok(())
    }

    fn deposit(&mut self, account: AccountId, asset: AssetId, amount: Amount) -> Decoded<()> {
        self.known_account(account)?;
        self.known_asset(asset)?;
        ensure(amount.is_positive(), RejectReason::AmountNotPositive)?;
        let room = Amount::MAX - self.ledger.total(asset);
        ensure(amount <= room, RejectReason::AmountTooLarge)?;
        self.ledger.deposit(account, asset, amount);
        Ok(())
    }

    fn request_withdrawal(&mut self, account: AccountId, asset: AssetId, amount: Amount) -> Decoded<WithdrawalId> {
        let permitted = self.known_account(account)?.permissions.allow(Permissions::WITHDRAW);
        ensure(permitted, RejectReason::AccountNotPermitted)?;
        self.known_asset(asset)?;
        ensure(amount.is_positive(), RejectReason::AmountNotPositive)?;
        let withdrawal = Withdrawal { account, asset, amount };
        self.ledger.request_withdrawal(withdrawal).map_err(|_| RejectReason::InsufficientFunds)
    }

    fn transfer(
        &mut self,
        from: AccountId,
        to: AccountId,
        asset: AssetId,
        amount: Amount,
        kind: TransferKind,
    ) -> Decoded<()> {
        let permitted = self.known_account(from)?.permissions.allow(Permissions::TRANSFER);
        self.known_account(to)?;
        ensure(permitted, RejectReason::AccountNotPermitted)?;
        self.known_asset(asset)?;
        ensure(amount.is_positive(), RejectReason::AmountNotPositive)?;
        ensure(self.ledger.balance(from, asset).available >= amount, RejectReason::InsufficientFunds)?;
        ensure(from != to, RejectReason::SameAccount)?;
        let kinds = self.ledger.kind(from).zip(self.ledger.kind(to));
        let allowed = kinds.is_some_and(|(from, to)| kind.allows(from, to));
        ensure(allowed, RejectReason::AccountKindsForbidden)?;
        self.ledger.transfer(from, to, asset, amount).expect("Invariant: what was checked is available");
        Ok(())
    }
}
