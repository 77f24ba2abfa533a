//! Snapshots: the logical state as bytes, and back.
//!
//! A snapshot holds no slot numbers, capacities or addresses: orders stand in it in the order in which they would trade. All
//! numbers are little-endian. Files, checksums and names on disk belong to the journal.

use std::collections::BTreeMap;

use tradewright_book::{Order, Slot};
use tradewright_ledger::{Balance, Ledger, ShardTransfer, TransferCounters, Withdrawal};
use tradewright_risk::{AccountRisk, Controls, Exposure, Instrument, MarketWide, MarketWideLevel, Standing};
use tradewright_types::{
    ANY, AccountId, AccountKind, AccountLimits, AllocationRule, AllocationTerms, Amount, ApprovalBands, AssetId,
    AuctionPhase, BandScope, BreakerRecord, CallTerms, ClientOrderId, ConditionsRecord, Contingency, ControlScope,
    FeeRate, FeeRates, InstrumentId, InstrumentKind, InstrumentLimits, InstrumentState, InstrumentUnits, KeyKind,
    KeyMaterial, KeyPermissions, KillScope, Label, ListId, Name, OrderFlags, OrderId, OrderType, Permissions, Price,
    ProtectionScope, ProtectionTerms, Quantity, RULESET_VERSION, RejectReason, Restriction, RoundedFee, ScheduledState,
    SelfTradePrevention, SessionId, ShardId, Side, TimeInForce, TopTerms, TransferNumber, Trigger, WithdrawalId,
};

use crate::approvals::Approval;
use crate::call::Told;
use crate::floor::Market;
use crate::guard::Guard;
use crate::keys::{Key, Keys};
use crate::lists::{List, ListName};
use crate::open_orders::{Conditional, Links, Notes, OpenOrders, Shelf, Station, Terms};
use crate::protection::Protection;
use crate::session::{Scheduled, Session};
use crate::sessions::{Answer, Sessions};
use crate::sharing::Sharing;
use crate::timers::Timer;
use crate::triggers::Triggers;
use crate::{Engine, EngineConfig};

/// What a part of a snapshot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum SectionKind {
    /// Ruleset, sequence, time and counters.
    Engine = 1,
    /// Assets by id.
    Assets = 2,
    /// Accounts by id.
    Accounts = 3,
    /// Instruments by id, with what accounts have at stake in them.
    Instruments = 4,
    /// Fee tiers.
    Fees = 5,
    /// Balances that are not zero.
    Balances = 6,
    /// Pending withdrawals.
    Withdrawals = 7,
    /// Open orders: by instrument, bids then asks, in the order in which they would trade; the same of the hidden ones and the pegs;
    /// then those that wait for a trigger, in the order in which they would fire; then those that stand beside the book for an
    /// auction, by queue; then pegs without a price; then those that wait for another order of their list, by id; at the end those
    /// that wait for approval, by id.
    Orders = 8,
    /// Kill switches, restrictions, approval bands, who approved what, by which session orders came, and protections of quotes.
    Controls = 9,
    /// Opened sessions by number, with the answers of their windows.
    Sessions = 10,
    /// Keys by id.
    Keys = 11,
    /// The last numbers between this shard and others, what is elsewhere of each asset, and what is in transit.
    Transfers = 12,
}

impl SectionKind {
    /// Every kind, in the order in which they stand in a snapshot.
    pub const ALL: [Self; 12] = [
        Self::Engine,
        Self::Assets,
        Self::Accounts,
        Self::Instruments,
        Self::Fees,
        Self::Balances,
        Self::Withdrawals,
        Self::Orders,
        Self::Controls,
        Self::Sessions,
        Self::Keys,
        Self::Transfers,
    ];
}

/// A part of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it holds.
    pub kind: SectionKind,
    /// How.
    pub bytes: Vec<u8>,
}

/// Why a snapshot was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotError {
    /// The sections are not the known ones in their order.
    Sections,
    /// It was written under rules that this build does not know.
    UnknownRuleset(u32),
    /// A section ends before it should.
    Truncated(SectionKind),
    /// A section goes on after its end.
    Surplus(SectionKind),
    /// A section holds a value that cannot be.
    Invalid(SectionKind),
}

impl core::fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Sections => f.write_str("the snapshot lacks a section or has one out of order"),
            Self::UnknownRuleset(version) => {
                write!(f, "the snapshot was written under ruleset {version}; this build knows {RULESET_VERSION}")
            }
            Self::Truncated(kind) => write!(f, "section {kind:?} of the snapshot is truncated"),
            Self::Surplus(kind) => write!(f, "section {kind:?} of the snapshot has bytes behind its end"),
            Self::Invalid(kind) => write!(f, "section {kind:?} of the snapshot holds a value that cannot be"),
        }
    }
}

impl core::error::Error for SnapshotError {}

type Read<T> = Result<T, SnapshotError>;

/// Writes numbers one behind the other.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn u64(&mut self, number: u64) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn i64(&mut self, number: i64) -> &mut Self {
        self.u64(number as u64)
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn u8(&mut self, number: u8) -> &mut Self {
        self.0.push(number);
        self
    }

    fn amount(&mut self, amount: Amount) -> &mut Self {
        self.0.extend_from_slice(&amount.quanta().to_le_bytes());
        self
    }

    fn text(&mut self, text: &[u8]) -> &mut Self {
        self.u8(text.len() as u8);
        self.0.extend_from_slice(text);
        self
    }

    fn price(&mut self, price: Option<Price>) -> &mut Self {
        self.u8(price.is_some().into()).i64(price.unwrap_or_default().ticks())
    }

    fn section(self, kind: SectionKind) -> Section {
        Section { kind, bytes: self.0 }
    }
}

/// Reads what [`Writer`] wrote.
struct Reader<'s> {
    rest: &'s [u8],
    kind: SectionKind,
}

