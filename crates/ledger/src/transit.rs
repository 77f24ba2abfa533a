//! Money on its way between shards.
//!
//! A transfer to another shard has two steps, and money is in transit between them. The sender numbers what it sends to each
//! shard; the receiver takes the numbers in their order, each once; then the sender is told, and forgets. So whoever carries
//! transfers from one shard to another may do it as often as it likes: nothing is lost, and nothing arrives twice.

use std::collections::BTreeMap;

use tradewright_types::{AccountId, Amount, AssetId, EntityHash, HashTotal, ShardId, TransferNumber};

/// Money that left for another shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShardTransfer {
    /// Whose: the account has the same number on both shards.
    pub account: AccountId,
    /// Of what.
    pub asset: AssetId,
    /// How much.
    pub amount: Amount,
}

/// The numbers that were given last between this shard and another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TransferCounters {
    /// Of what was sent there.
    pub sent: TransferNumber,
    /// Of what was received from there.
    pub received: TransferNumber,
}

/// What is in transit from here, and how far each of the other shards is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transit {
    pending: BTreeMap<(ShardId, TransferNumber), ShardTransfer>,
    counters: BTreeMap<ShardId, TransferCounters>,
}

impl Transit {
    /// What was sent from here and is not confirmed, by shard and number.
    pub fn pending(&self) -> impl Iterator<Item = (ShardId, TransferNumber, &ShardTransfer)> {
        self.pending.iter().map(|((to, number), transfer)| (*to, *number, transfer))
    }

    /// The other shards that money was sent to or received from, with the last numbers.
    pub fn counters(&self) -> impl Iterator<Item = (ShardId, TransferCounters)> {
        self.counters.iter().map(|(shard, counters)| (*shard, *counters))
    }

    /// The last numbers between here and another shard.
    pub fn with(&self, shard: ShardId) -> TransferCounters {
        self.counters.get(&shard).copied().unwrap_or_default()
    }

    pub(crate) fn send(&mut self, to: ShardId, transfer: ShardTransfer) -> TransferNumber {
        let counters = self.counters.entry(to).or_default();
        counters.sent.0 += 1;
        self.pending.insert((to, counters.sent), transfer);
        counters.sent
    }

    pub(crate) fn receive(&mut self, from: ShardId) -> TransferNumber {
        let counters = self.counters.entry(from).or_default();
        counters.received.0 += 1;
        counters.received
    }

    pub(crate) fn confirm(&mut self, to: ShardId, number: TransferNumber) -> Option<ShardTransfer> {
        self.pending.remove(&(to, number))
    }

    /// Restores the last numbers between here and another shard. `None` when they were there, or say nothing.
    pub(crate) fn restore_counters(&mut self, shard: ShardId, counters: TransferCounters) -> Option<()> {
        let is_new = self.counters.insert(shard, counters).is_none();
        (is_new && counters != TransferCounters::default()).then_some(())
    }

    /// Restores what is in transit. `None` when it was there, or its number was not given yet.
    pub(crate) fn restore(&mut self, to: ShardId, number: TransferNumber, transfer: ShardTransfer) -> Option<()> {
        let was_given = number.0 > 0 && number <= self.with(to).sent;
        let is_new = self.pending.insert((to, number), transfer).is_none();
        (was_given && is_new).then_some(())
    }

    /// Nothing has no hash: a venue of one shard has the state hash that it would have without shards.
    pub(crate) fn state_hash(&self) -> HashTotal {
        let mut total = HashTotal::default();
        for (to, number, ShardTransfer { account, asset, amount }) in self.pending() {
            let place = EntityHash::new(0x14).word(u64::from(to.0)).word(number.0);
            total += place.word(u64::from(account.0)).word(u64::from(asset.0)).amount(*amount).finish();
        }
        for (shard, TransferCounters { sent, received }) in self.counters() {
            total += EntityHash::new(0x15).word(u64::from(shard.0)).word(sent.0).word(received.0).finish();
        }
        total
    }

    pub(crate) fn check_invariants(&self) {
        for (to, number, transfer) in self.pending() {
            let was_given = number.0 > 0 && number <= self.with(to).sent;
            assert!(was_given, "Invariant: transfers to shard {to} are numbered in order");
            assert!(transfer.amount.is_positive(), "Invariant: transfer {number} to shard {to} moves something");
        }
        for (shard, counters) in self.counters() {
            assert_ne!(counters, TransferCounters::default(), "Invariant: shard {shard} is known for what it moved");
        }
    }
}
