//! Reports as clients read them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tradewright_protocol::frame::{Envelope, FRAME_MAX, Frame, address, frame_length};
use tradewright_protocol::messages::{ExecutionReport, ExecutionReportAck, LogonAck, RawEvent};
use tradewright_protocol::reports::{read_ack, read_execution};

fuzz_target!(|bytes: &[u8]| {
    let _ = frame_length(bytes, FRAME_MAX);
    if let Ok(frame) = Frame::read(bytes) {
        let _ = frame.message::<ExecutionReport>().and_then(|message| read_execution(&message).map(drop));
        let _ = frame.message::<ExecutionReportAck>().and_then(|message| read_ack(&message).map(drop));
        let _ = frame.message::<LogonAck>().map(|message| message.extension.copied());
        let _ = frame.message::<RawEvent>().map(|message| message.block.event);
    }
    let mut out = Vec::new();
    for version in [1, 100] {
        address(bytes, 30, Envelope { version, ..Envelope::OPEN }, &mut out);
    }
});
