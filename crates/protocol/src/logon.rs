//! Logon: what is signed, with which key, and when.
//!
//! The same text is signed for a binary frame and for the text message of the dialect: `A`, SenderCompID, TargetCompID, sequence
//! number and sending time, joined by SOH. The sending time is written with as many decimals as it needs: three, or six.

use base64::Engine as _;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::codes::BoolEnum;
use crate::frame::{Envelope, FrameError, FrameWriter, Message};
use crate::messages::{Logon, LogonExtension};
use crate::spec::{Block, Null};

/// A key that a client is known by.
#[derive(Clone)]
pub enum Key {
    /// The public half of an Ed25519 key.
    Ed25519([u8; 32]),
    /// A secret that both sides have.
    Hmac(Box<[u8]>),
}

impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Ed25519(public) => f.debug_tuple("Ed25519").field(public).finish(),
            Self::Hmac(_) => f.write_str("Hmac(..)"),
        }
    }
}

/// What a client signs with.
pub enum Secret {
    /// An Ed25519 key.
    Ed25519(Box<SigningKey>),
    /// A secret that both sides have.
    Hmac(Box<[u8]>),
}

impl Secret {
    /// The Ed25519 key of this seed.
    pub fn ed25519(seed: &[u8; 32]) -> Self {
        Self::Ed25519(Box::new(SigningKey::from_bytes(seed)))
    }

    /// The key that the exchange has to know.
    pub fn key(&self) -> Key {
        match self {
            Self::Ed25519(key) => Key::Ed25519(key.verifying_key().to_bytes()),
            Self::Hmac(secret) => Key::Hmac(secret.clone()),
        }
    }

    /// Signs a text: base64 of an Ed25519 signature, lower-case digits of an HMAC.
    pub fn sign(&self, text: &[u8]) -> String {
        match self {
            Self::Ed25519(key) => base64::prelude::BASE64_STANDARD.encode(key.sign(text).to_bytes()),
            Self::Hmac(secret) => digits(&hmac(secret, text)),
        }
    }
}

fn hmac(secret: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("Invariant: an HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn digits(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let pair = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]].map(char::from);
    bytes.iter().flat_map(pair).collect()
}

impl Key {
    /// Whether `signature` is that of `text`. An Ed25519 signature is base64, an HMAC digits in any case; both are compared
    /// in constant time.
    pub fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(public) => {
                let Ok(bytes) = base64::prelude::BASE64_STANDARD.decode(signature) else { return false };
                let (Ok(key), Ok(signature)) = (VerifyingKey::from_bytes(public), Signature::from_slice(&bytes)) else {
                    return false;
                };
                key.verify_strict(text, &signature).is_ok()
            }
            Self::Hmac(secret) => {
                let given = signature.to_ascii_lowercase();
                digits(&hmac(secret, text)).as_bytes().ct_eq(&given).into()
            }
        }
    }
}

/// What a logon says by which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'b> {
    /// SenderCompID: what the client calls its session.
    pub sender: &'b [u8],
    /// TargetCompID.
    pub target: &'b [u8],
    /// The connection's number of the logon.
    pub seq_num: u32,
    /// When it was sent, in microseconds since 1970.
    pub sending_time_us: i64,
}

impl Signed<'_> {
    /// The text that is signed, with so many decimals of a second.
    fn text(&self, decimals: usize) -> Vec<u8> {
        let mut text = Vec::with_capacity(64);
        for part in [b"A".as_slice(), self.sender, self.target, self.seq_num.to_string().as_bytes()] {
            text.extend_from_slice(part);
            text.push(1);
        }
        text.extend_from_slice(utc(self.sending_time_us, decimals).as_bytes());
        text
    }

    /// Signs it.
    pub fn sign(&self, secret: &Secret) -> String {
        secret.sign(&self.text(self.decimals()))
    }

    fn decimals(&self) -> usize {
        if self.sending_time_us % 1_000 == 0 { 3 } else { 6 }
    }

    /// Whether the signature is the key's: of the time as it needs to be written, or in microseconds.
    pub fn is_signed_by(&self, key: &Key, signature: &[u8]) -> bool {
        key.verifies(&self.text(self.decimals()), signature)
            || self.decimals() == 3 && key.verifies(&self.text(6), signature)
    }

    /// Whether it was sent neither in the future nor longer ago than its window.
    pub fn is_timely(&self, window_us: u32, now_us: i64) -> bool {
        const AHEAD_US: i64 = 1_000_000;
        let age_us = now_us.saturating_sub(self.sending_time_us);
        age_us > -AHEAD_US && age_us <= i64::from(window_us)
    }
}

