//! Frames to a session, reports back: the client's side of a pipe over TCP or shared memory, and the server that only copies.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tradewright_gateway::client::{Client, output_of};
use tradewright_gateway::{Link, Received, ShmLink, TcpLink};
use tradewright_protocol::codes::{self, OrdType};
use tradewright_protocol::frame::{Envelope, FRAME_MAX, Frame, FrameHeader, FrameWriter, HEADER_LENGTH, frame_length};
use tradewright_protocol::messages::{
    ExecutionReport, NewOrderSingle, OrderCancelRequest, OrderExtension, OutputExtension, RawEvent, RequestExtension,
};
use tradewright_protocol::spec::{Block, EventBytes, NoExtension, VERSION_EXTENDED};
use tradewright_transport::{
    Bell, Consumer, FrameReader, FrameSlot, FrameWriter as RingWriter, Idle, Producer, Region, RegionOptions, Shape,
};
use tradewright_types::{CommandKind, CommandRecord, EventKind, EventRecord, Side, TimeInForce};

use super::flow::{BreakOff, Flow, Stall};
use super::lap::Lap;
use super::records::{Drive, Heard, Share};
use super::served::PATIENCE;

/// What clients call the instrument of the bench.
pub(crate) const SYMBOL: &[u8] = b"BASE0QUOTE";
/// So many frames are handed to the client at once.
const CHUNK: usize = 64;
/// So many reports are looked at to find one of the mean length.
const SAMPLES: usize = 256;

/// A lap as frames, written beforehand.
pub(crate) struct FrameLap {
    lap: Lap,
    bytes: Vec<u8>,
    /// Where each frame ends.
    ends: Vec<usize>,
}

impl FrameLap {
    /// Writes the frames of a lap, whose orders belong to one account: a frame names none.
    pub(crate) fn new(lap: Lap) -> Self {
        let (mut bytes, mut ends) = (Vec::with_capacity(lap.len() * 200), Vec::with_capacity(lap.len()));
        for record in lap.records() {
            write_frame(record, &mut bytes);
            ends.push(bytes.len());
        }
        Self { lap, bytes, ends }
    }

    /// The records that the frames say.
    pub(crate) fn lap(&self) -> &Lap {
        &self.lap
    }

    /// The mean length of a frame.
    pub(crate) fn frame_bytes(&self) -> f64 {
        self.bytes.len() as f64 / self.ends.len() as f64
    }

    fn frame(&self, place: u64) -> &[u8] {
        let at = (place % self.ends.len() as u64) as usize;
        let begin = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[begin..self.ends[at]]
    }

    /// Copies `count` frames behind `place` (which counts over all laps) with their numbers: of the connection from `number` on, of
    /// the session from `sequence` on, and in cancels the ids of this lap.
    pub(crate) fn write(&self, place: u64, count: usize, number: u32, sequence: u64, out: &mut Vec<u8>) {
        for offset in 0..count as u64 {
            let (at, begin) = (place + offset, out.len());
            out.extend_from_slice(self.frame(at));
            let frame = &mut out[begin..];
            let record = &self.lap.records()[(at % self.lap.len() as u64) as usize];
            let extension = if record.header.kind == CommandKind::CancelOrder as u8 {
                let order = record.order_ref + at / self.lap.len() as u64 * self.lap.orders();
                put(frame, HEADER_LENGTH + core::mem::offset_of!(OrderCancelRequest, order_id), &order.to_le_bytes());
                HEADER_LENGTH + size_of::<OrderCancelRequest>()
            } else {
                HEADER_LENGTH + size_of::<NewOrderSingle>()
            };
            put(frame, core::mem::offset_of!(FrameHeader, seq_num), &(number + offset as u32).to_le_bytes());
            // The first field of both extensions.
            put(frame, extension, &(sequence + offset).to_le_bytes());
        }
    }
}

const _: () = assert!(
    core::mem::offset_of!(OrderExtension, client_sequence) == 0
        && core::mem::offset_of!(RequestExtension, client_sequence) == 0
);

#[inline]
fn put(frame: &mut [u8], at: usize, bytes: &[u8]) {
    frame[at..at + bytes.len()].copy_from_slice(bytes);
}

