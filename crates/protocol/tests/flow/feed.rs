use std::collections::BTreeMap;

use tradewright_engine::Engine;
use tradewright_protocol::feed::{DatagramKind, FeedBook, FeedBuilder, FeedClient, FeedMessage, Packer, Taken};
use tradewright_sim::Random;
use tradewright_sim::flow::FlowConfig;
use tradewright_types::{InstrumentId, Side};

use crate::market::run;

/// Holds the queues of a book against those that the engine shows.
fn compare(engine: &Engine, book: &FeedBook, instrument: u32, command: u64) {
    for side in [Side::Buy, Side::Sell] {
        let shown = engine.queue_views(InstrumentId(instrument), side);
        let shown: Vec<(u64, i64, u64)> =
            shown.map(|view| (view.id.0, view.price.ticks(), view.displayed.lots())).collect();
        let told: Vec<(u64, i64, u64)> =
            book.queue(instrument, side).map(|order| (order.order, order.price_ticks, order.lots)).collect();
        assert_eq!(told, shown, "instrument {instrument}, {side:?}, command {command}");
        let levels: Vec<(i64, u64, u32)> = engine
            .level_views(InstrumentId(instrument), side)
            .map(|level| (level.price.ticks(), level.quantity.lots(), level.orders))
            .collect();
        let derived: Vec<(i64, u64, u32)> =
            book.levels(instrument, side).map(|level| (level.price_ticks, level.lots, level.orders)).collect();
        assert_eq!(derived, levels, "levels of instrument {instrument}, {side:?}, command {command}");
    }
}

#[test]
fn the_book_of_the_feed_is_the_one_that_the_engine_shows() {
    let config = FlowConfig { seed: 21, orders: 12_000, accounts: 300, instruments: 6 };
    let mut builder = FeedBuilder::new();
    let mut book = FeedBook::default();
    let mut told: BTreeMap<u16, u64> = BTreeMap::new();
    let (mut next, mut commands) = (1, 0_u64);
    run(config, |engine, _, events| {
        commands += 1;
        for event in events {
            builder.read(event, &mut |sequence, message| {
                assert_eq!(sequence, next, "one sequence without a gap");
                next += 1;
                book.apply(&message).unwrap_or_else(|error| panic!("{error} at command {commands}: {message:?}"));
                *told.entry(message.template()).or_default() += 1;
            });
        }
        let mut touched: Vec<u32> = events
            .iter()
            .map(|event| event.instrument)
            .filter(|id| (*id as usize) < engine.instrument_count())
            .collect();
        touched.sort_unstable();
        touched.dedup();
        for instrument in touched {
            compare(engine, &book, instrument, commands);
        }
        if commands.is_multiple_of(4_000) {
            // A builder that begins now shows the same, and so does a snapshot.
            let fresh = FeedBuilder::of(engine, next);
            let mut snapshot = FeedBook::default();
            fresh.snapshot(&mut |message| snapshot.apply(&message).expect("a snapshot fits to itself"));
            for instrument in 0..engine.instrument_count() as u32 {
                compare(engine, fresh.book(), instrument, commands);
                compare(engine, &snapshot, instrument, commands);
                assert_eq!(fresh.book().last_price_ticks(instrument), book.last_price_ticks(instrument));
                assert_eq!(snapshot.last_price_ticks(instrument), book.last_price_ticks(instrument));
                compare(engine, &book, instrument, commands);
            }
        }
    });
    for template in 1..=8 {
        assert!(told.get(&template).is_some_and(|count| *count > 10), "template {template}: {told:?}");
    }
}

/// The sequences of the channel are a function of the log: wherever a builder begins, it tells the same messages.
#[test]
fn a_builder_that_begins_late_goes_on_as_the_first() {
    for seed in [22, 25] {
        let config = FlowConfig { seed, orders: 4_000, accounts: 300, instruments: 4 };
        let (mut first, mut late): (FeedBuilder, Option<FeedBuilder>) = (FeedBuilder::new(), None);
        let mut commands = 0_u64;
        run(config, |engine, records, events| {
            commands += 1;
            let read = |builder: &mut FeedBuilder| {
                let mut told = Vec::new();
                for event in events {
                    builder.read(event, &mut |sequence, message| told.push((sequence, message)));
                }
                told
            };
            let told = read(&mut first);
            if let Some(late) = &mut late {
                assert_eq!(read(late), told, "seed {seed}, command {commands}: {records:?}");
            }
            if commands.is_multiple_of(250) {
                for instrument in 0..engine.instrument_count() as u32 {
                    compare(engine, first.book(), instrument, commands);
                }
                late = Some(FeedBuilder::of(engine, first.next_sequence()));
            }
        });
        assert!(late.is_some());
    }
}

