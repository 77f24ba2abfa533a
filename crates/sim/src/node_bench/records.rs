//! Command records into a ring, events out of another: the client's side of a pipe, and the server that only copies.

use std::sync::Arc;
use std::time::Duration;

use tradewright_transport::{
    Consumer, Idle, Placement, Polled, Producer, Reader, Region, RegionOptions, Releaser, Shape, Start, Wait, Writer,
};
use tradewright_types::{CommandKind, CommandRecord, EventFlags, EventKind, EventRecord};

use super::flow::{BreakOff, Flow, Stall};
use super::lap::{Lap, Tally};
use super::served::PATIENCE;

/// So many records are written at once, as many as a round of the sequencer takes.
const CHUNK: usize = 256;
/// So many events are read at once.
const EVENTS_AT_ONCE: usize = 1_024;

/// How the ends of a pipe are driven.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drive {
    pub(crate) wait: Wait,
    pub(crate) placement: Placement,
    /// How many commands may be on their way.
    pub(crate) window: u64,
}

/// What was read of all events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) sent: u64,
    pub(crate) commands: u64,
    pub(crate) events: u64,
    pub(crate) refused: u64,
    pub(crate) skipped: u64,
    /// Whole laps that came to what they must come to; one that does not breaks the run off.
    pub(crate) laps: u64,
}

/// A client's ends of a pipe of records.
pub(crate) struct Ends<'r> {
    pub(crate) session: u32,
    pub(crate) ring: &'r mut Producer<CommandRecord>,
    pub(crate) reader: Reader<EventRecord>,
}

/// Sends a lap over and over and reads every event, while `during` runs on this thread. Returns when all events of what was sent were read.
///
/// # Errors
/// What broke the run off.
pub(crate) fn pump<T>(
    flow: &Flow,
    lap: &Lap,
    ends: Ends<'_>,
    drive: &Drive,
    is_checked: bool,
    during: impl FnOnce() -> Result<T, String>,
) -> Result<(T, Heard), String> {
    let Ends { session, ring, reader } = ends;
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || send(flow, lap, session, ring, drive));
        let follower = scope.spawn(move || follow(flow, is_checked.then_some(lap), reader, drive));
        let timed = during();
        flow.stop();
        let sent = sender.join().unwrap_or_else(|_| Err("the sender ended by a bug".to_owned()));
        let heard = follower.join().unwrap_or_else(|_| Err("the reader ended by a bug".to_owned()));
        // The thread that broke it off knows why; the others only say that it was.
        match (sent, heard, timed) {
            (Ok(sent), Ok(heard), Ok(timed)) => Ok((timed, Heard { sent, ..heard })),
            (sent, heard, timed) => {
                let errors = [sent.err(), heard.err(), timed.err()];
                Err(errors.into_iter().flatten().next().unwrap_or_default())
            }
        }
    })
}

fn send(
    flow: &Flow,
    lap: &Lap,
    session: u32,
    ring: &mut Producer<CommandRecord>,
    drive: &Drive,
) -> Result<u64, String> {
    let break_off = BreakOff(Some(flow));
    drive.placement.apply().map_err(|error| error.to_string())?;
    let (mut sent, mut idle, mut stall) = (0, Idle::new(drive.wait), Stall::after(PATIENCE));
    while !flow.is_stopping() {
        let read = flow.commands.load(std::sync::atomic::Ordering::Relaxed);
        let room = drive.window.saturating_sub(sent - read).min(CHUNK as u64) as usize;
        let count = room.min(lap.rest(sent));
        let slots = if count > 0 { ring.claim(count).map_err(|error| error.to_string())? } else { None };
        if let Some(slots) = slots {
            lap.write(sent, session, slots);
            ring.commit(count);
            sent += count as u64;
            idle.worked();
            stall.moved();
        } else if stall.idles() {
            return Err(format!("nothing was taken for a minute behind {sent} commands"));
        } else {
            ring.pause(&mut idle);
        }
    }
    flow.end(sent);
    break_off.disarm();
    Ok(sent)
}

