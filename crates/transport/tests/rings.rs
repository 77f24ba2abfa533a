//! Rings in memory of one process.
#![cfg(not(feature = "loom"))]

use std::thread;
use std::time::{Duration, Instant};

use tradewright_transport::{
    Bell, Consumer, Idle, Polled, Producer, Reader, Region, RegionError, RegionOptions, Releaser, Shape, Start, Wait,
    Writer, broadcast, many_queue, queue,
};
use tradewright_types::CommandRecord;
use zerocopy::FromZeros;

const PATIENT: Wait = Wait::Park { spins: 100, timeout: Duration::from_millis(100) };

fn numbers(range: std::ops::Range<u64>) -> Vec<u64> {
    range.collect()
}

#[test]
fn a_queue_gives_back_what_it_was_given_in_pieces_that_end_with_the_ring() {
    let (mut producer, mut consumer) = queue::<u64>(8, 1).expect("a legal shape");
    assert_eq!(producer.push_slice(&numbers(0..6)).unwrap(), 6);
    assert_eq!(consumer.readable().unwrap(), numbers(0..6));
    consumer.release(5);
    assert_eq!(producer.push_slice(&numbers(6..20)).unwrap(), 7, "one slot is not released");
    assert_eq!(consumer.readable().unwrap(), numbers(5..8));
    consumer.release(3);
    assert_eq!(consumer.readable().unwrap(), numbers(8..13));
    consumer.release(5);
    assert_eq!(consumer.readable().unwrap(), []);
    assert_eq!((producer.written(), consumer.consumed(), producer.free().unwrap()), (13, 13, 8));
}

#[test]
fn a_full_queue_takes_nothing_until_slots_are_released() {
    let (mut producer, mut consumer) = queue::<u64>(4, 1).expect("a legal shape");
    assert_eq!(producer.push_slice(&numbers(0..9)).unwrap(), 4);
    assert_eq!(producer.push_slice(&[9]).unwrap(), 0);
    assert!(!producer.push_whole(&[9]).unwrap());
    assert_eq!(producer.depth().unwrap(), 4);
    let mut into = [0; 3];
    assert_eq!(consumer.pop_slice(&mut into).unwrap(), 3);
    assert_eq!(into, [0, 1, 2]);
    assert!(!producer.push_whole(&numbers(4..8)).unwrap(), "all or nothing");
    assert!(producer.push_whole(&numbers(4..7)).unwrap());
    assert_eq!(consumer.depth().unwrap(), 4);
}

#[test]
fn a_message_that_begins_before_the_end_of_the_ring_lies_in_one_piece() {
    for slots_max in 1..=8_usize {
        let (mut producer, mut consumer) = queue::<u64>(8, slots_max as u32).expect("a legal shape");
        let mut next = 0;
        for round in 0..200 {
            // Written in turns as a slice and in place: both must repeat the front of the ring behind its end.
            let count = 1 + round % slots_max;
            let message = numbers(next..next + count as u64);
            if round % 3 == 0 {
                assert!(producer.push_whole(&message).unwrap());
            } else {
                producer.claim(count).unwrap().expect("room").copy_from_slice(&message);
                producer.commit(count);
            }
            assert_eq!(consumer.readable().unwrap(), message, "messages of up to {slots_max}, round {round}");
            consumer.release(count);
            next += count as u64;
        }
    }
}

#[test]
fn a_claim_can_be_published_in_part() {
    let (mut producer, mut consumer) = queue::<u64>(8, 4).expect("a legal shape");
    producer.claim(4).unwrap().expect("room").copy_from_slice(&[1, 2, 3, 4]);
    producer.commit(3);
    assert_eq!(consumer.readable().unwrap(), [1, 2, 3]);
    assert!(producer.claim(4).unwrap().is_some());
    assert!(producer.push_whole(&[5, 6]).unwrap());
    assert!(producer.claim(4).unwrap().is_none(), "three slots are left");
}

#[test]
#[should_panic(expected = "3 slots were not given out, 2 were")]
fn more_than_was_claimed_cannot_be_published() {
    let (mut producer, _consumer) = queue::<u64>(8, 4).expect("a legal shape");
    assert!(producer.claim(2).unwrap().is_some());
    producer.commit(3);
}

#[test]
#[should_panic(expected = "2 slots cannot be released, 1 were seen")]
fn what_was_not_seen_cannot_be_released() {
    let (mut producer, mut consumer) = queue::<u64>(8, 1).expect("a legal shape");
    producer.push_slice(&[1]).unwrap();
    assert_eq!(consumer.depth().unwrap(), 1);
    consumer.release(2);
}

