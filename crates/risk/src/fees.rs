//! Fee schedules: the rates of each tier.

use std::collections::BTreeMap;

use tradewright_types::FeeRates;

const TIERS: usize = 256;

/// One schedule: the tiers that were set, and what that means for each of the 256.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Schedule {
    set: BTreeMap<u8, FeeRates>,
    resolved: Vec<FeeRates>,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { set: BTreeMap::new(), resolved: vec![FeeRates::default(); TIERS] }
    }
}

/// The rates by schedule and tier. A tier that was not set has the rates of the nearest lower one that was; below all of them
/// there are no fees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeeSchedules {
    schedules: Vec<Schedule>,
}

impl FeeSchedules {
    /// How many schedules there can be.
    pub const SCHEDULES_MAX: u16 = 256;

    /// The rates of a tier.
    #[inline(always)]
    pub fn rates(&self, schedule: u16, tier: u8) -> FeeRates {
        self.schedules.get(usize::from(schedule)).map_or(FeeRates::default(), |known| known.resolved[usize::from(tier)])
    }

    /// Sets a tier. Whether the schedule may have it is for [`FeeSchedules::covers_rebates`] to say before.
    pub fn set(&mut self, schedule: u16, tier: u8, rates: FeeRates) {
        let index = usize::from(schedule);
        if self.schedules.len() <= index {
            self.schedules.resize(index + 1, Schedule::default());
        }
        let Schedule { set, resolved } = &mut self.schedules[index];
        set.insert(tier, rates);
        let mut current = FeeRates::default();
        for (tier, slot) in resolved.iter_mut().enumerate() {
            current = set.get(&(tier as u8)).copied().unwrap_or(current);
            *slot = current;
        }
    }

    /// Whether every taker of the schedule pays at least what any maker is given, were `tier` set to `rates`; `open` are the
    /// rates that open orders still carry.
    pub fn covers_rebates(
        &self,
        schedule: u16,
        tier: u8,
        rates: FeeRates,
        open: impl Iterator<Item = FeeRates>,
    ) -> bool {
        let mut with = self.clone();
        with.set(schedule, tier, rates);
        let tiers = with.schedules[usize::from(schedule)].resolved.iter().copied();
        let lowest = tiers.chain(open).reduce(|lowest, rates| FeeRates {
            taker: lowest.taker.min(rates.taker),
            maker: lowest.maker.min(rates.maker),
        });
        lowest.is_none_or(|lowest| lowest.taker.ppm() + lowest.maker.ppm() >= 0)
    }

    /// Every tier that was set: schedule, tier, rates.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u8, FeeRates)> {
        self.schedules
            .iter()
            .enumerate()
            .flat_map(|(schedule, known)| known.set.iter().map(move |(tier, rates)| (schedule as u16, *tier, *rates)))
    }
}
