//! Settings: what they set, what their event says, and what they refuse.

use tradewright_types::{
    ANY, AccountId, AssetId, CommandKind, EventKind, EventRecord, InstrumentId, Name, Permissions, Price, Quantity,
};

use crate::common::{Venue, parse};

/// Applies a setting and compares the fields of its event that the rulebook's table names.
fn check(
    venue: &mut Venue,
    command: &str,
    kind: CommandKind,
    (account, instrument): (u32, u32),
    (price, quantity, reference): (i64, u64, u64),
    (side, order_type, order_flags): (u8, u8, u16),
) {
    // What a setting does to states follows its event.
    let answer = venue.send(command);
    assert!(answer == "set" || answer.starts_with("set, "), "{command}: {answer}");
    let expected = EventRecord {
        account,
        instrument,
        price_ticks: price,
        quantity_lots: quantity,
        reference,
        side,
        order_type,
        order_flags,
        open_lots: kind as u64,
        flags: u8::from(answer == "set"),
        sequence: venue.engine.sequence(),
        epoch: 1,
        ..EventRecord::new(EventKind::SettingApplied)
    };
    assert_eq!(venue.events.as_slice()[0], expected, "{command}");
}

#[test]
fn the_event_of_each_setting() {
    use CommandKind as Kind;
    let none = (0, 0, 0);
    let nothing = (0, 0, 0);
    let mut venue = Venue::new();
    let venue = &mut venue;
    check(venue, "asset 3 18 gas", Kind::AddAsset, (0, 3), (0, 18, 0), nothing);
    check(venue, "list I2 gas/quote base=3 quote=0 schedule=9", Kind::ListInstrument, (0, 2), none, (0, 1, 9));
    check(venue, "limits I2 tick=5", Kind::SetInstrumentLimits, (0, 2), none, nothing);
    check(venue, "reference I2 70", Kind::SetReferencePrice, (0, 2), (70, 0, 0), nothing);
    check(venue, "reference I2 0", Kind::SetReferencePrice, (0, 2), none, nothing);
    let maker = (-200_i64) as u64;
    check(venue, "state I2 auction closing", Kind::SetInstrumentState, (0, 2), none, (3, 3, 0));
    check(venue, "schedule I2 continuous none 70 5 9", Kind::ScheduleInstrumentState, (0, 2), (70, 5, 9), nothing);
    check(venue, "schedule I2 none", Kind::ScheduleInstrumentState, (0, 2), none, nothing);
    let terms = "terms I2 collar=7 extension=5 call=9 extensions=3";
    check(venue, terms, Kind::SetAuctionTerms, (0, 2), (7, 5, 9), (0, 3, 0));
    let breaker = "breaker I2 settlement=70 share=5 ticks=9 slots=1 slot=1 pause=1";
    check(venue, breaker, Kind::SetBreaker, (0, 2), (70, 5, 9), nothing);
    check(venue, "close 50", Kind::SetMarketReference, (0, ANY), (50, 0, 0), nothing);
    check(venue, "level 49", Kind::SetMarketLevel, (0, ANY), (49, 0, 0), nothing);
    check(venue, "fee S9 T4 300 0", Kind::SetFeeTier, (0, ANY), (300, 0, 0), (0, 4, 9));
    check(venue, "fee S9 T0 300 0", Kind::SetFeeTier, (0, ANY), (300, 0, 0), (0, 0, 9));
    check(venue, "fee S9 T4 300 -200", Kind::SetFeeTier, (0, ANY), (300, maker, 0), (0, 4, 9));
}

#[test]
fn the_event_of_each_setting_of_an_account() {
    use CommandKind as Kind;
    let none = (0, 0, 0);
    let nothing = (0, 0, 0);
    let mut venue = Venue::new();
    let venue = &mut venue;
    check(venue, "open A9 house desk-2", Kind::OpenAccount, (9, ANY), none, (0, 2, 0));
    check(venue, "rates A9 open=1 orders=2 messages=3", Kind::SetAccountLimits, (9, ANY), (1, 2, 3), nothing);
    check(venue, "tier A9 6", Kind::SetAccountFeeTier, (9, ANY), none, (0, 6, 0));
    check(venue, "group A9 8", Kind::SetTradeGroup, (9, ANY), (0, 8, 0), nothing);
    check(venue, "permit A9 5", Kind::SetPermissions, (9, ANY), (0, 5, 0), nothing);
    check(venue, "position A9 I1 77", Kind::SetPositionLimit, (9, 1), (0, 77, 0), nothing);
    check(venue, "halt venue", Kind::Halt, (0, ANY), none, nothing);
    check(venue, "halt I1", Kind::Halt, (0, 1), none, (1, 0, 0));
    check(venue, "halt A9", Kind::Halt, (9, ANY), none, (2, 0, 0));
    check(venue, "resume venue", Kind::Resume, (0, ANY), none, nothing);
    check(venue, "resume I1", Kind::Resume, (0, 1), none, (1, 0, 0));
    let account = venue.engine.risk().account(AccountId(9)).expect("it was opened");
    assert_eq!((account.fee_tier, account.trade_group, account.permissions), (6, 8, Permissions(5)));
    assert!(account.standing.is_halted());
    check(venue, "resume A9", Kind::Resume, (9, ANY), none, (2, 0, 0));
}