#[test]
fn threads_pass_a_million_records_through_a_queue() {
    for wait in [Wait::Yield, PATIENT] {
        let (mut producer, mut consumer) = queue::<CommandRecord>(1 << 8, 3).expect("a legal shape");
        const COUNT: u64 = 300_000;
        let writing = thread::spawn(move || {
            let mut idle = Idle::new(wait);
            let mut next = 0;
            while next < COUNT {
                let mut records = [CommandRecord::new_zeroed(); 3];
                for (i, record) in records.iter_mut().enumerate() {
                    record.order_ref = next + i as u64;
                    record.price_ticks = (next + i as u64) as i64;
                }
                if producer.push_whole(&records).unwrap() {
                    next += 3;
                    idle.worked();
                } else {
                    producer.pause(&mut idle);
                }
            }
        });
        let (mut expected, mut idle) = (0, Idle::new(wait));
        while expected < COUNT {
            let records = consumer.readable().unwrap();
            let whole = records.len() / 3 * 3;
            for record in &records[..whole] {
                assert_eq!((record.order_ref, record.price_ticks), (expected, expected as i64));
                expected += 1;
            }
            consumer.release(whole);
            if whole > 0 {
                idle.worked();
            } else {
                consumer.pause(&mut idle);
            }
        }
        writing.join().expect("the producer ends");
    }
}

#[test]
fn whole_messages_of_many_producers_arrive_in_the_order_of_each() {
    let (first, mut consumer) = many_queue::<u64>(64, 5).expect("a legal shape");
    const MESSAGES: u64 = 30_000;
    let producers: Vec<_> = (0..3_u64)
        .map(|name| {
            let mut producer = first.clone();
            thread::spawn(move || {
                let mut idle = Idle::new(PATIENT);
                for number in 0..MESSAGES {
                    let length = 1 + (number % 5) as usize;
                    let message = [(name << 32 | number) << 3 | length as u64; 5];
                    while !producer.push_whole(&message[..length]).unwrap() {
                        producer.pause(&mut idle);
                    }
                    idle.worked();
                }
            })
        })
        .collect();
    let (mut next, mut idle) = ([0; 3], Idle::new(PATIENT));
    while next.iter().sum::<u64>() < 3 * MESSAGES {
        let mut rest = consumer.readable().unwrap();
        let count = rest.len();
        while let [head, ..] = rest {
            let (length, name, number) = ((head & 7) as usize, head >> 35, head >> 3 & u64::from(u32::MAX));
            assert_eq!(rest[..length], [*head; 5][..length], "a message is whole");
            assert_eq!(number, next[name as usize], "messages of a producer keep their order");
            next[name as usize] += 1;
            rest = &rest[length..];
        }
        consumer.release(count);
        if count > 0 {
            idle.worked();
        } else {
            consumer.pause(&mut idle);
        }
    }
    for producer in producers {
        producer.join().expect("the producer ends");
    }
    assert_eq!(consumer.depth(), 0);
}

#[test]
fn a_queue_for_many_takes_whole_messages_only() {
    let (mut producer, mut consumer) = many_queue::<u64>(4, 3).expect("a legal shape");
    assert!(producer.push_whole(&[1, 2, 3]).unwrap());
    assert!(!producer.push_whole(&[4, 5]).unwrap());
    let mut into = [0; 3];
    assert_eq!((consumer.pop_slice(&mut into).unwrap(), into), (3, [1, 2, 3]));
    assert!(producer.push_whole(&[4, 5, 6]).unwrap() && producer.push_whole(&[7]).unwrap());
    assert_eq!(consumer.readable().unwrap(), [4, 5, 6], "what begins before the end of the ring lies in one piece");
    assert_eq!(producer.depth(), 4);
    consumer.release(3);
    assert_eq!(consumer.readable().unwrap(), [7]);
    consumer.release(1);
    assert_eq!(producer.depth(), 0);
}

#[test]
fn readers_see_what_is_released_and_nothing_more() {
    let (mut writer, mut releaser) = broadcast::<u64>(8).expect("a legal shape");
    let mut reader = Reader::<u64>::attach(writer.region(), Start::Oldest).expect("the same slots");
    let mut into = [0; 8];
    writer.write(&[1, 2, 3]);
    assert_eq!(reader.poll(&mut into), Polled::Empty);
    assert_eq!(releaser.release(2), 2);
    assert_eq!((reader.poll(&mut into), &into[..2]), (Polled::Count(2), &[1, 2][..]));
    assert_eq!(releaser.release(1), 2, "nothing is taken back");
    assert_eq!(releaser.release(9), 3, "what is not written is not there");
    assert_eq!((reader.lag(), reader.poll(&mut into), into[0]), (1, Polled::Count(1), 3));
    assert_eq!((reader.position(), reader.lag(), writer.room()), (3, 0, 8));
    writer.write(&[4, 5]);
    assert_eq!((writer.written(), writer.room(), releaser.written()), (5, 6, 5));
}

