//! What an empty log begins with: the commands of the `[genesis]` section.

use tradewright_types::{
    ANY, AccountId, AccountKind, Amount, AssetId, CommandKind, CommandRecord, InstrumentLimits, InstrumentUnits,
    KeyKind, KeyMaterial, KeyPermissions, Label, Name, Price, Quantity, set_up,
};

use crate::config::{
    AccountConfig, AccountKindName, ConfigError, GenesisConfig, InstrumentConfig, KeyConfig, PermissionName, Source,
};
use crate::decimal::{Decimal, DecimalError};
use crate::sealed::bytes_of;
use toml::Spanned;

/// The venue's own accounts come first.
const ACCOUNTS_BEFORE: u32 = 2;
/// What may not be larger is this large when nothing is said.
const UNLIMITED: u64 = 1 << 40;

/// A command of the genesis and the line that asks for it.
#[derive(Clone, Debug)]
pub struct GenesisCommand {
    /// Its records. Their times are 0: the sequencer sets them.
    pub records: Vec<CommandRecord>,
    /// The complaint to make when the log says something else.
    pub differs: ConfigError,
}

/// The assets, instruments and accounts that a genesis names, in the order of their ids.
#[derive(Clone, Debug, Default)]
pub struct Names {
    assets: Vec<(String, u8)>,
    accounts: Vec<String>,
}

impl Names {
    /// The account of that name.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<AccountId> {
        let place = self.accounts.iter().position(|account| account == name)?;
        Some(AccountId(place as u32 + ACCOUNTS_BEFORE))
    }

    /// The asset of that name, and the decimal places of its quantum.
    #[must_use]
    pub fn asset(&self, name: &str) -> Option<(AssetId, u8)> {
        let place = self.assets.iter().position(|(asset, _)| asset == name)?;
        Some((AssetId(place as u32), self.assets[place].1))
    }
}

/// Reads a genesis: its commands, and what they name.
///
/// # Errors
/// A name is illegal, used twice or unknown; a number is not exact in its unit.
pub fn read(source: &Source, genesis: &GenesisConfig) -> Result<(Vec<GenesisCommand>, Names), ConfigError> {
    let mut commands = Vec::new();
    let mut names = Names::default();
    let mut add = |records: Vec<CommandRecord>, differs: ConfigError| {
        commands.push(GenesisCommand { records, differs });
    };
    for entry in &genesis.asset {
        let asset = entry.get_ref();
        check_name(source, entry, &asset.name, names.asset(&asset.name).is_some())?;
        add(vec![set_up::add_asset(names.assets.len() as u32, asset.decimals, &asset.name)], differs(source, entry));
        names.assets.push((asset.name.clone(), asset.decimals));
    }
    for entry in &genesis.fees {
        let fees = entry.get_ref();
        add(
            vec![set_up::set_fee_tier(fees.schedule, fees.tier, fees.taker_ppm, fees.maker_ppm)],
            differs(source, entry),
        );
    }
    for (id, entry) in genesis.instrument.iter().enumerate() {
        let name = &entry.get_ref().name;
        let is_twice = genesis.instrument[..id].iter().any(|other| other.get_ref().name == *name);
        check_name(source, entry, name, is_twice)?;
        for records in list(source, &names, id as u32, entry)? {
            add(records, differs(source, entry));
        }
    }
    for entry in &genesis.account {
        let name = &entry.get_ref().name;
        check_name(source, entry, name, names.accounts.contains(name))?;
        let id = AccountId(names.accounts.len() as u32 + ACCOUNTS_BEFORE);
        for record in open(source, &names, id, entry)? {
            add(vec![record], differs(source, entry));
        }
        names.accounts.push(name.clone());
    }
    for entry in &genesis.key {
        add(register(source, &names, entry)?, differs(source, entry));
    }
    Ok((commands, names))
}

fn differs<T>(source: &Source, entry: &Spanned<T>) -> ConfigError {
    source.error(entry, "the log was begun with something else here: what is in the log counts, change it by commands")
}