impl<'s> Reader<'s> {
    fn bytes(&mut self, length: usize) -> Read<&'s [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(SnapshotError::Truncated(self.kind))?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        Ok(self.bytes(N)?.try_into().expect("a slice of N bytes"))
    }

    fn u64(&mut self) -> Read<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn i64(&mut self) -> Read<i64> {
        Ok(self.u64()? as i64)
    }

    fn u32(&mut self) -> Read<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u8(&mut self) -> Read<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn amount(&mut self) -> Read<Amount> {
        Ok(Amount::from_quanta(i128::from_le_bytes(self.array()?)))
    }

    fn text(&mut self) -> Read<&'s [u8]> {
        let length = self.u8()?;
        self.bytes(length.into())
    }

    fn name(&mut self) -> Read<Name> {
        let text = self.text()?;
        let mut field = [0; Name::LENGTH_MAX];
        let place = field.get_mut(..text.len());
        self.known(place)?.copy_from_slice(text);
        self.known(Name::new(&field, text.len() as u8))
    }

    fn label(&mut self) -> Read<Label> {
        let label = Label::new(self.text()?);
        self.known(label)
    }

    fn price(&mut self) -> Read<Option<Price>> {
        let (is_some, ticks) = (self.u8()?, self.i64()?);
        Ok((is_some == 1).then_some(Price::from_ticks(ticks)))
    }

    fn phase(&mut self) -> Read<AuctionPhase> {
        let phase = AuctionPhase::from_code(self.u8()?);
        self.known(phase)
    }

    fn rate(&mut self) -> Read<FeeRate> {
        Ok(FeeRate::from_ppm(self.u32()? as i32))
    }

    fn known<T>(&self, value: Option<T>) -> Read<T> {
        value.ok_or(SnapshotError::Invalid(self.kind))
    }

    fn below(&self, index: u32, count: usize) -> Read<u32> {
        self.known((index as usize).lt(&count).then_some(index))
    }

    /// Calls `read` until the section ends.
    fn each(mut self, mut read: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        while !self.rest.is_empty() {
            read(&mut self)?;
        }
        Ok(())
    }

    fn end(self) -> Read<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(SnapshotError::Surplus(self.kind)) }
    }
}

impl Engine {
    /// The whole logical state.
    pub fn snapshot(&self) -> Vec<Section> {
        // Exhaustive on purpose: a new field does not compile until it is considered here.
        let Self { config: _, sequence, last_order, registry, ledger, risk, open, sessions, keys, markets } = self;
        let mut engine = Writer::default();
        engine.u32(RULESET_VERSION).u64(*sequence).u64(risk.time_ns).u64(last_order.0).u64(open.last_priority());
        engine.u64(open.lists.last().0);
        engine.u8(risk.halted.into()).u64(ledger.last_withdrawal().0);
        let MarketWide { close, reached, until_ns } = risk.market_wide;
        engine.price(close).u8(reached.map_or(0, |level| level as u8)).u64(until_ns);

        let mut assets = Writer::default();
        for asset in registry.assets() {
            assets.text(asset.name.as_str().as_bytes()).u8(asset.scale);
        }
        let mut accounts = Writer::default();
        for (id, name) in registry.accounts().iter().enumerate() {
            let kind = ledger.kind(AccountId(id as u32)).expect("Invariant: every account is in the ledger");
            write_account(accounts.text(name.as_str().as_bytes()).u8(kind as u8), &risk.accounts()[id]);
        }
        let mut instruments = Writer::default();
        for (id, name) in registry.instruments().iter().enumerate() {
            instruments.text(name.as_str().as_bytes()).u64(markets[id].trades).u64(markets[id].prevented);
            write_instrument(&mut instruments, &markets[id].instrument);
            let triggers = markets[id].triggers.as_deref();
            instruments.price(triggers.and_then(|triggers| triggers.mark));
            instruments.price(triggers.and_then(|triggers| triggers.index));
            let terms = markets[id].sharing.as_deref().map_or(AllocationTerms::default(), |sharing| sharing.terms);
            instruments.u8(terms.rule as u8).u8(terms.weight).u8(terms.leveling.into());
            instruments.u32(terms.fifo_ppm).u64(terms.minimum.lots());
            write_session(&mut instruments, markets[id].session.as_deref());
            write_guard(&mut instruments, markets[id].guard.as_deref(), risk.time_ns);
            if let Some(sharing) = markets[id].sharing.as_deref().filter(|sharing| sharing.has_steps()) {
                write_steps(&mut instruments, sharing);
            }
        }
        let mut fees = Writer::default();
        for (schedule, tier, rates) in risk.fees.iter() {
            fees.u32(schedule.into()).u8(tier).u32(rates.taker.ppm() as u32).u32(rates.maker.ppm() as u32);
        }
        let mut balances = Writer::default();
        for (asset, account, balance) in ledger.balances() {
            balances.u32(asset.0).u32(account.0).amount(balance.available).amount(balance.held);
        }
        let mut withdrawals = Writer::default();
        for (id, withdrawal) in ledger.withdrawals() {
            withdrawals.u64(id.0).u32(withdrawal.account.0).u32(withdrawal.asset.0).amount(withdrawal.amount);
        }
        let mut orders = Writer::default();
        for market in markets {
            let triggers = market.triggers.iter().flat_map(|triggers| &triggers.books);
            let beside = market.session.iter().flat_map(|session| session.call.books());
            for book in market.books().chain(triggers).chain(beside) {
                for (price, level) in [Side::Buy, Side::Sell].into_iter().flat_map(|side| book.levels(side)) {
                    book.queue(&open.slab, level).for_each(|slot| write_order(&mut orders, open, slot, price));
                }
            }
            let pegs = market.aside.iter().flat_map(|aside| aside.pegs.following.values());
            for slot in pegs.filter(|slot| !open.slab[**slot].is_queued()) {
                write_order(&mut orders, open, *slot, Price::default());
            }
        }
        let pending = open.slab.iter().filter(|(slot, _)| open.station(*slot) == Station::Pending);
        let mut pending: Vec<_> = pending.map(|(slot, order)| (order.id, slot)).collect();
        pending.sort_unstable();
        pending.iter().for_each(|(_, slot)| write_order(&mut orders, open, *slot, open.conditional(*slot).limit));
        for (id, slot) in open.approvals.keys().filter_map(|id| Some((id, open.find(*id)?))) {
            debug_assert_eq!(open.slab[slot].id, *id, "Invariant: an order is found by its id");
            write_order(&mut orders, open, slot, open.conditional(slot).limit);
        }
        let controls = write_controls(&risk.controls, open);
        let (sessions, keys, transfers) = (write_sessions(sessions), write_keys(keys), write_transfers(ledger));
        let written = [
            engine,
            assets,
            accounts,
            instruments,
            fees,
            balances,
            withdrawals,
            orders,
            controls,
            sessions,
            keys,
            transfers,
        ];
        written.into_iter().zip(SectionKind::ALL).map(|(writer, kind)| writer.section(kind)).collect()
    }

