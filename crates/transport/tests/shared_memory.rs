//! Rings in files: what another process attaches to, and what a broken or hostile one can do.
#![cfg(all(unix, not(feature = "loom")))]

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;

use tradewright_transport::{
    Access, Consumer, FrameError, FrameReader, FrameSlot, FrameWriter, HEADER_BYTES, LAYOUT_VERSION, MAGIC,
    ManyConsumer, ManyProducer, Polled, Producer, Reader, Region, RegionError, RegionOptions, Releaser, Shape, Start,
    Writer, layout_hash, slots_of_frame,
};
use tradewright_types::{EventRecord, SCHEMA_VERSION};
use zerocopy::FromZeros;

/// A file name of its own for each test, removed at its end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder = if fs::metadata("/dev/shm").is_ok() { PathBuf::from("/dev/shm") } else { std::env::temp_dir() };
        Self(folder.join(format!("tradewright-test-{}-{name}.ring", std::process::id())))
    }

    fn create(&self, shape: Shape) -> std::sync::Arc<Region> {
        Region::create(&self.0, shape, &RegionOptions::default()).expect("a new ring")
    }

    fn file(&self) -> File {
        OpenOptions::new().read(true).write(true).open(&self.0).expect("the ring's file")
    }

    /// Writes a word as a peer could who keeps to no rule.
    fn poke(&self, offset: u64, value: u64) {
        self.file().write_all_at(&value.to_le_bytes(), offset).expect("the file takes it");
    }

    fn peek(&self, offset: u64) -> u64 {
        let mut bytes = [0; 8];
        self.file().read_exact_at(&mut bytes, offset).expect("the file has it");
        u64::from_le_bytes(bytes)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn the_header_stands_where_the_page_says() {
    let place = Place::new("header");
    let region = place.create(Shape::queue::<FrameSlot>(64, 5));
    assert_eq!((place.peek(0), &MAGIC.to_le_bytes()), (MAGIC, b"TWRING\0\0"));
    assert_eq!(place.peek(8), u64::from(LAYOUT_VERSION) | 1 << 32);
    assert_eq!(place.peek(16), layout_hash("frame", 1, 64));
    assert_eq!(place.peek(24), 64 | 4 << 32);
    assert_eq!((place.peek(32), place.peek(40)), (64, region.generation()));
    assert_eq!(place.peek(48), HEADER_BYTES as u64 + (64 + 4) * 64);
    assert_eq!(place.peek(56), u64::from(std::process::id()) | 1 << 32);
    assert_eq!(place.file().metadata().expect("a file").len(), place.peek(48));
    let mut producer = Producer::<FrameSlot>::attach(&region).expect("the first");
    let slot = FrameSlot { words: [0x0102_0304; 8] };
    producer.push_slice(&[slot; 3]).expect("an honest consumer");
    assert_eq!((place.peek(128), place.peek(256)), (3, 0));
    assert_eq!(place.peek(640), u64::from(std::process::id()));
    assert_eq!((place.peek(4096), place.peek(4096 + 3 * 64)), (0x0102_0304, 0));
    assert_eq!(place.peek(4096 + 64 * 64), 0x0102_0304, "the first slots are repeated behind the last");
}

#[test]
fn layout_hashes_do_not_change_unnoticed() {
    assert_eq!(layout_hash("command", SCHEMA_VERSION, 64), COMMAND_HASH);
    assert_eq!(layout_hash("event", SCHEMA_VERSION, 128), EVENT_HASH);
}

const COMMAND_HASH: u64 = 0xaff7_aa41_56c9_1f19;
const EVENT_HASH: u64 = 0x4442_a539_6680_9d9a;

#[test]
fn the_file_belongs_to_its_user_unless_told_otherwise() {
    let place = Place::new("mode");
    let region = place.create(Shape::broadcast::<u64>(8));
    assert_eq!(place.file().metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    drop(region);
    let options = RegionOptions { file_mode: 0o640, ..RegionOptions::default() };
    let _region = Region::create(&place.0, Shape::broadcast::<u64>(8), &options).expect("a new ring");
    assert_eq!(place.file().metadata().expect("a file").permissions().mode() & 0o777, 0o640);
}

#[test]
fn both_ends_of_a_queue_meet_in_the_file() {
    let place = Place::new("queue");
    let ours = place.create(Shape::queue::<EventRecord>(8, 2));
    let theirs = Region::open(&place.0, Access::ReadWrite).expect("the ring is there");
    assert_eq!((theirs.shape(), theirs.generation()), (ours.shape(), ours.generation()));
    let mut producer = Producer::<EventRecord>::attach(&ours).expect("the first");
    let mut consumer = Consumer::<EventRecord>::attach(&theirs).expect("the first");
    assert!(matches!(Producer::<EventRecord>::attach(&theirs), Err(RegionError::RoleTaken { .. })));
    for sequence in 0..20 {
        let event = EventRecord { sequence, ..EventRecord::default() };
        assert!(producer.push_whole(&[event, event]).expect("an honest consumer"));
        let mut into = [EventRecord::default(); 8];
        assert_eq!(consumer.pop_slice(&mut into).expect("an honest producer"), 2);
        assert_eq!(into[..2], [event, event]);
    }
}

#[test]
fn a_broadcast_is_followed_with_the_right_to_read_alone() {
    let place = Place::new("feed");
    let ours = place.create(Shape::broadcast::<u64>(8));
    let (mut writer, mut releaser) = (Writer::attach(&ours).expect("first"), Releaser::attach(&ours).expect("first"));
    fs::set_permissions(&place.0, fs::Permissions::from_mode(0o400)).expect("our file");
    let theirs = Region::open(&place.0, Access::ReadOnly).expect("reading is allowed");
    let mut reader = Reader::<u64>::attach(&theirs, Start::Oldest).expect("the same slots");
    writer.write(&[4, 5, 6]);
    releaser.release(2);
    let mut into = [0; 8];
    assert_eq!((reader.poll(&mut into), &into[..2]), (Polled::Count(2), &[4, 5][..]));
    assert!(matches!(reader.register("me"), Err(RegionError::ReadOnly { .. })));
    assert!(matches!(Writer::<u64>::attach(&theirs), Err(RegionError::ReadOnly { role: "writer" })));
    reader.pause(&mut tradewright_transport::Idle::new(tradewright_transport::Wait::Park {
        spins: 0,
        timeout: std::time::Duration::from_millis(1),
    }));
    theirs.close();
    assert!(!ours.is_closed(), "who may only read cannot close");
}

#[test]
fn a_client_notices_that_the_owner_ended_or_started_again() {
    let place = Place::new("restart");
    let first = place.create(Shape::queue::<u64>(8, 1));
    let client = Region::open(&place.0, Access::ReadWrite).expect("the ring is there");
    assert!(!client.is_closed() && !client.is_replaced() && client.is_owner_alive());
    let error = Region::create(&place.0, Shape::queue::<u64>(8, 1), &RegionOptions::default()).expect_err("in use");
    assert!(matches!(error, RegionError::InUse { .. }), "{error}");

    // An owner that is killed says nothing and leaves its file; here its process number is made one that nobody has.
    place.poke(56, u64::from(u32::MAX >> 1) | 1 << 32);
    assert!(!client.is_closed() && !client.is_owner_alive());
    let second = place.create(Shape::queue::<u64>(8, 1));
    assert!(client.is_closed() && client.is_replaced());
    assert_ne!(second.generation(), client.generation());
    drop(first);
    assert!(place.0.exists(), "the first owner leaves the file of the second alone");
    let client = Region::open(&place.0, Access::ReadWrite).expect("the new ring");
    drop(second);
    assert!(client.is_closed() && !place.0.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_sealed_ring_cannot_be_cut_short_by_those_who_may_write_to_it() {
    let place = Place::new("sealed");
    let options = RegionOptions { is_sealed: true, ..RegionOptions::default() };
    let ours = Region::create(&place.0, Shape::queue::<u64>(8, 1), &options).expect("a new ring");
    let error = place.file().set_len(0).expect_err("sealed");
    assert_eq!(error.raw_os_error(), Some(1), "EPERM");
    assert!(place.file().set_len(1 << 20).is_err());
    assert_eq!(place.file().metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    let theirs = Region::open(&place.0, Access::ReadWrite).expect("the link leads to it");
    let mut producer = Producer::<u64>::attach(&theirs).expect("the first");
    let mut consumer = Consumer::<u64>::attach(&ours).expect("the first");
    producer.push_slice(&[3]).expect("an honest consumer");
    assert_eq!(consumer.readable().expect("an honest producer"), [3]);
    let error = Region::create(&place.0, Shape::queue::<u64>(8, 1), &options).expect_err("in use");
    assert!(matches!(error, RegionError::InUse { .. }), "{error}");
    drop((consumer, ours));
    assert!(theirs.is_closed() && theirs.is_replaced() && !place.0.is_symlink());
    // What an owner leaves that is killed leads nowhere, and is replaced.
    std::os::unix::fs::symlink("/proc/2147483647/fd/3", &place.0).expect("a folder to write to");
    assert!(theirs.is_replaced());
    assert!(Region::create(&place.0, Shape::queue::<u64>(8, 1), &options).is_ok());
}

#[test]
fn a_side_whose_process_ended_is_free() {
    let place = Place::new("dead-client");
    let region = place.create(Shape::queue::<u64>(8, 1));
    place.poke(640, u64::from(u32::MAX >> 1));
    assert!(Producer::<u64>::attach(&region).is_ok());
    place.poke(640, 1);
    assert!(matches!(Producer::<u64>::attach(&region), Err(RegionError::RoleTaken { process: 1, .. })));
}

#[test]
fn a_file_that_is_no_ring_is_neither_opened_nor_replaced() {
    let place = Place::new("letter");
    fs::write(&place.0, "Dear client, ".repeat(1000)).expect("a folder to write to");
    let error = Region::open(&place.0, Access::ReadWrite).expect_err("no ring");
    assert!(error.to_string().contains("magic="), "{error}");
    Region::create(&place.0, Shape::queue::<u64>(8, 1), &RegionOptions::default()).expect_err("not ours to replace");
    assert!(fs::read_to_string(&place.0).expect("still there").starts_with("Dear client"));
    let missing = Region::open("/dev/shm/tradewright-no-such.ring", Access::ReadOnly).expect_err("missing");
    assert!(missing.to_string().contains("cannot open the file"), "{missing}");
}

#[test]
fn every_field_of_the_header_is_checked_before_it_is_believed() {
    let cases: [(u64, u64, &str); 12] = [
        (0, 7, "magic=0x7"),
        (8, 2 | 1 << 32, "layout_version=0x2"),
        (8, 1 | 9 << 32, "kind=0x9"),
        (24, 64 | 8 << 32, "message_slots_max=9"),
        (24, 12, "slot_bytes=12"),
        (24, 0, "slot_bytes=0"),
        (32, 7, "capacity=7"),
        (32, 1 << 60, "capacity=1152921504606846976"),
        (32, 16, "length="),
        (48, 1 << 40, "length=0x10000000000"),
        (24, u64::MAX, "message_slots_max=4294967296"),
        (56, 1 | 2 << 32, "closed"),
    ];
    for (offset, value, message) in cases {
        let place = Place::new("liar");
        let _region = place.create(Shape::queue::<u64>(8, 1));
        place.poke(offset, value);
        let error = Region::open(&place.0, Access::ReadWrite).expect_err(message).to_string();
        assert!(error.contains(message), "{message}: {error}");
    }
}

#[test]
fn a_file_that_was_cut_is_refused() {
    let place = Place::new("cut");
    drop(Region::create(&place.0, Shape::queue::<u64>(8, 1), &RegionOptions::default()).map(std::mem::forget));
    for length in [4096, 63, 0] {
        place.file().set_len(length).expect("our file");
        let error = Region::open(&place.0, Access::ReadOnly).expect_err("cut").to_string();
        assert!(error.contains("length="), "{error}");
    }
}

#[test]
fn a_cursor_that_lies_is_found_out_and_leads_nowhere() {
    let place = Place::new("cursor");
    let region = place.create(Shape::queue::<u64>(8, 4));
    let mut producer = Producer::<u64>::attach(&region).expect("the first");
    let mut consumer = Consumer::<u64>::attach(&region).expect("the first");
    producer.push_slice(&[1, 2, 3]).expect("an honest consumer");
    consumer.depth().expect("an honest producer");
    for lie in [2, 9, u64::MAX] {
        place.poke(128, lie);
        let error = consumer.readable().expect_err("a lie").to_string();
        assert_eq!(error, format!("ring is corrupt: written={lie} must be from 3 to 8"));
        assert!(consumer.pop_slice(&mut [0; 8]).is_err());
    }
    for lie in [4, u64::MAX] {
        place.poke(256, lie);
        assert!(producer.free().is_err() && producer.push_slice(&[0; 8]).is_err() && producer.claim(4).is_ok());
    }
    drop((producer, consumer));
    assert!(matches!(Consumer::<u64>::attach(&region), Err(RegionError::Corrupt(_))));
    place.poke(128, 0);
    assert!(matches!(Producer::<u64>::attach(&region), Err(RegionError::Corrupt(_))));
}

#[test]
fn frames_of_every_length_pass_whole() {
    let place = Place::new("frames");
    let ours = place.create(Shape::queue::<FrameSlot>(16, 4));
    let theirs = Region::open(&place.0, Access::ReadWrite).expect("the ring is there");
    let mut writer = FrameWriter::new(Producer::attach(&ours).expect("the first"));
    let mut reader = FrameReader::new(Consumer::attach(&theirs).expect("the first"));
    assert_eq!(reader.receive().expect("an honest peer"), None);
    for length in 1..=248 {
        let frame: Vec<u8> = (0..length).map(|i| (i * 7 + length) as u8).collect();
        assert!(writer.send(&frame).expect("a legal frame"));
        assert_eq!(reader.receive().expect("an honest peer"), Some(&frame[..]));
    }
    assert_eq!(writer.send(&[]), Err(FrameError::Empty));
    assert_eq!(writer.send(&[0; 249]), Err(FrameError::TooLong { length_bytes: 249, length_bytes_max: 248 }));
    assert_eq!([0, 56, 57, 248].map(slots_of_frame), [1, 1, 2, 4]);
    let sent = (0..20).take_while(|_| writer.send(&[1; 100]).expect("a legal frame")).count();
    assert_eq!(sent, 8, "a full ring takes no part of a frame");
}

#[test]
fn a_peer_that_lies_about_a_frame_is_found_out() {
    let cases: [(u64, usize, FrameError); 4] = [
        (0, 1, FrameError::Empty),
        (5 | 3 << 32, 1, FrameError::PrefixNotZero { found: 3 }),
        (100_000, 4, FrameError::TooLong { length_bytes: 100_000, length_bytes_max: 248 }),
        (200, 2, FrameError::Truncated { slots: 4, published: 2 }),
    ];
    for (prefix, slots, error) in cases {
        let place = Place::new("frame-liar");
        let region = place.create(Shape::queue::<FrameSlot>(16, 4));
        let mut peer = Producer::<FrameSlot>::attach(&region).expect("the first");
        let mut reader = FrameReader::new(Consumer::attach(&region).expect("the first"));
        let mut lie = vec![FrameSlot::new_zeroed(); slots];
        lie[0].words[0] = prefix;
        peer.push_slice(&lie).expect("an honest consumer");
        assert_eq!(reader.receive(), Err(error));
    }
}

/// A peer that writes whatever it likes wherever it likes: nothing panics and nothing outside the ring is touched.
#[test]
fn a_peer_that_scribbles_everywhere_is_survived() {
    for seed in 1..60_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let queue = Place::new("scribbled-queue");
        let feed = Place::new("scribbled-feed");
        let many = Place::new("scribbled-many");
        let (in_queue, in_feed) =
            (queue.create(Shape::queue::<FrameSlot>(8, 4)), feed.create(Shape::broadcast::<u64>(8)));
        let in_many = many.create(Shape::many_queue::<u64>(8, 4));
        let mut writer = FrameWriter::new(Producer::attach(&in_queue).expect("the first"));
        let mut reader = FrameReader::new(Consumer::attach(&in_queue).expect("the first"));
        let mut follower = Reader::<u64>::attach(&in_feed, Start::Oldest).expect("the same slots");
        let mut producer = ManyProducer::<u64>::attach(&in_many).expect("the same slots");
        let mut consumer = ManyConsumer::<u64>::attach(&in_many).expect("the first");
        for _ in 0..40 {
            for place in [&queue, &feed, &many] {
                let offset = if random(2) == 0 { 128 + random(70) * 8 } else { 4096 + random(16) * 8 };
                let value = [random(20), u64::MAX - random(3), 1 << random(64), random(u64::MAX)][random(4) as usize];
                place.poke(offset, value);
            }
            let _ = writer.send(&vec![1; 1 + random(248) as usize]);
            let _ = reader.receive();
            let _ =
                (producer.push_whole(&[1, 2]), consumer.readable().map(<[u64]>::len), consumer.pop_slice(&mut [0; 8]));
            let _ = (follower.poll(&mut [0; 8]), follower.lag(), in_feed.readers().len());
            if random(8) == 0 {
                follower.seek(random(30));
            }
        }
    }
}
