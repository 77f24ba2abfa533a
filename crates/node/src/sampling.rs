//! Which commands are sampled: the doors choose them, and are the last who see them.

use std::time::Instant;

use tradewright_gateway::{CommandSink, Now};
use tradewright_transport::Producer;
use tradewright_types::CommandRecord;

use crate::clock::wall_ns;
use crate::passage::Stamps;
use crate::stages::Stages;
use crate::traces::Tracer;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Sampling {
    stages: Stages,
    /// How often a command is traced, and by whom.
    tracing: Option<(u64, Tracer)>,
    /// How many commands go by before the next one is traced.
    left: u64,
}

impl Sampling {
    /// Samples for the histograms of these stages; one in so many commands for a trace too.
    pub(crate) fn new(stages: Stages, tracing: Option<(u64, Tracer)>) -> Self {
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