fn check_name<T>(source: &Source, entry: &Spanned<T>, name: &str, is_twice: bool) -> Result<(), ConfigError> {
    let mut field = [0; Name::LENGTH_MAX];
    let is_legal = name.len() <= field.len() && {
        field[..name.len()].copy_from_slice(name.as_bytes());
        Name::new(&field, name.len() as u8).is_some()
    };
    if !is_legal {
        let rule = format!("must be 1 to {} printable characters without spaces", Name::LENGTH_MAX);
        return Err(source.error(entry, format!("name = {name:?}: {rule}")));
    }
    if is_twice {
        return Err(source.error(entry, format!("name = {name:?}: is used twice")));
    }
    Ok(())
}

/// The listing of an instrument and its reference price.
fn list(
    source: &Source,
    names: &Names,
    id: u32,
    entry: &Spanned<InstrumentConfig>,
) -> Result<Vec<Vec<CommandRecord>>, ConfigError> {
    let instrument = entry.get_ref();
    let name = &instrument.name;
    let asset = |asset: &str| {
        names.asset(asset).ok_or_else(|| source.error(entry, format!("name = {name:?}: there is no asset {asset:?}")))
    };
    let (base, quote) =
        name.split_once('/').ok_or_else(|| source.error(entry, format!("name = {name:?}: must be BASE/QUOTE")))?;
    let ((base, base_scale), (quote, quote_scale)) = (asset(base)?, asset(quote)?);
    let read = |field: &str, text: &str| read_positive(source, entry, field, text);
    let (tick, lot) = (read("tick", &instrument.tick)?, read("lot", &instrument.lot)?);
    let count = |field: &str, text: &str, value: Result<i128, DecimalError>| whole(source, entry, field, text, value);
    let lots = |field: &str, text: &Option<String>, otherwise: u64| match text {
        Some(text) => count(field, text, read(field, text)?.count_of(lot)).map(Quantity::from_lots),
        None => Ok(Quantity::from_lots(otherwise)),
    };
    let money = |field: &str, text: &Option<String>, otherwise: i128| match text {
        Some(text) => count(field, text, read(field, text)?.quanta(quote_scale)),
        None => Ok(otherwise as u64),
    };
    let notional_max = money("max_notional", &instrument.max_notional, Amount::MAX.quanta().min(i64::MAX.into()))?;
    let limits = InstrumentLimits {
        price_increment_ticks: 1,
        quantity_increment_lots: 1,
        quantity_min: lots("min_quantity", &instrument.min_quantity, 1)?,
        quantity_max: lots("max_quantity", &instrument.max_quantity, UNLIMITED)?,
        notional_min: Amount::from_quanta(money("min_notional", &instrument.min_notional, 1)?.into()),
        notional_max: Amount::from_quanta(notional_max.into()),
        band_down_ppm: instrument.band_down_ppm,
        band_up_ppm: instrument.band_up_ppm,
    };
    let units = InstrumentUnits {
        base,
        quote,
        quote_quanta_per_tick_lot: count(
            "tick",
            &instrument.tick,
            tick.times(lot).and_then(|worth| worth.quanta(quote_scale)),
        )?,
        base_quanta_per_lot: count("lot", &instrument.lot, lot.quanta(base_scale))?,
    };
    let mut commands = vec![set_up::list_spot(id, name, instrument.fees, &units, &limits).to_vec()];
    if let Some(text) = &instrument.reference_price {
        let ticks = count("reference_price", text, read("reference_price", text)?.count_of(tick))?;
        commands.push(vec![set_up::set_reference_price(id, Price::from_ticks(ticks as i64))]);
    }
    Ok(commands)
}

/// The opening of an account, its settings and its first money.
fn open(
    source: &Source,
    names: &Names,
    id: AccountId,
    entry: &Spanned<AccountConfig>,
) -> Result<Vec<CommandRecord>, ConfigError> {
    let account = entry.get_ref();
    let kind = match account.kind {
        AccountKindName::Client => AccountKind::Client,
        AccountKindName::House => AccountKind::House,
    };
    let mut records = vec![set_up::open_account(id, kind, &account.name)];
    if account.group != 0 {
        records.push(set_up::set_trade_group(id, account.group));
    }
    if account.fee_tier != 0 {
        records.push(set_up::set_account_fee_tier(id, account.fee_tier));
    }
    if let Some(limits) = account.limits {
        records.push(set_up::set_account_limits(
            id,
            limits.open_orders,
            limits.orders_per_second,
            limits.messages_per_second,
        ));
    }
    for (asset, amount) in &account.deposits {
        let (asset, scale) = names
            .asset(asset)
            .ok_or_else(|| source.error(entry, format!("deposits.{asset}: there is no asset {asset:?}")))?;
        let quanta = read_positive(source, entry, "deposits", amount)?.quanta(scale);
        let quanta = whole(source, entry, "deposits", amount, quanta)?;
        records.push(set_up::deposit(id, asset.0, Amount::from_quanta(quanta.into())));
    }
    Ok(records)
}

