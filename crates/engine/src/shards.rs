//! Transfers between shards: the step that is this shard's, of each.

use tradewright_ledger::ShardTransfer;
use tradewright_types::{Amount, Decoded, EventKind, Permissions, RejectReason, ShardId, TransferNumber};

use crate::Engine;
use crate::emit::Emitter;
use crate::settings::ensure;

impl Engine {
    /// Sends money of an account to another shard: it is in transit until that is known to have it.
    pub(crate) fn send_transfer(
        &mut self,
        to: ShardId,
        transfer: &ShardTransfer,
        emit: &mut Emitter<'_>,
    ) -> Decoded<()> {
        let ShardTransfer { account, asset, amount } = *transfer;
        let permitted = self.known_account(account)?.permissions.allow(Permissions::TRANSFER);
        ensure(permitted, RejectReason::AccountNotPermitted)?;
        self.known_asset(asset)?;
        ensure(amount.is_positive(), RejectReason::AmountNotPositive)?;
        ensure(self.ledger.balance(account, asset).available >= amount, RejectReason::InsufficientFunds)?;
        let away = self.ledger.in_transit(asset) + self.ledger.elsewhere(asset);
        ensure(away + amount <= Amount::MAX, RejectReason::AmountTooLarge)?;
        self.ensure_other(to)?;
        let sent = self.ledger.send_transfer(to, *transfer);
        let number = sent.expect("Invariant: what was checked is available");
        emit.between_shards(EventKind::TransferSent, to, number, transfer);
        Ok(())
    }

    /// Takes in what another shard sent. Its number comes before all else: whoever brings a transfer again learns that it is here.
    pub(crate) fn receive_transfer(
        &mut self,
        from: ShardId,
        number: TransferNumber,
        transfer: &ShardTransfer,
        emit: &mut Emitter<'_>,
    ) -> Decoded<()> {
        let ShardTransfer { account, asset, amount } = *transfer;
        self.ensure_other(from)?;
        let last = self.ledger.transit().with(from).received;
        ensure(number > last, RejectReason::TransferAlreadyReceived)?;
        ensure(number.0 == last.0 + 1, RejectReason::TransferGap)?;
        self.known_account(account)?;
        self.known_asset(asset)?;
        ensure(amount.is_positive(), RejectReason::AmountNotPositive)?;
        let room = Amount::MAX - self.ledger.total(asset);
        let owed = Amount::MAX + self.ledger.elsewhere(asset);
        ensure(amount <= room && amount <= owed, RejectReason::AmountTooLarge)?;
        let received = self.ledger.receive_transfer(from, *transfer);
        debug_assert_eq!(received, number, "Invariant: the number was the next one");
        emit.between_shards(EventKind::TransferReceived, from, number, transfer);
        Ok(())
    }

    /// What was sent has been received: it is no longer in transit.
    pub(crate) fn confirm_transfer(
        &mut self,
        to: ShardId,
        number: TransferNumber,
        emit: &mut Emitter<'_>,
    ) -> Decoded<()> {
        let transfer = self.ledger.confirm_transfer(to, number).ok_or(RejectReason::UnknownTransfer)?;
        emit.between_shards(EventKind::TransferConfirmed, to, number, &transfer);
        Ok(())
    }

    fn ensure_other(&self, shard: ShardId) -> Decoded<()> {
        ensure(shard.0 != self.config.shard, RejectReason::SameShard)
    }
}
