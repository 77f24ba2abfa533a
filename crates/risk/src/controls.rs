//! Controls over several accounts: kill switches of trade groups, and restricted lists.

use std::collections::{BTreeMap, BTreeSet};

use tradewright_types::{
    AccountId, ApprovalBands, BandScope, ControlScope, EntityHash, HashTotal, InstrumentId, KillScope, Restriction,
    SessionId,
};

use crate::{AccountRisk, Risk, Standing};

/// Kill switches of groups and sessions, and restrictions. An account's own kill switch is a bit of its [`Standing`].
#[derive(Clone, Debug, Default)]
pub struct Controls {
    killed_groups: BTreeSet<u32>,
    killed_sessions: BTreeSet<SessionId>,
    /// Those that restrict something.
    restrictions: BTreeMap<(ControlScope, InstrumentId), Restriction>,
    /// Those that ask for somebody.
    bands: BTreeMap<BandScope, ApprovalBands>,
}

impl Controls {
    /// The trade groups whose kill switch is engaged.
    pub fn killed_groups(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        self.killed_groups.iter().copied()
    }

    /// The sessions whose kill switch is engaged.
    pub fn killed_sessions(&self) -> impl Iterator<Item = SessionId> + Clone + '_ {
        self.killed_sessions.iter().copied()
    }

    /// Whether a session's kill switch is engaged.
    pub fn is_session_killed(&self, session: SessionId) -> bool {
        self.killed_sessions.contains(&session)
    }

    /// Every restriction there is.
    pub fn restrictions(&self) -> impl Iterator<Item = (ControlScope, InstrumentId, Restriction)> + Clone + '_ {
        self.restrictions.iter().map(|((scope, instrument), restriction)| (*scope, *instrument, *restriction))
    }

    /// What an account of this group may not do on an instrument: the stricter of its own and its group's restriction.
    pub fn restriction(&self, account: AccountId, group: u32, instrument: InstrumentId) -> Restriction {
        let of = |scope| self.restrictions.get(&(scope, instrument)).copied().unwrap_or_default();
        of(ControlScope::Account(account)).max(of(ControlScope::TradeGroup(group)))
    }

    /// Every approval band there is.
    pub fn bands(&self) -> impl Iterator<Item = (BandScope, ApprovalBands)> + Clone + '_ {
        self.bands.iter().map(|(scope, bands)| (*scope, *bands))
    }

    /// The approval bands of a scope; off when none were set.
    pub fn bands_of(&self, scope: BandScope) -> ApprovalBands {
        self.bands.get(&scope).copied().unwrap_or_default()
    }

    /// Who needs how many approvers: the larger of the answers of an order's account and its instrument, for what it is worth in
    /// quanta. `worth` is asked only when there is a band.
    pub fn approval(&self, account: AccountId, instrument: InstrumentId, worth: impl FnOnce() -> u128) -> ApprovalNeed {
        let bands = [BandScope::Account(account), BandScope::Instrument(instrument)].map(|scope| self.bands_of(scope));
        let mut need = ApprovalNeed::default();
        if bands.iter().all(ApprovalBands::are_off) {
            return need;
        }
        let worth = worth();
        for band in bands {
            let approvers = band.approvers(worth);
            if approvers > 0 {
                let expiry_ns = if need.approvers == 0 { band.expiry_ns } else { need.expiry_ns.min(band.expiry_ns) };
                need = ApprovalNeed { approvers: need.approvers.max(approvers), expiry_ns };
            }
        }
        need
    }

    /// The bits of an account's standing that follow from controls of more than itself.
    fn shared_standing(&self, account: AccountId, group: u32) -> Standing {
        let is_of = |scope: ControlScope| match scope {
            ControlScope::Account(other) => other == account,
            ControlScope::TradeGroup(other) => other == group,
        };
        let is_restricted = self.restrictions.keys().any(|(scope, _)| is_of(*scope));
        let is_banded = self.bands.keys().any(|scope| match scope {
            BandScope::Instrument(_) => true,
            BandScope::Account(other) => *other == account,
        });
        Standing::default()
            .set(Standing::BANDED, is_banded)
            .set(Standing::GROUP_KILLED, self.killed_groups.contains(&group))
            .set(Standing::RESTRICTED, is_restricted)
    }

    /// The hash of everything.
    pub(crate) fn state_hash(&self) -> HashTotal {
        let Self { killed_groups, killed_sessions, restrictions, bands } = self;
        let mut total = HashTotal::default();
        for group in killed_groups {
            total += EntityHash::new(0x25).word(u64::from(*group)).finish();
        }
        for session in killed_sessions {
            total += EntityHash::new(0x29).word(u64::from(session.0)).finish();
        }
        for ((scope, instrument), restriction) in restrictions {
            let (account, group) = scope.ids();
            let hash = EntityHash::new(0x26).word(u64::from(scope.code()) << 8 | *restriction as u64);
            total += hash.word(u64::from(account) << 32 | u64::from(group)).word(u64::from(instrument.0)).finish();
        }
        for (scope, ApprovalBands { thresholds, expiry_ns }) in bands {
            let scope = match scope {
                BandScope::Instrument(instrument) => 1 << 32 | u64::from(instrument.0),
                BandScope::Account(account) => 2 << 32 | u64::from(account.0),
            };
            let hash = EntityHash::new(0x27).word(scope).word(*expiry_ns);
            total += thresholds.iter().fold(hash, |hash, threshold| hash.amount(*threshold)).finish();
        }
        total
    }
}

