//! Decimal numbers of a configuration, exact.

/// A decimal number: `units` x 10^-`places`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    units: i128,
    places: u32,
}

/// Why a decimal number is not a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecimalError {
    /// It is not a whole number of the unit.
    NotWhole,
    /// It does not fit.
    TooLarge,
}

const PLACES_MAX: u32 = 18;

impl Decimal {
    /// Reads digits with at most one point; underscores may part them.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if whole.is_empty() || (text.contains('.') && fraction.is_empty()) {
            return None;
        }
        let mut number = Self { units: 0, places: fraction.len() as u32 };
        for digit in whole.bytes().filter(|&byte| byte != b'_').chain(fraction.bytes()) {
            let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
            number.units = number.units.checked_mul(10)?.checked_add(digit.into())?;
        }
        (number.places <= PLACES_MAX).then_some(number)
    }

    /// Whether it is above zero.
    #[must_use]
    pub(crate) fn is_positive(self) -> bool {
        self.units > 0
    }

    /// How many quanta of an asset with so many decimal places it is.
    ///
    /// # Errors
    /// It is finer than a quantum, or too large.
    pub(crate) fn quanta(self, scale: u8) -> Result<i128, DecimalError> {
        self.count_of(Self { units: 1, places: scale.into() })
    }

    /// How many times `unit` it is.
    ///
    /// # Errors
    /// It is not a whole number of it, or too large.
    pub(crate) fn count_of(self, unit: Self) -> Result<i128, DecimalError> {
        let (own, other) = (unit.places.saturating_sub(self.places), self.places.saturating_sub(unit.places));
        let scaled = |units: i128, places: u32| {
            10_i128.checked_pow(places).and_then(|power| units.checked_mul(power)).ok_or(DecimalError::TooLarge)
        };
        let (own, unit) = (scaled(self.units, own)?, scaled(unit.units, other)?);
        if own % unit == 0 { Ok(own / unit) } else { Err(DecimalError::NotWhole) }
    }

    /// Their product.
    ///
    /// # Errors
    /// It is too large.
    pub(crate) fn times(self, other: Self) -> Result<Self, DecimalError> {
        let units = self.units.checked_mul(other.units).ok_or(DecimalError::TooLarge)?;
        Ok(Self { units, places: self.places + other.places })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).expect("a number")
    }

    #[test]
    fn numbers_are_exact_or_refused() {
        assert_eq!(number("1_000.50").quanta(8), Ok(100_050_000_000));
        assert_eq!(number("0.01").times(number("0.00001")).and_then(|worth| worth.quanta(8)), Ok(10));
        assert_eq!(number("64000").count_of(number("0.01")), Ok(6_400_000));
        assert_eq!(number("0.015").count_of(number("0.01")), Err(DecimalError::NotWhole));
        assert_eq!(number("0.001").quanta(2), Err(DecimalError::NotWhole));
        assert_eq!(number("99999999999999999999999999").quanta(18), Err(DecimalError::TooLarge));
        assert!(!number("0.0").is_positive());
        for bad in ["", ".", "1.", ".5", "-1", "1e3", "1.2.3", "0x1", "0.0000000000000000001"] {
            assert_eq!(Decimal::parse(bad), None, "{bad}");
        }
    }
}
