//! A workload as a client sends it over and over: one lap ends with an empty book, so that the next one finds what the first found.

use tradewright_engine::{Engine, EngineConfig, EventBuffer};
use tradewright_types::{CommandKind, CommandRecord, EventFlags, EventKind, EventRecord, Price, SelfTradePrevention};

use crate::{Outcome, Sums, Workload, commands, golden, venue};

/// The records of a lap, and what any right engine makes of them.
pub(crate) struct Lap {
    records: Vec<CommandRecord>,
    /// How many order ids a lap uses up.
    orders: u64,
    /// What it comes to, prefill and last cancels included.
    answer: Tally,
}

/// What was counted of the events of commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) commands: u64,
    pub(crate) events: u64,
    pub(crate) refused: u64,
    pub(crate) fills: u64,
    pub(crate) filled_quantity: u64,
    pub(crate) notional: u64,
}

impl Tally {
    /// Counts an event. The workloads' sums stay below 2^64.
    #[inline]
    pub(crate) fn read(&mut self, event: &EventRecord) {
        self.events += 1;
        self.commands += u64::from(event.flags & EventFlags::LAST.0);
        if event.kind == EventKind::Trade as u8 {
            self.fills += 1;
            self.filled_quantity += event.quantity_lots;
            self.notional += (event.price_ticks as u64).wrapping_mul(event.quantity_lots);
        }
        self.refused += u64::from(event.kind == EventKind::Rejected as u8);
    }

    fn is(&self, outcome: &Outcome) -> bool {
        let sums =
            Sums { fills: self.fills, filled_quantity: self.filled_quantity, notional: u128::from(self.notional) };
        sums.fills == outcome.fills
            && sums.filled_quantity == outcome.filled_quantity
            && sums.notional == outcome.notional
            && self.refused == 0
    }
}

/// Commands of one record each are counted by the last bit of the flags.
const _: () = assert!(EventFlags::LAST.0 == 1);

impl Lap {
    /// Generates a lap of so many operations behind its prefill, by so many accounts. The engine of this build has to make of it what
    /// the generating book made, and the published answer where there is one.
    ///
    /// # Errors
    /// It makes something else of it.
    pub(crate) fn new(workload: Workload, operations: usize, accounts: u64) -> Result<Self, String> {
        let tape = workload.generate(operations);
        let mut records = commands(tape.records(), accounts, SelfTradePrevention::None);
        let (mut engine, mut events) = (Engine::new(EngineConfig::default()), EventBuffer::with_capacity(1 << 14));
        engine.apply_all(&venue::bench_set_up(1, accounts, Price::from_ticks(100_000)), &mut events);
        events.clear();
        let mut answer = Tally::default();
        apply(&mut engine, &records, &mut events, &mut answer);
        let published = golden(workload, operations).map_or(tape.outcome, |golden| golden.outcome);
        if !answer.is(&published) {
            return Err(format!("the engine of this build makes {answer:?} of {workload}, must be {published:?}"));
        }
        let time_ns = engine.time_ns();
        let mut live = engine.open_orders(None);
        live.sort_by_key(|order| order.id);
        let cancels: Vec<CommandRecord> = live
            .iter()
            .map(|order| {
                let mut record = CommandRecord::new(CommandKind::CancelOrder);
                (record.account, record.instrument) = (order.account.0, order.instrument.0);
                (record.order_ref, record.header.time_ns) = (order.id.0, time_ns);
                record
            })
            .collect();
        let orders = engine.last_order().0;
        apply(&mut engine, &cancels, &mut events, &mut answer);
        records.extend(cancels);
        assert_eq!(engine.open_order_count(), 0, "Invariant: a lap cancels what it leaves");
        assert_eq!(answer.commands, records.len() as u64, "Invariant: every command of a lap has an event");
        Ok(Self { records, orders, answer })
    }

    /// How many commands it has, one record each.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn records(&self) -> &[CommandRecord] {
        &self.records
    }

    /// How many order ids a lap uses up.
    pub(crate) fn orders(&self) -> u64 {
        self.orders
    }

    pub(crate) fn answer(&self) -> &Tally {
        &self.answer
    }

    /// Writes the records behind `place` (which counts over all laps) as the session sends them: with its number, the client sequence,
    /// and in cancels the ids of this lap. `slots` may not go beyond the lap's end. All records exist beforehand; these three
    /// words change on the way, so the generator is a copy.
    #[inline]
    pub(crate) fn write(&self, place: u64, session: u32, slots: &mut [CommandRecord]) {
        let (round, from) = (place / self.len() as u64, (place % self.len() as u64) as usize);
        let base = round * self.orders;
        for (offset, (slot, record)) in slots.iter_mut().zip(&self.records[from..]).enumerate() {
            let is_cancel = u64::from(record.header.kind == CommandKind::CancelOrder as u8);
            *slot = *record;
            slot.order_ref += base * is_cancel;
            slot.header.session = session;
            slot.header.client_sequence = place + offset as u64 + 1;
        }
    }

    /// How many commands lie between `place` and the end of its lap.
    pub(crate) fn rest(&self, place: u64) -> usize {
        self.len() - (place % self.len() as u64) as usize
    }
}

fn apply(engine: &mut Engine, records: &[CommandRecord], events: &mut EventBuffer, tally: &mut Tally) {
    for batch in records.chunks(1_024) {
        engine.apply_all(batch, events);
        events.as_slice().iter().for_each(|event| tally.read(event));
        events.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_lap_is_the_first_again() {
        let lap = Lap::new(Workload::Mix60, 3_000, 10).expect("a right engine");
        let (mut engine, mut events) = (Engine::new(EngineConfig::default()), EventBuffer::default());
        engine.apply_all(&venue::bench_set_up(1, 10, Price::from_ticks(100_000)), &mut events);
        events.clear();
        let mut slots = vec![CommandRecord::new(CommandKind::AdvanceTime); 700];
        let (mut place, mut sent) = (0, Vec::new());
        while place < 2 * lap.len() as u64 {
            let count = lap.rest(place).min(slots.len());
            lap.write(place, 9, &mut slots[..count]);
            sent.extend_from_slice(&slots[..count]);
            place += count as u64;
        }
        for (record, number) in sent.iter_mut().zip(1..) {
            assert_eq!((record.header.session, record.header.client_sequence), (9, number));
            // Nobody opened the session here.
            (record.header.session, record.header.client_sequence, record.header.time_ns) = (0, 0, 1 << 40);
        }
        for _ in 0..2 {
            let mut tally = Tally::default();
            let (lap_records, rest) = sent.split_at(lap.len());
            apply(&mut engine, lap_records, &mut events, &mut tally);
            assert_eq!(tally, *lap.answer());
            sent = rest.to_vec();
        }
    }
}
