//! How an account stands: its balances and how many orders it has open, behind a command that is named.

use tradewright_types::{AccountId, AssetId, Name};

use crate::codes::BoolEnum;
use crate::frame::{Dimension, Envelope, FrameError, FrameWriter, Message};
use crate::messages::{AccountSnapshot, BalanceEntry};
use crate::spec::{NoExtension, Null};

/// What an account has of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetBalance {
    /// The asset.
    pub asset: AssetId,
    /// What it is called.
    pub name: Name,
    /// How many decimal places its quantum has.
    pub scale: u8,
    /// Free to use, in quanta.
    pub available_quanta: i128,
    /// Promised to open orders and pending withdrawals, in quanta.
    pub held_quanta: i128,
}

/// An account behind a command: every output of the commands up to it has had its effect here, and none of those behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountStanding {
    /// Whose it is.
    pub account: AccountId,
    /// The shard.
    pub shard: u8,
    /// The place of the command in the shard's log.
    pub index: u64,
    /// The engine's time.
    pub time_ns: u64,
    /// What it has, of every asset.
    pub balances: Vec<AssetBalance>,
}

/// So many balances are one frame, which has to fit into the rings of sessions.
const BALANCES_A_FRAME: usize = 256;

/// Writes how an account stands, as one frame or more, and gives each to `told`. `open_orders` reports of kind `OrderStatus` follow.
pub fn write_account(
    standing: &AccountStanding,
    request: &[u8],
    open_orders: usize,
    envelope: Envelope,
    mut told: impl FnMut(&[u8]),
) {
    let AccountStanding { account, shard, index, time_ns, balances } = standing;
    // One frame also when there is nothing at all.
    let frames = balances.len().div_ceil(BALANCES_A_FRAME).max(1);
    let mut chunks = balances.chunks(BALANCES_A_FRAME);
    let mut out = Vec::new();
    for number in 1..=frames {
        let chunk = chunks.next().unwrap_or_default();
        let is_last = if number == frames { BoolEnum::True } else { BoolEnum::False };
        let block = AccountSnapshot {
            shard: *shard,
            index: (*index).into(),
            time: (*time_ns).into(),
            account: account.0.into(),
            open_orders: (open_orders as u32).into(),
            last_fragment: is_last.field(),
        };
        out.clear();
        let mut frame = FrameWriter::new(&mut out, envelope, &block, &NoExtension);
        frame.group(Dimension::Size16, size_of::<BalanceEntry>(), chunk.len());
        for balance in chunk {
            let amount = |quanta| decimal_text(quanta, balance.scale);
            frame.entry(&BalanceEntry { asset: balance.asset.0.into() });
            frame.text8(balance.name.as_str().as_bytes());
            frame.text8(amount(balance.available_quanta).as_bytes());
            frame.text8(amount(balance.held_quanta).as_bytes());
        }
        frame.text8(request);
        frame.finish();
        told(&out);
    }
}

/// A balance as its frame has it: the amounts are decimal numbers in the units of the asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceText<'b> {
    /// The asset.
    pub asset: u32,
    /// What it is called.
    pub name: &'b [u8],
    /// Free to use.
    pub available: &'b [u8],
    /// Promised.
    pub held: &'b [u8],
}

/// Reads the balances of a frame, and the request that it answers.
///
/// # Errors
/// When a part goes on behind the end.
pub fn read_balances<'b>(
    message: &Message<'b, AccountSnapshot>,
) -> Result<(Vec<BalanceText<'b>>, &'b [u8]), FrameError> {
    let mut parts = message.parts;
    let (length, count) = parts.group(Dimension::Size16, usize::from(u16::MAX))?;
    let mut balances = Vec::new();
    for _ in 0..count {
        let (entry, _) = parts.entry::<BalanceEntry, NoExtension>(length)?;
        let (name, available, held) = (parts.text8()?, parts.text8()?, parts.text8()?);
        balances.push(BalanceText { asset: entry.asset.get(), name, available, held });
    }
    let request = parts.text8()?;
    parts.finish()?;
    Ok((balances, request))
}

/// Whether a frame is the last one of its answer.
#[must_use]
pub fn is_last(block: &AccountSnapshot) -> bool {
    block.last_fragment.some() != Some(BoolEnum::False as u8)
}

/// Quanta as a decimal number in the units of the asset, with all of its decimal places.
fn decimal_text(quanta: i128, scale: u8) -> String {
    let (sign, digits) = (if quanta < 0 { "-" } else { "" }, quanta.unsigned_abs().to_string());
    let scale = usize::from(scale);
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{part}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Frame;

    #[test]
    fn amounts_are_written_exactly() {
        for (quanta, scale, text) in [
            (0, 0, "0"),
            (0, 8, "0.00000000"),
            (7, 0, "7"),
            (-7, 2, "-0.07"),
            (123_456, 2, "1234.56"),
            (100, 2, "1.00"),
            (i128::MIN, 38, "-1.70141183460469231731687303715884105728"),
        ] {
            assert_eq!(decimal_text(quanta, scale), text);
        }
    }

    #[test]
    fn an_account_is_written_and_read_in_frames_that_fit_into_a_ring() {
        let mut letters = [0; Name::LENGTH_MAX];
        letters[..10].copy_from_slice(b"TENLETTERS");
        let name = Name::new(&letters, 10).expect("a name");
        for count in [0, 1, BALANCES_A_FRAME, BALANCES_A_FRAME + 1, 3 * BALANCES_A_FRAME] {
            let balance = |asset| AssetBalance {
                asset: AssetId(asset),
                name,
                scale: 8,
                available_quanta: i128::MAX - i128::from(asset),
                held_quanta: 0,
            };
            let balances: Vec<AssetBalance> = (0..count as u16).map(|asset| balance(u32::from(asset))).collect();
            let standing =
                AccountStanding { account: AccountId(7), shard: 3, index: 11, time_ns: 13, balances: balances.clone() };
            let (mut heard, mut ends) = (Vec::new(), Vec::new());
            write_account(&standing, b"why", 5, Envelope::OPEN, |frame| {
                assert!(frame.len() < 1 << 16, "{}", frame.len());
                let message = Frame::read(frame).and_then(|frame| frame.message::<AccountSnapshot>()).expect("a frame");
                let block = message.block;
                assert_eq!((block.shard, block.index.get(), block.time.get()), (3, 11, 13));
                assert_eq!((block.account.get(), block.open_orders.get()), (7, 5));
                let (balances, request) = read_balances(&message).expect("its parts");
                assert_eq!(request, b"why");
                heard.extend(balances.iter().map(|text| (text.asset, text.available.to_vec(), text.name.to_vec())));
                ends.push(is_last(block));
            });
            let expected = balances.iter().map(|balance| {
                let available = decimal_text(balance.available_quanta, 8).into_bytes();
                (balance.asset.0, available, b"TENLETTERS".to_vec())
            });
            assert_eq!(heard, expected.collect::<Vec<_>>());
            assert_eq!(ends.iter().position(|is_last| *is_last), Some(ends.len() - 1), "{ends:?}");
        }
    }
}
