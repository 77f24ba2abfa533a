//! Decimal numbers as clients write them, and how they turn into ticks, lots and quanta: exactly, or not at all.

/// A decimal number: mantissa x 10^exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// Its digits.
    pub mantissa: i64,
    /// Where its point stands.
    pub exponent: i8,
}

/// Why a decimal number is no number of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotWhole {
    /// It lies between two units.
    OffUnit,
    /// It is more units than a record can say.
    OutOfRange,
}

/// What one tick, lot or quantum is worth: mantissa x 10^exponent, the mantissa without trailing zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    mantissa: u64,
    exponent: i8,
}

/// The most digits of a power of ten in 128 bits.
const POWERS: u32 = 38;

impl Unit {
    /// The unit that is one in the last of so many decimal places.
    pub const fn of_scale(scale: u8) -> Self {
        Self { mantissa: 1, exponent: -(scale as i8) }
    }

    /// The unit `numerator / denominator x 10^exponent`, when it has an end as a decimal number.
    pub fn of_fraction(numerator: u64, denominator: u64, exponent: i8) -> Option<Self> {
        let (mut numerator, denominator) = (u128::from(numerator), u128::from(denominator));
        let mut exponent = exponent;
        if numerator == 0 || denominator == 0 {
            return None;
        }
        while !numerator.is_multiple_of(denominator) {
            numerator = numerator.checked_mul(10)?;
            exponent = exponent.checked_sub(1)?;
        }
        let mut mantissa = u64::try_from(numerator / denominator).ok()?;
        while mantissa.is_multiple_of(10) {
            mantissa /= 10;
            exponent = exponent.checked_add(1)?;
        }
        Some(Self { mantissa, exponent })
    }

    /// The exponent with which every number of units is a whole mantissa.
    pub const fn exponent(self) -> i8 {
        self.exponent
    }

    /// How many units a number is.
    ///
    /// # Errors
    /// When it is not a whole number of them, or more than 127 bits.
    pub fn count_wide(self, number: Decimal) -> Result<i128, NotWhole> {
        if number.mantissa == 0 {
            return Ok(0);
        }
        let shift = i32::from(number.exponent) - i32::from(self.exponent);
        let mantissa = i128::from(number.mantissa);
        let unit = i128::from(self.mantissa);
        let power = shift.unsigned_abs();
        if shift >= 0 {
            let scaled = (power <= POWERS).then(|| mantissa.checked_mul(10_i128.pow(power))).flatten();
            let scaled = scaled.ok_or(NotWhole::OutOfRange)?;
            return if scaled % unit == 0 { Ok(scaled / unit) } else { Err(NotWhole::OffUnit) };
        }
        // A mantissa of 64 bits has no divisor above itself.
        let divisor = (power < 20).then(|| unit.checked_mul(10_i128.pow(power))).flatten().ok_or(NotWhole::OffUnit)?;
        if mantissa % divisor == 0 { Ok(mantissa / divisor) } else { Err(NotWhole::OffUnit) }
    }

    /// How many units a number is.
    ///
    /// # Errors
    /// When it is not a whole number of them, or more than 63 bits.
    #[inline]
    pub fn count(self, number: Decimal) -> Result<i64, NotWhole> {
        if number.exponent == self.exponent && self.mantissa == 1 {
            return Ok(number.mantissa);
        }
        i64::try_from(self.count_wide(number)?).map_err(|_| NotWhole::OutOfRange)
    }

    /// So many units as a mantissa of this exponent, cut towards zero; `None` when that does not fit.
    pub fn mantissa(self, units: i128, exponent: i8) -> Option<i64> {
        let shift = i32::from(self.exponent) - i32::from(exponent);
        let power = shift.unsigned_abs();
        if power > POWERS {
            return if units == 0 || shift < 0 { Some(0) } else { None };
        }
        let worth = units.checked_mul(i128::from(self.mantissa))?;
        let scale = 10_i128.pow(power);
        i64::try_from(if shift >= 0 { worth.checked_mul(scale)? } else { worth / scale }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(unit: (u64, u64, i8), mantissa: i64, exponent: i8) -> Result<i64, NotWhole> {
        let (numerator, denominator, unit_exponent) = unit;
        let unit = Unit::of_fraction(numerator, denominator, unit_exponent).expect("a unit");
        unit.count(Decimal { mantissa, exponent })
    }

    #[test]
    fn numbers_are_counted_exactly() {
        let cent = (1, 1, -2);
        let quarter = (1, 4, 0);
        for (unit, mantissa, exponent, counted) in [
            (cent, 64_000, 0, Ok(6_400_000)),
            (cent, 6_400_000, -2, Ok(6_400_000)),
            (cent, 6_400_000_000_000, -8, Ok(6_400_000)),
            (cent, 6_400_000_000_001, -8, Err(NotWhole::OffUnit)),
            (cent, -5, -2, Ok(-5)),
            (cent, 0, 127, Ok(0)),
            (cent, 0, -128, Ok(0)),
            (cent, 1, 127, Err(NotWhole::OutOfRange)),
            (cent, 1, -128, Err(NotWhole::OffUnit)),
            (cent, i64::MAX, 0, Err(NotWhole::OutOfRange)),
            (cent, i64::MIN, -2, Ok(i64::MIN)),
            (quarter, 175, -2, Ok(7)),
            (quarter, 176, -2, Err(NotWhole::OffUnit)),
            (quarter, 3, 0, Ok(12)),
        ] {
            assert_eq!(count(unit, mantissa, exponent), counted, "{mantissa}e{exponent} in units of {unit:?}");
        }
    }

    #[test]
    fn units_without_an_end_are_none() {
        assert_eq!(Unit::of_fraction(1, 3, 0), None);
        assert_eq!(Unit::of_fraction(0, 1, 0), None);
        assert_eq!(Unit::of_fraction(2_000, 1, -5), Some(Unit { mantissa: 2, exponent: -2 }));
    }

    #[test]
    fn mantissas_are_cut_towards_zero() {
        let milli = Unit::of_scale(3);
        assert_eq!(milli.mantissa(1_999, -2), Some(199));
        assert_eq!(milli.mantissa(-1_999, -2), Some(-199));
        assert_eq!(milli.mantissa(1_999, -8), Some(199_900_000));
        assert_eq!(milli.mantissa(i128::MAX, -3), None);
        assert_eq!(Unit::of_scale(30).mantissa(5, 127), Some(0));
    }
}