#[test]
fn time_passes_without_an_event() {
    let mut venue = Venue::new();
    venue.check("at 77 =>");
    assert_eq!(venue.engine.time_ns(), 77);
    venue.check("at 76 => Stale");
    assert_eq!(venue.engine.time_ns(), 77);
    assert!(venue.events.as_slice()[0].time_ns == 77 && !venue.events.is_empty());
}

#[test]
fn a_new_venue_has_its_two_accounts() {
    let mut venue = Venue::empty();
    let registry = venue.engine.registry();
    let names: Vec<&str> = registry.accounts().iter().map(Name::as_str).collect();
    assert_eq!(names, ["fees", "insurance"]);
    venue.check(
        "
        open A2 client fees       => NameTaken
        open A1 client insurance2 => IdNotNext
        open A3 client x          => IdNotNext
        open A2 client x          => set
        open A3 house x           => NameTaken
        open A3 fee y             => SettingOutOfRange
        open A3 insurance y       => SettingOutOfRange
        open A9 9 fees            => SettingOutOfRange
        ",
    );
}

#[test]
fn names_lead_to_ids() {
    let venue = Venue::new();
    let name = |text: &str| {
        let mut field = [0; Name::LENGTH_MAX];
        field[..text.len()].copy_from_slice(text.as_bytes());
        Name::new(&field, text.len() as u8).expect("a name")
    };
    let registry = venue.engine.registry();
    assert_eq!(registry.asset(&name("coin")), Some(AssetId(2)));
    assert_eq!(registry.instrument(&name("coin/quote")), Some(InstrumentId(1)));
    assert_eq!(registry.account(&name("alice")), Some(AccountId(2)));
    assert_eq!(registry.account(&name("nobody")), None);
    assert_eq!((registry.assets()[2].scale, registry.assets()[2].name), (8, name("coin")));
    assert_eq!(registry.instruments().len(), 2);
    assert_eq!(format!("{:?}", name("coin")), "\"coin\"");
}

#[test]
fn assets_are_numbered_and_named_once() {
    Venue::new().check(
        "
        asset 4 8 gas     => IdNotNext
        asset 2 8 gas     => IdNotNext
        asset 3 8 coin    => NameTaken
        asset 3 31 gas    => SettingOutOfRange
        asset 3 30 gas    => set
        ",
    );
}

#[test]
fn listings_name_what_is_wrong_with_them() {
    let most = 1_i128 << 120;
    Venue::new().check(&format!(
        "
        list I3 gas base=1 quote=0                  => IdNotNext
        list I2 coin/quote base=1 quote=0           => NameTaken
        list I2 gas base=9 quote=0                  => UnknownAsset
        list I2 gas base=1 quote=9                  => UnknownAsset
        list I2 gas base=1 quote=1                  => SettingOutOfRange
        list I2 gas base=1 quote=0 schedule=256     => SettingOutOfRange
        list I2 gas base=1 quote=0 tick_lot=0       => UnitsNotWhole
        list I2 gas base=1 quote=0 base_lot=0       => UnitsNotWhole
        list I2 gas base=1 quote=0 tick=0           => SettingOutOfRange
        list I2 gas base=1 quote=0 lot=0            => SettingOutOfRange
        list I2 gas base=1 quote=0 min=0            => SettingOutOfRange
        list I2 gas base=1 quote=0 min=6 max=5      => SettingOutOfRange
        list I2 gas base=1 quote=0 max={}           => SettingOutOfRange
        list I2 gas base=1 quote=0 notional_min=6 notional_max=5 => SettingOutOfRange
        list I2 gas base=1 quote=0 down=1000001     => SettingOutOfRange
        // While reading: schedule and assets, then units, then limits, all before ids.
        list I9 gas base=1 quote=1 tick_lot=0       => SettingOutOfRange
        list I9 gas base=1 quote=0 tick_lot=0 schedule=256 => SettingOutOfRange
        list I9 gas base=1 quote=0 tick_lot=0 tick=0 => UnitsNotWhole
        list I9 gas base=1 quote=0 tick=0           => SettingOutOfRange
        list I2 gas base=1 quote=0 notional_max={}  => SettingOutOfRange
        list I2 gas base=1 quote=0 notional_max={}  => set
        ",
        (1_u64 << 40) + 1,
        most / 2 + 1,
        most / 2,
    ));
}