#[test]
fn a_reader_that_was_overrun_learns_by_how_much() {
    let (mut writer, mut releaser) = broadcast::<u64>(8).expect("a legal shape");
    let mut reader = Reader::<u64>::attach(writer.region(), Start::Oldest).expect("the same slots");
    writer.write(&numbers(0..20));
    releaser.release(20);
    let mut into = [0; 8];
    // 12 are gone, and two more are left out to get some distance.
    assert_eq!(reader.poll(&mut into), Polled::Behind { skipped: 14 });
    assert_eq!((reader.poll(&mut into), &into[..6]), (Polled::Count(6), &numbers(14..20)[..]));
    assert_eq!((reader.skipped(), reader.poll(&mut into)), (14, Polled::Empty));
}

#[test]
fn slots_that_were_overwritten_before_they_were_released_are_missed_and_not_made_up() {
    let (mut writer, mut releaser) = broadcast::<u64>(4).expect("a legal shape");
    let mut reader = Reader::<u64>::attach(writer.region(), Start::Oldest).expect("the same slots");
    writer.write(&numbers(0..6));
    releaser.release(1);
    assert_eq!(reader.poll(&mut [0; 4]), Polled::Behind { skipped: 1 });
    assert_eq!(reader.poll(&mut [0; 4]), Polled::Empty);
    assert_eq!(writer.room(), 0);
}

#[test]
fn a_reader_begins_where_it_wants() {
    let (mut writer, mut releaser) = broadcast::<u64>(4).expect("a legal shape");
    writer.write(&numbers(0..6));
    releaser.release(6);
    for (start, position) in [(Start::Oldest, 2), (Start::Latest, 6), (Start::At(3), 3), (Start::At(9), 9)] {
        let mut reader = Reader::<u64>::attach(writer.region(), start).expect("the same slots");
        assert_eq!(reader.position(), position, "{start:?}");
        let mut into = Vec::new();
        let expected = numbers(position.min(6)..6);
        let polled = if expected.is_empty() { Polled::Empty } else { Polled::Count(expected.len()) };
        assert_eq!(reader.poll_into(&mut into, 100), polled, "{start:?}");
        assert_eq!(into, expected, "{start:?}");
    }
}

#[test]
fn a_reader_that_races_the_writer_never_takes_a_torn_slot() {
    const COUNT: u64 = 400_000;
    let (mut writer, mut releaser) = broadcast::<CommandRecord>(16).expect("a legal shape");
    let mut reader = Reader::<CommandRecord>::attach(writer.region(), Start::Oldest).expect("the same slots");
    let writing = thread::spawn(move || {
        for number in 0..COUNT {
            let mut record = CommandRecord::new_zeroed();
            (record.order_ref, record.header.time_ns, record.quantity_lots) = (number, number, number);
            writer.write(&[record]);
            releaser.release(number + 1);
        }
    });
    let (mut into, mut seen, mut missed) = ([CommandRecord::new_zeroed(); 8], 0, 0);
    while seen + missed < COUNT {
        let position = reader.position();
        match reader.poll(&mut into) {
            Polled::Count(count) => {
                for (record, number) in into[..count].iter().zip(position..) {
                    let found = (record.order_ref, record.header.time_ns, record.quantity_lots);
                    assert_eq!(found, (number, number, number));
                }
                seen += count as u64;
            }
            Polled::Behind { skipped } => missed += skipped,
            Polled::Empty => thread::yield_now(),
        }
    }
    writing.join().expect("the writer ends");
    assert_eq!(missed, reader.skipped());
}

#[test]
fn readers_show_the_operator_where_they_are() {
    let (mut writer, mut releaser) = broadcast::<u64>(8).expect("a legal shape");
    let mut reader = Reader::<u64>::attach(writer.region(), Start::Oldest).expect("the same slots");
    reader.register("feed, line A").expect("an empty table");
    writer.write(&numbers(0..5));
    releaser.release(5);
    assert_eq!(reader.poll(&mut [0; 2]), Polled::Count(2));
    let [status] = &writer.region().readers()[..] else { panic!("one reader is registered") };
    assert_eq!((status.name.as_str(), status.position, status.lag, status.polls), ("feed, line A", 2, 3, 1));
    assert!(status.is_alive && status.process == u64::from(std::process::id()));
    drop(reader);
    assert_eq!(writer.region().readers(), []);
}

