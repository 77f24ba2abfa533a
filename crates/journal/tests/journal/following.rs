//! A reader behind a live writer sees what is durable, and nothing else.

use tradewright_journal::JournalReader;
use tradewright_sim::FaultyStorage;

use crate::common::{command, commit_each, open};

#[test]
fn a_follower_sees_each_commit_over_segments() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    let mut follower = JournalReader::follow(storage.clone(), 1).unwrap();
    assert!(follower.next_batch().unwrap().is_none());
    for number in 1..=300 {
        log.append(&[command(number)]).unwrap();
        assert!(follower.next_batch().unwrap().is_none(), "{number} is not committed");
        while log.preparer().prepare().unwrap() {}
        log.commit().unwrap();
        let batch = follower.next_batch().unwrap().expect("it is committed");
        assert_eq!((batch.first_index(), batch.last_index()), (number, number));
    }
    assert_eq!(follower.tip(), log.tip());
}

#[test]
fn a_follower_that_comes_late_reads_all() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    commit_each(&mut log, 1..=300);
    let mut follower = JournalReader::follow(storage.clone(), 150).unwrap();
    let mut indices = Vec::new();
    while let Some(batch) = follower.next_batch().unwrap() {
        indices.extend(batch.first_index()..=batch.last_index());
    }
    assert_eq!(indices, (150..=300).collect::<Vec<_>>());
}

#[test]
fn a_follower_waits_while_the_writer_is_away() {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    commit_each(&mut log, 1..=10);
    let mut follower = JournalReader::follow(storage.clone(), 1).unwrap();
    while follower.next_batch().unwrap().is_some() {}
    log.append(&[command(11)]).unwrap();
    drop(log);
    assert!(follower.next_batch().unwrap().is_none());
    let (mut log, _) = open(&storage).unwrap();
    commit_each(&mut log, 11..=11);
    assert_eq!(follower.next_batch().unwrap().unwrap().last_index(), 11);
}
