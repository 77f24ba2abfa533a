use tradewright_protocol::codes::{BoolEnum, Side};
use tradewright_protocol::frame::Envelope;
use tradewright_protocol::logon::{LogonRequest, Secret};
use tradewright_protocol::messages::{Heartbeat, LogonExtension};
use tradewright_protocol::spec::{Block, NoExtension, Null, VERSION_BASE};

use crate::venue::{ALICE, BEGIN_US, Venue, ed25519, hmac, limit};

#[test]
fn both_kinds_of_keys_log_on() {
    let mut venue = Venue::new();
    for (username, secret) in [(b"alice".as_slice(), ed25519()), (b"alice-watch", hmac())] {
        let name = if username == b"alice" { b"ONE".as_slice() } else { b"TWO" };
        let mut client = venue.connect();
        let ack = client.log_on(&mut venue, &LogonRequest::new(name, b"SPOT", username), &secret).expect("an ack");
        assert_eq!((ack.account.get(), ack.last_client_sequence.get()), (ALICE.0, 0));
        assert_eq!(ack.resume_index.some(), Some(venue.engine.sequence()));
    }
    assert_eq!(venue.engine.sessions().len(), 2);
}

/// What a logon is answered with that is not right.
fn refused(change: impl FnOnce(&mut LogonRequest<'_>)) -> String {
    let mut venue = Venue::new();
    let mut request = LogonRequest::new(b"ONE", b"SPOT", b"alice");
    change(&mut request);
    let mut client = venue.connect();
    let answer = client.log_on(&mut venue, &request, &ed25519()).expect_err("it is refused");
    assert_eq!(venue.gateway.connection_count(), 0, "and the connection is closed");
    assert_eq!(venue.engine.sessions().len(), 0, "and the engine heard nothing");
    answer
}

#[test]
fn a_logon_has_to_be_right() {
    let wrong = "logout: Username and RawData must be a key and its signature";
    assert_eq!(refused(|request| request.username = b"nobody"), wrong);
    assert_eq!(refused(|request| request.username = b"bob"), wrong, "another's key");
    assert_eq!(refused(|request| request.target = b"FUTURES"), "logout: TargetCompID must be SPOT");
    let name = "logout: SenderCompID must be 1 to 56 printable characters without spaces";
    assert_eq!(refused(|request| request.sender = b""), name);
    assert_eq!(refused(|request| request.sender = b"with space"), name);
    assert_eq!(refused(|request| request.heartbeat_s = 0), "logout: HeartBtInt=0 must be 1 to 60");
    assert_eq!(refused(|request| request.heartbeat_s = 61), "logout: HeartBtInt=61 must be 1 to 60");
    assert_eq!(refused(|request| request.block.encrypt_method = 1), "logout: EncryptMethod must be 0");
    let reset = "logout: ResetSeqNumFlag must be true: every connection begins with 1";
    assert_eq!(refused(|request| request.block.reset_seq_num_flag = BoolEnum::False.field()), reset);
    let window = "logout: RecvWindow=60000001 must be at most 60000000";
    assert_eq!(refused(|request| request.block.recv_window = 60_000_001.into()), window);
}

#[test]
fn a_logon_is_for_its_time_and_once() {
    for (late_us, is_taken) in [(5_000_000, true), (5_100_000, false), (-900_000, true), (-1_100_000, false)] {
        let mut venue = Venue::new();
        let client = venue.connect();
        let mut bytes = Vec::new();
        let envelope = Envelope { version: 100, seq_num: 1, sending_time_us: BEGIN_US };
        LogonRequest::new(b"ONE", b"SPOT", b"alice").write(envelope, &ed25519(), &mut bytes);
        venue.now.utc_us = BEGIN_US + late_us - 1;
        client.send(&bytes);
        venue.run();
        assert_eq!(venue.gateway.connection_count(), usize::from(is_taken), "{late_us}");
        // The same bytes again, by somebody who heard them.
        let mut thief = venue.connect();
        thief.send(&bytes);
        venue.run();
        let heard = thief.heard();
        assert!(heard.len() == 1 && heard[0].starts_with("logout: "), "{heard:?}");
        if late_us == -900_000 {
            assert_eq!(heard, ["logout: this logon was used already"]);
        }
    }
}

#[test]
fn nothing_but_a_logon_comes_first() {
    let mut venue = Venue::new();
    let mut client = venue.connect();
    client.send_message(&venue, &Heartbeat {}, &NoExtension, &[""]);
    venue.run();
    assert_eq!(client.heard(), ["logout: the first message must be a logon"]);
    let mut client = venue.connect();
    client.order_as(&mut venue, &limit(Side::Buy, 1, 1), "1", 1);
    venue.run();
    assert_eq!(client.heard(), ["logout: the first message must be a logon"]);
    let before = venue.engine.sequence();
    let mut silent = venue.connect();
    venue.pass(11_000_000_000);
    venue.run();
    assert_eq!(silent.heard(), ["logout: no logon in time"]);
    assert_eq!(venue.engine.sequence(), before);
}

#[test]
fn a_session_has_one_connection() {
    let mut venue = Venue::new();
    let mut first = venue.alice("ONE");
    venue.pass(1_000_000);
    let mut second = venue.connect();
    let refused = second.log_on(&mut venue, &LogonRequest::new(b"ONE", b"SPOT", b"alice"), &ed25519());
    assert_eq!(refused.err().as_deref(), Some("logout: the session has a connection already"));
    // The first one lives on, and so does another session.
    venue.alice("TWO");
    first.order(&mut venue, &limit(Side::Buy, 1, 6_000_000), "1");
    venue.run();
    assert_eq!(first.heard(), ["00 1 <> 0+1"]);
}

#[test]
fn clients_of_the_base_version_get_its_frames() {
    let mut venue = Venue::new();
    let mut client = venue.connect();
    client.version = VERSION_BASE;
    let request = LogonRequest { extension: LogonExtension::NULL, ..LogonRequest::new(b"OLD", b"SPOT", b"alice") };
    let ack = client.log_on(&mut venue, &request, &ed25519()).expect("an ack");
    assert_eq!(ack, tradewright_protocol::messages::LogonAckExtension::NULL, "it has no extension");
    // Its requests have no client sequence: the session numbers them.
    client.order(&mut venue, &limit(Side::Buy, 2, 6_000_000), "a");
    client.order(&mut venue, &limit(Side::Buy, 2, 6_000_000), "b");
    client.cancel(&venue, "c", "a");
    venue.run();
    let frames = client.frames();
    for frame in &frames {
        assert_eq!(u16::from_le_bytes([frame[12], frame[13]]), VERSION_BASE);
    }
    let heard: Vec<String> = frames.iter().map(|frame| crate::venue::describe(frame)).collect();
    assert_eq!(heard, ["00 a <> 0+2", "00 b <> 0+2", "44 c <a> 0+0"]);
    assert_eq!(venue.engine.sessions().next().expect("a session").last_client_sequence(), 3);
}

#[test]
fn a_signature_by_another_secret_is_none() {
    let mut venue = Venue::new();
    let mut client = venue.connect();
    let other = Secret::ed25519(&[8; 32]);
    let refused = client.log_on(&mut venue, &LogonRequest::new(b"ONE", b"SPOT", b"alice"), &other);
    assert!(refused.is_err());
}