    /// The engine that [`Engine::snapshot`] was taken from.
    ///
    /// # Errors
    /// [`SnapshotError`] says what is wrong with the snapshot.
    pub fn restore(config: EngineConfig, sections: &[Section]) -> Result<Self, SnapshotError> {
        let kinds = sections.iter().map(|section| section.kind);
        if !kinds.eq(SectionKind::ALL) {
            return Err(SnapshotError::Sections);
        }
        let reader = |kind: SectionKind| Reader { rest: &sections[kind as usize - 1].bytes, kind };
        let mut engine = Self::without_accounts(config);
        let mut head = reader(SectionKind::Engine);
        let ruleset = head.u32()?;
        if ruleset != RULESET_VERSION {
            return Err(SnapshotError::UnknownRuleset(ruleset));
        }
        (engine.sequence, engine.risk.time_ns, engine.last_order) = (head.u64()?, head.u64()?, OrderId(head.u64()?));
        engine.open.set_last_priority(head.u64()?);
        engine.open.lists.set_last(ListId(head.u64()?));
        engine.risk.halted = head.u8()? == 1;
        let last_withdrawal = WithdrawalId(head.u64()?);
        engine.risk.market_wide = MarketWide {
            close: head.price()?,
            reached: match head.u8()? {
                0 => None,
                code => Some(head.known(MarketWideLevel::from_code(code))?),
            },
            until_ns: head.u64()?,
        };
        head.end()?;

        reader(SectionKind::Assets).each(|part| {
            let name = part.name()?;
            engine.registry.add_asset(name, part.u8()?);
            engine.ledger.add_asset();
            Ok(())
        })?;
        reader(SectionKind::Accounts).each(|part| engine.read_account(part))?;
        reader(SectionKind::Instruments).each(|part| engine.read_instrument(part))?;
        reader(SectionKind::Fees).each(|part| {
            let (schedule, tier) = (part.u32()? as u16, part.u8()?);
            let rates = FeeRates { taker: part.rate()?, maker: part.rate()? };
            engine.risk.fees.set(schedule, tier, rates);
            Ok(())
        })?;
        reader(SectionKind::Balances).each(|part| {
            let (asset, account) = engine.read_place(part)?;
            let balance = Balance { available: part.amount()?, held: part.amount()? };
            engine.ledger.restore_balance(asset, account, balance);
            Ok(())
        })?;
        let mut pending = Vec::new();
        reader(SectionKind::Withdrawals).each(|part| {
            let id = WithdrawalId(part.u64()?);
            let account = AccountId(part.u32()?);
            let withdrawal = Withdrawal { account, asset: AssetId(part.u32()?), amount: part.amount()? };
            pending.push((id, withdrawal));
            Ok(())
        })?;
        engine.ledger.restore_withdrawals(last_withdrawal, pending);
        let mut tied = BTreeMap::new();
        reader(SectionKind::Orders).each(|part| engine.read_order(part, &mut tied))?;
        engine.read_lists(tied).ok_or(SnapshotError::Invalid(SectionKind::Orders))?;
        let mut controls = reader(SectionKind::Controls);
        engine.read_controls(&mut controls)?;
        controls.end()?;
        reader(SectionKind::Sessions).each(|part| engine.read_client_session(part))?;
        reader(SectionKind::Keys).each(|part| engine.read_key(part))?;
        let mut transfers = reader(SectionKind::Transfers);
        engine.read_transfers(&mut transfers)?;
        transfers.end()?;
        Ok(engine)
    }

    fn read_place(&self, part: &mut Reader<'_>) -> Read<(AssetId, AccountId)> {
        let asset = part.u32()?;
        let account = part.u32()?;
        let asset = part.below(asset, self.ledger.asset_count())?;
        Ok((AssetId(asset), AccountId(part.below(account, self.ledger.account_count())?)))
    }

    fn read_account(&mut self, part: &mut Reader<'_>) -> Read<()> {
        let name = part.name()?;
        let kind = AccountKind::from_code(part.u8()?);
        let kind = part.known(kind)?;
        self.registry.add_account(name, kind);
        self.ledger.open_account(kind);
        let mut account = AccountRisk::new(kind);
        account.limits = AccountLimits {
            open_orders_max: part.u32()?,
            orders_per_second_max: part.u32()?,
            messages_per_second_max: part.u32()?,
        };
        (account.orders, account.messages, account.window_end_ns) = (part.u32()?, part.u32()?, part.u64()?);
        (account.trade_group, account.permissions) = (part.u32()?, Permissions(part.u32()? as u16));
        (account.fee_tier, account.standing) = (part.u8()?, Standing(part.u8()?).of_its_own());
        self.risk.add_account(account);
        Ok(())
    }

