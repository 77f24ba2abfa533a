//! A client of a channel of market data.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tradewright_gateway::feed::{FeedSubscriber, SubscriberConfig};
use tradewright_protocol::feed::{FeedLevel, FeedMessage, TopOfBook};
use tradewright_transport::RegionError;
use tradewright_transport::multicast::Line;
use tradewright_types::Side;
use zerocopy::{Immutable, IntoBytes};

/// How long it sleeps at once while a call waits; the interpreter's lock is free meanwhile.
const NAP: Duration = Duration::from_micros(100);

/// A level: price, lots, orders.
type Level = (i64, u64, u32);

/// Instrument, best bid, best ask, last price, sequence.
type Top = (u32, Option<Level>, Option<Level>, Option<i64>, u64);

/// A message as a row: the fields of all kinds beside each other, 0 where a kind has none. `tradewright.marketdata.live.MESSAGE`
/// is its dtype.
#[derive(IntoBytes, Immutable, Default)]
#[repr(C)]
struct Row {
    sequence: u64,
    index: u64,
    time_ns: u64,
    order_id: u64,
    trade_id: u64,
    price_ticks: i64,
    quantity_lots: u64,
    remaining_lots: u64,
    surplus_lots: i64,
    until_ns: u64,
    instrument: u32,
    kind: u16,
    side: u8,
    state: u8,
    phase: u8,
    cause: u8,
    is_over: u8,
    reserved: [u8; 5],
}

impl Row {
    fn of(sequence: u64, message: &FeedMessage) -> Self {
        let kind = message.template();
        let instrument = message.instrument().unwrap_or_default();
        let row = Self { sequence, kind, instrument, ..Self::default() };
        macro_rules! with {
            ($message:ident, $($field:ident = $value:ident),*) => {
                Self { index: $message.index.get(), time_ns: $message.time.get(), $($field: $message.$value.get(),)* ..row }
            };
        }
        match message {
            FeedMessage::Add(m) => {
                Self { side: m.side.0, ..with!(m, order_id = order, price_ticks = price, quantity_lots = quantity) }
            }
            FeedMessage::Execute(m) => Self {
                side: m.aggressor.0,
                remaining_lots: m.remaining.get(),
                ..with!(m, order_id = order, price_ticks = price, quantity_lots = quantity, trade_id = trade)
            },
            FeedMessage::Reduce(m) => with!(m, order_id = order, remaining_lots = remaining),
            FeedMessage::Delete(m) => with!(m, order_id = order),
            FeedMessage::Replace(m) => with!(m, order_id = order, price_ticks = price, quantity_lots = quantity),
            FeedMessage::Trade(m) => Self {
                side: m.aggressor.0,
                ..with!(m, price_ticks = price, quantity_lots = quantity, trade_id = trade)
            },
            FeedMessage::State(m) => {
                Self { state: m.state.0, phase: m.phase.0, cause: m.cause.0, ..with!(m, until_ns = until) }
            }
            FeedMessage::Auction(m) => Self {
                phase: m.phase.0,
                is_over: m.is_over.0,
                ..with!(m, price_ticks = price, quantity_lots = quantity, surplus_lots = surplus)
            },
            FeedMessage::SnapshotBegin(_)
            | FeedMessage::SnapshotInstrument(_)
            | FeedMessage::SnapshotOrder(_)
            | FeedMessage::SnapshotEnd(_)
            | FeedMessage::RetransmitRequest(_)
            | FeedMessage::SnapshotRequest(_)
            | FeedMessage::Refused(_) => row,
        }
    }
}

/// Follows a channel of market data over a ring in shared memory, or over the lines A and B; keeps its books.
///
/// Costs the publisher nothing. What is lost on the way is asked for again, and a reader that is too slow takes a snapshot.
#[pyclass(module = "tradewright._core")]
pub(crate) struct MarketDataReader {
    subscriber: FeedSubscriber,
    begun: Instant,
}

#[pymethods]
impl MarketDataReader {
    /// Attach to the ring `path`. `service` is the address that gives messages again, and snapshots. Raises OSError when the file
    /// cannot be had, ValueError when it is no ring of market data or the address is none.
    #[staticmethod]
    #[pyo3(signature = (path, *, channel = 1, service = None))]
    fn over_ring(path: PathBuf, channel: u16, service: Option<&str>) -> PyResult<Self> {
        let config = config(channel, service)?;
        let subscriber = FeedSubscriber::over_ring(&path, &config).map_err(to_python)?;
        Ok(Self { subscriber, begun: Instant::now() })
    }

    /// Join one or two lines, each a group with its port, over an interface. Raises ValueError when an address is none, OSError
    /// when the system refuses.
    #[staticmethod]
    #[pyo3(signature = (lines, *, interface, channel = 1, service = None))]
    fn over_lines(lines: Vec<String>, interface: &str, channel: u16, service: Option<&str>) -> PyResult<Self> {
        let interface: Ipv4Addr = interface
            .parse()
            .map_err(|_| PyValueError::new_err(format!("interface={interface:?} must be an address of version 4")))?;
        let line = |text: &String| {
            let place: SocketAddrV4 =
                text.parse().map_err(|_| PyValueError::new_err(format!("line={text:?} must be a group and a port")))?;
            Ok(Line { group: *place.ip(), port: place.port(), interface })
        };
        let lines = lines.iter().map(line).collect::<PyResult<Vec<Line>>>()?;
        let subscriber = FeedSubscriber::over_lines(&lines, &config(channel, service)?)?;
        Ok(Self { subscriber, begun: Instant::now() })
    }

