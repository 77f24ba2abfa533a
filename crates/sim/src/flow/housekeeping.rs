//! What the venue does while the others trade: reference, mark and index prices, halts, money in and out, changes of limits and tiers.

use tradewright_types::{
    AccountId, Amount, AuctionPhase, CommandKind, CommandRecord, ControlScope, InstrumentState, KillScope, Permissions,
    Price, PriceSource, SessionId, TransferKind,
};

use crate::venue;

use super::Flow;
use super::control::{Control, CutOff, Lost};
use super::draw;
use super::population::{Character, Population};
use super::records::{self, Scope};

/// A task of the venue comes up after so many arrivals.
const TASK_EVERY: u32 = 150;
/// Accounts short of money that are remembered.
const SHORTAGES_MAX: usize = 16;

/// What is still to be done.
#[derive(Clone, Debug, Default)]
pub(super) struct Housekeeping {
    arrivals: u32,
    /// Withdrawals that are neither confirmed nor cancelled.
    pub(super) withdrawals: Vec<u64>,
    /// Account, market and asset that was short.
    shortages: Vec<(u32, u32, u32)>,
    /// What is halted, and for how many more arrivals.
    halted: Option<(Scope, u32)>,
    /// Who is cut off.
    pub(super) cut_off: Option<CutOff>,
    /// Whose connection is gone.
    pub(super) lost: Option<Lost>,
}

impl Housekeeping {
    /// Arrivals so far.
    pub(super) fn arrivals(&self) -> u32 {
        self.arrivals
    }

    /// An order was refused for lack of money.
    pub(super) fn note_shortage(&mut self, account: u32, market: u32, asset: u32) {
        if self.shortages.len() < SHORTAGES_MAX {
            self.shortages.push((account, market, asset));
        }
    }
}

impl Flow {
    /// Does what is due at an arrival in `market`.
    #[inline]
    pub(super) fn keep_house(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        if self.markets[market].is_unsettled() {
            self.move_prices(market, out);
        }
        if let Some((scope, left)) = &mut self.housekeeping.halted {
            *left -= 1;
            if *left == 0 {
                let scope = *scope;
                self.resume(scope, out);
            }
        }
        if self.housekeeping.cut_off.as_mut().is_some_and(CutOff::passes) {
            self.end_cut_off(out);
        }
        if self.housekeeping.lost.as_mut().is_some_and(Lost::passes) {
            self.housekeeping.lost = None;
        }
        if self.approvals.is_due(self.housekeeping.arrivals) {
            self.look_at_order(out);
        }
        if let Some((account, market, asset)) = self.housekeeping.shortages.pop() {
            self.top_up(AccountId(account), market as usize, asset, out);
        }
        self.keep_sessions(out);
        self.housekeeping.arrivals += 1;
        if self.housekeeping.arrivals.is_multiple_of(TASK_EVERY) {
            self.do_task(market, out);
        }
    }

    /// The prices that the venue sets follow the fair value.
    #[cold]
    fn move_prices(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        if self.markets[market].has_left_reference() {
            self.move_reference(market, out);
        }
        if self.markets[market].has_left_mark() {
            self.set_mark(market, out);
        }
        if self.markets[market].has_left_index() {
            self.set_index(market, out);
        }
        self.markets[market].settle();
    }

    fn move_reference(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let known = &mut self.markets[market];
        known.set_reference(known.fair_ticks());
        let price = Price::from_ticks(known.reference_ticks);
        self.send(venue::set_reference_price(market as u32, price), out);
    }

    fn set_mark(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let known = &mut self.markets[market];
        let ticks = known.fair_ticks();
        known.set_source(PriceSource::Mark, ticks);
        self.send(records::trigger_price(CommandKind::SetMarkPrice, market, ticks), out);
    }

    /// Other venues agree but for some basis points.
    fn set_index(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let known = &mut self.markets[market];
        let fair = known.fair_ticks();
        let ticks = fair + fair * draw::bell(&mut self.random) / 20_000;
        known.set_source(PriceSource::Index, ticks);
        self.send(records::trigger_price(CommandKind::SetIndexPrice, market, ticks), out);
    }

    fn halt(&mut self, scope: Scope, arrivals: u32, out: &mut Vec<CommandRecord>) {
        if self.housekeeping.halted.is_some() {
            return;
        }
        self.housekeeping.halted = Some((scope, arrivals));
        self.send(records::halt_or_resume(CommandKind::Halt, scope), out);
    }

    fn halt_market(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        if self.markets[market].state.trades() {
            self.halt(Scope::Instrument(market), 3_000, out);
        }
    }

    fn resume(&mut self, scope: Scope, out: &mut Vec<CommandRecord>) {
        self.housekeeping.halted = None;
        if let Scope::Instrument(market) = scope
            && self.markets[market].state == InstrumentState::Halted
            && self.random.coin()
        {
            // Half of the halts end by an auction.
            return self.call(market, InstrumentState::Auction, AuctionPhase::Intraday, out);
        }
        self.send(records::halt_or_resume(CommandKind::Resume, scope), out);
    }

    /// Ends what is still halted, so that a finished flow leaves an open venue.
    pub(super) fn end_halt(&mut self, out: &mut Vec<CommandRecord>) {
        if let Some((scope, _)) = self.housekeeping.halted.take() {
            self.send(records::halt_or_resume(CommandKind::Resume, scope), out);
        }
    }

