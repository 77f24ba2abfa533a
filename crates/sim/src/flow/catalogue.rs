//! The markets of the simulated venue: what is traded, in which steps, at which prices it starts.

/// An asset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asset {
    pub(super) name: &'static str,
    /// Decimal places of its quantum.
    pub(super) scale: u8,
}

/// A market.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    pub(super) base: &'static str,
    /// An index into [`QUOTES`].
    pub(super) quote: usize,
    /// A tick is ten to the minus this, in the quote asset.
    pub(super) price_decimals: u8,
    /// A lot is ten to the minus this, in the base asset. Negative: coins are traded by the hundred or thousand.
    pub(super) lot_decimals: i8,
    /// Where the price starts, in ticks.
    pub(super) price_ticks: i64,
    /// Prices are multiples of this many ticks.
    pub(super) price_increment_ticks: u32,
    /// How far from the reference an order may be priced, in parts per million.
    pub(super) band_ppm: u32,
    /// How far the fair value moves in one step, in parts per million (a quarter of the standard deviation).
    pub(super) restlessness_ppm: i64,
}

/// What markets are quoted in. They are the first assets of the venue.
pub(super) const QUOTES: [Asset; 4] = [
    Asset { name: "USDT", scale: 6 },
    Asset { name: "USDC", scale: 6 },
    Asset { name: "EUR", scale: 6 },
    Asset { name: "BTC", scale: 8 },
];

/// Quanta of each quote asset that are worth a dollar. Sizes are drawn in dollars; nothing else depends on these.
pub(super) const QUANTA_PER_DOLLAR: [u64; 4] = [1_000_000, 1_000_000, 921_659, 1_667];

const USDT: usize = 0;
const USDC: usize = 1;
const EUR: usize = 2;
const BTC: usize = 3;
/// The quote asset that is no currency.
pub(super) const BITCOIN: usize = BTC;

/// Decimal places of an asset that is not quoted in.
pub(super) fn base_scale(name: &str) -> u8 {
    QUOTES.iter().find(|asset| asset.name == name).map_or(if name == "ETH" { 18 } else { 8 }, |asset| asset.scale)
}

const fn market(
    base: &'static str,
    quote: usize,
    (price_decimals, lot_decimals): (u8, i8),
    (price_ticks, price_increment_ticks): (i64, u32),
    (band_ppm, restlessness_ppm): (u32, i64),
) -> Listing {
    Listing {
        base,
        quote,
        price_decimals,
        lot_decimals,
        price_ticks,
        price_increment_ticks,
        band_ppm,
        restlessness_ppm,
    }
}

const MAJOR: (u32, i64) = (100_000, 5);
const COIN: (u32, i64) = (150_000, 10);
const MEME: (u32, i64) = (250_000, 16);
const STABLE: (u32, i64) = (20_000, 1);