/// The registration of a key.
fn register(source: &Source, names: &Names, entry: &Spanned<KeyConfig>) -> Result<Vec<CommandRecord>, ConfigError> {
    let KeyConfig { id, public, sealed, account, permissions } = entry.get_ref();
    let complain = |message: String| source.error(entry, message);
    let owner = match account {
        Some(account) => names
            .account(account)
            .ok_or_else(|| complain(format!("account = {account:?}: there is no such account")))?,
        None => AccountId(ANY),
    };
    let label = Label::new(id.as_bytes())
        .ok_or_else(|| complain(format!("id = {id:?}: must be 1 to 56 printable characters without spaces")))?;
    let bits = permissions.iter().fold(0, |bits, permission| {
        bits | match permission {
            PermissionName::Trade => KeyPermissions::TRADE.0,
            PermissionName::Read => KeyPermissions::READ.0,
            PermissionName::MarketMaker => KeyPermissions::MARKET_MAKER.0,
        }
    });
    let permissions = KeyPermissions::from_bits(bits.into())
        .ok_or_else(|| complain("permissions = []: must name at least one".to_owned()))?;
    let (kind, key) = match (public, sealed) {
        (Some(public), None) => {
            let key = bytes_of(public).filter(|key| KeyKind::Ed25519.fits(key.len()));
            (
                KeyKind::Ed25519,
                key.ok_or_else(|| complain(format!("public = {public:?}: must be 64 hexadecimal digits")))?,
            )
        }
        (None, Some(sealed)) => {
            let key = bytes_of(sealed).filter(|key| KeyKind::SealedHmac.fits(key.len()));
            let rule = "must be what `tradewright keys seal` prints: up to 192 hexadecimal digits";
            (KeyKind::SealedHmac, key.ok_or_else(|| complain(format!("sealed = {sealed:?}: {rule}")))?)
        }
        (None, None) | (Some(_), Some(_)) => {
            return Err(complain(format!("id = {id:?}: must have either `public` or `sealed`")));
        }
    };
    let material = KeyMaterial::new(&key).ok_or_else(|| complain(format!("id = {id:?}: its key is too long")))?;
    Ok(set_up::register_key(&label, owner, permissions, kind, &material))
}

fn read_positive<T>(source: &Source, entry: &Spanned<T>, field: &str, text: &str) -> Result<Decimal, ConfigError> {
    Decimal::parse(text)
        .filter(|number| number.is_positive())
        .ok_or_else(|| source.error(entry, format!("{field} = {text:?}: must be a decimal number above zero")))
}

/// A count that fits its field, or a complaint.
fn whole<T>(
    source: &Source,
    entry: &Spanned<T>,
    field: &str,
    text: &str,
    count: Result<i128, DecimalError>,
) -> Result<u64, ConfigError> {
    let complain = |rule: &str| source.error(entry, format!("{field} = {text:?}: {rule}"));
    match count {
        Ok(count) => {
            u64::try_from(count).ok().filter(|&count| count <= i64::MAX as u64).ok_or_else(|| complain("is too large"))
        }
        Err(DecimalError::NotWhole) => Err(complain("is not a whole number of its smallest unit")),
        Err(DecimalError::TooLarge) => Err(complain("is too large")),
    }
}

/// Whether a command of the log is the one of the genesis: everything but its time.
#[must_use]
pub fn is_same(genesis: &[CommandRecord], logged: &[CommandRecord]) -> bool {
    let without_time = |records: &[CommandRecord]| {
        let mut records = records.to_vec();
        if let Some(first) = records.first_mut() {
            first.header.time_ns = 0;
        }
        records
    };
    genesis.len() == logged.len() && without_time(genesis) == without_time(logged)
}

