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

/// Keys of the words of [`hash_words`]: the first outputs of SplitMix64 behind [`LEFT`].
const WORD_KEYS: [u64; 16] = {
    let (mut keys, mut state, mut place) = ([0; 16], LEFT, 0);
    while place < keys.len() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        keys[place] = mixed ^ (mixed >> 31);
        place += 1;
    }
    keys
};

/// Hashes sixteen words with one multiplication for two of them: for what is hashed by the million. The products are summed
/// (NH, the hash under UMAC), and the sum goes through [`EntityHash`], so that hashes of several things may be summed again.
#[inline(always)]
pub(crate) fn hash_words(kind: u64, words: &[u64; 16]) -> HashTotal {
    let mut sum = 0_u128;
    for (pair, keys) in words.as_chunks::<2>().0.iter().zip(WORD_KEYS.as_chunks::<2>().0) {
        let product = u128::from(pair[0].wrapping_add(keys[0])) * u128::from(pair[1].wrapping_add(keys[1]));
        sum = sum.wrapping_add(product);
    }
    EntityHash::new(kind).word(sum as u64).word((sum >> 64) as u64).finish()
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
    fn sixteen_words_and_their_places_matter() {
        let mut seen = std::collections::BTreeSet::new();
        for place in 0..16 {
            for value in (1..64).chain((6..64).map(|bit| 1 << bit)) {
                let mut words = [0; 16];
                words[place] = value;
                assert!(seen.insert(hash_words(1, &words).0), "{place} {value}");
                assert!(seen.insert(hash_words(2, &words).0), "{place} {value}");
            }
        }
        // What two things have in the same place may not be exchanged unnoticed.
        let sum = |a: [u64; 2], b: [u64; 2]| {
            let mut total = HashTotal::default();
            for [number, value] in [a, b] {
                let mut words = [0; 16];
                (words[1], words[5]) = (number, value);
                total += hash_words(1, &words);
            }
            total
        };
        assert_ne!(sum([1, 7], [2, 8]), sum([1, 8], [2, 7]));
    }

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