fn follow(flow: &Flow, lap: Option<&Lap>, mut reader: Reader<EventRecord>, drive: &Drive) -> Result<Heard, String> {
    let break_off = BreakOff(Some(flow));
    drive.placement.apply().map_err(|error| error.to_string())?;
    let (mut idle, mut stall) = (Idle::new(drive.wait), Stall::after(PATIENCE));
    let mut buffer = vec![EventRecord::default(); EVENTS_AT_ONCE];
    let (mut heard, mut tally) = (Heard::default(), Tally::default());
    let lap_commands = lap.map_or(u64::MAX, |lap| lap.len() as u64);
    loop {
        match reader.poll(&mut buffer) {
            Polled::Count(count) => {
                for event in &buffer[..count] {
                    tally.read(event);
                    if tally.commands == lap_commands {
                        check(&tally, lap)?;
                        heard = add(heard, &tally);
                        heard.laps += 1;
                        tally = Tally::default();
                    }
                }
                flow.count(heard.commands + tally.commands, heard.events + tally.events);
                idle.worked();
                stall.moved();
            }
            Polled::Empty => {
                if flow.is_over(heard.commands + tally.commands) || flow.is_broken() {
                    break;
                }
                if stall.idles() {
                    return Err(format!(
                        "no event came for a minute behind {} commands",
                        heard.commands + tally.commands
                    ));
                }
                reader.pause(&mut idle);
            }
            // What was missed will not come again: the figure is none, and the run is over.
            Polled::Behind { skipped } => {
                heard.skipped += skipped;
                flow.stop();
                break;
            }
        }
    }
    break_off.disarm();
    Ok(add(heard, &tally))
}

fn add(heard: Heard, tally: &Tally) -> Heard {
    Heard {
        commands: heard.commands + tally.commands,
        events: heard.events + tally.events,
        refused: heard.refused + tally.refused,
        ..heard
    }
}

fn check(tally: &Tally, lap: Option<&Lap>) -> Result<(), String> {
    match lap {
        Some(lap) if tally != lap.answer() => {
            Err(format!("the events of a lap come to {tally:?}, must be {:?}", lap.answer()))
        }
        _ => Ok(()),
    }
}

/// The floor under a pipe of records: the same rings and nothing between them but a copy of the commands and as many events.
pub(crate) struct RecordCopier {
    pub(crate) records: Arc<Region>,
    pub(crate) events: Arc<Region>,
}

impl RecordCopier {
    /// Makes its rings as a node makes them, in files.
    ///
    /// # Errors
    /// The system refuses them.
    pub(crate) fn new(
        folder: &std::path::Path,
        slots: u64,
        message_slots_max: u32,
        event_slots: u64,
    ) -> Result<Self, String> {
        let create = |name: &str, shape| {
            Region::create(folder.join(name), shape, &RegionOptions::default()).map_err(|error| error.to_string())
        };
        Ok(Self {
            records: create("floor.records", Shape::queue::<CommandRecord>(slots, message_slots_max))?,
            events: create("floor.events", Shape::broadcast::<EventRecord>(event_slots))?,
        })
    }

    /// Copies until the run is over: `events_per_command` events for each command, in the long run.
    ///
    /// # Errors
    /// A ring is broken, a core cannot be had.
    pub(crate) fn run(&self, flow: &Flow, events_per_command: f64, drive: &Drive) -> Result<(), String> {
        let break_off = BreakOff(Some(flow));
        let told = |error: &dyn std::fmt::Display| error.to_string();
        drive.placement.apply().map_err(|error| told(&error))?;
        let mut from = Consumer::<CommandRecord>::attach(&self.records).map_err(|error| told(&error))?;
        let mut to = Writer::<EventRecord>::attach(&self.events).map_err(|error| told(&error))?;
        let mut gate = Releaser::attach(&self.events).map_err(|error| told(&error))?;
        let mut idle = Idle::new(drive.wait);
        let mut batch = vec![CommandRecord::new(CommandKind::AdvanceTime); CHUNK];
        let mut share = Share::of(events_per_command);
        let mut events = Vec::with_capacity(CHUNK * 8);
        let mut sequence = 0;
        loop {
            let count = from.pop_slice(&mut batch).map_err(|error| told(&error))?;
            if count == 0 {
                if flow.is_over(sequence) || flow.is_broken() {
                    break;
                }
                from.pause(&mut idle);
                continue;
            }
            idle.worked();
            events.clear();
            for command in &batch[..count] {
                sequence += 1;
                let number = share.next();
                for k in 0..number {
                    events.push(copy_of(command, sequence, k, k + 1 == number));
                }
            }
            to.write(&events);
            gate.release(to.written());
        }
        break_off.disarm();
        Ok(())
    }
}