/// The kind of a command, for messages.
#[must_use]
pub fn kind_name(records: &[CommandRecord]) -> &'static str {
    records.first().and_then(|first| CommandKind::from_code(first.header.kind)).map_or("unknown", CommandKind::name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tradewright_engine::{Engine, EngineConfig, EventBuffer};
    use tradewright_types::{EventKind, InstrumentId};

    use super::*;

    const VENUE: &str = r#"
schema = 1
[node]
directory = "data"
[[genesis.asset]]
name = "USDT"
[[genesis.asset]]
name = "BTC"
[[genesis.fees]]
schedule = 1
taker_ppm = 1000
maker_ppm = -100
[[genesis.instrument]]
name = "BTC/USDT"
tick = "0.01"
lot = "0.00001"
min_quantity = "0.0001"
max_notional = "9_000_000"
fees = 1
reference_price = "64_000"
[[genesis.account]]
name = "alice"
group = 7
limits = { open_orders = 200, orders_per_second = 50, messages_per_second = 100 }
deposits = { BTC = "2", USDT = "1_000.5" }
"#;

    fn genesis(text: &str) -> Result<(Vec<GenesisCommand>, Names), ConfigError> {
        let (source, config) = Source::parse(Path::new("exchange.toml"), text.to_owned())?;
        read(&source, config.genesis.get_ref())
    }

    #[test]
    fn its_commands_make_the_venue() {
        let (commands, names) = genesis(VENUE).expect("a legal genesis");
        let mut engine = Engine::new(EngineConfig::default());
        let mut events = EventBuffer::default();
        for command in &commands {
            engine.apply(&command.records, &mut events);
        }
        assert!(events.as_slice().iter().all(|event| event.kind != EventKind::Rejected as u8));
        let alice = names.account("alice").expect("an account");
        let instrument = engine.instrument(InstrumentId(0)).expect("listed");
        assert_eq!(instrument.units.quote_quanta_per_tick_lot, 10);
        assert_eq!(instrument.units.base_quanta_per_lot, 1_000);
        assert_eq!(instrument.limits().quantity_min, Quantity::from_lots(10));
        assert_eq!(instrument.limits().notional_max, Amount::from_quanta(900_000_000_000_000));
        assert_eq!(engine.ledger().balance(alice, AssetId(0)).available, Amount::from_quanta(100_050_000_000));
        assert_eq!(engine.ledger().balance(alice, AssetId(1)).available, Amount::from_quanta(200_000_000));
    }

    #[test]
    fn a_complaint_names_line_field_value_and_rule() {
        for (from, to, complaint) in [
            ("BTC = \"2\"", "ETH = \"2\"", "exchange.toml:21: deposits.ETH: there is no asset \"ETH\""),
            ("tick = \"0.01\"", "tick = \"0\"", "exchange.toml:13: tick = \"0\": must be a decimal number above zero"),
            (
                "lot = \"0.00001\"",
                "lot = \"0.000000001\"",
                "exchange.toml:13: tick = \"0.01\": is not a whole number of its smallest unit",
            ),
            ("name = \"BTC\"", "name = \"USDT\"", "exchange.toml:7: name = \"USDT\": is used twice"),
            (
                "name = \"alice\"",
                "name = \"a b\"",
                "exchange.toml:21: name = \"a b\": must be 1 to 32 printable characters without spaces",
            ),
            ("name = \"BTC/USDT\"", "name = \"BTCUSDT\"", "exchange.toml:13: name = \"BTCUSDT\": must be BASE/QUOTE"),
        ] {
            assert!(VENUE.contains(from));
            let refused = genesis(&VENUE.replace(from, to)).expect_err("refused");
            assert_eq!(refused.to_string(), complaint);
        }
    }

    #[test]
    fn a_logged_command_is_the_same_whatever_its_time() {
        let (commands, _) = genesis(VENUE).expect("a legal genesis");
        let mut logged = commands[0].records.clone();
        logged[0].header.time_ns = 5;
        assert!(is_same(&commands[0].records, &logged));
        logged[0].header.session = 1;
        assert!(!is_same(&commands[0].records, &logged));
        assert_eq!(kind_name(&logged), "AddAsset");
    }
}
