//! Who trades: ten thousand accounts with a character, a purse and a few markets they know.

use tradewright_types::{
    AccountId, AccountKind, Amount, ApprovalBands, CommandKind, CommandRecord, Permissions, SelfTradePrevention,
    SessionId,
};

use crate::random::{Random, WeightedTable};
use crate::venue;

use super::catalogue::{LISTINGS, QUANTA_PER_DOLLAR};
use super::draw::PowerLaw;
use super::records;

/// How an account trades. Market makers stand apart: each market has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Character {
    /// Small limit and market orders, changed now and then.
    Retail = 0,
    /// Takes what it wants, one side for a while.
    Taker = 1,
    /// Runs after the price.
    Momentum = 2,
    /// No plan, and mistakes.
    Noise = 3,
}

impl Character {
    const COUNT: usize = 4;

    /// Thirteen in twenty accounts are retail, three takers, two follow momentum, two are noise.
    fn of(index: usize) -> Self {
        match index % 20 {
            0..13 => Self::Retail,
            13..16 => Self::Taker,
            16..18 => Self::Momentum,
            _ => Self::Noise,
        }
    }

    /// The dollars that the poorest of them starts with, on each side of a market.
    fn purse_dollars(self) -> u64 {
        match self {
            Self::Retail => 40_000,
            Self::Taker => 800_000,
            Self::Momentum => 600_000,
            Self::Noise => 60_000,
        }
    }

    fn fee_tier(self) -> u8 {
        match self {
            Self::Retail | Self::Noise => 0,
            Self::Taker => 3,
            Self::Momentum => 2,
        }
    }
}

/// An account, as far as it does not change.
#[derive(Clone, Debug)]
struct Account {
    kind: AccountKind,
    tier: u8,
    group: u32,
    self_trade_prevention: SelfTradePrevention,
    /// Market and dollars.
    homes: Vec<(usize, u64)>,
    /// Open orders, orders and messages in a second.
    limits: [u32; 3],
    /// Base asset by value that it may hold in its first market.
    position_dollars: Option<u64>,
    read_only: bool,
    /// Its large orders need approvers.
    supervised: bool,
}

/// All accounts but the venue's own two.
#[derive(Clone, Debug)]
pub(super) struct Population {
    accounts: Vec<Account>,
    /// By account: its prevention mode, close together because every order asks for it.
    preventions: Vec<SelfTradePrevention>,
    /// By market: its market makers.
    makers: Vec<[AccountId; Population::MAKERS]>,
    /// By market and character.
    traders: Vec<[Vec<AccountId>; Character::COUNT]>,
    /// Accounts whose limits are so narrow that they run into them, and their first market.
    narrow: Vec<(AccountId, usize)>,
    /// Accounts that may hold little of their first market's base asset, and that market.
    limited: Vec<(AccountId, usize)>,
    read_only: Vec<AccountId>,
    /// Accounts whose large orders need approvers, and their first market. May be empty.
    supervised: Vec<(AccountId, usize)>,
    /// How many desks of market makers there are.
    desks: usize,
}

const HOUSES: usize = 2;
/// The first desk of market makers comes behind the houses and those who approve.
const FIRST_DESK: usize = HOUSES + Population::APPROVERS;
/// A firm of market makers connects once for so many neighbouring markets.
const MARKETS_OF_SESSION: usize = 5;
/// Above so many dollars an order of somebody supervised needs one, two or three approvers, and how long it waits for them.
const SUPERVISED_ABOVE: [u64; 3] = [600, 6_000, 40_000];
const WAITS_NS: u64 = 250_000_000;
/// Every market that a trader knows is drawn from these weights; the busiest come first.
const HOMES: usize = 4;

impl Population {
    /// Market makers in each market.
    pub(super) const MAKERS: usize = 4;
    /// Accounts that approve what others send.
    pub(super) const APPROVERS: usize = 3;
    /// The fewest accounts with which every part is cast.
    pub(super) const ACCOUNTS_MIN: usize = 64;

