//! Which commands are sampled: the doors choose them, and are the last who see them.

use std::time::Instant;

use tradewright_gateway::{CommandSink, Now};
use tradewright_transport::Producer;
use tradewright_types::CommandRecord;

use crate::clock::wall_ns;
use crate::passage::Stamps;
use crate::stages::Stages;
use crate::traces::Tracing;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Sampling {
    stages: Stages,
    /// How often a command is traced, and by whom.
    tracing: Option<Tracing>,
    /// How many commands go by before the next one is traced.
    left: u64,
}

impl Sampling {
    /// Samples for the histograms of these stages; one in so many commands for a trace too.
    pub(crate) fn new(stages: Stages, tracing: Option<Tracing>) -> Self {
        Self { stages, tracing, left: 0 }
    }

    /// Whether a sample is wanted of these commands. Without traces that is when no other is on its way.
    #[inline]
    fn is_due(&self, commands: &[CommandRecord]) -> bool {
        let is_traced = self.tracing.is_some() && self.left < commands.len() as u64;
        is_traced || self.stages.passage.is_empty()
    }

    /// Samples commands that are about to be handed in behind a position of their queue.
    fn sample(&mut self, position: u64, commands: &[CommandRecord], came_ns: u64) {
        let handed_in_ns = wall_ns();
        let stamps_of = |command: &CommandRecord, end: usize, is_traced| Stamps {
            position: position + end as u64,
            is_traced,
            kind: command.header.kind,
            session: command.header.session,
            client_sequence: command.header.client_sequence,
            came_ns,
            handed_in_ns,
            ..Stamps::default()
        };
        let passage = &self.stages.passage;
        let mut last = 0;
        while let (command @ [first, ..], _) = CommandRecord::split_command(&commands[last..]) {
            let end = last + command.len();
            let is_traced = self.tracing.is_some() && self.left == 0;
            let is_only = end == commands.len() && passage.is_empty();
            if (is_traced || is_only) && passage.begin(&stamps_of(first, end, is_traced)) {
                self.stages.gateway.record(handed_in_ns.saturating_sub(came_ns), 1);
            }
            if let Some((every, _)) = &self.tracing {
                self.left = if self.left == 0 { every - 1 } else { self.left - 1 };
            }
            last = end;
        }
    }

    /// Commands that are not sampled go by.
    #[inline]
    fn pass(&mut self, commands: &[CommandRecord]) {
        if self.tracing.is_some() {
            let mut rest = commands;
            while let (command @ [_, ..], behind) = CommandRecord::split_command(rest) {
                debug_assert!(!command.is_empty() && self.left > 0, "Invariant: they are fewer than are left");
                self.left -= 1;
                rest = behind;
            }
        }
    }

    /// The doors have sent what came of the commands up to `index`.
    #[inline]
    pub(crate) fn told(&mut self, index: u64) {
        let Self { stages, tracing, .. } = self;
        if !stages.passage.is_to_tell() {
            return;
        }
        stages.passage.told(index, wall_ns(), |stamps| {
            stages.publish.record(stamps.told_ns.saturating_sub(stamps.released_ns), 1);
            if let Some((_, tracer)) = tracing.as_mut()
                && stamps.is_traced
            {
                tracer.trace(&stamps);
            }
        });
    }
}

/// The way of commands to the sequencer.
pub(crate) struct Sampled<'d> {
    pub(crate) commands: &'d mut Producer<CommandRecord>,
    pub(crate) sampling: &'d mut Sampling,
    pub(crate) begun: Instant,
    /// When the round began that read them.
    pub(crate) now: Now,
}

impl CommandSink for Sampled<'_> {
    #[inline]
    fn push(&mut self, commands: &[CommandRecord]) -> bool {
        let Self { commands: queue, sampling, begun, now } = self;
        if !sampling.is_due(commands) {
            let is_taken = queue.push(commands);
            if is_taken {
                sampling.pass(commands);
            }
            return is_taken;
        }
        // A sample stands in the ring before its command can be taken: there has to be room for it.
        if !queue.free().is_ok_and(|free| free >= commands.len()) {
            return false;
        }
        let age_ns = (begun.elapsed().as_nanos() as u64).saturating_sub(now.ns);
        sampling.sample(queue.written(), commands, wall_ns().saturating_sub(age_ns));
        queue.push(commands)
    }
}