#[test]
fn the_table_of_readers_has_an_end() {
    let (writer, _releaser) = broadcast::<u64>(8).expect("a legal shape");
    let attach = || Reader::<u64>::attach(writer.region(), Start::Latest).expect("the same slots");
    let mut readers: Vec<_> = (0..=tradewright_transport::READERS_MAX).map(|_| attach()).collect();
    let mut last = readers.pop().expect("one too many");
    // A name that is too long is cut between two characters.
    readers.iter_mut().for_each(|reader| reader.register(&"ü".repeat(21)).expect("a place"));
    assert_eq!(writer.region().readers()[0].name, "ü".repeat(20));
    assert!(matches!(last.register("late"), Err(RegionError::ReadersMax { readers_max: 48 })));
}

#[test]
fn each_side_belongs_to_one() {
    let region = Region::in_memory(Shape::queue::<u64>(8, 1), &RegionOptions::default()).expect("a legal shape");
    let producer = Producer::<u64>::attach(&region).expect("the first");
    assert!(matches!(Producer::<u64>::attach(&region), Err(RegionError::RoleTaken { role: "producer", .. })));
    drop(producer);
    let mut producer = Producer::<u64>::attach(&region).expect("the side was given back");
    producer.push_slice(&[7]).expect("an honest consumer");
    let mut consumer = Consumer::<u64>::attach(&region).expect("the first");
    assert_eq!(consumer.readable().expect("an honest producer"), [7]);
    assert!(Consumer::<u64>::attach(&region).is_err());
    assert!(matches!(Writer::<u64>::attach(&region), Err(RegionError::WrongKind { .. })));
    assert!(matches!(Releaser::attach(&region), Err(RegionError::WrongKind { .. })));
    assert!(matches!(Bell::attach(&region), Err(RegionError::WrongKind { .. })));
    let error = Producer::<CommandRecord>::attach(&region).expect_err("other slots");
    assert!(error.to_string().contains("layout_hash="), "{error}");
}

#[test]
fn shapes_that_no_ring_has_are_refused() {
    let cases = [
        (Shape::queue::<u64>(0, 1), "capacity=0 must be a power of two"),
        (Shape::queue::<u64>(12, 1), "capacity=12 must be a power of two"),
        (Shape::queue::<u64>(8, 9), "message_slots_max=9 must be at most the capacity"),
        (Shape::broadcast::<u64>(1 << 62), "capacity=4611686018427387904 is larger than any memory"),
    ];
    for (shape, message) in cases {
        let error = Region::in_memory(shape, &RegionOptions::default()).expect_err(message);
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_bell_wakes_a_thread_that_waits_for_several_queues() {
    let bell = Bell::in_memory().expect("memory");
    let (producer, mut first) = queue::<u64>(8, 1).expect("a legal shape");
    let (other, mut second) = queue::<u64>(8, 1).expect("a legal shape");
    let mut producers = [producer.ringing(&bell), other.ringing(&bell)];
    let sleeper = thread::spawn(move || {
        let mut idle = Idle::new(Wait::Park { spins: 0, timeout: Duration::from_secs(20) });
        let mut found = Vec::new();
        while found.len() < 2 {
            let before = found.len();
            for consumer in [&mut first, &mut second] {
                let mut into = [0; 8];
                let count = consumer.pop_slice(&mut into).expect("an honest producer");
                found.extend_from_slice(&into[..count]);
            }
            if found.len() == before {
                idle.pause(&bell, || first.is_ready() || second.is_ready());
            }
        }
        found
    });
    let started = Instant::now();
    for (number, producer) in producers.iter_mut().enumerate() {
        thread::sleep(Duration::from_millis(30));
        producer.push_slice(&[number as u64]).expect("an honest consumer");
    }
    assert_eq!(sleeper.join().expect("the sleeper ends"), [0, 1]);
    assert!(started.elapsed() < Duration::from_secs(10), "it was woken, and did not wait for its timeout");
}

#[test]
fn nobody_sleeps_longer_than_the_timeout() {
    let (_producer, consumer) = queue::<u64>(8, 1).expect("a legal shape");
    let mut idle = Idle::new(Wait::Park { spins: 0, timeout: Duration::from_millis(5) });
    let started = Instant::now();
    consumer.pause(&mut idle);
    assert!(started.elapsed() < Duration::from_secs(5));
}