fn write_frame(record: &CommandRecord, out: &mut Vec<u8>) {
    let envelope = Envelope { version: VERSION_EXTENDED, seq_num: 0, sending_time_us: 0 };
    if record.header.kind == CommandKind::CancelOrder as u8 {
        let block = OrderCancelRequest { order_id: (record.order_ref as i64).into(), ..OrderCancelRequest::NULL };
        let mut frame = FrameWriter::new(out, envelope, &block, &RequestExtension::NULL);
        frame.text8(b"c").text8(b"").text8(b"").text8(SYMBOL);
        frame.finish();
        return;
    }
    let side = if record.side == Side::Buy as u8 { codes::Side::Buy } else { codes::Side::Sell };
    let is_taker = record.time_in_force == TimeInForce::ImmediateOrCancel as u8;
    let time_in_force =
        if is_taker { codes::TimeInForce::ImmediateOrCancel } else { codes::TimeInForce::GoodTillCancel };
    let block = NewOrderSingle {
        price_exponent: 0,
        qty_exponent: 0,
        order_qty: (record.quantity_lots as i64).into(),
        ord_type: OrdType::Limit.field(),
        price: record.price_ticks.into(),
        side: side.field(),
        time_in_force: time_in_force.field(),
        // All orders are one account's: they have to meet each other.
        self_trade_prevention_mode: codes::SelfTradePreventionMode::None.field(),
        ..NewOrderSingle::NULL
    };
    let mut frame = FrameWriter::new(out, envelope, &block, &OrderExtension::NULL);
    frame.text8(record.order_ref.to_string().as_bytes()).text8(SYMBOL);
    frame.finish();
}

/// What a client heard of its requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    pub(crate) heard: Heard,
    pub(crate) report_bytes: u64,
    /// A report of about the mean length.
    pub(crate) sample: Vec<u8>,
}

/// Sends a lap over and over and reads every report, until the run is stopped and all of it was answered.
///
/// # Errors
/// What broke the run off.
pub(crate) fn trade(flow: &Flow, client: &mut Client, lap: &FrameLap, drive: &Drive) -> Result<Answers, String> {
    let break_off = BreakOff(Some(flow));
    drive.placement.apply().map_err(|error| error.to_string())?;
    let (mut idle, mut stall) = (Idle::new(drive.wait), Stall::after(PATIENCE));
    let bell = Bell::in_memory().map_err(|error| error.to_string())?;
    let (mut answers, mut samples, mut frames) = (Answers::default(), Vec::new(), Vec::new());
    let mut last_index = 0;
    loop {
        let has_gone = client.flush().map_err(|error| error.to_string())?;
        let Heard { sent, commands, .. } = answers.heard;
        let count = drive.window.saturating_sub(sent - commands).min(CHUNK as u64) as usize;
        let sends = has_gone && count > 0 && !flow.is_stopping();
        if sends {
            frames.clear();
            lap.write(sent, count, client.next_number(), client.next_sequence(), &mut frames);
            client.written(&frames, count as u32);
            client.flush().map_err(|error| error.to_string())?;
            answers.heard.sent += count as u64;
        }
        let received = client.receive(|frame| {
            let Some(output) = output_of(frame) else { return };
            let index = output.index.get();
            answers.heard.events += 1;
            answers.heard.commands += u64::from(index != last_index);
            last_index = index;
            answers.heard.refused += u64::from(is_refusal(frame));
            let length = frame.header.frame_length.get() as usize;
            answers.report_bytes += length as u64;
            if samples.len() < SAMPLES {
                samples.push(length);
            }
        });
        let received = received.map_err(|error| error.to_string())?;
        if received > 0 || sends {
            flow.count(answers.heard.commands, answers.heard.events);
            idle.worked();
            stall.moved();
        } else if flow.is_broken() || (flow.is_stopping() && answers.heard.commands == answers.heard.sent) {
            break;
        } else if stall.idles() {
            let Heard { sent, commands, .. } = answers.heard;
            return Err(format!("no report came for a minute: {commands} of {sent} requests are answered"));
        } else {
            idle.pause(&bell, || false);
        }
    }
    let mean = answers.report_bytes as f64 / answers.heard.events.max(1) as f64;
    answers.sample = sample_report(mean.round() as usize);
    break_off.disarm();
    Ok(answers)
}

/// Whether a report says that something was refused.
pub(crate) fn is_refusal(frame: &Frame<'_>) -> bool {
    let report = frame.message::<ExecutionReport>().ok();
    report.is_none_or(|report| report.block.exec_type.0 == codes::ExecType::Rejected as u8)
}

/// An event as a session that sends records hears it.
pub(crate) fn sample_event() -> Vec<u8> {
    let mut frame = Vec::new();
    let envelope = Envelope { version: VERSION_EXTENDED, seq_num: 0, sending_time_us: 0 };
    let event = EventRecord::new(EventKind::OrderAccepted);
    let block = RawEvent { event: EventBytes(zerocopy::transmute!(event)) };
    FrameWriter::new(&mut frame, envelope, &block, &NoExtension).finish();
    frame
}