    fn read_instrument(&mut self, part: &mut Reader<'_>) -> Read<()> {
        let name = part.name()?;
        let (trades, prevented) = (part.u64()?, part.u64()?);
        let kind = InstrumentKind::from_code(part.u8()?);
        let kind = part.known(kind)?;
        let (base, quote) = (part.u32()?, part.u32()?);
        let assets = self.ledger.asset_count();
        let units = InstrumentUnits {
            base: AssetId(part.below(base, assets)?),
            quote: AssetId(part.below(quote, assets)?),
            quote_quanta_per_tick_lot: part.u64()?,
            base_quanta_per_lot: part.u64()?,
        };
        let limits = InstrumentLimits {
            price_increment_ticks: part.u32()?,
            quantity_increment_lots: part.u64()?,
            quantity_min: Quantity::from_lots(part.u64()?),
            quantity_max: Quantity::from_lots(part.u64()?),
            notional_min: part.amount()?,
            notional_max: part.amount()?,
            band_down_ppm: part.u32()?,
            band_up_ppm: part.u32()?,
        };
        let is_whole = units.quote_quanta_per_tick_lot != 0 && units.base_quanta_per_lot != 0;
        part.known((is_whole && limits.are_valid()).then_some(()))?;
        let mut instrument = Instrument::new(kind, units, part.u32()? as u16, limits);
        let state = InstrumentState::from_code(part.u8()?);
        instrument.state = part.known(state)?;
        instrument.restore_prices(part.price()?, part.price()?);
        for _ in 0..part.u64()? {
            let account = part.u32()?;
            let account = part.below(account, self.ledger.account_count())?;
            instrument.exposures.get_mut(account as usize).position_max_lots = part.u64()?;
        }
        self.registry.add_instrument(name);
        let (mark, index) = (part.price()?, part.price()?);
        let has_prices = mark.is_some() || index.is_some();
        let triggers = has_prices.then(|| Box::new(Triggers::with_prices(mark, index)));
        let rule = AllocationRule::from_code(part.u8()?);
        let terms = AllocationTerms {
            rule: part.known(rule)?,
            weight: part.u8()?,
            leveling: part.u8()? == 1,
            fifo_ppm: part.u32()?,
            minimum: Quantity::from_lots(part.u64()?),
        };
        part.known(terms.is_valid().then_some(()))?;
        let mut sharing = Sharing::new(terms);
        let session = self.read_session(part, instrument.state)?;
        let guard = read_guard(part)?;
        if let Some(sharing) = sharing.as_deref_mut().filter(|sharing| sharing.has_steps()) {
            read_steps(sharing, part)?;
        }
        let mut market = Market { trades, prevented, triggers, sharing, session, guard, ..Market::new(instrument) };
        market.refresh();
        self.markets.push(market);
        Ok(())
    }

    fn read_client_session(&mut self, part: &mut Reader<'_>) -> Read<()> {
        let (account, name) = (self.read_owner(part)?, part.label()?);
        let (last, kept) = (part.u64()?, part.u32()?);
        let mut answers = Vec::new();
        for _ in 0..kept {
            let (sequence, first_order, reason) = (part.u64()?, OrderId(part.u64()?), part.u32()?);
            let reason =
                u16::try_from(reason).ok().filter(|code| *code == 0 || RejectReason::from_code(*code).is_some());
            let is_given = (1..=self.sequence).contains(&sequence) && first_order <= self.last_order;
            let reason = part.known(reason.filter(|_| is_given))?;
            answers.push(Answer::new(sequence, first_order, reason));
        }
        let restored = self.sessions.restore(account, name, last, &answers);
        part.known(restored)
    }

    fn read_key(&mut self, part: &mut Reader<'_>) -> Read<()> {
        let (id, account) = (part.label()?, self.read_owner(part)?);
        let (kind, permissions) = (KeyKind::from_code(part.u8()?), KeyPermissions::from_bits(part.u64()?));
        let material = KeyMaterial::new(part.text()?);
        let (kind, permissions, material) = (part.known(kind)?, part.known(permissions)?, part.known(material)?);
        part.known(kind.fits(material.as_bytes().len()).then_some(()))?;
        let added = self.keys.add(id, Key { account, kind, permissions, material });
        part.known(added)
    }

    fn read_transfers(&mut self, part: &mut Reader<'_>) -> Read<()> {
        for _ in 0..part.u32()? {
            let shard = ShardId(part.u8()?);
            let counters =
                TransferCounters { sent: TransferNumber(part.u64()?), received: TransferNumber(part.u64()?) };
            let restored = self.ledger.restore_counters(shard, counters);
            part.known(restored.filter(|()| shard.0 != self.config.shard))?;
        }
        for _ in 0..part.u32()? {
            let asset = part.u32()?;
            let asset = AssetId(part.below(asset, self.ledger.asset_count())?);
            self.ledger.restore_elsewhere(asset, part.amount()?);
        }
        for _ in 0..part.u32()? {
            let (to, number) = (ShardId(part.u8()?), TransferNumber(part.u64()?));
            let (asset, account) = self.read_place(part)?;
            let transfer = ShardTransfer { account, asset, amount: part.amount()? };
            part.known(transfer.amount.is_positive().then_some(()))?;
            let restored = self.ledger.restore_transfer(to, number, transfer);
            part.known(restored)?;
        }
        Ok(())
    }

    /// An account, or none for the venue's operators.
    fn read_owner(&self, part: &mut Reader<'_>) -> Read<Option<AccountId>> {
        match part.u32()? {
            ANY => Ok(None),
            account => Ok(Some(AccountId(part.below(account, self.ledger.account_count())?))),
        }
    }

    fn read_controls(&mut self, part: &mut Reader<'_>) -> Read<()> {
        for _ in 0..part.u32()? {
            self.risk.set_killed(KillScope::Accounts(ControlScope::TradeGroup(part.u32()?)), true);
        }
        for _ in 0..part.u32()? {
            self.risk.set_killed(KillScope::Session(SessionId(part.u32()?)), true);
            self.open.timers.attend_sessions(true);
        }
        for _ in 0..part.u32()? {
            let (scope, account, group) = (part.u8()?, part.u32()?, part.u32()?);
            let scope = match scope {
                2 => ControlScope::Account(AccountId(part.below(account, self.ledger.account_count())?)),
                3 => ControlScope::TradeGroup(group),
                _ => return Err(SnapshotError::Invalid(part.kind)),
            };
            let instrument = part.u32()?;
            let instrument = InstrumentId(part.below(instrument, self.markets.len())?);
            let restriction = Restriction::from_code(part.u8()?);
            self.risk.set_restriction(scope, instrument, part.known(restriction)?);
        }
        for _ in 0..part.u32()? {
            let (code, id, expiry_ns) = (part.u8()?, part.u32()?, part.u64()?);
            let scope = match code {
                1 => BandScope::Instrument(InstrumentId(part.below(id, self.markets.len())?)),
                2 => BandScope::Account(AccountId(part.below(id, self.ledger.account_count())?)),
                _ => return Err(SnapshotError::Invalid(part.kind)),
            };
            let bands = ApprovalBands { thresholds: [part.amount()?, part.amount()?, part.amount()?], expiry_ns };
            self.risk.set_bands(scope, part.known(bands.are_valid().then_some(bands))?);
        }
        for _ in 0..part.u32()? {
            self.read_approval(part)?;
        }
        for _ in 0..part.u32()? {
            let (id, session) = (OrderId(part.u64()?), SessionId(part.u32()?));
            let slot = part.known(self.open.find(id).filter(|_| session != SessionId(0)))?;
            self.open.note_session(slot, session);
        }
        for _ in 0..part.u32()? {
            self.read_protection(part)?;
        }
        self.open.attend_quotes();
        let waiting = self.open.slab.iter().filter(|(slot, _)| self.open.station(*slot) == Station::Approval);
        part.known((waiting.count() == self.open.approvals.len()).then_some(()))
    }

