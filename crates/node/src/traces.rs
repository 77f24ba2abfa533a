//! Traces of sampled commands, as lines of JSON that an OpenTelemetry collector reads: each is one `ExportTraceServiceRequest` of
//! OTLP, with a span for the command and one for each stage.
//!
//! The doors put what is known of a command into a ring; a thread of its own writes. What has no room there is left out.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tradewright_transport::{Consumer, Producer, Slot, queue};
use tradewright_types::CommandKind;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::config::MonitoringConfig;
use crate::error::{NodeError, while_doing};
use crate::passage::Stamps;
use crate::sequencer::Signals;

/// Where traces are written when the configuration does not say, in the node's folder.
const TRACES_FILE: &str = "traces.jsonl";
/// So many traces wait to be written at most.
const WAITING_MAX: u64 = 1 << 12;
/// How often it is looked whether there are any.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// A file that is longer makes room for the next one; the one before is kept.
const FILE_BYTES_MAX: u64 = 1 << 28;

/// A trace on its way to the thread that writes it.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct TraceSlot {
    index: u64,
    client_sequence: u64,
    session: u64,
    kind: u64,
    /// When each stage was done with it, from its coming on.
    times_ns: [u64; 7],
}

impl Slot for TraceSlot {
    const LAYOUT: &'static str = "trace";
    const VERSION: u8 = 1;
}

/// The doors' side.
#[derive(Debug)]
pub(crate) struct Tracer(Producer<TraceSlot>);

impl Tracer {
    /// Has a trace written, if there is room.
    pub(crate) fn trace(&mut self, stamps: &Stamps) {
        let slot = TraceSlot {
            index: stamps.index,
            client_sequence: stamps.client_sequence,
            session: stamps.session.into(),
            kind: stamps.kind.into(),
            times_ns: [
                stamps.came_ns,
                stamps.handed_in_ns,
                stamps.sequenced_ns,
                stamps.applied_ns,
                stamps.durable_ns,
                stamps.released_ns,
                stamps.told_ns,
            ],
        };
        // A trace that is lost harms nobody.
        let _ = self.0.push_whole(&[slot]);
    }
}

/// What is written, and where.
pub(crate) struct TraceWriter {
    traces: Consumer<TraceSlot>,
    path: PathBuf,
    file: BufWriter<File>,
    written: u64,
    shard: u8,
    /// Makes the ids of this process differ from those of any other.
    seed: [u64; 2],
}

/// One in so many commands is traced, by this.
pub(crate) type Tracing = (u64, Tracer);

/// Both sides, as the configuration wants them: the doors' with how many commands there are for each that is traced.
///
/// # Errors
/// As [`open`].
pub(crate) fn configured(
    config: &MonitoringConfig,
    directory: &Path,
    shard: u8,
) -> Result<(Option<Tracing>, Option<TraceWriter>), NodeError> {
    let Some(one_in) = &config.trace_one_in else { return Ok((None, None)) };
    let path = config.traces.clone().unwrap_or_else(|| directory.join(TRACES_FILE));
    let (tracer, writer) = open(&path, shard)?;
    Ok((Some((*one_in.get_ref(), tracer)), Some(writer)))
}

/// Makes both sides. Traces are added to the file at `path`.
///
/// # Errors
/// The file cannot be opened, or the system draws no number.
fn open(path: &Path, shard: u8) -> Result<(Tracer, TraceWriter), NodeError> {
    let (traces, read) = queue(WAITING_MAX, 1)?;
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).map_err(|error| NodeError::System {
        doing: "drawing a number for traces".to_owned(),
        error: std::io::Error::other(error),
    })?;
    let (file, written) = open_file(path).map_err(while_doing(format!("opening {} for traces", path.display())))?;
    let seed = u128::from_le_bytes(seed);
    let seed = [seed as u64, (seed >> 64) as u64];
    Ok((Tracer(traces), TraceWriter { traces: read, path: path.to_owned(), file, written, shard, seed }))
}

fn open_file(path: &Path) -> std::io::Result<(BufWriter<File>, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    Ok((BufWriter::new(file), length))
}

impl TraceWriter {
    /// Writes until the node stops. A file that cannot be written ends it: the operator hears why.
    pub(crate) fn run(mut self, signals: &Signals) {
        loop {
            let is_over = signals.stop.load(Ordering::Acquire);
            match self.write() {
                Ok(0) if is_over => return,
                Ok(0) => std::thread::sleep(LOOK_EVERY),
                Ok(_) => {}
                Err(error) => {
                    eprintln!("traces: {}: {error}; no more are written", self.path.display());
                    return;
                }
            }
        }
    }

    /// Writes what waits, and returns how many traces that was.
    fn write(&mut self) -> std::io::Result<usize> {
        let waiting = self.traces.readable().map_err(std::io::Error::other)?;
        let lines: Vec<String> = waiting.iter().map(|trace| line_of(trace, self.shard, self.seed)).collect();
        self.traces.release(lines.len());
        for line in &lines {
            writeln!(self.file, "{line}")?;
            self.written += line.len() as u64 + 1;
        }
        self.file.flush()?;
        if self.written > FILE_BYTES_MAX {
            let mut before = self.path.clone().into_os_string();
            before.push(".1");
            std::fs::rename(&self.path, before)?;
            (self.file, self.written) = open_file(&self.path)?;
        }
        Ok(lines.len())
    }
}