/// A report of so many bytes, or as few as there can be.
pub(crate) fn sample_report(bytes: usize) -> Vec<u8> {
    let write = |text: &[u8]| {
        let mut frame = Vec::new();
        let envelope = Envelope { version: VERSION_EXTENDED, seq_num: 0, sending_time_us: 0 };
        let block = ExecutionReport { exec_type: codes::ExecType::New.field(), ..ExecutionReport::NULL };
        let mut writer = FrameWriter::new(&mut frame, envelope, &block, &OutputExtension::NULL);
        writer.text8(text);
        writer.finish();
        frame
    };
    let least = write(b"");
    write(&vec![b'x'; bytes.saturating_sub(least.len()).min(255)])
}

/// The floor under a pipe of frames: the node's own links, and nothing between them but copies.
pub(crate) enum FrameCopier {
    Tcp(TcpListener),
    Shm { requests: Arc<Region>, records: Arc<Region>, reports: Arc<Region>, folder: std::path::PathBuf },
}

impl FrameCopier {
    /// Listens on a free port of this machine.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn tcp() -> Result<Self, String> {
        TcpListener::bind("127.0.0.1:0").map(Self::Tcp).map_err(|error| error.to_string())
    }

    /// Makes the rings of a link as a node makes them.
    ///
    /// # Errors
    /// The system refuses them.
    pub(crate) fn shm(folder: &Path, slots: u64) -> Result<Self, String> {
        let create = |ending: &str, shape| {
            let path = folder.join(format!("floor.{ending}"));
            Region::create(path, shape, &RegionOptions::default()).map_err(|error| error.to_string())
        };
        Ok(Self::Shm {
            requests: create("requests", Shape::queue::<FrameSlot>(slots, 1 << 10))?,
            records: create("records", Shape::queue::<CommandRecord>(slots, 512))?,
            reports: create("reports", Shape::queue::<FrameSlot>(slots, 1 << 10))?,
            folder: folder.to_owned(),
        })
    }

    /// A client of it; nobody logs on.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn client(&self) -> Result<Client, String> {
        match self {
            Self::Tcp(listener) => {
                let address = listener.local_addr().map_err(|error| error.to_string())?;
                Client::tcp(address).map_err(|error| error.to_string())
            }
            Self::Shm { folder, .. } => Client::shm(folder, "floor").map_err(|error| error.to_string()),
        }
    }

    /// The server's side, when the client is there.
    fn link(&self) -> Result<Box<dyn Link>, String> {
        match self {
            Self::Tcp(listener) => {
                let taken: std::io::Result<(TcpStream, _)> = listener.accept();
                let link = taken.and_then(|(stream, _)| TcpLink::new(stream));
                link.map(|link| Box::new(link) as Box<dyn Link>).map_err(|error| error.to_string())
            }
            Self::Shm { requests, records, reports, .. } => {
                let told = |error: tradewright_transport::RegionError| error.to_string();
                Ok(Box::new(ShmLink::new(
                    FrameReader::new(Consumer::attach(requests).map_err(told)?),
                    Some(Consumer::attach(records).map_err(told)?),
                    RingWriter::new(Producer::attach(reports).map_err(told)?),
                )))
            }
        }
    }

    /// Copies until the run is over: for each frame, or each record where these are sent, `reports_per_command` reports like the
    /// sample, in the long run.
    ///
    /// # Errors
    /// The connection is broken, a core cannot be had.
    pub(crate) fn run(
        &self,
        flow: &Flow,
        reports_per_command: f64,
        sample: &[u8],
        is_raw: bool,
        drive: &Drive,
    ) -> Result<(), String> {
        let break_off = BreakOff(Some(flow));
        drive.placement.apply().map_err(|error| error.to_string())?;
        let mut link = self.link()?;
        let bell = Bell::in_memory().map_err(|error| error.to_string())?;
        let (mut idle, mut share) = (Idle::new(drive.wait), Share::of(reports_per_command));
        let (mut input, mut out, mut index) = (Vec::new(), Vec::new(), 0_u64);
        let index_at = if is_raw {
            HEADER_LENGTH + core::mem::offset_of!(EventRecord, sequence)
        } else {
            HEADER_LENGTH + size_of::<ExecutionReport>() + core::mem::offset_of!(OutputExtension, index)
        };
        loop {
            let received = link.receive(&mut input, is_raw).map_err(|error| error.to_string())?;
            let mut done = 0;
            let next = |input: &[u8]| {
                let length =
                    if is_raw { Some(size_of::<CommandRecord>()) } else { frame_length(input, FRAME_MAX).ok()? };
                length.filter(|length| *length <= input.len())
            };
            while let Some(length) = next(&input[done..]) {
                done += length;
                index += 1;
                for _ in 0..share.next() {
                    let begin = out.len();
                    out.extend_from_slice(sample);
                    put(&mut out[begin..], index_at, &index.to_le_bytes());
                }
            }
            input.drain(..done);
            let sent = if out.is_empty() { 0 } else { link.send(&out).map_err(|error| error.to_string())? };
            out.drain(..sent);
            if done > 0 || sent > 0 {
                idle.worked();
            } else if flow.is_broken() || received == Received::HungUp || flow.is_over(index) {
                break;
            } else {
                idle.pause(&bell, || false);
            }
        }
        break_off.disarm();
        Ok(())
    }
}