/// Two lines that lose, double and disorder datagrams, a client that is there from the beginning, and one that comes late.
#[test]
fn clients_end_up_with_the_same_book_whatever_the_lines_do() {
    let config = FlowConfig { seed: 23, orders: 6_000, accounts: 200, instruments: 3 };
    let mut random = Random::new(3);
    let mut builder = FeedBuilder::new();
    let mut packer = Packer::new(7, 1, DatagramKind::Incremental, 1);
    let (mut early, mut late) = (FeedClient::from_beginning(), FeedClient::default());
    let mut commands = 0_u64;
    let (mut retransmitted, mut waits, mut known) = (0, 0, 0);
    let mut history: Vec<Vec<u8>> = Vec::new();
    let mut delayed: Vec<Vec<u8>> = Vec::new();
    run(config, |engine, _, events| {
        commands += 1;
        let mut datagrams: Vec<Vec<u8>> = Vec::new();
        for event in events {
            builder
                .read(event, &mut |_, message| packer.push(&message, 5, &mut |bytes| datagrams.push(bytes.to_vec())));
        }
        if commands.is_multiple_of(3) {
            packer.flush(5, &mut |bytes| datagrams.push(bytes.to_vec()));
        }
        history.extend(datagrams.iter().cloned());
        let mut lines: Vec<Vec<u8>> = core::mem::take(&mut delayed);
        for datagram in datagrams {
            assert!(datagram.len() <= 1_400);
            for _line in 0..2 {
                match random.below(100) {
                    0..10 => {}
                    10..20 => delayed.push(datagram.clone()),
                    _ => lines.push(datagram.clone()),
                }
            }
        }
        for client in [&mut early, &mut late] {
            for datagram in &lines {
                match client.take(datagram).expect("the feed is sound") {
                    Taken::Waits { .. } => waits += 1,
                    Taken::Known => known += 1,
                    Taken::Applied(_) | Taken::Snapshot | Taken::Service | Taken::Restarted => {}
                }
            }
        }
        if commands.is_multiple_of(100) {
            // What is lost on both lines is asked for again.
            while let Some(gap) = early.gap() {
                retransmitted += 1;
                let lost = history.iter().find(|datagram| {
                    let first = u64::from_le_bytes(datagram[12..20].try_into().expect("eight bytes"));
                    let count = u64::from(u16::from_le_bytes([datagram[4], datagram[5]]));
                    (first..first + count).contains(&gap.start)
                });
                early.take(lost.expect("it was sent")).expect("the feed is sound");
            }
        }
        if commands == 4_000 || commands.is_multiple_of(3_000) {
            let mut packer = Packer::new(8, 1, DatagramKind::Snapshot, 1);
            let mut send = |bytes: &[u8]| {
                late.take(bytes).expect("a snapshot is sound");
            };
            builder.snapshot(&mut |message| packer.push(&message, 5, &mut send));
            packer.flush(5, &mut send);
        }
        if late.next_sequence() == Some(builder.next_sequence()) && commands.is_multiple_of(50) {
            for instrument in 0..engine.instrument_count() as u32 {
                compare(engine, late.book(), instrument, commands);
            }
        }
    });
    let mut rest = Vec::new();
    packer.flush(5, &mut |bytes| rest.push(bytes.to_vec()));
    for datagram in history.iter().chain(&rest) {
        early.take(datagram).expect("the feed is sound");
        late.take(datagram).expect("the feed is sound");
    }
    assert_eq!(early.next_sequence(), Some(builder.next_sequence()));
    assert_eq!(late.next_sequence(), Some(builder.next_sequence()));
    for instrument in 0..3 {
        for side in [Side::Buy, Side::Sell] {
            let queue = |book: &FeedBook| book.queue(instrument, side).copied().collect::<Vec<_>>();
            assert_eq!(queue(early.book()), queue(builder.book()));
            assert_eq!(queue(late.book()), queue(builder.book()));
        }
    }
    assert!(retransmitted > 5 && waits > 5 && known > 100, "{retransmitted} {waits} {known}");
}

#[test]
fn broken_datagrams_never_panic() {
    let mut datagrams: Vec<Vec<u8>> = Vec::new();
    let mut builder = FeedBuilder::new();
    let mut packer = Packer::new(7, 1, DatagramKind::Incremental, 1);
    run(FlowConfig { seed: 24, orders: 500, accounts: 100, instruments: 2 }, |_, _, events| {
        for event in events {
            builder.read(event, &mut |_, message: FeedMessage| {
                packer.push(&message, 5, &mut |bytes| datagrams.push(bytes.to_vec()));
            });
        }
    });
    let mut snapshots = Packer::new(8, 1, DatagramKind::Snapshot, 1);
    let mut taken: Vec<Vec<u8>> = Vec::new();
    builder.snapshot(&mut |message| snapshots.push(&message, 5, &mut |bytes| taken.push(bytes.to_vec())));
    snapshots.flush(5, &mut |bytes| taken.push(bytes.to_vec()));
    datagrams.extend(taken);
    if std::env::var_os("TRADEWRIGHT_WRITE_CORPUS").is_some() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/feed");
        std::fs::create_dir_all(&folder).expect("a folder");
        let last = datagrams.len() - 1;
        for (name, places) in [("seed-first", vec![0, 1, 2]), ("seed-late", vec![last, 3, 0])] {
            let bytes: Vec<u8> = places.into_iter().flat_map(|place| datagrams[place].clone()).collect();
            std::fs::write(folder.join(name), bytes).expect("a seed");
        }
    }
    let mut random = Random::new(4);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..20_000 {
        let mut client = FeedClient::from_beginning();
        for _ in 0..3 {
            let mut bytes = datagrams[random.below(datagrams.len() as u64) as usize].clone();
            for _ in 0..random.below(4) {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] = random.next_u64() as u8;
            }
            if random.chance_ppm(100_000) {
                bytes.truncate(random.below(bytes.len() as u64) as usize);
            }
            match client.take(&bytes) {
                Ok(_) => good += 1,
                Err(_) => bad += 1,
            }
        }
    }
    assert!(good > 1_000 && bad > 1_000, "{good} {bad}");
}