    /// Casts `accounts` accounts over the first `instruments` markets.
    pub(super) fn cast(random: &mut Random, accounts: usize, instruments: usize) -> Self {
        let mut population = Self {
            accounts: Vec::with_capacity(accounts),
            preventions: Vec::with_capacity(accounts),
            makers: Vec::with_capacity(instruments),
            traders: vec![Default::default(); instruments],
            narrow: Vec::new(),
            limited: Vec::new(),
            read_only: Vec::new(),
            supervised: Vec::new(),
            desks: (instruments * Self::MAKERS).min(accounts / 4),
        };
        for _ in 0..FIRST_DESK {
            population.accounts.push(Account { kind: AccountKind::House, group: 0, ..Account::maker(0) });
        }
        let desks = population.desks;
        for desk in 0..desks {
            population.accounts.push(Account::maker(desk));
        }
        for instrument in 0..instruments {
            let makers = std::array::from_fn(|maker| {
                // The house quotes in every eighth market.
                let house = maker == 0 && instrument % 8 == 0;
                let account = if house {
                    instrument / 8 % HOUSES
                } else {
                    FIRST_DESK + (instrument * Self::MAKERS + maker) % desks
                };
                population.accounts[account].homes.push((instrument, 20_000_000));
                venue::account_of(account as u64)
            });
            population.makers.push(makers);
        }
        population.cast_traders(random, accounts);
        population.preventions.extend(population.accounts.iter().map(|account| account.self_trade_prevention));
        population
    }

    fn cast_traders(&mut self, random: &mut Random, accounts: usize) {
        let weights: Vec<u32> = (0..self.makers.len()).map(popularity).collect();
        let popular = WeightedTable::new(&weights);
        let wealth = PowerLaw::with_tenths(15);
        for index in 0..accounts - self.accounts.len() {
            let character = Character::of(index);
            let dollars = wealth.draw(random, character.purse_dollars(), 100 * character.purse_dollars());
            let id = venue::account_of(self.accounts.len() as u64);
            let mut account = Account::trader(index, character);
            // The first home goes round, so that each market has traders of every character.
            let mut market = index / 20 % self.makers.len();
            for _ in 0..HOMES {
                if account.homes.iter().all(|(known, _)| *known != market) {
                    account.homes.push((market, dollars));
                    if !account.read_only && account.limits != NARROW {
                        self.traders[market][character as usize].push(id);
                    }
                }
                market = popular.draw(random);
            }
            let first = account.homes[0].0;
            if account.read_only {
                self.read_only.push(id);
            }
            if account.supervised {
                self.supervised.push((id, first));
            }
            if account.limits == NARROW {
                self.narrow.push((id, first));
            }
            if account.position_dollars.is_some() {
                self.limited.push((id, first));
            }
            self.accounts.push(account);
        }
        self.fill_gaps();
    }

    /// With few accounts a market may lack a character: somebody else plays it there, too.
    fn fill_gaps(&mut self) {
        let first = self.accounts.iter().position(|account| !account.homes.is_empty() && account.tier < 4);
        let stand_in = first.expect("Invariant: there are more accounts than houses and desks");
        for (market, characters) in self.traders.iter_mut().enumerate() {
            for traders in characters {
                if traders.is_empty() {
                    traders.push(venue::account_of(stand_in as u64));
                    self.accounts[stand_in].homes.push((market, 1_000_000));
                }
            }
        }
        if self.read_only.is_empty() {
            self.accounts[stand_in + 1].read_only = true;
            self.read_only.push(venue::account_of(stand_in as u64 + 1));
        }
        if self.narrow.is_empty() {
            let account = &mut self.accounts[stand_in + 2];
            account.limits = NARROW;
            self.narrow.push((venue::account_of(stand_in as u64 + 2), account.homes[0].0));
        }
        if self.limited.is_empty() {
            let account = &mut self.accounts[stand_in + 3];
            account.position_dollars = Some(5_000);
            self.limited.push((venue::account_of(stand_in as u64 + 3), account.homes[0].0));
        }
    }

