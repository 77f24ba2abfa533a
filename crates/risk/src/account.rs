//! What risk knows of an account.

use tradewright_types::{AccountKind, AccountLimits, EntityHash, HashTotal, Permissions};

use crate::Standing;

/// A limit that no account reaches by itself.
pub const UNLIMITED: AccountLimits =
    AccountLimits { open_orders_max: u32::MAX, orders_per_second_max: u32::MAX, messages_per_second_max: u32::MAX };

const SECOND_NS: u64 = 1_000_000_000;

/// An account's limits, and its counters against them.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct AccountRisk {
    /// Limits on open orders and rates.
    pub limits: AccountLimits,
    /// Orders on a book now.
    pub open_orders: u32,
    /// Orders sent in the current second.
    pub orders: u32,
    /// Messages sent in the current second.
    pub messages: u32,
    /// When the current second ends.
    pub window_end_ns: u64,
    /// No open order of the account has a client order id above this number. Clients that count upwards never need to be
    /// looked up. A hint: it may be higher than it must be.
    pub client_number_max: u64,
    /// Accounts of one group never trade with each other when prevention is on. 0 is no group.
    pub trade_group: u32,
    /// What it may do.
    pub permissions: Permissions,
    /// Its row in the fee schedules.
    pub fee_tier: u8,
    /// What stands between it and the market: one comparison for nearly every order.
    pub standing: Standing,
    /// Whether it may have changed since the last checkpoint.
    pub(crate) changed: bool,
}

impl AccountRisk {
    /// A new account: no limits, no group, and the permissions of its kind.
    pub fn new(kind: AccountKind) -> Self {
        let permissions = match kind {
            AccountKind::Client | AccountKind::House => Permissions::INITIAL,
            AccountKind::Fee | AccountKind::Insurance => Permissions::TRANSFER,
        };
        Self {
            limits: UNLIMITED,
            open_orders: 0,
            orders: 0,
            messages: 0,
            window_end_ns: 0,
            client_number_max: 0,
            trade_group: 0,
            permissions,
            fee_tier: 0,
            standing: Standing::default(),
            changed: true,
        }
    }

    /// Counts a message, and with it `orders` orders (none or one), in the second of `now_ns`.
    #[inline(always)]
    pub fn count_message(&mut self, now_ns: u64, orders: u32) {
        if now_ns >= self.window_end_ns {
            self.begin_window(now_ns);
        }
        self.changed = true;
        // Engine time may stand still: full counters stay full. Where orders are full, messages are: see `count_orders`.
        if self.messages < u32::MAX {
            self.messages += 1;
            self.orders += orders;
        }
    }

    /// Counts a message that has several orders.
    #[cold]
    #[inline(never)]
    pub fn count_orders(&mut self, now_ns: u64, orders: u32) {
        self.count_message(now_ns, 0);
        match self.orders.checked_add(orders) {
            Some(orders) => self.orders = orders,
            // Full counters stay full, both of them: the next message must not count beyond.
            None => (self.messages, self.orders) = (u32::MAX, u32::MAX),
        }
    }

    #[cold]
    #[inline(never)]
    fn begin_window(&mut self, now_ns: u64) {
        self.window_end_ns = (now_ns / SECOND_NS).saturating_add(1).saturating_mul(SECOND_NS);
        (self.messages, self.orders) = (0, 0);
    }

    /// The hash of the account with this id.
    pub(crate) fn state_hash(&self, id: u64) -> HashTotal {
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
            standing,
            changed: _,
        } = *self;
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
                    | u64::from(standing.of_its_own().0),
            )
            .finish()
    }
}
