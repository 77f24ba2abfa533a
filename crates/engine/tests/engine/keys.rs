//! The key registry.

use tradewright_types::{AccountId, CommandKind, CommandRecord, KeyKind, KeyPermissions, Label, TextRecord};

use crate::common::{Venue, parse};

#[test]
fn keys_come_and_go() {
    let mut venue = Venue::new();
    venue.check(
        "
        key any root 1 8 7 32           => key 1 8 32 bytes, root
        key A2 algo 2 3 9 96            => key 2 3 96 bytes, algo
        key A2 short 2 127 9 1          => key 2 127 1 bytes, short
        key A3 algo 1 1 1 32            => NameTaken
        key A99 other 1 1 1 32          => UnknownAccount
        revoke-key nobody               => UnknownKey
        halt venue
        revoke-key algo                 => revoked, algo
        revoke-key algo                 => UnknownKey
        key A3 algo 1 1 1 32            => key 1 1 32 bytes, algo
        ",
    );
    let ids: Vec<_> = venue.engine.keys().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["algo", "root", "short"]);
    let key = venue.engine.key(&Label::new(b"root").expect("a label")).expect("it was registered");
    assert_eq!((key.account, key.kind, key.permissions), (None, KeyKind::Ed25519, KeyPermissions::OPERATOR));
    assert_eq!((key.material.as_bytes(), key.fingerprint()), (&[7; 32][..], [7; 32]));
    let key = venue.engine.key(&Label::new(b"short").expect("a label")).expect("it was registered");
    assert_eq!((key.account, key.kind), (Some(AccountId(2)), KeyKind::SealedHmac));
    // SHA-256 of the one byte 9.
    assert_eq!(key.fingerprint()[..4], [0x2b, 0x4c, 0x34, 0x2f]);
}

#[test]
fn a_key_of_another_shape_is_refused() {
    let mut venue = Venue::new();
    venue.check(
        "
        key A2 k 0 1 1 32               => SettingOutOfRange
        key A2 k 3 1 1 32               => SettingOutOfRange
        key A2 k 1 0 1 32               => SettingOutOfRange
        key A2 k 1 128 1 32             => SettingOutOfRange
        key A2 k 1 1 1 31               => SettingOutOfRange
        key A2 k 1 1 1 33               => SettingOutOfRange
        key A2 k 2 1 1 0                => SettingOutOfRange
        key A2 k 2 1 1 97               => SettingOutOfRange
        key A2 é 1 1 1 32               => InvalidName
        ",
    );
    let shape = |length: usize, change: &dyn Fn(&mut Vec<CommandRecord>)| {
        let mut records = parse(&format!("key A2 k 2 1 5 {length}"));
        change(&mut records);
        records[0].header.record_count = records.len() as u16;
        records
    };
    let part = |records: &mut Vec<CommandRecord>, place: usize, length: u8| {
        let record: &mut TextRecord = zerocopy::transmute_mut!(&mut records[place]);
        record.length = length;
    };
    type Change<'c> = &'c dyn Fn(&mut Vec<CommandRecord>);
    let malformed: [Change<'_>; 7] = [
        &|records: &mut Vec<CommandRecord>| records.truncate(1),
        &|records: &mut Vec<CommandRecord>| records.truncate(2),
        &|records: &mut Vec<CommandRecord>| records.truncate(3),
        &|records: &mut Vec<CommandRecord>| records.push(records[3]),
        &|records: &mut Vec<CommandRecord>| records[3].header.kind = CommandKind::Text as u8,
        &|records: &mut Vec<CommandRecord>| part(records, 2, 55),
        &|records: &mut Vec<CommandRecord>| part(records, 3, 57),
    ];
    for change in malformed {
        assert_eq!(venue.apply(&shape(96, change)), "MalformedRecords");
    }
    assert_eq!(venue.apply(&shape(57, &|_| {})), "key 2 1 57 bytes, k");
}