    /// A market maker of a market.
    #[inline]
    pub(super) fn maker(&self, instrument: usize, maker: usize) -> AccountId {
        self.makers[instrument][maker]
    }

    /// Somebody who trades in a market.
    #[inline]
    pub(super) fn trader(&self, random: &mut Random, instrument: usize, character: Character) -> AccountId {
        any_of(random, &self.traders[instrument][character as usize])
    }

    /// Somebody whose limits are narrow, and a market that it knows.
    pub(super) fn narrow(&self, random: &mut Random) -> (AccountId, usize) {
        any_of(random, &self.narrow)
    }

    /// Somebody who may hold little of a market's base asset, and that market.
    pub(super) fn limited(&self, random: &mut Random) -> (AccountId, usize) {
        any_of(random, &self.limited)
    }

    /// Somebody who may not trade.
    pub(super) fn read_only(&self, random: &mut Random) -> AccountId {
        any_of(random, &self.read_only)
    }

    /// Somebody whose large orders need approvers, and a market that it knows.
    pub(super) fn supervised(&self, random: &mut Random) -> Option<(AccountId, usize)> {
        if self.supervised.is_empty() { None } else { Some(any_of(random, &self.supervised)) }
    }

    /// One of those who approve.
    pub(super) fn approver(&self, place: usize) -> AccountId {
        venue::account_of((HOUSES + place) as u64)
    }

    /// The session by which the orders of an account come: market makers have connections of their own. 0 is none.
    #[inline]
    pub(super) fn session(&self, account: AccountId) -> SessionId {
        let desk = account.index().wrapping_sub(2 + FIRST_DESK);
        if desk >= self.desks {
            return SessionId(0);
        }
        let firm = desk / (MARKETS_OF_SESSION * Self::MAKERS) * Self::MAKERS + desk % Self::MAKERS;
        SessionId(firm as u32 + 1)
    }

    /// One of the operator's own accounts.
    pub(super) fn house(&self, random: &mut Random) -> AccountId {
        venue::account_of(random.below(HOUSES as u64))
    }

    /// The id that no account has.
    pub(super) fn nobody(&self) -> AccountId {
        venue::account_of(self.accounts.len() as u64)
    }

    /// The prevention mode that an account sends.
    #[inline]
    pub(super) fn prevention(&self, account: AccountId) -> SelfTradePrevention {
        self.preventions[account.index() - 2]
    }

    /// The trade group of an account, if it is in one.
    pub(super) fn group(&self, account: AccountId) -> Option<u32> {
        Some(self.accounts[account.index() - 2].group).filter(|group| *group != 0)
    }

    /// Whether an account gives its orders ids of its own in words.
    #[inline]
    pub(super) fn writes_text_ids(account: AccountId) -> bool {
        account.0 % 16 == 3
    }