/// How many approvers an order needs, and how long it waits for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApprovalNeed {
    /// How many; none for nearly all orders.
    pub approvers: u8,
    /// How long, in nanoseconds.
    pub expiry_ns: u64,
}

impl Risk {
    /// Sets approval bands, or takes them away when they are off.
    pub fn set_bands(&mut self, scope: BandScope, bands: ApprovalBands) {
        if bands.are_off() {
            self.controls.bands.remove(&scope);
        } else {
            self.controls.bands.insert(scope, bands);
        }
        let Self { accounts, controls, .. } = self;
        for (id, account) in accounts.iter_mut().enumerate() {
            refresh_standing(controls, AccountId(id as u32), account);
        }
    }

    /// Engages or releases a kill switch. Open orders are the caller's.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn set_killed(&mut self, scope: KillScope, killed: bool) {
        match scope {
            KillScope::Session(session) => {
                if killed {
                    self.controls.killed_sessions.insert(session);
                } else {
                    self.controls.killed_sessions.remove(&session);
                }
            }
            KillScope::Accounts(ControlScope::Account(account)) => {
                let owner = self.owner_mut(account);
                owner.standing = owner.standing.set(Standing::KILLED, killed);
            }
            KillScope::Accounts(scope @ ControlScope::TradeGroup(group)) => {
                if killed {
                    self.controls.killed_groups.insert(group);
                } else {
                    self.controls.killed_groups.remove(&group);
                }
                self.refresh_standings(scope);
            }
        }
    }

    /// Restricts accounts on an instrument, or ends that.
    pub fn set_restriction(&mut self, scope: ControlScope, instrument: InstrumentId, restriction: Restriction) {
        match restriction {
            Restriction::None => self.controls.restrictions.remove(&(scope, instrument)),
            Restriction::SellOnly | Restriction::NoTrading => {
                self.controls.restrictions.insert((scope, instrument), restriction)
            }
        };
        self.refresh_standings(scope);
    }

    /// Moves an account to another trade group, with the controls of that one.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn set_trade_group(&mut self, account: AccountId, group: u32) {
        self.owner_mut(account).trade_group = group;
        self.refresh_standings(ControlScope::Account(account));
    }

    /// Whether a control of this scope is for the account.
    pub fn is_in_scope(&self, account: AccountId, scope: ControlScope) -> bool {
        match scope {
            ControlScope::Account(other) => other == account,
            ControlScope::TradeGroup(group) => self.accounts()[account.index()].trade_group == group,
        }
    }

    /// Works out again what follows from the controls for the accounts of a scope.
    fn refresh_standings(&mut self, scope: ControlScope) {
        let Self { accounts, controls, .. } = self;
        for (id, account) in accounts.iter_mut().enumerate() {
            let id = AccountId(id as u32);
            let is_in_scope = match scope {
                ControlScope::Account(other) => other == id,
                ControlScope::TradeGroup(group) => account.trade_group == group,
            };
            if is_in_scope {
                refresh_standing(controls, id, account);
            }
        }
    }

    /// Panics unless every account's standing follows from the controls.
    pub fn check_invariants(&self) {
        for (id, account) in self.accounts().iter().enumerate() {
            let shared = self.controls.shared_standing(AccountId(id as u32), account.trade_group);
            let due = Standing(account.standing.of_its_own().0 | shared.0);
            assert_eq!(account.standing, due, "Invariant: an account's standing follows from the controls");
        }
    }
}

/// Puts the bits into an account's standing that follow from the controls.
pub(crate) fn refresh_standing(controls: &Controls, id: AccountId, account: &mut AccountRisk) {
    let shared = controls.shared_standing(id, account.trade_group);
    account.standing = Standing(account.standing.of_its_own().0 | shared.0);
}