    fn read_protection(&mut self, part: &mut Reader<'_>) -> Read<()> {
        let (account, instrument) = (part.u32()?, part.u32()?);
        let scope = ProtectionScope::of(AccountId(part.below(account, self.ledger.account_count())?), instrument);
        if let Some(instrument) = scope.instrument() {
            part.below(instrument.0, self.markets.len())?;
        }
        let terms = ProtectionTerms::read([part.u64()?, part.u64()?, part.u64()?]).ok().flatten();
        let protection = Protection {
            terms: part.known(terms)?,
            until_ns: part.u64()?,
            lots: part.u64()?,
            fills: part.u64()?,
            is_triggered: part.u8()? == 1,
        };
        let before = self.open.quotes.protections.insert(scope, protection);
        part.known(before.is_none().then_some(()))
    }

    fn read_approval(&mut self, part: &mut Reader<'_>) -> Read<()> {
        let (id, needed, deadline_ns) = (OrderId(part.u64()?), part.u8()?, part.u64()?);
        let (fires_at, hash) = (Price::from_ticks(part.i64()?), part.array()?);
        let mut approvers = Vec::new();
        for _ in 0..part.u8()? {
            let approver = part.u32()?;
            approvers.push(AccountId(part.below(approver, self.ledger.account_count())?));
        }
        let slot = part.known(self.open.find(id))?;
        let waits = self.open.station(slot) == Station::Approval && approvers.len() < usize::from(needed);
        part.known(waits.then_some(()))?;
        self.open.timers.set(deadline_ns, Timer::Order(id));
        self.open.approvals.insert(id, Approval { needed, deadline_ns, hash, fires_at, approvers });
        Ok(())
    }

    fn read_order(&mut self, part: &mut Reader<'_>, tied: &mut BTreeMap<ListId, List>) -> Read<()> {
        let id = OrderId(part.u64()?);
        let (account, instrument) = (part.u32()?, part.u32()?);
        let account = AccountId(part.below(account, self.ledger.account_count())?);
        let instrument = InstrumentId(part.below(instrument, self.markets.len())?);
        let (side, prevention) = (Side::from_code(part.u8()?), SelfTradePrevention::from_code(part.u8()?));
        let flags = OrderFlags(part.u32()? as u16);
        let (price, open, total) = (Price::from_ticks(part.i64()?), part.u64()?, part.u64()?);
        let (prevented, priority) = (Quantity::from_lots(part.u64()?), part.u64()?);
        let (taker_rate, taker_fee) = (part.rate()?, RoundedFee::from_excess_millionths(part.u32()?));
        let notes = Notes { total: Quantity::from_lots(total), prevented, priority, taker_rate, taker_fee };
        let terms = Terms {
            links: Links::default(),
            instrument,
            maker_rate: part.rate()?,
            maker_fee: RoundedFee::from_excess_millionths(part.u32()?),
            side: part.known(side)?,
            self_trade_prevention: part.known(prevention)?,
            flags,
        };
        let text = part.text()?;
        let client_order_id =
            if text.is_empty() { ClientOrderId::Absent } else { part.known(ClientOrderId::parse(text))? };
        let has_text = matches!(client_order_id, ClientOrderId::Text(_));
        part.known((id.0 != 0 && open != 0 && flags.has(OrderFlags::TEXT_ID) == has_text).then_some(()))?;
        let slot = self.open.insert(id, account, Quantity::from_lots(open), &client_order_id, terms, notes);
        let is_noted = flags.has_any(OrderFlags::NOTED);
        let trigger = if is_noted { self.read_conditional(id, slot, part)? } else { None };
        let station = if is_noted { self.open.conditional(slot).station } else { Station::Book };
        if flags.has(OrderFlags::LISTED) {
            self.read_leg(id, slot, part, tied)?;
        }
        if flags.has(OrderFlags::WAITING) == (station == Station::Book) {
            return Err(SnapshotError::Invalid(part.kind));
        }
        let market = &mut self.markets[instrument.index()];
        match station {
            Station::Book | Station::Hidden | Station::Peg => {
                if station != Station::Peg || price != Price::default() {
                    let shelf = market.shelf_mut(Shelf::of(station, &self.open.conditions(slot)));
                    shelf.rest(&mut self.open.slab, terms.side, price, slot, Quantity::from_lots(open));
                }
            }
            Station::Auction => {
                let session = part.known(market.session.as_deref_mut())?;
                session.call.take_in(&mut self.open, slot);
            }
            Station::Trigger => {
                let triggers = market.triggers.get_or_insert_default();
                triggers.wait(&mut self.open.slab, slot, &part.known(trigger)?, price);
            }
            Station::Pending => {}
            // Read with the controls.
            Station::Approval => {}
        }
        let owner = self.risk.owner_mut(account);
        owner.open_orders += 1;
        owner.client_number_max = owner.client_number_max.max(client_order_id.number_or_zero());
        // A leg that holds together with another one is counted when both are there.
        if terms.side == Side::Buy && !flags.has(OrderFlags::LISTED) {
            *market.instrument.open_bids_mut(account) += self.open.open_of(slot).lots();
        }
        if self.open.conditions(slot).iceberg.is_some() {
            market.icebergs += 1;
        }
        if flags.has(OrderFlags::QUOTE) {
            let is_alone = self.open.quotes.note(account, instrument, terms.side, slot);
            part.known((is_alone && station == Station::Book).then_some(()))?;
            market.quotes += 1;
            market.refresh();
        }
        if is_noted && self.open.conditional(slot).is_of_sessions() {
            market.of_sessions.insert(id);
        }
        if station == Station::Peg {
            self.floor_of(slot).note_peg(id, slot);
        }
        Ok(())
    }
}

