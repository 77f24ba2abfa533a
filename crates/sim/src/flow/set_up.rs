//! The commands that make the venue: assets, fees, markets, accounts, money.

use tradewright_types::{
    CommandHeader, CommandKind, CommandRecord, InstrumentKind, InstrumentUnitsRecord, Name, NamedRecord, Price,
    SCHEMA_VERSION,
};
use zerocopy::transmute;

use crate::venue;

use super::Flow;
use super::catalogue::{Asset, LISTINGS, Listing, QUOTES, base_scale};
use super::market::Market;
use super::records;

/// The market whose prices are shared in steps, euro against dollar.
const IN_STEPS: usize = 18;
/// Markets between currencies that are worth the same trade on a cheaper schedule.
const STABLE_BAND_PPM: u32 = 20_000;

/// Taker and maker parts per million by tier. The last one is for market makers: it pays them.
const TIERS: [(i32, i32); 6] = [(1_000, 800), (800, 500), (600, 300), (450, 200), (350, 100), (300, -100)];
const STABLE_TIERS: [(i32, i32); 6] = [(200, 100), (150, 50), (100, 0), (80, 0), (60, 0), (60, -20)];

/// The assets that the first `instruments` markets need, the quote assets first.
pub(super) fn assets(instruments: usize) -> Vec<Asset> {
    let mut assets = QUOTES.to_vec();
    for listing in LISTINGS.iter().take(instruments) {
        if assets.iter().all(|asset| asset.name != listing.base) {
            assets.push(Asset { name: listing.base, scale: base_scale(listing.base) });
        }
    }
    assets
}

pub(super) fn asset_id(assets: &[Asset], name: &str) -> u32 {
    assets.iter().position(|asset| asset.name == name).expect("Invariant: a market's assets are listed") as u32
}

impl Flow {
    /// The commands that come before the first batch. All of them are accepted by a new engine.
    #[must_use]
    pub fn set_up(&self) -> Vec<CommandRecord> {
        let assets = assets(self.config.instruments);
        let mut commands = Vec::new();
        for (id, asset) in assets.iter().enumerate() {
            commands.push(venue::add_asset(id as u32, asset.scale, asset.name));
        }
        for (schedule, tiers) in [TIERS, STABLE_TIERS].iter().enumerate() {
            for (tier, (taker_ppm, maker_ppm)) in tiers.iter().enumerate() {
                commands.push(records::fee_tier(schedule as u16, tier as u8, *taker_ppm, *maker_ppm));
            }
        }
        for (id, (listing, market)) in LISTINGS.iter().zip(&self.markets).enumerate() {
            commands.extend(list(id as u32, listing, market));
            commands.push(venue::set_reference_price(id as u32, Price::from_ticks(market.reference_ticks)));
            // Where a tick is most of the spread, queues are long: being early would be all that counts.
            if listing.band_ppm == STABLE_BAND_PPM && id != IN_STEPS {
                commands.push(records::share_pro_rata(id as u32));
            }
        }
        self.set_up_sessions(&mut commands);
        let bases: Vec<u32> = self.markets.iter().map(|market| market.base_asset).collect();
        self.population.set_up(&mut commands, &bases);
        if let Some(market) = self.markets.get(IN_STEPS) {
            let top_lots = [market.lots(500), market.lots(5_000)];
            commands.extend(records::share_in_steps(IN_STEPS as u32, top_lots, self.population.maker(IN_STEPS, 0)));
        }
        commands
    }
}

fn list(id: u32, listing: &Listing, market: &Market) -> [CommandRecord; 3] {
    let symbol = listing.symbol();
    let mut name = [0; Name::LENGTH_MAX];
    name[..symbol.len()].copy_from_slice(symbol.as_bytes());
    [
        transmute!(NamedRecord {
            header: CommandHeader { record_count: 3, ..CommandHeader::new(CommandKind::ListInstrument) },
            id,
            attribute: InstrumentKind::Spot as u8,
            name_length: symbol.len() as u8,
            fee_schedule: u16::from(listing.band_ppm == STABLE_BAND_PPM),
            name,
        }),
        transmute!(InstrumentUnitsRecord {
            kind: CommandKind::InstrumentUnits as u8,
            schema_version: SCHEMA_VERSION,
            reserved: [0; 6],
            base: market.base_asset,
            quote: market.quote_asset,
            quote_quanta_per_tick_lot: market.quote_quanta_per_tick_lot,
            base_quanta_per_lot: market.base_quanta_per_lot,
            reserved_values: [0; 4],
        }),
        records::limits(&market.limits),
    ]
}