    /// Take what is new, and return its messages as rows, one behind the other. Waits up to `timeout_s` for something new. Raises
    /// OSError when a line is broken.
    #[pyo3(signature = (*, timeout_s = 0.0))]
    fn poll<'py>(&mut self, py: Python<'py>, timeout_s: f64) -> PyResult<Bound<'py, PyBytes>> {
        let timeout = Duration::try_from_secs_f64(timeout_s)
            .ok()
            .filter(|timeout| timeout.as_secs() <= 86_400)
            .ok_or_else(|| PyValueError::new_err(format!("timeout_s={timeout_s} must be from 0 to 86400")))?;
        let Self { subscriber, begun } = self;
        let rows = py.detach(|| {
            let mut rows: Vec<u8> = Vec::new();
            let ends = Instant::now() + timeout;
            loop {
                let now_ns = begun.elapsed().as_nanos() as u64;
                let done = subscriber.poll(now_ns, &mut |sequence, message| {
                    rows.extend_from_slice(Row::of(sequence, message).as_bytes());
                })?;
                if !rows.is_empty() || done == 0 && Instant::now() >= ends {
                    return Ok::<_, std::io::Error>(rows);
                }
                if done == 0 {
                    std::thread::sleep(NAP);
                }
            }
        })?;
        Ok(PyBytes::new(py, &rows))
    }

    /// Return the tops of the instruments that changed since this was asked last, each once and as it is now: instrument, best bid,
    /// best ask, last price, sequence.
    fn take_tops(&mut self) -> Vec<Top> {
        let mut tops = Vec::new();
        self.subscriber.take_tops(&mut tops);
        tops.into_iter().map(top).collect()
    }

    /// Return the top of an instrument, as `take_tops` does.
    fn top(&self, instrument: u32) -> Top {
        top(self.subscriber.top(instrument))
    }

    /// Return the best levels of a side, 0 buy and 1 sell, the best first: price, lots, orders.
    fn levels(&self, instrument: u32, side: u8, depth: usize) -> PyResult<Vec<Level>> {
        let side = side_of(side)?;
        Ok(self.subscriber.book().levels(instrument, side).take(depth).map(level).collect())
    }

    /// Return the orders of a side in the order in which they trade: id, price, lots.
    fn orders(&self, instrument: u32, side: u8) -> PyResult<Vec<(u64, i64, u64)>> {
        let side = side_of(side)?;
        let queue = self.subscriber.book().queue(instrument, side);
        Ok(queue.map(|order| (order.order, order.price_ticks, order.lots)).collect())
    }

    /// Return state and phase of each instrument that was heard of: instrument, state, phase.
    fn states(&self) -> Vec<(u32, u8, u8)> {
        self.subscriber.book().instruments().collect()
    }

    /// Return how it does: names and counts.
    fn counts(&self) -> Vec<(&'static str, u64)> {
        let counts = self.subscriber.counts();
        vec![
            ("applied", counts.applied),
            ("broken", counts.broken),
            ("asked_again", counts.asked_again),
            ("snapshots", counts.snapshots),
            ("overrun", counts.overrun),
            ("restarts", counts.restarts),
        ]
    }

    /// The sequence of the next message; None before it is known where the channel stands.
    #[getter]
    fn next_sequence(&self) -> Option<u64> {
        self.subscriber.next_sequence()
    }

    /// Whether nothing is missing of what was heard of.
    #[getter]
    fn is_current(&self) -> bool {
        self.subscriber.is_current()
    }
}

fn to_python(error: RegionError) -> PyErr {
    let RegionError::Io { source, .. } = &error else { return PyValueError::new_err(error.to_string()) };
    match source.raw_os_error() {
        // With the number Python makes FileNotFoundError and its like.
        Some(number) => PyOSError::new_err((number, error.to_string())),
        None => PyOSError::new_err(error.to_string()),
    }
}

fn config(channel: u16, service: Option<&str>) -> PyResult<SubscriberConfig> {
    let service = service.map(str::parse::<SocketAddr>).transpose();
    let service = service.map_err(|_| PyValueError::new_err("service must be an address and a port"))?;
    Ok(SubscriberConfig { channel, service, ..SubscriberConfig::default() })
}

fn side_of(code: u8) -> PyResult<Side> {
    Side::from_code(code).ok_or_else(|| PyValueError::new_err(format!("side={code} must be 0 or 1")))
}

fn level(level: FeedLevel) -> Level {
    (level.price_ticks, level.lots, level.orders)
}

fn top(top: TopOfBook) -> Top {
    (top.instrument, top.bid.map(level), top.ask.map(level), top.last_price_ticks, top.sequence)
}
