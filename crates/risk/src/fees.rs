//! Fee schedules: the rates of each tier.

use std::collections::BTreeMap;

use tradewright_types::FeeRates;

const TIERS: usize = 256;

/// The rates by schedule and tier. A tier that was not set has the rates of the nearest lower one that was; below all of them
/// there are no fees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeeSchedules {
    set: BTreeMap<(u16, u8), FeeRates>,
    /// What that means for each of the 256 tiers of each schedule.
    resolved: Vec<FeeRates>,
}

impl FeeSchedules {
    /// The rates of a tier.
    #[inline(always)]
    pub fn rates(&self, schedule: u16, tier: u8) -> FeeRates {
        let index = usize::from(schedule) * TIERS + usize::from(tier);
        self.resolved.get(index).copied().unwrap_or_default()
    }

    /// Sets a tier. Whether the schedule may have it is for [`FeeSchedules::covers_rebates`] to say before.
    pub fn set(&mut self, schedule: u16, tier: u8, rates: FeeRates) {
        self.set.insert((schedule, tier), rates);
        let begin = usize::from(schedule) * TIERS;
        if self.resolved.len() < begin + TIERS {
            self.resolved.resize(begin + TIERS, FeeRates::default());
        }
        let mut current = FeeRates::default();
        for (tier, slot) in self.resolved[begin..begin + TIERS].iter_mut().enumerate() {
            current = self.set.get(&(schedule, tier as u8)).copied().unwrap_or(current);
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
        let begin = usize::from(schedule) * TIERS;
        let tiers = with.resolved[begin..begin + TIERS].iter().copied();
        let lowest = tiers.chain(open).reduce(|lowest, rates| FeeRates {
            taker: lowest.taker.min(rates.taker),
            maker: lowest.maker.min(rates.maker),
        });
        lowest.is_none_or(|lowest| lowest.taker.ppm() + lowest.maker.ppm() >= 0)
    }

    /// Every tier that was set: schedule, tier, rates.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u8, FeeRates)> {
        self.set.iter().map(|((schedule, tier), rates)| (*schedule, *tier, *rates))
    }
}
