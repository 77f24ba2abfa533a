//! The vectors that the dialect publishes, and what must not pass.

use tradewright_protocol::frame::{Envelope, Frame};
use tradewright_protocol::logon::{Key, LogonRequest, Secret, Signed, read_logon};
use tradewright_protocol::messages::Logon;
use tradewright_protocol::spec::Null;

const SECRET: &[u8] = b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
const SEED: [u8; 32] = [
    0x82, 0x44, 0x61, 0x6b, 0x46, 0x06, 0xb8, 0x40, 0x0a, 0x66, 0xfd, 0x0e, 0xfc, 0xbe, 0xa9, 0xaf, 0x16, 0x11, 0xfd,
    0x25, 0x40, 0xe9, 0x75, 0xb3, 0x80, 0x8b, 0x20, 0x00, 0x7d, 0x9b, 0xcf, 0x6e,
];
const SIGNATURE: &[u8] = b"4MHXelVVcpkdwuLbl6n73HQUXUf1dse2PCgT1DYqW9w8AVZ1RACFGM+5UdlGPrQHrgtS3CvsRURC1oj73j8gCA==";
const USERNAME: &[u8] = b"sBRXrJx2DsOraMXOaUovEhgVRcjOvCtQwnWj8VxkOh1xqboS02SPGfKi2h8spZJb";
const SIGNED: Signed<'_> =
    Signed { sender: b"EXAMPLE", target: b"SPOT", seq_num: 1, sending_time_us: 1_719_487_045_223_000 };

/// How far the signed time is ahead of that in the published frame.
const AHEAD_US: i64 = 7_200_000_000;

/// The published frame: 209 bytes.
fn frame() -> Vec<u8> {
    let mut frame = vec![
        0xd1, 0, 0, 0, 0x50, 0xeb, 0x0e, 0, 0x28, 0x4e, 1, 0, 0, 0, 1, 0, 0, 0, 0x58, 0x7a, 0x5f, 0x99, 0xdb, 0x1b,
        0x06, 0, // The block.
        0, 0x1e, 0, 0, 0, 1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    ];
    frame.push(7);
    frame.extend_from_slice(b"EXAMPLE");
    frame.push(4);
    frame.extend_from_slice(b"SPOT");
    frame.extend_from_slice(&[0x58, 0]);
    frame.extend_from_slice(SIGNATURE);
    frame.extend_from_slice(&[0x40, 0]);
    frame.extend_from_slice(USERNAME);
    frame
}

#[test]
fn hmac_vectors() {
    for (payload, signature) in [
        (
            "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
            "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
        ),
        (
            "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1\
             &price=0.1&recvWindow=5000&timestamp=1499827319559",
            "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
        ),
    ] {
        let secret = Secret::Hmac(SECRET.into());
        assert_eq!(secret.sign(payload.as_bytes()), signature);
        let key = secret.key();
        assert!(key.verifies(payload.as_bytes(), signature.to_ascii_uppercase().as_bytes()), "in any case");
        assert!(!key.verifies(payload.as_bytes(), &signature.as_bytes()[1..]));
        assert!(!key.verifies(&payload.as_bytes()[1..], signature.as_bytes()));
        assert!(!Key::Hmac(b"another".as_slice().into()).verifies(payload.as_bytes(), signature.as_bytes()));
    }
}

#[test]
fn the_text_logon_vector() {
    let secret = Secret::ed25519(&SEED);
    assert_eq!(SIGNED.sign(&secret).as_bytes(), SIGNATURE);
    assert!(SIGNED.is_signed_by(&secret.key(), SIGNATURE));
}

#[test]
fn a_signature_is_for_one_logon_only() {
    let key = Secret::ed25519(&SEED).key();
    for other in [
        Signed { sender: b"EXAMPLF", ..SIGNED },
        Signed { target: b"SPOU", ..SIGNED },
        Signed { seq_num: 2, ..SIGNED },
        Signed { sending_time_us: SIGNED.sending_time_us + 1, ..SIGNED },
    ] {
        assert!(!other.is_signed_by(&key, SIGNATURE), "{other:?}");
    }
    for place in 0..SIGNATURE.len() {
        let mut broken = SIGNATURE.to_vec();
        broken[place] = if broken[place] == b'A' { b'B' } else { b'A' };
        assert!(!SIGNED.is_signed_by(&key, &broken), "byte {place}");
    }
    for broken in [&SIGNATURE[..87], b"", &[0xff; 88]] {
        assert!(!SIGNED.is_signed_by(&key, broken));
    }
}

#[test]
fn a_time_may_be_signed_in_microseconds() {
    let secret = Secret::ed25519(&SEED);
    let text = b"A\x01EXAMPLE\x01SPOT\x011\x0120240627-11:17:25.223000";
    assert!(SIGNED.is_signed_by(&secret.key(), secret.sign(text).as_bytes()));
}

#[test]
fn the_binary_logon_vector() {
    let bytes = frame();
    assert_eq!(bytes.len(), 209);
    let frame = Frame::read(&bytes).expect("the published frame");
    let message = frame.message::<Logon>().expect("a logon");
    let text = read_logon(&message).expect("its text");
    assert_eq!((text.sender, text.target, text.username), (b"EXAMPLE".as_slice(), b"SPOT".as_slice(), USERNAME));
    assert_eq!(message.block.heart_bt_int.get(), 30);
    assert_eq!(message.block.message_handling.some(), Some(2));
    assert_eq!(message.block.recv_window.some(), None);
    assert!(message.extension.is_none());
    let signed = Signed {
        sender: text.sender,
        target: text.target,
        seq_num: frame.header.seq_num.get(),
        sending_time_us: frame.header.sending_time.get(),
    };
    // The frame as it is published was sent two hours before the time that its signature is for: local time on one side.
    let signed = Signed { sending_time_us: signed.sending_time_us + AHEAD_US, ..signed };
    assert_eq!(signed, SIGNED);
    assert!(signed.is_signed_by(&Secret::ed25519(&SEED).key(), text.signature));
}

#[test]
fn the_binary_logon_is_written_as_published() {
    let mut request = LogonRequest::new(b"EXAMPLE", b"SPOT", USERNAME);
    request.block.message_handling.0 = 2;
    // The published frame has the version 0.
    let envelope = Envelope { version: 0, seq_num: 1, sending_time_us: SIGNED.sending_time_us };
    let mut written = Vec::new();
    request.write(envelope, &Secret::ed25519(&SEED), &mut written);
    let mut published = frame();
    published[18..26].copy_from_slice(&SIGNED.sending_time_us.to_le_bytes());
    assert_eq!(written, published);
}