    /// Quanta of a market's quote asset that are worth so many dollars.
    fn quote_quanta(&self, market: usize, dollars: u64) -> i128 {
        i128::from(dollars * self.markets[market].quanta_per_dollar)
    }

    fn top_up(&mut self, account: AccountId, market: usize, asset: u32, out: &mut Vec<CommandRecord>) {
        let known = &self.markets[market];
        let quanta = if asset == known.quote_asset {
            self.quote_quanta(market, 100_000)
        } else {
            i128::from(known.lots(100_000)) * i128::from(known.base_quanta_per_lot)
        };
        self.send(venue::deposit(account, asset, Amount::from_quanta(quanta)), out);
    }

    fn do_task(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let trader = self.population.trader(&mut self.random, market, Character::Retail);
        let other = self.population.trader(&mut self.random, market, Character::Taker);
        let house = self.population.house(&mut self.random);
        let quote = self.markets[market].quote_asset;
        let dollars = 1 + self.random.below(500);
        let quanta = self.quote_quanta(market, dollars);
        let record = match self.random.below(237) {
            0..50 => venue::deposit(trader, quote, Amount::from_quanta(quanta)),
            50..90 => records::withdraw(trader, quote, quanta),
            90..120 => {
                // One in four is cancelled. With none under way somebody asks twice.
                let kind = if self.random.below(4) == 0 {
                    CommandKind::CancelWithdrawal
                } else {
                    CommandKind::ConfirmWithdrawal
                };
                records::end_withdrawal(kind, self.housekeeping.withdrawals.pop().unwrap_or(0))
            }
            120..140 => records::transfer(TransferKind::Internal, trader, other, quote, quanta),
            140..148 => records::transfer(TransferKind::FeePayout, AccountId::FEE, house, quote, quanta / 10),
            148..152 => {
                records::transfer(TransferKind::InsuranceContribution, house, AccountId::INSURANCE, quote, quanta)
            }
            152..158 => records::transfer(TransferKind::ClientCredit, house, trader, quote, quanta),
            158..163 => return self.halt_market(market, out),
            163..168 => {
                let maker = self.population.maker(market, 1);
                return self.halt(Scope::Account(maker), 1_000, out);
            }
            168..170 => return self.halt(Scope::Venue, 20, out),
            170..174 => return self.change_limits(market, out),
            174..180 => records::account_fee_tier(trader, self.random.below(3) as u8),
            180..182 => records::fee_tier(0, 0, 950 + 50 * self.random.below(2) as i32, 800),
            182..184 => venue::set_account_limits(trader, 150 + self.random.below(100) as u32, 100, 300),
            184..186 => {
                let account = self.population.read_only(&mut self.random);
                records::of_account(CommandKind::SetPermissions, account, u64::from(Permissions::WITHDRAW.0))
            }
            186..188 => CommandRecord::new(CommandKind::AdvanceTime),
            188..190 => records::withdraw(trader, quote, quanta * 1_000_000_000),
            190..192 => records::withdraw(trader, quote, 0),
            192..194 => venue::deposit(trader, u32::MAX, Amount::from_quanta(quanta)),
            194..196 => records::transfer(TransferKind::Internal, trader, trader, quote, quanta),
            196..198 => records::transfer(TransferKind::ClientCredit, trader, other, quote, quanta),
            198..200 => records::end_withdrawal(CommandKind::ConfirmWithdrawal, u64::MAX),
            200..206 => {
                let scope = KillScope::Accounts(ControlScope::Account(trader));
                return self.cut_off(Control::Kill(scope), (trader, market), 2_000, out);
            }
            206..208 => {
                let maker = self.population.maker(market, 2);
                let scope = self.population.group(maker).map_or(ControlScope::Account(maker), ControlScope::TradeGroup);
                return self.cut_off(Control::Kill(KillScope::Accounts(scope)), (maker, market), 500, out);
            }
            208..216 => {
                let scope = ControlScope::Account(other);
                return self.cut_off(Control::Restrict(scope, market), (other, market), 3_000, out);
            }
            216..220 => {
                let maker = self.population.maker(market, 3);
                let scope = self.population.group(maker).map_or(ControlScope::Account(maker), ControlScope::TradeGroup);
                return self.cut_off(Control::Restrict(scope, market), (maker, market), 1_000, out);
            }
            220..222 => return self.hold_auction(market, out),
            222..224 => return self.close(market, out),
            224 => return self.let_cancel_only(market, out),
            // What trades cannot begin to, and what was is not a plan.
            225 => records::set_state(market, InstrumentState::Continuous, AuctionPhase::None),
            226 => records::schedule_state(market, InstrumentState::Halted, [1, 0, 0]),
            227..230 => self.index_level(),
            230..234 => return self.lose_connection(market, dollars as usize % Population::MAKERS, 400, out),
            234 => return self.follow(out),
            _ => {
                let maker = self.population.maker(market, 1);
                let session = self.population.session(maker);
                if session == SessionId(0) {
                    return;
                }
                return self.cut_off(Control::Kill(KillScope::Session(session)), (maker, market), 500, out);
            }
        };
        self.send(record, out);
    }

    /// The largest order becomes a little larger or smaller.
    fn change_limits(&mut self, market: usize, out: &mut Vec<CommandRecord>) {
        let dollars = 2_000_000 + 100_000 * self.random.below(10);
        let known = &mut self.markets[market];
        known.limits.notional_max_quanta = dollars * known.quanta_per_dollar;
        let limits = records::limits(&known.limits);
        self.send_all([records::set_limits(market), limits], out);
    }
}
