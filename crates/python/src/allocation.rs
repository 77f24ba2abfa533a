//! The allocation rules alone, so that they can be held against the reference.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tradewright_book::{Allocation, ProRata, Resting, Steps, TimeWeight, Top};
use tradewright_types::Quantity;

/// Share a quantity among the orders of one price, given in time order: open lots, is TOP, number of the lead market maker.
///
/// `rule` is "price_time", "pro_rata", "steps" or "time_pro_rata"; each reads the arguments that it knows. Raises ValueError
/// for a rule that makes no sense.
#[pyfunction]
#[pyo3(signature = (rule, quantity_lots, resting, *, minimum_lots=0, top_maximum_lots=None, leads_ppm=Vec::new(),
                    fifo_ppm=0, leveling=false, weight=0))]
#[expect(clippy::too_many_arguments, reason = "the fields of a rule, one argument each")]
pub(crate) fn allocate(
    rule: &str,
    quantity_lots: u64,
    resting: Vec<(u64, bool, Option<u8>)>,
    minimum_lots: u64,
    top_maximum_lots: Option<u64>,
    leads_ppm: Vec<u32>,
    fifo_ppm: u32,
    leveling: bool,
    weight: u8,
) -> PyResult<Vec<u64>> {
    let pro_rata = ProRata { minimum: Quantity::from_lots(minimum_lots) };
    let rule = match rule {
        "price_time" => Allocation::PriceTime,
        "pro_rata" => Allocation::ProRata(pro_rata),
        "time_pro_rata" => Allocation::TimeProRata(time_weight(weight)?),
        "steps" => {
            let top = top_maximum_lots.map(|lots| Top { maximum: Quantity::from_lots(lots), ..Top::WHOLE });
            Allocation::Steps(Steps::cme_k(top, leads(&leads_ppm)?, fifo_ppm, pro_rata, leveling))
        }
        _ => return Err(PyValueError::new_err(format!("rule={rule:?} is none of the four"))),
    };
    rule.check().map_err(|fault| PyValueError::new_err(format!("{rule:?}: {fault:?}")))?;
    let resting = resting.into_iter().map(order).collect::<PyResult<Vec<_>>>()?;
    let mut shares = Vec::new();
    rule.allocate(Quantity::from_lots(quantity_lots), &resting, &mut shares);
    Ok(shares.into_iter().map(Quantity::lots).collect())
}

fn time_weight(weight: u8) -> PyResult<TimeWeight> {
    match weight {
        0 => Ok(TimeWeight::Zero),
        1 => Ok(TimeWeight::One),
        3 => Ok(TimeWeight::Three),
        _ => Err(PyValueError::new_err(format!("weight={weight} must be 0, 1 or 3"))),
    }
}

fn leads(given: &[u32]) -> PyResult<[u32; Steps::LEADS_MAX]> {
    let mut leads_ppm = Steps::NO_LEADS;
    let places = leads_ppm.get_mut(..given.len()).ok_or_else(|| {
        PyValueError::new_err(format!("leads_ppm has {} entries, at most {}", given.len(), Steps::LEADS_MAX))
    })?;
    places.copy_from_slice(given);
    Ok(leads_ppm)
}

fn order((open_lots, is_top, lead): (u64, bool, Option<u8>)) -> PyResult<Resting> {
    match lead {
        Some(number) if usize::from(number) >= Steps::LEADS_MAX => {
            Err(PyValueError::new_err(format!("lead={number} must be below {}", Steps::LEADS_MAX)))
        }
        _ => Ok(Resting { open: Quantity::from_lots(open_lots), is_top, lead }),
    }
}
