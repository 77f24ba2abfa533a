//! The measuring side of the exchange: what is thrown at a book or an engine, and what must come out.
//!
//! Owns the benchmark workloads with their golden answers, the reference ladder that every figure is quoted against,
//! the book designs that lost (kept with the winner's tests, so that the comparison stays honest), the test suite that
//! any book must pass, and the driver that times them all.
//!
//! `flow` is the simulated market of the demo and the tests: thousands of accounts over fifty instruments.
//!
//! The exchange's own book and engine stand here as subjects among others: `paged_book.rs` and `engine_subject.rs`.

mod book;
mod btree_book;
mod clock;
mod drill;
mod drive;
mod engine_subject;
mod faulty_storage;
pub mod flow;
mod golden;
#[cfg(unix)]
mod halt_drill;
mod indexed_book;
#[cfg(unix)]
mod kill_drill;
mod ladder;
mod naive_book;
#[cfg(unix)]
pub mod node_bench;
mod operation;
mod paged_book;
#[cfg(unix)]
mod promote_drill;
mod random;
mod rbtree_book;
mod ring_bench;
mod sample_log;
mod skiplist_book;
pub mod suite;
pub mod venue;
mod workload;

pub use book::{FillSink, FreshBook, MatchingBook, Shape, Side, Sums};
pub use btree_book::{BTreeBook, BTreeIndex};
pub use clock::{Stopwatch, thread_cpu_ns};
pub use drill::{Acknowledge, DrillKind, DrillReport, drill};
pub use drive::{
    BenchReport, BookSubject, DriveOptions, Finish, Floor, ManyBooks, Round, Subject, drive, drive_against, round,
    timed_from,
};
pub use engine_subject::{BySession, EngineSubject, ExpireMaker, NoPrevention, Prevention, commands};
pub use faulty_storage::{Cut, Failure, FailureKind, FaultyFile, FaultyLock, FaultyStorage};
pub use golden::{Counts, GOLDENS, Golden, Outcome, golden};
#[cfg(unix)]
pub use halt_drill::{HaltReport, halt_drill};
pub use indexed_book::{IndexedBook, Level, LevelIndex};
#[cfg(unix)]
pub use kill_drill::{KillOptions, KillReport, kill_drill};
pub use ladder::Ladder;
pub use naive_book::NaiveBook;
pub use operation::{Operation, OperationKind, checksum};
pub use paged_book::PagedBook;
#[cfg(unix)]
pub use promote_drill::promote_drill;
pub use random::{Random, WeightedTable};
pub use rbtree_book::{RbTreeBook, RedBlackTree};
pub use ring_bench::{RingBenchError, RingFigures, RingOptions, RingPair, quantile, ring_bench};
pub use sample_log::write_sample_log;
pub use skiplist_book::{SkipList, SkipListBook};
pub use workload::{Tape, Workload};
