//! The same over sockets and shared memory.

use std::io::{Read, Write};
use std::net::TcpStream;

use tradewright_gateway::{ShmLink, TcpServer};
use tradewright_protocol::codes::Side;
use tradewright_protocol::frame::{Envelope, FrameWriter as MessageWriter, frame_length};
use tradewright_protocol::logon::LogonRequest;
use tradewright_protocol::messages::OrderExtension;
use tradewright_protocol::spec::Block;
use tradewright_transport::{FrameReader, FrameSlot, FrameWriter, queue};

use crate::venue::{Venue, describe, ed25519, limit};

fn logon(venue: &Venue, name: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let envelope = Envelope { version: 100, seq_num: 1, sending_time_us: venue.now.utc_us };
    LogonRequest::new(name, b"SPOT", b"alice").write(envelope, &ed25519(), &mut bytes);
    bytes
}

fn order(venue: &Venue) -> Vec<u8> {
    let mut bytes = Vec::new();
    let envelope = Envelope { version: 100, seq_num: 2, sending_time_us: venue.now.utc_us };
    let extension = OrderExtension { client_sequence: 1.into(), ..OrderExtension::NULL };
    let mut frame = MessageWriter::new(&mut bytes, envelope, &limit(Side::Buy, 2, 6_000_000), &extension);
    frame.text8(b"tcp").text8(b"BTCUSDT");
    frame.finish();
    bytes
}

#[test]
fn a_session_over_tcp() {
    let mut venue = Venue::new();
    let mut server = TcpServer::bind("127.0.0.1:0".parse().expect("an address")).expect("a socket");
    let mut stream = TcpStream::connect(server.address().expect("an address")).expect("a connection");
    stream.set_nonblocking(true).expect("a socket that does not wait");
    stream.write_all(&logon(&venue, b"TCP")).expect("it is sent");
    stream.write_all(&order(&venue)).expect("it is sent");
    let mut bytes = Vec::new();
    let mut frames: Vec<Vec<u8>> = Vec::new();
    for _ in 0..1_000_000 {
        server.poll(&mut venue.gateway, venue.now).expect("it listens");
        venue.run();
        let mut buffer = [0; 4_096];
        if let Ok(count) = stream.read(&mut buffer) {
            bytes.extend_from_slice(&buffer[..count]);
        }
        while let Ok(Some(length)) = frame_length(&bytes, 1 << 20) {
            if bytes.len() < length {
                break;
            }
            frames.push(bytes.drain(..length).collect());
        }
        if frames.len() == 2 {
            break;
        }
    }
    assert_eq!(describe(&frames[0]), "template 20009");
    assert_eq!(describe(&frames[1]), "00 tcp <> 0+2");
    drop(stream);
    for _ in 0..1_000_000 {
        venue.run();
        if venue.gateway.connection_count() == 0 {
            break;
        }
    }
    venue.run();
    assert_eq!(venue.engine.open_order_count(), 0, "its order went with it");
}

#[test]
fn a_session_over_shared_memory_and_the_next_one() {
    let mut venue = Venue::new();
    let (to_gateway, at_gateway) = queue::<FrameSlot>(1 << 10, 80).expect("a queue");
    let (to_client, at_client) = queue::<FrameSlot>(1 << 10, 80).expect("a queue");
    let link = ShmLink::new(FrameReader::new(at_gateway), None, FrameWriter::new(to_client));
    assert!(venue.gateway.connect(Box::new(link), venue.now));
    let (mut writer, mut reader) = (FrameWriter::new(to_gateway), FrameReader::new(at_client));
    for round in 0..3 {
        // However long nobody comes.
        for _ in 0..3 {
            venue.pass(60_000_000_000);
            venue.run();
        }
        assert!(reader.receive().expect("a sound queue").is_none(), "nobody is told anything");
        assert!(writer.send(&logon(&venue, b"SHM")).expect("a sound queue"));
        venue.run();
        let frame = reader.receive().expect("a sound queue").expect("an answer").to_vec();
        assert_eq!(describe(&frame), "template 20009");
        if round == 0 {
            assert!(writer.send(&order(&venue)).expect("a sound queue"));
            venue.run();
            let frame = reader.receive().expect("a sound queue").expect("an answer").to_vec();
            assert_eq!(describe(&frame), "00 tcp <> 0+2");
        }
        // A logon within a session ends it; the next client finds the queues as they are.
        assert!(writer.send(&logon(&venue, b"SHM")).expect("a sound queue"));
        venue.run();
        let frame = reader.receive().expect("a sound queue").expect("an answer").to_vec();
        assert_eq!(describe(&frame), "logout: seqNum=1 must be ".to_owned() + if round == 0 { "3" } else { "2" });
        venue.run();
        while reader.receive().expect("a sound queue").is_some() {}
    }
    assert_eq!(venue.engine.open_order_count(), 0);
}