/// Writes TOP and the lead market makers of a rule that has them.
fn write_steps(writer: &mut Writer, sharing: &Sharing) {
    let (least, most) = sharing.top.map_or((0, 0), |top| (top.minimum.lots(), top.maximum.lots()));
    let [bid, ask] = sharing.top_priorities;
    writer.u64(least).u64(most).u64(bid).u64(ask).u32(sharing.leads.len() as u32);
    for (account, share_ppm) in &sharing.leads {
        writer.u32(account.0).u32(*share_ppm);
    }
}

fn read_steps(sharing: &mut Sharing, part: &mut Reader<'_>) -> Read<()> {
    let top = TopTerms::read(part.u64()?, part.u64()?).ok();
    sharing.set_top(part.known(top)?);
    sharing.top_priorities = [part.u64()?, part.u64()?];
    for _ in 0..part.u32()? {
        let set = sharing.set_lead(AccountId(part.u32()?), part.u32()?).ok();
        part.known(set)?;
    }
    Ok(())
}

fn write_account(writer: &mut Writer, account: &AccountRisk) {
    let AccountRisk {
        limits,
        open_orders: _,
        orders,
        messages,
        window_end_ns,
        client_number_max: _,
        trade_group,
        permissions,
        fee_tier,
        standing,
        ..
    } = *account;
    writer.u32(limits.open_orders_max).u32(limits.orders_per_second_max).u32(limits.messages_per_second_max);
    writer.u32(orders).u32(messages).u64(window_end_ns);
    writer.u32(trade_group).u32(permissions.0.into()).u8(fee_tier).u8(standing.of_its_own().0);
}

fn write_instrument(writer: &mut Writer, instrument: &Instrument) {
    let (units, limits) = (&instrument.units, instrument.limits());
    writer.u8(instrument.kind as u8).u32(units.base.0).u32(units.quote.0);
    writer.u64(units.quote_quanta_per_tick_lot).u64(units.base_quanta_per_lot);
    writer.u32(limits.price_increment_ticks).u64(limits.quantity_increment_lots);
    writer.u64(limits.quantity_min.lots()).u64(limits.quantity_max.lots());
    writer.amount(limits.notional_min).amount(limits.notional_max).u32(limits.band_down_ppm).u32(limits.band_up_ppm);
    writer.u32(instrument.fee_schedule.into()).u8(instrument.state as u8);
    writer.price(instrument.reference()).price(instrument.last());
    let limited = || {
        let unlimited = Exposure::default().position_max_lots;
        instrument.exposures.iter().filter(move |(_, exposure)| exposure.position_max_lots != unlimited)
    };
    writer.u64(limited().count() as u64);
    for (account, exposure) in limited() {
        writer.u32(account as u32).u64(exposure.position_max_lots);
    }
}

impl Engine {
    fn read_conditional(&mut self, id: OrderId, slot: Slot, part: &mut Reader<'_>) -> Read<Option<Trigger>> {
        let (order_type, in_force) = (OrderType::from_code(part.u8()?), TimeInForce::from_code(part.u8()?));
        let (order_type, time_in_force) = (part.known(order_type)?, part.known(in_force)?);
        let station = Station::from_code(part.u8()?);
        let (station, limit) = (part.known(station)?, Price::from_ticks(part.i64()?));
        let (reserve, draws) = (Quantity::from_lots(part.u64()?), part.u64()?);
        let record: ConditionsRecord = zerocopy::transmute!(part.array::<64>()?);
        let conditions = part.known(record.conditions().ok())?;
        let list = ListId(0);
        let conditional = Conditional { limit, order_type, time_in_force, station, conditions, reserve, draws, list };
        self.open.note_conditional(slot, conditional);
        if conditions.expire_time_ns != 0 && station != Station::Approval {
            self.open.timers.set(conditions.expire_time_ns, Timer::Order(id));
        }
        Ok(conditions.trigger)
    }

    /// Reads which leg of which list an order is.
    fn read_leg(
        &mut self,
        id: OrderId,
        slot: Slot,
        part: &mut Reader<'_>,
        tied: &mut BTreeMap<ListId, List>,
    ) -> Read<()> {
        let (list_id, place) = (ListId(part.u64()?), usize::from(part.u8()?));
        let contingency = Contingency::from_code(part.u8()?);
        let contingency = part.known(contingency)?;
        let text = part.text()?;
        let name = if text.is_empty() { ClientOrderId::Absent } else { part.known(ClientOrderId::parse(text))? };
        let (account, instrument) = (self.open.slab[slot].account, self.open.slab[slot].terms.instrument);
        let none = List { account, instrument, contingency, name: ListName::new(&name), legs: [OrderId(0); 3] };
        let list = tied.entry(list_id).or_insert(none);
        let same = List { legs: list.legs, ..none } == *list && list_id <= self.open.lists.last();
        let leg = list.legs.get_mut(place).filter(|leg| same && leg.0 == 0 && place < contingency.leg_count());
        *part.known(leg)? = id;
        self.open.tie(slot, list_id);
        Ok(())
    }

