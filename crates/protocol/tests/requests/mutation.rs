//! Whatever bytes come, reading them ends with a value or an error.

use std::path::{Path, PathBuf};

use tradewright_protocol::commands::Refused;
use tradewright_protocol::frame::{CLIENT_FRAME_MAX, Frame, frame_length};
use tradewright_protocol::logon::read_logon;
use tradewright_sim::Random;

use crate::commands::read;
use crate::venue::symbols;
use crate::written;

const ROUNDS: u64 = 60_000;

/// Where the fuzz target of this name keeps what it found, and what it starts from.
fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

#[test]
fn the_corpora_are_read_as_ever() {
    if std::env::var_os("TRADEWRIGHT_WRITE_CORPUS").is_some() {
        let folder = corpus("requests");
        std::fs::create_dir_all(&folder).expect("a folder");
        for (place, bytes) in written::each().into_iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{place}")), bytes).expect("a seed");
        }
    }
    let symbols = symbols();
    let (mut files, mut commands) = (0, 0);
    for entry in std::fs::read_dir(corpus("requests")).expect("the corpus of requests") {
        let bytes = std::fs::read(entry.expect("a file").path()).expect("a file");
        files += 1;
        commands += usize::from(read(&symbols, &bytes).is_ok());
    }
    assert!(files >= 8 && commands >= 8, "files={files} commands={commands}");
}

/// Changes a few bytes, or the length, or joins two frames.
fn mutate(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let pick = |random: &mut Random| corpus[random.below(corpus.len() as u64) as usize].clone();
    let mut bytes = pick(random);
    for _ in 0..=random.below(4) {
        match random.below(6) {
            0 => bytes.truncate(random.below(bytes.len() as u64 + 1) as usize),
            1 => bytes.extend(pick(random)),
            2 => {
                let at = random.below(bytes.len() as u64 + 1) as usize;
                bytes.insert(at, random.next_u64() as u8);
            }
            _ if !bytes.is_empty() => {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] = [0, 1, 0x7f, 0x80, 0xff, random.next_u64() as u8][random.below(6) as usize];
            }
            _ => {}
        }
    }
    // Most of the time the outer length is right, so that what is inside is looked at.
    if bytes.len() >= 4 && !random.chance_ppm(100_000) {
        let length = (bytes.len() as u32).to_le_bytes();
        bytes[..4].copy_from_slice(&length);
    }
    bytes
}

#[test]
fn mutated_requests_never_panic() {
    let (symbols, corpus) = (symbols(), written::each());
    let mut random = Random::new(5);
    let (mut commands, mut frames, mut fields) = (0, 0, 0);
    for _ in 0..ROUNDS {
        let bytes = mutate(&mut random, &corpus);
        let _ = frame_length(&bytes, CLIENT_FRAME_MAX);
        match read(&symbols, &bytes) {
            Ok(records) => {
                let count = records[0].header.record_count;
                assert_eq!(usize::from(count), records.len(), "a command is whole");
                commands += 1;
            }
            Err(Refused::Frame(_)) => frames += 1,
            Err(Refused::Field { .. }) => fields += 1,
        }
        if let Ok(message) = Frame::read(&bytes).and_then(|frame| frame.message()) {
            let _ = read_logon(&message);
        }
    }
    // The test has to reach everything that it is for.
    for reached in [commands, frames, fields] {
        assert!(reached > ROUNDS / 50, "commands={commands} frames={frames} fields={fields}");
    }
}
