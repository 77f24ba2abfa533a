//! Datagrams over the loopback interface.
#![cfg(not(feature = "loom"))]

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use tradewright_transport::multicast::{DATAGRAM_BYTES_MAX, Line, Receiver, Sender, SenderOptions};

/// A port that nobody else has while the socket lives.
fn free_port() -> u16 {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("an address").port()
}

fn line(group: [u8; 4], port: u16) -> Line {
    Line { group: group.into(), port, interface: Ipv4Addr::LOCALHOST }
}

fn receive(receiver: &Receiver) -> Option<Vec<u8>> {
    let mut into = [0; DATAGRAM_BYTES_MAX];
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(5) {
        if let Some(length) = receiver.receive(&mut into).expect("a healthy socket") {
            return Some(into[..length].to_vec());
        }
        std::thread::yield_now();
    }
    None
}

#[test]
fn everybody_on_a_line_gets_every_datagram_and_nobody_else_does() {
    let port = free_port();
    let (a, b) = (line([239, 255, 71, 1], port), line([239, 255, 71, 2], port));
    let sender = Sender::open(a, &SenderOptions::default()).expect("loopback");
    let receivers = [a, a, b].map(|line| Receiver::join(line, 1 << 20).expect("loopback"));
    for number in 0..50_u8 {
        assert!(sender.send(&[number; DATAGRAM_BYTES_MAX]).expect("loopback"));
    }
    for receiver in &receivers[..2] {
        for number in 0..50_u8 {
            assert_eq!(receive(receiver), Some(vec![number; DATAGRAM_BYTES_MAX]));
        }
    }
    assert_eq!(receivers[2].receive(&mut [0; 16]).expect("a healthy socket"), None, "line B is another line");
    assert_eq!((sender.line(), receivers[2].line()), (a, b));
}

#[test]
fn the_options_reach_the_socket() {
    // The loopback interface brings everything back by itself, so what is asked for can only be read, not seen.
    let a = line([239, 255, 71, 3], free_port());
    for options in [SenderOptions::default(), SenderOptions { is_looped: false, ttl: 7 }] {
        let sender = Sender::open(a, &options).expect("loopback");
        let socket = sender.socket();
        let found = (socket.multicast_loop_v4().expect("a value"), socket.multicast_ttl_v4().expect("a value"));
        assert_eq!(found, (options.is_looped, u32::from(options.ttl)));
    }
}

#[test]
fn a_group_that_is_none_is_refused() {
    let wrong = line([127, 0, 0, 1], 9);
    for error in [
        Sender::open(wrong, &SenderOptions::default()).expect_err("no group"),
        Receiver::join(wrong, 1 << 16).expect_err("no group"),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.to_string(), "group=127.0.0.1 must be from 224.0.0.0 to 239.255.255.255");
    }
}

#[test]
fn an_interface_that_is_not_there_is_refused() {
    let nowhere = Line { interface: Ipv4Addr::new(203, 0, 113, 7), ..line([239, 255, 71, 4], 9) };
    assert!(Receiver::join(nowhere, 1 << 16).is_err());
    assert!(Sender::open(nowhere, &SenderOptions::default()).is_err());
}