    /// Takes the lists of the orders over. `None` when their legs do not fit together.
    fn read_lists(&mut self, tied: BTreeMap<ListId, List>) -> Option<()> {
        for (id, list) in tied {
            let slots: Vec<Slot> = list.tied().filter_map(|leg| self.open.find(leg)).collect();
            let is_pending = |slot: &&Slot| self.open.station(**slot) == Station::Pending;
            let works = list.contingency.has_working_leg() && list.legs[0].0 != 0;
            let (count, pending) = (slots.len(), slots.iter().filter(is_pending).count());
            let fits = match (works, list.contingency.has_pair()) {
                (true, _) => count == list.contingency.leg_count() && pending == count - 1 && !is_pending(&&slots[0]),
                (false, has_pair) => has_pair && count == 2 && pending == 0,
            };
            let [.., first, stop] = slots[..] else { return None };
            let terms = |slot: Slot| (self.open.slab[slot].terms.side, self.open.slab[slot].open);
            let pairs = !list.contingency.has_pair() || terms(first) == terms(stop);
            let is_named = self.open.lists.named(list.account, &list.name.client_list_id()).is_some();
            let order = (fits && pairs && !is_named).then(|| self.open.slab[slots[0]])?;
            let market = &mut self.markets[list.instrument.index()];
            if order.terms.side == Side::Buy {
                *market.instrument.open_bids_mut(list.account) += order.open.lots();
            }
            market.lists += 1;
            market.refresh();
            self.open.lists.insert(id, list);
        }
        Some(())
    }
}

fn write_session(writer: &mut Writer, session: Option<&Session>) {
    writer.u8(session.is_some().into());
    let Some(session) = session else { return };
    let Session { terms, phase, until_ns, before_halt, scheduled, extensions, call } = session;
    let CallTerms { collar_ppm, extension_ns, extensions_max, call_ns } = *terms;
    writer.u32(collar_ppm).u64(extension_ns).u8(extensions_max).u64(call_ns);
    writer.u8(*phase as u8).u64(*until_ns).u8(before_halt.map_or(u8::MAX, |state| state as u8)).u8(*extensions);
    writer.u8(scheduled.is_some().into());
    if let Some(Scheduled { change, is_timed }) = scheduled {
        writer.u64(change.due_ns).u8(change.state as u8).u8(change.phase as u8).u8((*is_timed).into());
    }
    let told = call.told();
    writer.u8(call.joined as u8).i64(told.price_ticks).u64(told.quantity_lots);
    writer.amount(Amount::from_quanta(told.surplus_lots));
}

/// Writes a breaker with the prices that its windows have now.
fn write_guard(writer: &mut Writer, guard: Option<&Guard>, now_ns: u64) {
    writer.u8(guard.is_some().into());
    let Some(Guard { terms, variant_ticks, breaker }) = guard else { return };
    writer.0.extend_from_slice(zerocopy::IntoBytes::as_bytes(&BreakerRecord::new(terms)));
    writer.u64(*variant_ticks);
    for window in breaker.windows().into_iter().flatten() {
        for ends in window.seen(now_ns) {
            writer.u32(ends.len() as u32);
            ends.into_iter().for_each(|(slot, price)| {
                writer.u64(slot).i64(price.ticks());
            });
        }
    }
}

fn read_guard(part: &mut Reader<'_>) -> Read<Option<Box<Guard>>> {
    if part.u8()? != 1 {
        return Ok(None);
    }
    let record: BreakerRecord = zerocopy::transmute!(part.array::<64>()?);
    let guard = Guard::new(part.known(record.terms())?, part.u64()?);
    let mut guard = part.known(guard)?;
    for window in guard.breaker.windows_mut().into_iter().flatten() {
        let mut ends = [Vec::new(), Vec::new()];
        for prices in &mut ends {
            for _ in 0..part.u32()? {
                prices.push((part.u64()?, Price::from_ticks(part.i64()?)));
            }
        }
        part.known(window.restore(ends).then_some(()))?;
    }
    Ok(Some(guard))
}

impl Engine {
    /// Reads what belongs to the state of the next instrument, and sets its timers.
    fn read_session(&mut self, part: &mut Reader<'_>, state: InstrumentState) -> Read<Option<Box<Session>>> {
        let id = InstrumentId(self.markets.len() as u32);
        if part.u8()? != 1 {
            part.known(state.trades().then_some(()))?;
            return Ok(None);
        }
        let mut session = Session {
            terms: CallTerms {
                collar_ppm: part.u32()?,
                extension_ns: part.u64()?,
                extensions_max: part.u8()?,
                call_ns: part.u64()?,
            },
            ..Session::default()
        };
        part.known(session.terms.is_valid().then_some(()))?;
        session.phase = part.phase()?;
        session.until_ns = part.u64()?;
        session.before_halt = match part.u8()? {
            u8::MAX => None,
            code => Some(part.known(InstrumentState::from_code(code))?),
        };
        let is_halted = state == InstrumentState::Halted;
        part.known((is_halted == session.before_halt.is_some()).then_some(()))?;
        session.extensions = part.u8()?;
        if part.u8()? == 1 {
            let due_ns = part.u64()?;
            let state = InstrumentState::from_code(part.u8()?);
            let change = ScheduledState { due_ns, state: part.known(state)?, phase: part.phase()? };
            session.scheduled = Some(Scheduled { change, is_timed: part.u8()? == 1 });
        }
        session.call.joined = part.phase()?;
        let (price_ticks, quantity_lots) = (part.i64()?, part.u64()?);
        session.call.restore_told(Told { price_ticks, quantity_lots, surplus_lots: part.amount()?.quanta() });
        if session.until_ns != 0 && !is_halted {
            self.open.timers.set(session.until_ns, Timer::State(id));
        }
        if let Some(scheduled) = session.scheduled.filter(|scheduled| scheduled.is_timed) {
            self.open.timers.set(scheduled.change.due_ns, Timer::Schedule(id));
        }
        if state == InstrumentState::Auction {
            self.open.timers.count_auction(true);
        }
        Ok(Some(Box::new(session)))
    }
}