    /// Opens the accounts and funds them. `asset_of` is the base asset of a market.
    pub(super) fn set_up(&self, commands: &mut Vec<CommandRecord>, asset_of: &[u32]) {
        for (index, account) in self.accounts.iter().enumerate() {
            let id = venue::account_of(index as u64);
            let word = match account.kind {
                AccountKind::House => "house",
                AccountKind::Client | AccountKind::Fee | AccountKind::Insurance => {
                    if account.tier == MAKER_TIER {
                        "maker"
                    } else {
                        "trader"
                    }
                }
            };
            commands.push(venue::open_account(id, account.kind, &format!("{word}-{index}")));
            let [open_orders, orders, messages] = account.limits;
            commands.push(venue::set_account_limits(id, open_orders, orders, messages));
            if account.tier > 0 {
                commands.push(records::account_fee_tier(id, account.tier));
            }
            if account.group > 0 {
                commands.push(records::of_account(CommandKind::SetTradeGroup, id, u64::from(account.group)));
            }
            if account.read_only {
                commands.push(records::of_account(CommandKind::SetPermissions, id, 0));
            }
            if (HOUSES..FIRST_DESK).contains(&index) {
                let approves = Permissions::APPROVE.0.into();
                commands.push(records::of_account(CommandKind::SetPermissions, id, approves));
            }
            if account.supervised {
                let per_dollar = QUANTA_PER_DOLLAR[LISTINGS[account.homes[0].0].quote];
                let thresholds = SUPERVISED_ABOVE.map(|dollars| Amount::from_quanta((dollars * per_dollar).into()));
                let bands = ApprovalBands { thresholds, expiry_ns: WAITS_NS };
                commands.extend(records::approval_bands(id, &bands));
            }
            for (place, (market, dollars)) in account.homes.iter().enumerate() {
                let listing = &LISTINGS[*market];
                let quanta = i128::from(*dollars) * i128::from(QUANTA_PER_DOLLAR[listing.quote]);
                commands.push(venue::deposit(id, listing.quote as u32, Amount::from_quanta(quanta)));
                let lots_for = |quanta: i128| {
                    quanta / (i128::from(listing.price_ticks) * i128::from(listing.quote_quanta_per_tick_lot()))
                };
                let base = lots_for(quanta) * i128::from(listing.base_quanta_per_lot());
                commands.push(venue::deposit(id, asset_of[*market], Amount::from_quanta(base)));
                if let (0, Some(position_dollars)) = (place, account.position_dollars) {
                    let more = i128::from(position_dollars) * i128::from(QUANTA_PER_DOLLAR[listing.quote]);
                    let lots = lots_for(quanta + more) as u64;
                    commands.push(venue::set_position_limit(id, *market as u32, lots));
                }
            }
        }
    }
}

/// Market makers pay and earn by the last tier.
pub(super) const MAKER_TIER: u8 = 5;

/// Open orders, orders and messages in a second of an account that runs into its limits.
const NARROW: [u32; 3] = [3, 4, 6];

/// The share of all arrivals that a market gets, by its place.
pub(super) fn popularity(index: usize) -> u32 {
    100_000 / (index as u32 + 3)
}

fn any_of<T: Copy>(random: &mut Random, accounts: &[T]) -> T {
    accounts[random.below(accounts.len() as u64) as usize]
}

impl Account {
    fn maker(desk: usize) -> Self {
        use SelfTradePrevention::{Decrement, ExpireBoth, ExpireMaker, ExpireTaker, None, Transfer};
        // Two desks are a group. A transfer needs both to agree, so a group has one mode.
        let pair = desk / 2;
        Self {
            kind: AccountKind::Client,
            tier: MAKER_TIER,
            group: pair as u32 + 1,
            self_trade_prevention: [Transfer, ExpireTaker, Decrement, ExpireMaker, ExpireBoth, None][pair % 6],
            homes: Vec::new(),
            limits: [10_000, 5_000, 10_000],
            position_dollars: Option::None,
            read_only: false,
            supervised: false,
        }
    }

    fn trader(index: usize, character: Character) -> Self {
        use SelfTradePrevention::{Decrement, ExpireBoth, ExpireMaker, ExpireTaker, None};
        let noise = character == Character::Noise;
        Self {
            kind: AccountKind::Client,
            tier: character.fee_tier() + u8::from(index.is_multiple_of(7)),
            group: 0,
            self_trade_prevention: [ExpireTaker, ExpireMaker, ExpireTaker, Decrement, ExpireBoth, None][index / 20 % 6],
            homes: Vec::new(),
            limits: if noise && index / 20 % 4 == 1 { NARROW } else { [200, 100, 300] },
            position_dollars: (noise && index / 20 % 4 == 2).then_some(5_000),
            read_only: noise && index / 20 % 16 == 3,
            supervised: character == Character::Taker && index / 20 % 128 == 2,
        }
    }
}
