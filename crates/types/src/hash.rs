//! The state hash: a sum of the hashes of the parts that make up the logical state.
//!
//! Every logical thing (an order, a balance, an account) has a hash of its own, and the state hash is their sum. The sum does
//! not depend on where the things lie in memory, and replacing one thing costs one subtraction and one addition. It detects
//! divergence between replicas and builds; protection against forgery is the journal's chain, not this.

use core::ops::{AddAssign, SubAssign};

/// Hashes the words of one thing.
#[derive(Clone, Copy, Debug)]
pub struct EntityHash {
    left: u64,
    right: u64,
}

const LEFT: u64 = 0x9e37_79b9_7f4a_7c15;
const RIGHT: u64 = 0xc2b2_ae3d_27d4_eb4f;

#[inline(always)]
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

impl EntityHash {
    /// Starts the hash of a thing of kind `kind`; kinds keep equal words of different things apart.
    #[inline(always)]
    pub const fn new(kind: u64) -> Self {
        Self { left: kind ^ LEFT, right: kind ^ RIGHT }
    }

    /// Takes in a word.
    #[inline(always)]
    pub fn word(mut self, word: u64) -> Self {
        self.left = folded(self.left ^ word, LEFT ^ word.rotate_left(32)).wrapping_add(RIGHT);
        self.right = folded(self.right.rotate_left(23) ^ word, RIGHT).wrapping_add(LEFT);
        self
    }

    /// Takes in a signed word.
    #[inline(always)]
    pub fn signed(self, word: i64) -> Self {
        self.word(word as u64)
    }

    /// Takes in an amount.
    #[inline(always)]
    pub fn amount(self, amount: crate::Amount) -> Self {
        let wide = crate::Wide::from(amount);
        self.word(wide.low).signed(wide.high)
    }

    /// Takes in bytes and their number.
    pub fn bytes(self, bytes: &[u8]) -> Self {
        let mut hash = self.word(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash = hash.word(u64::from_le_bytes(word));
        }
        hash
    }

    /// The hash of the thing.
    #[inline(always)]
    pub fn finish(self) -> HashTotal {
        let (left, right) = (folded(self.left, RIGHT), folded(self.right, LEFT));
        HashTotal(u128::from(left ^ right.rotate_left(17)) << 64 | u128::from(right.wrapping_add(left)))
    }
}

/// A sum of hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HashTotal(pub u128);

impl AddAssign for HashTotal {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

impl SubAssign for HashTotal {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        self.0 = self.0.wrapping_sub(other.0);
    }
}

impl core::fmt::Display for HashTotal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_and_its_place_matter() {
        let hash = |words: &[u64]| words.iter().fold(EntityHash::new(1), |hash, word| hash.word(*word)).finish();
        let mut seen = std::collections::BTreeSet::new();
        for a in 0..64_u64 {
            for b in 0..64_u64 {
                assert!(seen.insert(hash(&[a, b]).0), "{a} {b}");
                assert!(seen.insert(hash(&[1 << a, 1 << b, 7]).0), "{a} {b}");
            }
        }
    }
}