#[test]
fn limits_take_effect_for_new_orders_only() {
    let mut venue = Venue::new();
    venue.check(
        "
        limits I9 tick=0     => SettingOutOfRange
        limits I9 tick=5     => UnknownInstrument
        sell A2 3 @11        => accepted
        limits I0 tick=5 min=2 max=9
        sell A2 3 @11        => PriceNotOnTick
        buy A3 2 @15         => accepted, O1 2@11
        sell A2 1 @15        => QuantityBelowMinimum
        // What an earlier rule left in the book still trades.
        buy A3 2 @15         => accepted, O1 1@11
        ",
    );
    let limits = venue.engine.instrument(InstrumentId(0)).expect("it is listed").limits();
    assert_eq!((limits.price_increment_ticks, limits.quantity_max), (5, Quantity::from_lots(9)));
}

#[test]
fn the_reference_price_has_bounds() {
    let most = 1_i64 << 62;
    let mut venue = Venue::new();
    venue.check(&format!(
        "
        reference I9 -1      => SettingOutOfRange
        reference I9 5       => UnknownInstrument
        reference I0 -1      => SettingOutOfRange
        reference I0 {}      => SettingOutOfRange
        reference I0 {most}  => set
        ",
        most + 1
    ));
    let instrument = venue.engine.instrument(InstrumentId(0)).expect("it is listed");
    assert_eq!((instrument.reference(), instrument.last()), (Some(Price::from_ticks(most)), None));
    // The band's upper end is beyond what a price can be: it ends where prices end.
    assert_eq!(instrument.band().expect("there is a reference").high, Price::from_ticks(i64::MAX));
}

#[test]
fn settings_of_accounts_have_bounds() {
    let too_wide = 1_u64 << 32;
    Venue::new().check(&format!(
        "
        rates A99 open=1          => UnknownAccount
        rates A99 open={too_wide} => SettingOutOfRange
        rates A2 orders={too_wide} => SettingOutOfRange
        rates A2 messages={too_wide} => SettingOutOfRange
        tier A99 1                => UnknownAccount
        group A99 1               => UnknownAccount
        group A99 {too_wide}      => SettingOutOfRange
        permit A99 1              => UnknownAccount
        permit A99 16             => SettingOutOfRange
        permit A2 65536           => SettingOutOfRange
        position A99 I9 5         => UnknownInstrument
        position A99 I0 5         => UnknownAccount
        position A2 I0 {}         => SettingOutOfRange
        position A2 I0 {}         => set
        fee S256 T0 1 1           => SettingOutOfRange
        fee S0 T0 2147483648 0    => SettingOutOfRange
        ",
        (1_u64 << 62) + 1,
        1_u64 << 62
    ));
}

#[test]
fn the_venues_own_accounts_may_transfer_and_nothing_else() {
    Venue::new().check(
        "
        permit A0 1     => SettingOutOfRange
        permit A1 6     => SettingOutOfRange
        permit A0 7     => SettingOutOfRange
        permit A0 8     => SettingOutOfRange
        permit A0 0     => set
        deposit A0 quote 5
        transfer A0 A7 quote 5 payout => AccountNotPermitted
        permit A0 4     => set
        transfer A0 A7 quote 5 payout => transferred
        permit A7 7     => set
        ",
    );
}

#[test]
fn permissions_are_apart() {
    Venue::new().check(
        "
        permit A2 1
        buy A2 1 @1                       => accepted
        withdraw A2 quote 1               => AccountNotPermitted
        transfer A2 A3 quote 1 internal   => AccountNotPermitted
        permit A2 2
        buy A2 1 @1                       => AccountNotPermitted
        amend A2 O1 2 @1                  => AccountNotPermitted
        withdraw A2 quote 1               => W1 requested
        transfer A2 A3 quote 1 internal   => AccountNotPermitted
        permit A2 4
        withdraw A2 quote 1               => AccountNotPermitted
        transfer A2 A3 quote 1 internal   => transferred
        permit A2 0
        // A cancel needs none.
        cancel A2 O1                      => cancelled O1 1
        ",
    );
}

#[test]
fn malformed_settings_are_refused() {
    let mut venue = Venue::new();
    let mut surplus = parse("tier A2 1");
    surplus.push(parse("tier A2 1")[0]);
    surplus[0].header.record_count = 2;
    let listing = parse("list I2 gas base=1 quote=0");
    let shortened = |length: usize| {
        let mut records = listing[..length].to_vec();
        records[0].header.record_count = length as u16;
        records
    };
    let mut swapped = listing.clone();
    swapped.swap(1, 2);
    let mut limits_twice = listing.clone();
    limits_twice[2] = limits_twice[1];
    let mut limits_alone = parse("limits I0 tick=1");
    limits_alone.truncate(1);
    limits_alone[0].header.record_count = 1;
    for records in [surplus, shortened(1), shortened(2), swapped, limits_twice, limits_alone] {
        assert_eq!(venue.apply(&records), "MalformedRecords");
    }
    assert_eq!(venue.apply(&listing), "set");
}