fn write_controls(controls: &Controls, open: &OpenOrders) -> Writer {
    let mut writer = Writer::default();
    writer.u32(controls.killed_groups().count() as u32);
    controls.killed_groups().for_each(|group| _ = writer.u32(group));
    writer.u32(controls.killed_sessions().count() as u32);
    controls.killed_sessions().for_each(|session| _ = writer.u32(session.0));
    writer.u32(controls.restrictions().count() as u32);
    for (scope, instrument, restriction) in controls.restrictions() {
        let (account, group) = scope.ids();
        writer.u8(scope.code()).u32(account).u32(group).u32(instrument.0).u8(restriction as u8);
    }
    writer.u32(controls.bands().count() as u32);
    for (scope, ApprovalBands { thresholds, expiry_ns }) in controls.bands() {
        let (code, id) = match scope {
            BandScope::Instrument(instrument) => (1, instrument.0),
            BandScope::Account(account) => (2, account.0),
        };
        writer.u8(code).u32(id).u64(expiry_ns);
        thresholds.iter().for_each(|threshold| _ = writer.amount(*threshold));
    }
    writer.u32(open.approvals.len() as u32);
    for (id, Approval { needed, deadline_ns, hash, fires_at, approvers }) in &open.approvals {
        writer.u64(id.0).u8(*needed).u64(*deadline_ns).i64(fires_at.ticks());
        writer.0.extend_from_slice(hash);
        writer.u8(approvers.len() as u8);
        approvers.iter().for_each(|approver| _ = writer.u32(approver.0));
    }
    let of_slot = |(slot, order): (Slot, &Order<Terms>)| (order.id, open.session(slot));
    let mut of_sessions: Vec<_> =
        open.slab.iter().map(of_slot).filter(|(_, session)| *session != SessionId(0)).collect();
    of_sessions.sort_unstable();
    writer.u32(of_sessions.len() as u32);
    of_sessions.iter().for_each(|(id, session)| _ = writer.u64(id.0).u32(session.0));
    writer.u32(open.quotes.protections.len() as u32);
    for (scope, Protection { terms, until_ns, lots, fills, is_triggered }) in &open.quotes.protections {
        writer.u32(scope.account.0).u32(scope.code());
        writer.u64(terms.lots_max).u64(terms.fills_max).u64(terms.window_ns);
        writer.u64(*until_ns).u64(*lots).u64(*fills).u8((*is_triggered).into());
    }
    writer
}

fn write_sessions(sessions: &Sessions) -> Writer {
    let mut writer = Writer::default();
    for session in sessions.views() {
        writer.u32(session.account().map_or(ANY, |account| account.0)).text(session.label().as_bytes());
        writer.u64(session.last_client_sequence()).u32(session.answers().count() as u32);
        for answer in session.answers() {
            writer.u64(answer.sequence()).u64(answer.first_order().0).u32(answer.reason().into());
        }
    }
    writer
}

fn write_keys(keys: &Keys) -> Writer {
    let mut writer = Writer::default();
    for (id, Key { account, kind, permissions, material }) in keys.iter() {
        writer.text(id.as_bytes()).u32(account.map_or(ANY, |account| account.0));
        writer.u8(*kind as u8).u64(permissions.0.into()).text(material.as_bytes());
    }
    writer
}

fn write_transfers(ledger: &Ledger) -> Writer {
    let (mut writer, transit) = (Writer::default(), ledger.transit());
    writer.u32(transit.counters().count() as u32);
    for (shard, TransferCounters { sent, received }) in transit.counters() {
        writer.u8(shard.0).u64(sent.0).u64(received.0);
    }
    let assets = || (0..ledger.asset_count() as u32).map(AssetId);
    let elsewhere = || assets().filter(|asset| ledger.elsewhere(*asset) != Amount::ZERO);
    writer.u32(elsewhere().count() as u32);
    elsewhere().for_each(|asset| _ = writer.u32(asset.0).amount(ledger.elsewhere(asset)));
    writer.u32(transit.pending().count() as u32);
    for (to, number, transfer) in transit.pending() {
        writer.u8(to.0).u64(number.0).u32(transfer.asset.0).u32(transfer.account.0).amount(transfer.amount);
    }
    writer
}

fn write_conditional(writer: &mut Writer, conditional: &Conditional) {
    let Conditional { limit, order_type, time_in_force, station, conditions, reserve, draws, list: _ } = conditional;
    writer.u8(*order_type as u8).u8(*time_in_force as u8).u8(*station as u8).i64(limit.ticks());
    writer.u64(reserve.lots()).u64(*draws);
    writer.0.extend_from_slice(zerocopy::IntoBytes::as_bytes(&ConditionsRecord::new(conditions)));
}

/// Writes which leg of which list an order is.
fn write_leg(writer: &mut Writer, open: &OpenOrders, order: OrderId, id: ListId) {
    let list = open.lists.get(id).expect("Invariant: a leg's list is there");
    let place = list.legs.iter().position(|leg| *leg == order).expect("Invariant: a list knows its legs");
    write_client_id(writer.u64(id.0).u8(place as u8).u8(list.contingency as u8), &list.name.client_list_id());
}

fn write_client_id(writer: &mut Writer, id: &ClientOrderId<'_>) {
    match id {
        ClientOrderId::Absent => writer.text(b""),
        ClientOrderId::Number(number) => writer.text(number.to_string().as_bytes()),
        ClientOrderId::Text(text) => writer.text(text),
    };
}

/// Writes an order: `price` is that of its level, in the book or in its trigger book.
fn write_order(writer: &mut Writer, open: &OpenOrders, slot: Slot, price: Price) {
    let order = &open.slab[slot];
    let Terms { links: _, instrument, maker_rate, maker_fee, side, self_trade_prevention, flags } = order.terms;
    let Notes { total, prevented, priority, taker_rate, taker_fee } = open.notes[slot.0 as usize];
    writer.u64(order.id.0).u32(order.account.0).u32(instrument.0);
    writer.u8(side as u8).u8(self_trade_prevention as u8).u32(flags.0.into());
    writer.i64(price.ticks()).u64(order.open.lots()).u64(total.lots());
    writer.u64(prevented.lots()).u64(priority).u32(taker_rate.ppm() as u32).u32(taker_fee.excess_millionths());
    writer.u32(maker_rate.ppm() as u32).u32(maker_fee.excess_millionths());
    write_client_id(writer, &open.client_order_id(slot));
    if flags.has_any(OrderFlags::NOTED) {
        write_conditional(writer, open.conditional(slot));
    }
    if flags.has(OrderFlags::LISTED) {
        write_leg(writer, open, order.id, open.conditional(slot).list);
    }
}
