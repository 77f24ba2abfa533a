//! Secrets of clients, sealed by the venue's master key: what stands in the log is of no use to whoever reads it.
//!
//! A sealed secret is a nonce of 12 bytes, then what ChaCha20-Poly1305 makes of the secret, bound to the id of its key: under another
//! id it does not open. The master key comes from a file that only its owner may read, or from the environment, and is in no log.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use tradewright_types::KeyMaterial;

use crate::error::{NodeError, while_doing};

/// Where the master key is when no file has it: 64 hexadecimal digits.
pub const MASTER_KEY_VARIABLE: &str = "TRADEWRIGHT_MASTER_KEY";
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// The longest secret that fits into the log.
pub const SECRET_BYTES_MAX: usize = KeyMaterial::LENGTH_MAX - NONCE_BYTES - TAG_BYTES;

/// What opens the secrets of a venue.
pub struct MasterKey(ChaCha20Poly1305);

impl core::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

impl MasterKey {
    /// The key of these 32 bytes.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(ChaCha20Poly1305::new(key.into()))
    }

    /// The key that 64 hexadecimal digits write.
    #[must_use]
    pub fn from_digits(digits: &str) -> Option<Self> {
        let key: Vec<u8> = bytes_of(digits.trim())?;
        Some(Self::new(key.as_slice().try_into().ok()?))
    }

    /// Reads the key of a venue: from this file, or else from the environment. `None` when it has none.
    ///
    /// # Errors
    /// There is no such file, others than its owner may read it, or it holds something else.
    pub fn read(file: Option<&Path>) -> Result<Option<Self>, NodeError> {
        let Some(path) = file else {
            let Some(digits) = std::env::var_os(MASTER_KEY_VARIABLE) else { return Ok(None) };
            let key = digits.to_str().and_then(Self::from_digits);
            return key.map(Some).ok_or_else(|| refused(format!("reading {MASTER_KEY_VARIABLE}"), DIGITS));
        };
        let doing = || format!("reading the master key {}", path.display());
        let mode = std::fs::metadata(path).map_err(while_doing(doing()))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(refused(doing(), "must be a file that only its owner may read (mode 0600)"));
        }
        let digits = std::fs::read_to_string(path).map_err(while_doing(doing()))?;
        Self::from_digits(&digits).map(Some).ok_or_else(|| refused(doing(), DIGITS))
    }

    /// Seals the secret of a key. `None` when it is too long for the log.
    ///
    /// # Errors
    /// The system draws no nonce.
    pub fn seal(&self, id: &[u8], secret: &[u8]) -> Result<Option<Vec<u8>>, NodeError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|error| refused("drawing a nonce".to_owned(), &error.to_string()))?;
        if secret.is_empty() || secret.len() > SECRET_BYTES_MAX {
            return Ok(None);
        }
        let sealed = self.0.encrypt(&Nonce::from(nonce), Payload { msg: secret, aad: id });
        Ok(sealed.ok().map(|sealed| [nonce.as_slice(), &sealed].concat()))
    }

    /// The secret of a key; `None` when it was sealed by another master key, for another id, or changed since.
    #[must_use]
    pub fn open(&self, id: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        self.0.decrypt(&Nonce::from(*nonce), Payload { msg: rest, aad: id }).ok()
    }
}

const DIGITS: &str = "must be 64 hexadecimal digits";

fn refused(doing: String, rule: &str) -> NodeError {
    NodeError::System { doing, error: std::io::Error::other(rule.to_owned()) }
}

/// The bytes that hexadecimal digits write, two a byte.
pub(crate) fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let is_legal = digits.len().is_multiple_of(2) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_legal.then(|| {
        let pairs = (0..digits.len()).step_by(2);
        pairs.filter_map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_master_key_and_id_open_a_secret() {
        let master = MasterKey::new(&[7; 32]);
        let secret = [b's'; 64];
        let sealed = master.seal(b"alice-1", &secret).expect("a nonce").expect("it fits");
        assert!(KeyMaterial::new(&sealed).is_some(), "it fits into the log");
        assert_eq!(master.open(b"alice-1", &sealed).as_deref(), Some(secret.as_slice()));
        assert_eq!(master.open(b"alice-2", &sealed), None);
        assert_eq!(MasterKey::new(&[8; 32]).open(b"alice-1", &sealed), None);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(master.open(b"alice-1", &changed), None, "byte {place}");
            assert_eq!(master.open(b"alice-1", &sealed[..place]), None, "{place} bytes");
        }
        assert_ne!(master.seal(b"alice-1", &secret).expect("a nonce").expect("it fits"), sealed, "nonces differ");
        assert_eq!(master.seal(b"alice-1", &[1; SECRET_BYTES_MAX + 1]).expect("a nonce"), None);
        assert_eq!(master.seal(b"alice-1", &[]).expect("a nonce"), None);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.key");
        let told = |mode: u32, text: &str| {
            std::fs::write(&path, text).expect("a file");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("its mode");
            MasterKey::read(Some(&path)).map(|key| key.is_some()).map_err(|error| error.to_string())
        };
        let digits = "0123456789abcdef".repeat(4);
        assert_eq!(told(0o600, &format!("{digits}\n")), Ok(true));
        let complaint = format!("reading the master key {}: must be ", path.display());
        for mode in [0o640, 0o604, 0o660] {
            let only = format!("{complaint}a file that only its owner may read (mode 0600)");
            assert_eq!(told(mode, &digits), Err(only));
        }
        for text in ["", &digits[1..], "zz", &"é".repeat(32)] {
            assert_eq!(told(0o600, text), Err(format!("{complaint}64 hexadecimal digits")), "{text}");
        }
    }
}
