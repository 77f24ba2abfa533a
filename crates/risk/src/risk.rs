//! Everything risk knows.

use tradewright_types::{AccountId, EntityHash, HashTotal, InstrumentId};

use crate::{AccountRisk, Exposure, FeeSchedules, Instrument};

/// Accounts, instruments and fees as risk sees them.
#[derive(Clone, Debug, Default)]
pub struct Risk {
    /// By account id.
    pub accounts: Vec<AccountRisk>,
    /// By instrument id.
    pub instruments: Vec<Instrument>,
    /// Rates by schedule and tier.
    pub fees: FeeSchedules,
    /// Whether everything is halted.
    pub halted: bool,
}

impl Risk {
    /// An account, if it exists.
    #[inline(always)]
    pub fn account(&self, account: AccountId) -> Option<&AccountRisk> {
        self.accounts.get(account.index())
    }

    /// An account that exists, to be changed.
    #[inline(always)]
    pub fn account_mut(&mut self, account: AccountId) -> &mut AccountRisk {
        &mut self.accounts[account.index()]
    }

    /// An instrument that exists.
    #[inline(always)]
    pub fn instrument(&self, instrument: InstrumentId) -> &Instrument {
        &self.instruments[instrument.index()]
    }

    /// An instrument that exists, to be changed.
    #[inline(always)]
    pub fn instrument_mut(&mut self, instrument: InstrumentId) -> &mut Instrument {
        &mut self.instruments[instrument.index()]
    }

    /// Bytes that accounts and exposures take.
    pub fn memory_bytes(&self) -> usize {
        let exposures: usize = self.instruments.iter().map(|instrument| instrument.exposures.memory_bytes()).sum();
        self.accounts.capacity() * size_of::<AccountRisk>() + exposures
    }

    /// The hash of everything.
    pub fn state_hash(&self) -> HashTotal {
        let Self { accounts, instruments, fees, halted } = self;
        let mut total = EntityHash::new(0x20).word(u64::from(*halted)).finish();
        for (id, account) in accounts.iter().enumerate() {
            total += hash_account(id as u64, account);
        }
        for (id, instrument) in instruments.iter().enumerate() {
            total += hash_instrument(id as u64, instrument);
            for (account, exposure) in instrument.exposures.iter().filter(|(_, known)| **known != Exposure::default()) {
                let place = EntityHash::new(0x23).word(id as u64).word(account as u64);
                total += place.word(exposure.open_bid_lots).word(exposure.position_max_lots).finish();
            }
        }
        for (schedule, tier, rates) in fees.iter() {
            let place = EntityHash::new(0x24).word(u64::from(schedule)).word(u64::from(tier));
            total += place.signed(rates.taker.ppm().into()).signed(rates.maker.ppm().into()).finish();
        }
        total
    }
}

fn hash_account(id: u64, account: &AccountRisk) -> HashTotal {
    let AccountRisk {
        limits,
        open_orders,
        orders,
        messages,
        window_end_ns,
        client_number_max: _,
        trade_group,
        permissions,
        fee_tier,
        halted,
    } = *account;
    EntityHash::new(0x21)
        .word(id)
        .word(u64::from(limits.open_orders_max) << 32 | u64::from(limits.orders_per_second_max))
        .word(u64::from(limits.messages_per_second_max) << 32 | u64::from(open_orders))
        .word(u64::from(orders) << 32 | u64::from(messages))
        .word(window_end_ns)
        .word(
            u64::from(trade_group) << 32
                | u64::from(permissions.0) << 16
                | u64::from(fee_tier) << 8
                | u64::from(halted),
        )
        .finish()
}

fn hash_instrument(id: u64, instrument: &Instrument) -> HashTotal {
    let (units, limits) = (&instrument.units, instrument.limits());
    let price = |price: Option<tradewright_types::Price>| price.map_or(i64::MIN, |price| price.ticks());
    EntityHash::new(0x22)
        .word(id)
        .word(instrument.kind as u64)
        .word(u64::from(units.base.0) << 32 | u64::from(units.quote.0))
        .word(units.quote_quanta_per_tick_lot)
        .word(units.base_quanta_per_lot)
        .word(u64::from(limits.price_increment_ticks) << 32 | u64::from(instrument.fee_schedule))
        .word(limits.quantity_increment_lots)
        .word(limits.quantity_min.lots())
        .word(limits.quantity_max.lots())
        .amount(limits.notional_min)
        .amount(limits.notional_max)
        .word(u64::from(limits.band_down_ppm) << 32 | u64::from(limits.band_up_ppm))
        .word(u64::from(instrument.halted))
        .signed(price(instrument.reference()))
        .signed(price(instrument.last()))
        .finish()
}