/// Runs a pipe through the copier: commands a second.
///
/// # Errors
/// What broke the run off.
pub(crate) fn frame_floor(
    copier: &FrameCopier,
    lap: &FrameLap,
    answers: &Answers,
    server: &Drive,
    client: &Drive,
    lasts: Duration,
) -> Result<f64, String> {
    let flow = Flow::default();
    let reports_per_command = answers.heard.events as f64 / answers.heard.commands.max(1) as f64;
    let mut caller = copier.client()?;
    std::thread::scope(|scope| {
        let copying = scope.spawn(|| copier.run(&flow, reports_per_command, &answers.sample, false, server));
        let trading = scope.spawn(|| trade(&flow, &mut caller, lap, client));
        let timed = super::flow::time(&flow, None, lasts / 4, lasts);
        flow.stop();
        let traded = trading.join().unwrap_or_else(|_| Err("the client ended by a bug".to_owned()));
        flow.end(flow.commands.load(Ordering::Acquire));
        copying.join().unwrap_or_else(|_| Err("the copier ended by a bug".to_owned()))?;
        traded?;
        Ok(timed?.commands_per_s())
    })
}

#[cfg(test)]
mod tests {
    use tradewright_transport::{Placement, Wait};

    use super::*;
    use crate::Workload;

    fn lap() -> FrameLap {
        FrameLap::new(Lap::new(Workload::Mix60, 500, 1).expect("a right engine"))
    }

    #[test]
    fn frames_carry_the_numbers_of_their_connection_session_and_lap() {
        let lap = lap();
        let length = lap.lap.len();
        let mut bytes = Vec::new();
        lap.write(length as u64, length, 2, 101, &mut bytes);
        let (mut at, mut count, mut cancels) = (0, 0, 0);
        while let Ok(Some(length)) = frame_length(&bytes[at..], FRAME_MAX) {
            let frame = Frame::read(&bytes[at..at + length]).expect("a frame");
            assert_eq!(frame.header.seq_num.get(), 2 + count);
            let record = &lap.lap.records()[count as usize];
            if let Ok(message) = frame.message::<NewOrderSingle>() {
                assert_eq!(message.extension.expect("ours").client_sequence.get(), 101 + u64::from(count));
                assert_eq!(message.block.price.get(), record.price_ticks);
            } else {
                let message = frame.message::<OrderCancelRequest>().expect("the other kind");
                assert_eq!(message.extension.expect("ours").client_sequence.get(), 101 + u64::from(count));
                assert_eq!(message.block.order_id.get() as u64, record.order_ref + lap.lap.orders());
                cancels += 1;
            }
            (at, count) = (at + length, count + 1);
            if at == bytes.len() {
                break;
            }
        }
        assert_eq!(count as usize, length);
        assert!(cancels > 100 && lap.frame_bytes() > 100.0);
    }

    #[test]
    fn a_sample_has_the_length_that_is_asked_for() {
        let least = sample_report(0).len();
        assert_eq!(sample_report(least + 17).len(), least + 17);
        let frame = sample_report(least + 3);
        assert!(output_of(&Frame::read(&frame).expect("a frame")).is_some());
    }

    #[test]
    fn the_floors_answer_everything() {
        let folder = tempfile::tempdir().expect("a folder");
        let (lap, drive) = (lap(), Drive { wait: Wait::Yield, placement: Placement::default(), window: 512 });
        let heard = Heard { commands: 10, events: 17, ..Heard::default() };
        let answers = Answers { heard, sample: sample_report(400), ..Answers::default() };
        for copier in [FrameCopier::tcp().expect("a port"), FrameCopier::shm(folder.path(), 1 << 14).expect("rings")] {
            // Long enough for a machine that does other things too.
            let lasts = Duration::from_millis(500);
            let rate = frame_floor(&copier, &lap, &answers, &drive, &drive, lasts).expect("a run");
            assert!(rate > 0.0, "{rate}");
        }
    }
}
