//! What carries the bytes of a connection.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use tradewright_protocol::frame::{FRAME_MAX, frame_length};
use tradewright_transport::{Consumer, FrameReader, FrameWriter};
use tradewright_types::CommandRecord;
use zerocopy::IntoBytes;

/// What was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// So many bytes more.
    Bytes(usize),
    /// The client has hung up.
    HungUp,
}

/// Both ways between a client and its machine. Nothing here waits.
pub trait Link: Send {
    /// Adds what has come to `into`, up to a bound of its own. `is_raw` when the machine takes records.
    ///
    /// # Errors
    /// When the connection is broken.
    fn receive(&mut self, into: &mut Vec<u8>, is_raw: bool) -> io::Result<Received>;

    /// Sends as much of `bytes` as goes without waiting, and returns how much that was.
    ///
    /// # Errors
    /// When the connection is broken.
    fn send(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Whether it is there for the next client when this one is gone.
    fn is_permanent(&self) -> bool {
        false
    }
}

/// A connection over TCP.
#[derive(Debug)]
pub struct TcpLink {
    stream: TcpStream,
    buffer: Box<[u8]>,
}

/// So much is read at once.
const READ_BYTES: usize = 1 << 16;

impl TcpLink {
    /// Takes a connection: it is made not to wait, and to send at once.
    ///
    /// # Errors
    /// When the socket cannot be set so.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; READ_BYTES].into_boxed_slice() })
    }
}

impl Link for TcpLink {
    fn receive(&mut self, into: &mut Vec<u8>, _is_raw: bool) -> io::Result<Received> {
        match self.stream.read(&mut self.buffer) {
            Ok(0) => Ok(Received::HungUp),
            Ok(bytes) => {
                into.extend_from_slice(&self.buffer[..bytes]);
                Ok(Received::Bytes(bytes))
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                Ok(Received::Bytes(0))
            }
            Err(error) => Err(error),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.stream.write(bytes) {
            Ok(0) => Err(ErrorKind::WriteZero.into()),
            Ok(sent) => Ok(sent),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// A connection over shared memory: frames in, frames out, and a queue of records for a session that sends them.
#[derive(Debug)]
pub struct ShmLink {
    frames_in: FrameReader,
    records_in: Option<Consumer<CommandRecord>>,
    frames_out: FrameWriter,
    records: Vec<CommandRecord>,
}

/// So many frames, or records, are read at once.
const READ_FRAMES: usize = 256;
const READ_RECORDS: usize = 512;

impl ShmLink {
    /// A link over these queues.
    pub fn new(frames_in: FrameReader, records_in: Option<Consumer<CommandRecord>>, frames_out: FrameWriter) -> Self {
        let empty = CommandRecord::new(tradewright_types::CommandKind::AdvanceTime);
        Self { frames_in, records_in, frames_out, records: vec![empty; READ_RECORDS] }
    }
}

fn broken(error: impl core::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

impl Link for ShmLink {
    fn receive(&mut self, into: &mut Vec<u8>, is_raw: bool) -> io::Result<Received> {
        let before = into.len();
        if is_raw && let Some(records_in) = &mut self.records_in {
            let count = records_in.pop_slice(&mut self.records).map_err(broken)?;
            into.extend_from_slice(self.records[..count].as_bytes());
            return Ok(Received::Bytes(into.len() - before));
        }
        for _ in 0..READ_FRAMES {
            match self.frames_in.receive().map_err(broken)? {
                Some(frame) => into.extend_from_slice(frame),
                None => break,
            }
        }
        Ok(Received::Bytes(into.len() - before))
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut sent = 0;
        while let Ok(Some(length)) = frame_length(&bytes[sent..], FRAME_MAX) {
            let Some(frame) = bytes.get(sent..sent + length) else { break };
            if !self.frames_out.send(frame).map_err(broken)? {
                break;
            }
            sent += length;
        }
        Ok(sent)
    }

    fn is_permanent(&self) -> bool {
        true
    }
}
