//! What risk knows of accounts and fees.

use tradewright_types::{AccountId, EntityHash, HashTotal};

use crate::{AccountRisk, FeeSchedules};

/// Accounts and fees as risk sees them.
#[derive(Clone, Debug, Default)]
pub struct Risk {
    /// By account id.
    pub accounts: Vec<AccountRisk>,
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

    /// Bytes that the accounts take.
    pub fn memory_bytes(&self) -> usize {
        self.accounts.capacity() * size_of::<AccountRisk>()
    }

    /// The hash of everything.
    pub fn state_hash(&self) -> HashTotal {
        let Self { accounts, fees, halted } = self;
        let mut total = EntityHash::new(0x20).word(u64::from(*halted)).finish();
        for (id, account) in accounts.iter().enumerate() {
            total += hash_account(id as u64, account);
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