/// The markets, the busiest first. The last digit of a price is one that the market can have.
pub(super) const LISTINGS: [Listing; 50] = [
    market("BTC", USDT, (1, 5), (600_000, 1), MAJOR),
    market("ETH", USDT, (2, 4), (300_000, 1), MAJOR),
    market("SOL", USDT, (2, 3), (15_000, 1), COIN),
    market("XRP", USDT, (4, 1), (5_500, 1), COIN),
    market("BTC", USDC, (1, 5), (600_000, 1), MAJOR),
    market("DOGE", USDT, (5, 0), (12_000, 1), MEME),
    market("BTC", EUR, (1, 5), (553_000, 10), MAJOR),
    market("PEPE", USDT, (8, -2), (1_000, 1), MEME),
    market("BNB", USDT, (1, 3), (5_800, 1), COIN),
    market("ETH", BTC, (5, 3), (5_000, 1), MAJOR),
    market("ADA", USDT, (4, 1), (4_500, 1), COIN),
    market("ETH", USDC, (2, 4), (300_000, 1), MAJOR),
    market("USDC", USDT, (4, 2), (10_000, 1), STABLE),
    market("TRX", USDT, (5, 0), (13_000, 1), COIN),
    market("AVAX", USDT, (2, 2), (2_800, 1), COIN),
    market("SHIB", USDT, (8, -3), (1_800, 1), MEME),
    market("LINK", USDT, (3, 2), (14_000, 1), COIN),
    market("TON", USDT, (3, 2), (6_800, 1), COIN),
    market("EUR", USDT, (4, 2), (10_850, 1), STABLE),
    market("SUI", USDT, (4, 1), (8_500, 1), COIN),
    market("ETH", EUR, (2, 4), (276_500, 10), MAJOR),
    market("DOT", USDT, (3, 2), (6_200, 1), COIN),
    market("LTC", USDT, (2, 3), (7_200, 1), COIN),
    market("SOL", USDC, (2, 3), (15_000, 1), COIN),
    market("BCH", USDT, (1, 3), (3_800, 1), COIN),
    market("NEAR", USDT, (3, 1), (5_100, 1), COIN),
    market("UNI", USDT, (3, 2), (8_000, 1), COIN),
    market("SOL", BTC, (7, 1), (25_000, 1), COIN),
    market("BONK", USDT, (8, -3), (2_000, 1), MEME),
    market("APT", USDT, (3, 2), (7_200, 5), COIN),
    market("POL", USDT, (4, 1), (5_000, 1), COIN),
    market("ICP", USDT, (3, 2), (8_500, 5), COIN),
    market("ETC", USDT, (2, 2), (2_000, 1), COIN),
    market("FIL", USDT, (3, 2), (4_200, 1), COIN),
    market("ATOM", USDT, (3, 2), (6_500, 1), COIN),
    market("ARB", USDT, (4, 1), (7_500, 1), COIN),
    market("SOL", EUR, (2, 3), (13_825, 5), COIN),
    market("OP", USDT, (4, 1), (18_000, 10), COIN),
    market("INJ", USDT, (2, 2), (2_200, 1), COIN),
    market("FLOKI", USDT, (8, -3), (15_000, 10), MEME),
    market("HBAR", USDT, (5, 0), (7_000, 1), COIN),
    market("BNB", BTC, (6, 2), (9_667, 1), COIN),
    market("STX", USDT, (4, 1), (17_000, 10), COIN),
    market("IMX", USDT, (4, 1), (14_000, 10), COIN),
    market("AAVE", USDT, (2, 3), (9_500, 5), COIN),
    market("LTC", BTC, (7, 1), (12_000, 10), COIN),
    market("GRT", USDT, (5, 0), (18_000, 10), COIN),
    market("ALGO", USDT, (5, 0), (14_000, 10), COIN),
    market("LINK", BTC, (7, 1), (2_333, 1), COIN),
    market("XRP", BTC, (8, 0), (917, 1), COIN),
];

/// The markets that lead the base and the quote asset of `market`: those against the first quote asset, if they are
/// among the first `instruments`. A market against the first quote asset leads itself.
pub(super) fn leaders(market: usize, instruments: usize) -> Option<(usize, Option<usize>)> {
    let leader = |asset: &str| {
        let leads = |listing: &Listing| listing.quote == USDT && listing.base == asset;
        LISTINGS.iter().take(instruments).position(leads)
    };
    let Listing { base, quote, .. } = LISTINGS[market];
    if quote == USDT { None } else { leader(base).map(|base| (base, leader(QUOTES[quote].name))) }
}

impl Listing {
    /// The market's name, such as `BTC/USDT`.
    pub(super) fn symbol(&self) -> String {
        format!("{}/{}", self.base, QUOTES[self.quote].name)
    }

    /// Quote quanta of one lot at one tick.
    pub(super) fn quote_quanta_per_tick_lot(&self) -> u64 {
        power_of_ten(
            i16::from(QUOTES[self.quote].scale) - i16::from(self.price_decimals) - i16::from(self.lot_decimals),
        )
    }

    /// Base quanta of one lot.
    pub(super) fn base_quanta_per_lot(&self) -> u64 {
        power_of_ten(i16::from(base_scale(self.base)) - i16::from(self.lot_decimals))
    }
}

fn power_of_ten(exponent: i16) -> u64 {
    10_u64.pow(u32::try_from(exponent).expect("Invariant: a tick of a lot is a whole number of quanta"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_market_is_listed_once_in_units_that_are_whole() {
        let symbols: BTreeSet<String> = LISTINGS.iter().map(Listing::symbol).collect();
        assert_eq!(symbols.len(), LISTINGS.len());
        for listing in &LISTINGS {
            assert!(listing.quote_quanta_per_tick_lot() > 0 && listing.base_quanta_per_lot() > 0);
            let increment = i64::from(listing.price_increment_ticks);
            assert_eq!(listing.price_ticks % increment, 0, "{}", listing.symbol());
        }
    }
}
