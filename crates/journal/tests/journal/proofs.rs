//! The tree by the vectors of RFC 6962, and proofs that hold only for what is in the log.

use tradewright_journal::tree::{
    Frontier, RangeRoots, consistency_ranges, inclusion_ranges, is_consistent, is_included, leaf_hash,
};
use tradewright_journal::{
    Hash, InclusionProof, Journal, JournalError, TreeHasher, VerifyOptions, prove, prove_consistency, verify,
};
use tradewright_sim::FaultyStorage;

use crate::common::{CONFIG, command, commit_each, open};

/// The leaves of the reference implementation.
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tree(leaves: &[Hash]) -> Frontier {
    leaves.iter().fold(Frontier::default(), |mut tree, leaf| {
        tree.push(*leaf);
        tree
    })
}

fn roots(ranges: Vec<core::ops::Range<u64>>, leaves: &[Hash]) -> Vec<Hash> {
    let mut roots = RangeRoots::new(ranges);
    for (index, leaf) in leaves.iter().enumerate() {
        roots.push(index as u64, *leaf);
    }
    roots.finish().unwrap()
}

#[test]
fn roots_are_those_of_the_reference() {
    let leaves = LEAVES.map(leaf_hash);
    assert_eq!(hex(&Frontier::default().root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (place, root) in ROOTS.iter().enumerate() {
        assert_eq!(hex(&tree(&leaves[..=place]).root()), *root, "size {}", place + 1);
    }
}

#[test]
fn paths_are_those_of_the_reference() {
    let leaves = LEAVES.map(leaf_hash);
    let path = |index, size| {
        let hashes = roots(inclusion_ranges(index, size), &leaves[..size as usize]);
        hashes.iter().map(hex).collect::<Vec<_>>()
    };
    assert_eq!(path(0, 1), Vec::<String>::new());
    let expected = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ];
    assert_eq!(path(0, 8), expected);
    let expected = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(path(5, 8), expected);
}

#[test]
fn every_leaf_of_every_small_tree_is_proved_and_no_other() {
    let leaves: Vec<Hash> = (0..40_u8).map(|leaf| leaf_hash(&[leaf])).collect();
    for size in 1..=leaves.len() as u64 {
        let root = tree(&leaves[..size as usize]).root();
        for index in 0..size {
            let path = roots(inclusion_ranges(index, size), &leaves[..size as usize]);
            let leaf = leaves[index as usize];
            assert!(is_included(leaf, index, size, &path, &root), "{index} of {size}");
            assert!(!is_included(leaf_hash(b"x"), index, size, &path, &root));
            assert!(!is_included(leaf, index + 1, size, &path, &root) || size == 1 && index + 1 < size);
            assert!(!is_included(leaf, index, size, &[&path[..], &[leaf]].concat(), &root));
            for place in 0..path.len() {
                let mut forged = path.clone();
                forged[place][7] ^= 1;
                assert!(!is_included(leaf, index, size, &forged, &root));
                forged.remove(place);
                assert!(!is_included(leaf, index, size, &forged, &root));
            }
        }
    }
}

#[test]
fn every_small_tree_begins_with_every_smaller_one() {
    let leaves: Vec<Hash> = (0..40_u8).map(|leaf| leaf_hash(&[leaf])).collect();
    let root = |size: u64| tree(&leaves[..size as usize]).root();
    for size in 1..=leaves.len() as u64 {
        for first in 1..=size {
            let path = roots(consistency_ranges(first, size), &leaves[..size as usize]);
            assert!(is_consistent(first, size, &path, &root(first), &root(size)), "{first} of {size}");
            assert!(!is_consistent(first, size, &path, &leaf_hash(b"x"), &root(size)));
            assert!(!is_consistent(first, size, &path, &root(first), &leaf_hash(b"x")));
            for place in 0..path.len() {
                let mut forged = path.clone();
                forged[place][31] ^= 0x80;
                assert!(!is_consistent(first, size, &forged, &root(first), &root(size)));
            }
        }
    }
}

/// A log whose heads are signed every so often, the hasher started anew in the middle.
fn signed_log(commands: u64, every: u64) -> FaultyStorage {
    let storage = FaultyStorage::new();
    let (mut log, _) = open(&storage).unwrap();
    let mut hasher = TreeHasher::open(storage.clone(), [7; 32]).unwrap();
    for number in 1..=commands {
        commit_each(&mut log, number..=number);
        if number.is_multiple_of(every) {
            assert_eq!(hasher.poll(1_000, || ()).unwrap(), number);
            log.append_tree_head(&hasher.sign().unwrap()).unwrap();
            assert_eq!(hasher.sign(), None, "nothing is new");
            log.commit().unwrap();
        }
        if number == commands / 2 {
            hasher = TreeHasher::open(storage.clone(), [7; 32]).unwrap();
        }
    }
    storage
}

#[test]
fn every_command_below_a_head_is_proved() {
    let storage = signed_log(100, 30);
    for index in 1..=90 {
        let proof = prove(&storage, index).unwrap();
        assert!(proof.holds(), "{index}");
        assert_eq!((proof.index, proof.leaf_index, proof.head.tree_size), (index, index - 1, 90));
        let payload = zerocopy::IntoBytes::as_bytes(&command(index)).to_vec();
        assert!(proof.record.ends_with(&payload.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
    }
    assert!(matches!(prove(&storage, 91), Err(JournalError::NotSigned { index: 91 })));
    assert!(matches!(prove(&storage, 0), Err(JournalError::NotInLog { .. })));
}

#[test]
fn a_proof_that_was_changed_does_not_hold() {
    let proof = prove(&signed_log(20, 10), 6).unwrap();
    let check = |change: &dyn Fn(&mut InclusionProof)| {
        let mut forged = proof.clone();
        change(&mut forged);
        assert!(forged != proof && !forged.holds(), "{forged:?}");
    };
    check(&|proof| proof.index += 1);
    check(&|proof| proof.leaf_index += 1);
    check(&|proof| proof.record.replace_range(20..21, "f"));
    check(&|proof| proof.record.clear());
    check(&|proof| proof.leaf_hash.replace_range(..2, "zz"));
    check(&|proof| drop(proof.path.pop()));
    check(&|proof| proof.path.swap(0, 1));
    check(&|proof| proof.head.tree_size += 1);
    check(&|proof| proof.head.time_ns += 1);
    check(&|proof| proof.head.root = proof.leaf_hash.clone());
    check(&|proof| proof.head.signature = "00".repeat(64));
    check(&|proof| proof.head.public_key = "00".repeat(32));
    check(&|proof| proof.head.shard += 1);
    check(&|proof| proof.head.log_id = "00".repeat(16));
}

#[test]
fn a_log_is_consistent_with_what_it_was() {
    let storage = signed_log(100, 25);
    for first in 1..=100 {
        let proof = prove_consistency(&storage, first).unwrap();
        assert!(proof.holds(), "{first}");
        let mut forged = proof.clone();
        forged.first_root = "00".repeat(32);
        assert!(!forged.holds());
    }
}

#[test]
fn verifying_recomputes_the_tree() {
    let storage = signed_log(100, 30);
    let options = VerifyOptions { replays: false, public_key: None };
    let report = verify(&storage, options).unwrap();
    assert_eq!((report.last_index, report.tree_size, report.heads, report.tail), (100, 100, 3, "clean"));
    assert_eq!(report.public_keys.len(), 1);
    let error = verify(&storage, VerifyOptions { public_key: Some([1; 32]), ..options }).unwrap_err();
    assert!(error.to_string().ends_with("a tree head must be signed by the key of the log"), "{error}");
}

/// Whoever holds the key and rewrites the log still cannot make a head fit to other commands.
#[test]
fn a_head_of_another_log_is_refused() {
    let (storage, other) = (FaultyStorage::new(), FaultyStorage::new());
    let (mut log, _) = open(&storage).unwrap();
    let (mut foreign, _) = Journal::open(CONFIG, other.clone()).unwrap();
    commit_each(&mut log, 1..=3);
    commit_each(&mut foreign, 1..=2);
    foreign.append(&[command(77)]).unwrap();
    foreign.commit().unwrap();
    let mut hasher = TreeHasher::open(other, [7; 32]).unwrap();
    hasher.poll(10, || ()).unwrap();
    log.append_tree_head(&hasher.sign().unwrap()).unwrap();
    log.commit().unwrap();
    let error = verify(&storage, VerifyOptions { replays: false, public_key: None }).unwrap_err();
    assert!(error.to_string().ends_with("the root in a tree head must be that of the commands"), "{error}");
}