#[cfg(test)]
mod tests {
    use tradewright_transport::queue;
    use tradewright_types::{CommandKind, SCHEMA_VERSION};

    use super::*;

    fn one() -> CommandRecord {
        let mut command = CommandRecord::new(CommandKind::PlaceOrder);
        (command.header.record_count, command.header.schema_version) = (1, SCHEMA_VERSION);
        command
    }

    #[test]
    fn one_in_so_many_commands_is_traced_however_they_are_handed_in() {
        for sizes in [&[1_usize][..], &[2, 5, 1], &[7, 7, 3, 64]] {
            let stages = Stages::default();
            let (mut commands, mut taken) = queue(1 << 10, 64).expect("memory");
            let folder = tempfile::tempdir().expect("a folder");
            let config = crate::config::MonitoringConfig {
                listen: None,
                trace_one_in: Some(toml::Spanned::new(0..0, 5)),
                traces: None,
            };
            let (tracing, _writer) = crate::traces::configured(&config, folder.path(), 0).expect("a file");
            let mut sampling = Sampling::new(stages.clone(), tracing);
            let (mut handed_in, mut traced) = (0, Vec::new());
            for size in sizes.iter().cycle().take(60) {
                let (begun, now) = (Instant::now(), Now::default());
                let mut sink = Sampled { commands: &mut commands, sampling: &mut sampling, begun, now };
                assert!(sink.push(&vec![one(); *size]));
                let begin = taken.consumed();
                let batch = taken.readable().expect("a ring").to_vec();
                taken.release(batch.len());
                stages.passage.sequenced((begin, &batch), handed_in + 1, (0, 0), |_| {});
                handed_in += *size as u64;
                stages.passage.released(handed_in, 0, 0);
                stages.passage.told(handed_in, 0, |stamps| traced.extend(stamps.is_traced.then_some(stamps.index)));
            }
            assert_eq!(traced, (1..=handed_in).step_by(5).collect::<Vec<_>>(), "{sizes:?}");
        }
    }

    #[test]
    fn a_sample_waits_for_room_as_its_command_does() {
        let stages = Stages::default();
        let (mut commands, mut taken) = queue(4, 4).expect("memory");
        let mut sampling = Sampling::new(stages.clone(), None);
        let mut push = |count: usize| {
            let (begun, now) = (Instant::now(), Now::default());
            Sampled { commands: &mut commands, sampling: &mut sampling, begun, now }.push(&vec![one(); count])
        };
        assert!(push(3));
        stages.passage.sequenced((0, &[one(); 3]), 1, (0, 0), |_| {});
        stages.passage.released(3, 0, 0);
        stages.passage.told(3, 0, |_| {});
        assert!(!push(2), "there is no room");
        assert!(stages.passage.is_empty() && !stages.passage.is_awaited());
        taken.readable().expect("a ring");
        taken.release(3);
        assert!(push(2));
        assert!(stages.passage.is_awaited());
    }

    /// What sampling costs: `cargo test --release -p tradewright-node cost_of_samples -- --ignored --nocapture`.
    #[test]
    #[ignore = "it measures, and proves nothing"]
    fn cost_of_samples() {
        const COMMANDS: u64 = 20_000_000;
        let stages = Stages::default();
        let (mut commands, mut taken) = queue(1 << 10, 64).expect("memory");
        let mut sampling = Sampling::new(stages.clone(), None);
        let command = [one()];
        let mut run = |goes_through: bool| {
            let begin = Instant::now();
            for number in 0..COMMANDS {
                let (begun, now) = (begin, Now::default());
                assert!(Sampled { commands: &mut commands, sampling: &mut sampling, begun, now }.push(&command));
                let at = taken.consumed();
                taken.readable().expect("a ring");
                taken.release(1);
                if goes_through && stages.passage.is_awaited() {
                    let waited = |ns| stages.queue.record(ns, 1);
                    stages.passage.sequenced((at, &command), number + 1, (wall_ns(), wall_ns()), waited);
                }
                if goes_through {
                    stages.passage.released(number + 1, 0, 0);
                    sampling.told(number + 1);
                }
            }
            begin.elapsed().as_nanos() as f64 / COMMANDS as f64
        };
        // The first sample stays where it is when the stages do not look: then no other is taken.
        let (with, without) = (run(true), run(false));
        println!("{with:.1} ns a command that is sampled, {without:.1} ns one that is not");
    }
}
