//! Symbols: what instruments are called outside, and how prices, quantities and amounts are written there.

use std::collections::BTreeMap;

use tradewright_engine::Engine;
use tradewright_types::{InstrumentId, InstrumentLimits, InstrumentState, InstrumentUnits, Name, RejectReason};

use crate::decimal::{Decimal, NotWhole, Unit};

/// An instrument as clients see it.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// Its id.
    pub id: InstrumentId,
    /// What it was listed as.
    pub name: Name,
    /// What a tick is worth.
    pub tick: Unit,
    /// What a lot is worth.
    pub lot: Unit,
    /// What a quantum of the quote asset is worth.
    pub quote_quantum: Unit,
    /// How ticks and lots turn into money.
    pub units: InstrumentUnits,
    /// What it accepts.
    pub limits: InstrumentLimits,
    /// What it is doing.
    pub state: InstrumentState,
    /// The asset that prices are in.
    pub quote: Name,
    /// The exponent of prices and amounts in what the exchange sends.
    pub price_exponent: i8,
    /// The exponent of quantities in what the exchange sends.
    pub quantity_exponent: i8,
}

/// Amounts are sent with so many decimal places, when prices do not need more.
const AMOUNT_EXPONENT: i8 = -8;

impl Symbol {
    /// The instrument with this id, when its tick can be written as a decimal number.
    pub fn of(engine: &Engine, id: InstrumentId) -> Option<Self> {
        let instrument = engine.instrument(id)?;
        let registry = engine.registry();
        let units = instrument.units;
        let (base, quote) = (registry.assets().get(units.base.index())?, registry.assets().get(units.quote.index())?);
        let (base_scale, quote_scale) = (i8::try_from(base.scale).ok()?, i8::try_from(quote.scale).ok()?);
        let lot = Unit::of_fraction(units.base_quanta_per_lot, 1, -base_scale)?;
        let tick =
            Unit::of_fraction(units.quote_quanta_per_tick_lot, units.base_quanta_per_lot, base_scale - quote_scale)?;
        let exact = tick.exponent().checked_add(lot.exponent())?;
        Some(Self {
            id,
            name: *registry.instruments().get(id.index())?,
            tick,
            lot,
            quote_quantum: Unit::of_scale(quote.scale),
            units,
            limits: *instrument.limits(),
            state: instrument.state,
            quote: quote.name,
            price_exponent: exact.max(AMOUNT_EXPONENT).min(tick.exponent()),
            quantity_exponent: lot.exponent(),
        })
    }

    /// Ticks of a price.
    ///
    /// # Errors
    /// When it lies between two ticks, or beyond all of them.
    #[inline]
    pub fn ticks(&self, price: Decimal) -> Result<i64, RejectReason> {
        self.tick.count(price).map_err(|not_whole| match not_whole {
            NotWhole::OffUnit => RejectReason::PriceNotOnTick,
            NotWhole::OutOfRange if price.mantissa < 0 => RejectReason::PriceNotPositive,
            NotWhole::OutOfRange => RejectReason::PriceOutsideBand,
        })
    }

    /// Lots of a quantity.
    ///
    /// # Errors
    /// When it lies between two lots, is negative, or beyond all of them.
    #[inline]
    pub fn lots(&self, quantity: Decimal) -> Result<u64, RejectReason> {
        let lots = self.lot.count(quantity).map_err(|not_whole| match not_whole {
            NotWhole::OffUnit => RejectReason::QuantityNotOnLot,
            NotWhole::OutOfRange if quantity.mantissa < 0 => RejectReason::QuantityNotPositive,
            NotWhole::OutOfRange => RejectReason::QuantityAboveMaximum,
        })?;
        u64::try_from(lots).map_err(|_| RejectReason::QuantityNotPositive)
    }

    /// Quanta of an amount of the quote asset.
    ///
    /// # Errors
    /// When it lies between two quanta, or beyond all of them.
    pub fn quanta(&self, amount: Decimal) -> Result<i128, RejectReason> {
        self.quote_quantum.count_wide(amount).map_err(|_| RejectReason::SettingOutOfRange)
    }

    /// A price as it is sent; `None` when it has too many digits.
    #[inline]
    pub fn price_mantissa(&self, ticks: i64) -> Option<i64> {
        self.tick.mantissa(ticks.into(), self.price_exponent)
    }

    /// A quantity as it is sent; `None` when it has too many digits.
    #[inline]
    pub fn quantity_mantissa(&self, lots: u64) -> Option<i64> {
        self.lot.mantissa(lots.into(), self.quantity_exponent)
    }

    /// An amount of the quote asset as it is sent, cut towards zero; `None` when it has too many digits.
    #[inline]
    pub fn amount_mantissa(&self, quanta: i128) -> Option<i64> {
        self.quote_quantum.mantissa(quanta, self.price_exponent)
    }
}

/// All instruments by name. A name is found as it was listed (`BTC/USDT`) and without its separators (`BTCUSDT`).
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    symbols: Vec<Option<Symbol>>,
    ids: BTreeMap<Box<[u8]>, InstrumentId>,
}

impl Symbols {
    /// Every instrument that an engine has listed.
    pub fn of(engine: &Engine) -> Self {
        let mut symbols = Self::default();
        symbols.refresh(engine);
        symbols
    }

    /// Learns what was listed or changed since.
    pub fn refresh(&mut self, engine: &Engine) {
        for place in 0..engine.instrument_count() {
            let id = InstrumentId(place as u32);
            let symbol = Symbol::of(engine, id);
            if place < self.symbols.len() {
                self.symbols[place] = symbol;
                continue;
            }
            if let Some(symbol) = &symbol {
                let name = symbol.name.as_str();
                let short: Vec<u8> = name.bytes().filter(u8::is_ascii_alphanumeric).collect();
                self.ids.insert(name.as_bytes().into(), id);
                // The first one keeps a short name that two would have.
                self.ids.entry(short.into()).or_insert(id);
            }
            self.symbols.push(symbol);
        }
    }

    /// The instrument with this name.
    ///
    /// # Errors
    /// [`RejectReason::UnknownInstrument`] when there is none.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Result<&Symbol, RejectReason> {
        let id = self.ids.get(name).ok_or(RejectReason::UnknownInstrument)?;
        self.get(*id).ok_or(RejectReason::UnknownInstrument)
    }

    /// The instrument with this id.
    #[inline]
    pub fn get(&self, id: InstrumentId) -> Option<&Symbol> {
        self.symbols.get(id.index())?.as_ref()
    }

    /// Notes what an instrument is doing now.
    pub fn set_state(&mut self, id: InstrumentId, state: InstrumentState) {
        if let Some(Some(symbol)) = self.symbols.get_mut(id.index()) {
            symbol.state = state;
        }
    }

    /// Every instrument that clients can name, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Symbol> {
        self.symbols.iter().flatten()
    }
}