#[inline]
fn copy_of(command: &CommandRecord, sequence: u64, k: u32, is_last: bool) -> EventRecord {
    EventRecord {
        sequence,
        k,
        account: command.account,
        order_id: command.order_ref,
        price_ticks: command.price_ticks,
        quantity_lots: command.quantity_lots,
        flags: EventFlags::LAST.0 * u8::from(is_last),
        ..EventRecord::new(EventKind::OrderAccepted)
    }
}

/// A number that is a whole one each time and right in the long run, at least one.
#[derive(Debug)]
pub(crate) struct Share {
    /// In 65,536ths.
    step: u64,
    sum: u64,
}

impl Share {
    pub(crate) fn of(mean: f64) -> Self {
        Self { step: (mean.max(1.0) * 65_536.0).round() as u64, sum: 0 }
    }

    #[inline]
    pub(crate) fn next(&mut self) -> u32 {
        let before = self.sum >> 16;
        self.sum += self.step;
        ((self.sum >> 16) - before) as u32
    }
}

/// Runs a pipe through the copier: commands a second.
///
/// # Errors
/// What broke the run off, or an event was missed.
pub(crate) fn record_floor(
    copier: &RecordCopier,
    lap: &Lap,
    events_per_command: f64,
    server: &Drive,
    client: &Drive,
    lasts: Duration,
) -> Result<f64, String> {
    let flow = Flow::default();
    std::thread::scope(|scope| {
        let copying = scope.spawn(|| copier.run(&flow, events_per_command, server));
        let mut ring = Producer::attach(&copier.records).map_err(|error| error.to_string())?;
        let reader = Reader::attach(&copier.events, Start::Oldest).map_err(|error| error.to_string())?;
        let timed = pump(&flow, lap, Ends { session: 1, ring: &mut ring, reader }, client, false, || {
            super::flow::time(&flow, None, lasts / 4, lasts)
        });
        if timed.is_err() {
            flow.break_off();
        }
        copying.join().unwrap_or_else(|_| Err("the copier ended by a bug".to_owned()))?;
        let (timed, heard) = timed?;
        match heard.skipped {
            0 => Ok(timed.commands_per_s()),
            skipped => Err(format!("the reader of the floor missed {skipped} events")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Workload;

    #[test]
    fn a_share_is_right_in_the_long_run() {
        let mut share = Share::of(1.7);
        let numbers: Vec<u32> = (0..1_000).map(|_| share.next()).collect();
        assert!(numbers.iter().all(|number| (1..=2).contains(number)));
        assert!((1_699..=1_700).contains(&numbers.iter().sum::<u32>()));
        assert_eq!(Share::of(0.2).next(), 1);
    }

    #[test]
    fn the_floor_loses_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let lap = Lap::new(Workload::Mix60, 2_000, 10).expect("a right engine");
        let drive = Drive { wait: Wait::Yield, placement: Placement::default(), window: 4_096 };
        let copier = RecordCopier::new(folder.path(), 1_024, 512, 1 << 16).expect("rings");
        let rate = record_floor(&copier, &lap, 1.7, &drive, &drive, Duration::from_millis(500)).expect("a run");
        assert!(rate > 0.0, "{rate}");
    }

    #[test]
    fn a_lap_that_comes_to_something_else_breaks_the_run_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let lap = Lap::new(Workload::Mix60, 200, 10).expect("a right engine");
        let drive = Drive { wait: Wait::Yield, placement: Placement::default(), window: 4_096 };
        let copier = RecordCopier::new(folder.path(), 1_024, 512, 1 << 16).expect("rings");
        let flow = Flow::default();
        let error = std::thread::scope(|scope| {
            scope.spawn(|| copier.run(&flow, 1.0, &drive));
            let mut ring = Producer::attach(&copier.records).expect("a ring");
            let reader = Reader::attach(&copier.events, Start::Oldest).expect("a ring");
            pump(&flow, &lap, Ends { session: 1, ring: &mut ring, reader }, &drive, true, || {
                super::super::flow::time(&flow, None, Duration::ZERO, Duration::from_secs(20))
            })
        });
        assert!(error.is_err_and(|error| error.contains("the events of a lap come to")), "a copier matches nothing");
    }
}