/// How old a logon may be that does not say.
pub const WINDOW_US: u32 = 5_000_000;
/// How old a logon may say that it may be.
pub const WINDOW_MAX_US: u32 = 60_000_000;

/// A time as FIX writes it: `20240627-11:17:25.223`.
fn utc(time_us: i64, decimals: usize) -> String {
    let (seconds, micros) = (time_us.div_euclid(1_000_000), time_us.rem_euclid(1_000_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let fraction = if decimals == 3 { micros / 1_000 } else { micros };
    format!("{year:04}{month:02}{day:02}-{hour:02}:{minute:02}:{second:02}.{fraction:0decimals$}")
}

/// Year, month and day of the Gregorian calendar, so many days after 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March, so that the day that some have more is their last.
    const ERA: i64 = 146_097;
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(ERA), shifted.rem_euclid(ERA));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The text of a logon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogonText<'b> {
    /// SenderCompID.
    pub sender: &'b [u8],
    /// TargetCompID.
    pub target: &'b [u8],
    /// The signature.
    pub signature: &'b [u8],
    /// The id of the key.
    pub username: &'b [u8],
}

/// Reads the text of a logon.
///
/// # Errors
/// When it does not fit in the frame.
pub fn read_logon<'b>(message: &Message<'b, Logon>) -> Result<LogonText<'b>, FrameError> {
    let mut parts = message.parts;
    let (sender, target) = (parts.text8()?, parts.text8()?);
    let text = LogonText { sender, target, signature: parts.text16()?, username: parts.text16()? };
    parts.finish()?;
    Ok(text)
}

/// What a client asks for with its logon.
#[derive(Clone, Copy, Debug)]
pub struct LogonRequest<'c> {
    /// What it calls its session.
    pub sender: &'c [u8],
    /// What it calls the exchange.
    pub target: &'c [u8],
    /// The id of its key.
    pub username: &'c [u8],
    /// How often it wants to be heard of, in seconds.
    pub heartbeat_s: u32,
    /// The block, where it says more than that.
    pub block: Logon,
    /// The extension.
    pub extension: LogonExtension,
}

impl<'c> LogonRequest<'c> {
    /// A logon that says nothing but who it is.
    pub fn new(sender: &'c [u8], target: &'c [u8], username: &'c [u8]) -> Self {
        let block = Logon { reset_seq_num_flag: BoolEnum::True.field(), ..Logon::NULL };
        Self { sender, target, username, heartbeat_s: 30, block, extension: LogonExtension::NULL }
    }

    /// Signs and writes it.
    pub fn write(&self, envelope: Envelope, secret: &Secret, out: &mut Vec<u8>) {
        let Envelope { seq_num, sending_time_us, version: _ } = envelope;
        let signature = Signed { sender: self.sender, target: self.target, seq_num, sending_time_us }.sign(secret);
        let encrypt_method = if self.block.encrypt_method.some().is_some() { self.block.encrypt_method } else { 0 };
        let block = Logon { heart_bt_int: self.heartbeat_s.into(), encrypt_method, ..self.block };
        let mut frame = FrameWriter::new(out, envelope, &block, &self.extension);
        frame.text8(self.sender).text8(self.target).text16(signature.as_bytes()).text16(self.username);
        frame.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_fix_does() {
        for (time_us, decimals, text) in [
            (0, 3, "19700101-00:00:00.000"),
            (1_719_487_045_223_000, 3, "20240627-11:17:25.223"),
            (1_719_487_045_223_000, 6, "20240627-11:17:25.223000"),
            (951_782_399_999_999, 6, "20000228-23:59:59.999999"),
            (951_782_400_000_000, 3, "20000229-00:00:00.000"),
            (951_868_800_000_000, 3, "20000301-00:00:00.000"),
            (-1, 6, "19691231-23:59:59.999999"),
        ] {
            assert_eq!(utc(time_us, decimals), text);
        }
        // No time of 64 bits is too much.
        let _ = (utc(i64::MAX, 3), utc(i64::MIN, 6));
    }

    #[test]
    fn a_window_is_open_to_both_sides() {
        let signed = Signed { sender: b"", target: b"", seq_num: 1, sending_time_us: 10_000_000 };
        for (now_us, is_timely) in [
            (9_000_000, false),
            (9_000_001, true),
            (10_000_000, true),
            (15_000_000, true),
            (15_000_001, false),
            (i64::MIN, false),
            (i64::MAX, false),
        ] {
            assert_eq!(signed.is_timely(WINDOW_US, now_us), is_timely, "{now_us}");
        }
    }
}
