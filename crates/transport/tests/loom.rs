//! The rings under a model checker that tries every interleaving and every value that weak memory may show: nothing is lost,
//! nothing doubled, nothing torn, and a reader that was overrun learns it.
//!
//! `cargo test --package tradewright-transport --features loom --test loom`

use loom::thread;
use tradewright_transport::{Polled, Reader, Slot, Start, broadcast, many_queue, queue};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Two words, so that a slot can be torn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Twice {
    first: u64,
    second: u64,
}

impl Twice {
    const fn new(value: u64) -> Self {
        Self { first: value, second: value }
    }
}

impl Slot for Twice {
    const LAYOUT: &'static str = "twice";
}

fn model(preemptions: usize, check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(check);
}

#[test]
fn a_queue_loses_and_doubles_nothing() {
    model(3, || {
        let (mut producer, mut consumer) = queue::<Twice>(2, 1).expect("a legal shape");
        let writing = thread::spawn(move || {
            let mut next = 1;
            while next <= 3 {
                if producer.push_slice(&[Twice::new(next)]).expect("an honest consumer") == 1 {
                    next += 1;
                } else {
                    thread::yield_now();
                }
            }
        });
        let mut expected = 1;
        while expected <= 3 {
            let mut into = [Twice::new(0); 2];
            let count = consumer.pop_slice(&mut into).expect("an honest producer");
            for slot in &into[..count] {
                assert_eq!(*slot, Twice::new(expected));
                expected += 1;
            }
            if count == 0 {
                thread::yield_now();
            }
        }
        writing.join().expect("the producer ends");
    });
}

#[test]
fn producers_that_meet_keep_their_messages_whole() {
    model(3, || {
        let (first, mut consumer) = many_queue::<u64>(4, 2).expect("a legal shape");
        let producers = [(first.clone(), 10), (first, 20)].map(|(mut producer, value)| {
            thread::spawn(move || {
                while !producer.push_whole(&[value, value + 1]).expect("an honest consumer") {
                    thread::yield_now();
                }
            })
        });
        let mut received = Vec::new();
        while received.len() < 4 {
            let mut into = [0; 4];
            let count = consumer.pop_slice(&mut into).expect("honest producers");
            received.extend_from_slice(&into[..count]);
            if count == 0 {
                thread::yield_now();
            }
        }
        assert!(received == [10, 11, 20, 21] || received == [20, 21, 10, 11], "{received:?}");
        for producer in producers {
            producer.join().expect("the producer ends");
        }
    });
}

#[test]
fn producers_wait_for_the_slots_of_others() {
    model(2, || {
        let (mut first, mut consumer) = many_queue::<u64>(2, 2).expect("a legal shape");
        assert!(first.push_whole(&[1, 2]).expect("an honest consumer"));
        let mut second = first.clone();
        let writing = thread::spawn(move || {
            while !second.push_whole(&[3]).expect("an honest consumer") {
                thread::yield_now();
            }
        });
        let mut received = Vec::new();
        while received.len() < 3 {
            let mut into = [0; 2];
            let count = consumer.pop_slice(&mut into).expect("honest producers");
            received.extend_from_slice(&into[..count]);
            if count == 0 {
                thread::yield_now();
            }
        }
        assert_eq!(received, [1, 2, 3]);
        writing.join().expect("the producer ends");
    });
}

#[test]
fn a_reader_sees_whole_slots_in_order_or_learns_what_it_missed() {
    model(3, || {
        let (mut writer, mut releaser) = broadcast::<Twice>(2).expect("a legal shape");
        let mut reader = Reader::<Twice>::attach(writer.region(), Start::Oldest).expect("the same slots");
        let writing = thread::spawn(move || {
            for value in 1..=3 {
                writer.write(&[Twice::new(value)]);
                releaser.release(value);
            }
        });
        for _ in 0..2 {
            check_poll(&mut reader);
        }
        writing.join().expect("the writer ends");
        while check_poll(&mut reader) {}
        assert_eq!(reader.position(), 3, "every slot was read or reported as missed");
    });
}

/// Takes one slot, and returns whether there was something. Slot `n` holds `n + 1`, so that one which was doubled or torn
/// is seen.
fn check_poll(reader: &mut Reader<Twice>) -> bool {
    let before = reader.position();
    let mut into = [Twice::new(0)];
    match reader.poll(&mut into) {
        Polled::Count(count) => {
            assert_eq!((count, into[0], reader.position()), (1, Twice::new(before + 1), before + 1));
        }
        Polled::Behind { skipped } => {
            assert!(skipped > 0);
            assert_eq!(reader.position(), before + skipped);
        }
        Polled::Empty => return false,
    }
    true
}

#[test]
fn what_is_not_released_is_not_seen() {
    model(3, || {
        let (mut writer, mut releaser) = broadcast::<Twice>(4).expect("a legal shape");
        let mut reader = Reader::<Twice>::attach(writer.region(), Start::Oldest).expect("the same slots");
        let writing = thread::spawn(move || {
            writer.write(&[Twice::new(1), Twice::new(2)]);
        });
        // Asks for both, and gets what is written by then.
        let released = releaser.release(2);
        assert!(released == 0 || released == 2);
        let mut into = [Twice::new(0); 2];
        match reader.poll(&mut into) {
            Polled::Empty => assert_eq!(released, 0),
            Polled::Count(count) => {
                assert_eq!((count as u64, into), (released, [Twice::new(1), Twice::new(2)]));
            }
            Polled::Behind { skipped } => panic!("{skipped} slots skipped of a ring that has room for all"),
        }
        writing.join().expect("the writer ends");
    });
}
