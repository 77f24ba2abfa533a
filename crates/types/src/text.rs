//! Client order ids and names.

/// The id that a client gave its order: 1 to 36 printable ASCII characters.
///
/// An id that is a decimal number without leading zeros, 1 to 2^64 - 1, is kept as that number: `"17"` and `17` are the same
/// id. All others are text. Both forms are compared whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientOrderId<'t> {
    /// None was given.
    Absent,
    /// A decimal number.
    Number(core::num::NonZeroU64),
    /// Anything else.
    Text(&'t [u8]),
}

impl<'t> ClientOrderId<'t> {
    /// The most characters.
    pub const LENGTH_MAX: usize = 36;

    /// Reads an id as a client writes it. `None` when it is empty, too long or not printable ASCII.
    pub fn parse(text: &'t [u8]) -> Option<Self> {
        if text.is_empty() || text.len() > Self::LENGTH_MAX || !text.iter().all(|byte| (0x21..=0x7e).contains(byte)) {
            return None;
        }
        Some(canonical_number(text).map_or(Self::Text(text), Self::Number))
    }

    /// The id of a record field, in which zero stands for none.
    #[inline(always)]
    pub const fn from_number(number: u64) -> Self {
        match core::num::NonZeroU64::new(number) {
            Some(number) => Self::Number(number),
            None => Self::Absent,
        }
    }

    /// The number, or zero for none and for text.
    #[inline(always)]
    pub const fn number_or_zero(&self) -> u64 {
        match self {
            Self::Number(number) => number.get(),
            Self::Absent | Self::Text(_) => 0,
        }
    }
}

fn canonical_number(text: &[u8]) -> Option<core::num::NonZeroU64> {
    if text[0] == b'0' || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(text).ok()?.parse().ok()
}

/// The name of an asset, an instrument or an account: 1 to 32 printable ASCII characters without spaces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    bytes: [u8; Name::LENGTH_MAX],
    length: u8,
}

impl Name {
    /// The most characters.
    pub const LENGTH_MAX: usize = 32;

    /// Reads a name as people write it.
    pub fn read(text: &str) -> Option<Self> {
        let mut field = [0; Self::LENGTH_MAX];
        field.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Self::new(&field, text.len() as u8)
    }

    /// Reads a name of `length` characters from a record's field.
    pub fn new(field: &[u8; Self::LENGTH_MAX], length: u8) -> Option<Self> {
        let text = field.get(..usize::from(length)).filter(|text| !text.is_empty())?;
        if !text.iter().all(|byte| (0x21..=0x7e).contains(byte)) {
            return None;
        }
        let mut bytes = [0; Self::LENGTH_MAX];
        bytes[..text.len()].copy_from_slice(text);
        Some(Self { bytes, length })
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..usize::from(self.length)]).expect("Invariant: a name is ASCII")
    }
}

impl core::fmt::Debug for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// The name of a session or of a key: 1 to 56 printable ASCII characters without spaces, as many as one text record has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// What lies behind the text is zero, so that equal texts are equal labels.
    bytes: [u8; Label::LENGTH_MAX],
    length: u8,
}

impl Label {
    /// The most characters.
    pub const LENGTH_MAX: usize = 56;

    /// Reads a label. `None` when it is empty, too long, not printable ASCII or has a space.
    pub fn new(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.len() > Self::LENGTH_MAX || !text.iter().all(|byte| (0x21..=0x7e).contains(byte)) {
            return None;
        }
        let mut bytes = [0; Self::LENGTH_MAX];
        bytes[..text.len()].copy_from_slice(text);
        Some(Self { bytes, length: text.len() as u8 })
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).expect("Invariant: a label is ASCII")
    }

    /// The characters as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl core::fmt::Debug for Label {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_one_word_of_ascii() {
        let longest = [b'x'; 56];
        for text in [&b"A"[..], b"FIX-1.4:desk", &longest] {
            assert_eq!(Label::new(text).expect("a label").as_bytes(), text);
        }
        for bad in [&b""[..], b"two words", b"tab\t", "é".as_bytes(), &[b'x'; 57]] {
            assert_eq!(Label::new(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_number_has_one_form() {
        assert_eq!(ClientOrderId::parse(b"17"), Some(ClientOrderId::from_number(17)));
        assert_eq!(ClientOrderId::parse(b"18446744073709551615"), Some(ClientOrderId::from_number(u64::MAX)));
        for text in ["017", "0", "18446744073709551616", "x-17", "-5"] {
            assert!(matches!(ClientOrderId::parse(text.as_bytes()), Some(ClientOrderId::Text(_))), "{text}");
        }
        for bad in ["", "has space", "0123456789012345678901234567890123456", "é"] {
            assert_eq!(ClientOrderId::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