/// A trace as OTLP has it.
fn line_of(trace: &TraceSlot, shard: u8, seed: [u64; 2]) -> String {
    let TraceSlot { index, client_sequence, session, kind, times_ns } = *trace;
    let [came, handed_in, sequenced, applied, durable, released, told] = times_ns;
    let trace_id = format!("{:016x}{:016x}", seed[0], mixed(seed[1] ^ index));
    let span_id = |number: u64| format!("{:016x}", mixed(mixed(seed[0] ^ index) ^ number).max(1));
    let span = |number: u64, name: &str, begin_ns: u64, end_ns: u64| {
        let parent = if number == 0 { String::new() } else { span_id(0) };
        // A clock that was set meanwhile makes no span that ends before it begins.
        json!({
            "traceId": trace_id,
            "spanId": span_id(number),
            "parentSpanId": parent,
            "name": name,
            "kind": if number == 0 { 2 } else { 1 },
            "startTimeUnixNano": begin_ns.to_string(),
            "endTimeUnixNano": end_ns.max(begin_ns).to_string(),
        })
    };
    let name = CommandKind::from_code(kind as u8).map_or("command", CommandKind::name);
    let mut whole = span(0, name, came, told);
    whole["attributes"] = Value::Array(vec![
        attribute("tradewright.shard", shard.into()),
        attribute("tradewright.index", index),
        attribute("tradewright.session", session),
        attribute("tradewright.client_sequence", client_sequence),
    ]);
    let mut spans = vec![
        whole,
        span(1, "gateway", came, handed_in),
        span(2, "queue", handed_in, sequenced),
        span(3, "apply", sequenced, applied),
    ];
    // The log gets a command before it is applied, and the two go on at the same time.
    if durable != 0 {
        spans.push(span(4, "journal", sequenced, durable));
    }
    spans.push(span(5, "gate", applied.max(durable), released));
    spans.push(span(6, "publish", released, told));
    let service = json!([{ "key": "service.name", "value": { "stringValue": "tradewright" } }]);
    let scoped = json!([{ "scope": { "name": "tradewright.node" }, "spans": spans }]);
    json!({ "resourceSpans": [{ "resource": { "attributes": service }, "scopeSpans": scoped }] }).to_string()
}

fn attribute(key: &str, value: u64) -> Value {
    // Numbers of 64 bits are text in the JSON of OTLP.
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

/// A number that looks like any other (the last step of SplitMix64).
fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMPS: Stamps = Stamps {
        position: 0,
        is_traced: true,
        kind: CommandKind::PlaceOrder as u8,
        session: 3,
        client_sequence: 17,
        came_ns: 100,
        handed_in_ns: 110,
        sequenced_ns: 120,
        applied_ns: 130,
        durable_ns: 150,
        released_ns: 160,
        told_ns: 170,
        index: 42,
    };

    fn written(stamps: &[Stamps]) -> Vec<Value> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("traces.jsonl");
        let (mut tracer, mut writer) = open(&path, 5).expect("a file");
        stamps.iter().for_each(|stamps| tracer.trace(stamps));
        assert_eq!(writer.write().expect("it is written"), stamps.len());
        let text = std::fs::read_to_string(&path).expect("a file");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    fn spans(line: &Value) -> &Vec<Value> {
        line["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans")
    }

    #[test]
    fn a_trace_has_a_span_for_each_stage_within_that_of_the_command() {
        let lines = written(&[STAMPS]);
        let spans = spans(&lines[0]);
        let text = |span: &Value, field: &str| span[field].as_str().expect("text").to_owned();
        let told: Vec<_> = spans
            .iter()
            .map(|span| [text(span, "name"), text(span, "startTimeUnixNano"), text(span, "endTimeUnixNano")].join(" "))
            .collect();
        let expected = [
            "PlaceOrder 100 170",
            "gateway 100 110",
            "queue 110 120",
            "apply 120 130",
            "journal 120 150",
            "gate 150 160",
            "publish 160 170",
        ];
        assert_eq!(told, expected);
        let root = text(&spans[0], "spanId");
        let is_hexadecimal = |id: &str| id.bytes().all(|digit| digit.is_ascii_hexdigit());
        assert!(text(&spans[0], "parentSpanId").is_empty() && root.len() == 16 && is_hexadecimal(&root));
        let mut ids = std::collections::BTreeSet::new();
        for span in spans {
            let trace = text(span, "traceId");
            assert!(trace == text(&spans[0], "traceId") && trace.len() == 32 && is_hexadecimal(&trace));
            ids.insert(text(span, "spanId"));
        }
        assert_eq!(ids.len(), spans.len(), "each has an id of its own");
        assert!(spans[1..].iter().all(|span| text(span, "parentSpanId") == root));
        let attributes = &spans[0]["attributes"];
        assert_eq!(attributes[1], json!({ "key": "tradewright.index", "value": { "intValue": "42" } }));
    }

    #[test]
    fn in_tier_memory_nothing_waits_for_the_log_and_a_clock_that_goes_back_makes_no_negative_span() {
        let lines = written(&[Stamps { durable_ns: 0, ..STAMPS }, Stamps { index: 43, told_ns: 5, ..STAMPS }]);
        let names: Vec<_> = spans(&lines[0]).iter().map(|span| span["name"].as_str().expect("a name")).collect();
        assert_eq!(names, ["PlaceOrder", "gateway", "queue", "apply", "gate", "publish"]);
        let last = spans(&lines[1]).last().expect("a span");
        assert_eq!((&last["startTimeUnixNano"], &last["endTimeUnixNano"]), (&json!("160"), &json!("160")));
        assert_ne!(spans(&lines[0])[0]["traceId"], spans(&lines[1])[0]["traceId"]);
    }
}
