//! The states of an instrument, as commands and events name them. What a state change does is the engine's.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{CommandKind, Price, RejectReason, SCHEMA_VERSION};

macro_rules! states {
    ($(#[$head:meta])* $enum:ident { $($(#[$doc:meta])+ $name:ident = $code:literal,)+ }) => {
        $(#[$head])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $enum {
            $($(#[$doc])+ $name = $code,)+
        }

        impl $enum {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The value with this code, if this build knows it.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// The name as it is written in logs and documents.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }
        }
    };
}

states! {
    /// What an instrument does with orders.
    InstrumentState {
        /// Orders trade as they come.
        #[default]
        Continuous = 0,
        /// An operator stopped it: only cancels pass.
        Halted = 1,
        /// Orders come and go, nothing trades: the opening auction gathers them.
        PreOpen = 2,
        /// An auction gathers orders, and tells the price at which it would trade.
        Auction = 3,
        /// A breaker stopped it: only cancels pass, until the pause is over.
        Paused = 4,
        /// Only cancels pass.
        CancelOnly = 5,
        /// The session is over: only cancels pass.
        Closed = 6,
        /// It will never trade again, and has no orders.
        Expired = 7,
    }
}

states! {
    /// Which auction a call belongs to.
    AuctionPhase {
        /// None: the instrument is in no call.
        #[default]
        None = 0,
        /// The one that opens a session.
        Opening = 1,
        /// One within a session.
        Intraday = 2,
        /// The one that closes a session.
        Closing = 3,
        /// The one behind a pause.
        Volatility = 4,
    }
}

states! {
    /// Why the state of an instrument changed.
    StateCause {
        /// By command.
        #[default]
        Command = 1,
        /// By schedule.
        Schedule = 2,
        /// It was halted.
        Halt = 3,
        /// The halt ended.
        Resume = 4,
        /// Its circuit breaker tripped.
        Breaker = 5,
        /// The whole market fell too far.
        MarketWide = 6,
        /// The pause is over.
        PauseOver = 7,
        /// The call is over.
        CallOver = 8,
        /// The call goes on, because its price lies outside the collar.
        Extended = 9,
    }
}

/// What somebody wants of an instrument. The columns of the table of states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum InstrumentAction {
    /// A new order that may rest, or waits: placed, amended or put in another one's place.
    Enter = 0,
    /// A new order that must trade at once or not at all.
    EnterAtOnce = 1,
    /// A cancel or a cancel-all.
    Cancel = 2,
    /// A trigger fires.
    Fire = 3,
}

impl InstrumentAction {
    /// Every action, in the order of the table's columns.
    pub const ALL: &'static [Self] = &[Self::Enter, Self::EnterAtOnce, Self::Cancel, Self::Fire];
}

/// Whether a state lets something happen. A trigger has nobody to refuse: it waits for the next price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It does.
    Admitted,
    /// It is refused with this reason.
    Refused(RejectReason),
    /// It does not happen now.
    Deferred,
}

use Admission::{Admitted as YES, Deferred as LATER, Refused};
use RejectReason as Reason;

/// What each state admits: a row for each state, a column for each action.
const TABLE: [[Admission; 4]; 8] = [
    // enter                                 enter at once                            cancel fire
    /* Continuous */
    [YES, YES, YES, YES],
    /* Halted     */ row(Reason::InstrumentHalted),
    /* PreOpen    */ [YES, Refused(Reason::ImmediateInCall), YES, LATER],
    /* Auction    */ [YES, Refused(Reason::ImmediateInCall), YES, LATER],
    /* Paused     */ row(Reason::InstrumentPaused),
    /* CancelOnly */ row(Reason::InstrumentCancelOnly),
    /* Closed     */ row(Reason::InstrumentClosed),
    /* Expired    */ row(Reason::InstrumentExpired),
];

/// A state in which nothing new comes in.
const fn row(reason: RejectReason) -> [Admission; 4] {
    [Refused(reason), Refused(reason), YES, LATER]
}

impl InstrumentState {
    /// Whether it lets something happen.
    pub const fn admits(self, action: InstrumentAction) -> Admission {
        TABLE[self as usize][action as usize]
    }

    /// Whether orders trade as they come. The one question of the plain path.
    #[inline(always)]
    pub const fn trades(self) -> bool {
        self as u8 == Self::Continuous as u8
    }

    /// Whether orders rest whatever they cross.
    pub const fn is_call(self) -> bool {
        matches!(self, Self::PreOpen | Self::Auction)
    }

    /// Whether a command or a schedule may take an instrument from here to `to`. `paused_before` tells of a halted instrument that it was
    /// paused before: nobody goes around a breaker.
    pub const fn may_become(self, to: Self, phase: AuctionPhase, paused_before: bool) -> bool {
        use InstrumentState::{Auction, CancelOnly, Closed, Continuous, Expired, Halted, Paused, PreOpen};
        let opens = matches!(phase, AuctionPhase::Opening);
        match (self, to) {
            (_, Paused) | (Expired, _) => false,
            (Continuous, Continuous)
            | (Halted, Halted)
            | (PreOpen, PreOpen)
            | (Auction, Auction)
            | (CancelOnly, CancelOnly)
            | (Closed, Closed) => false,
            (Continuous | PreOpen | Auction | Halted | Paused | CancelOnly | Closed, Expired) => true,
            (Continuous | PreOpen | Auction | Halted | Paused | CancelOnly, Closed) => true,
            (Continuous | PreOpen | Auction | Paused | CancelOnly | Closed, Halted) => true,
            (PreOpen | Auction, Continuous) => true,
            (Halted | Paused | CancelOnly | Closed, Continuous) => false,
            (Paused, PreOpen | Auction | CancelOnly) | (Auction, PreOpen) => false,
            (Halted, PreOpen | Auction | CancelOnly) => !paused_before,
            (PreOpen | Closed, Auction) => opens,
            (Continuous | CancelOnly, PreOpen | Auction) | (Closed, PreOpen) => true,
            (Continuous | PreOpen | Auction | Closed, CancelOnly) => true,
        }
    }
}

impl AuctionPhase {
    /// Whether commands may name it for this state.
    pub const fn fits(self, state: InstrumentState) -> bool {
        match state {
            InstrumentState::Auction => matches!(self, Self::Opening | Self::Intraday | Self::Closing),
            InstrumentState::Continuous
            | InstrumentState::Halted
            | InstrumentState::PreOpen
            | InstrumentState::Paused
            | InstrumentState::CancelOnly
            | InstrumentState::Closed
            | InstrumentState::Expired => matches!(self, Self::None),
        }
    }
}

/// How the auctions of an instrument end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallTerms {
    /// How far from the reference an auction may trade, in parts per million. 0 is as far as it likes.
    pub collar_ppm: u32,
    /// How much longer a call goes on whose price lies outside the collar.
    pub extension_ns: u64,
    /// How often.
    pub extensions_max: u8,
    /// How long the call behind a pause is.
    pub call_ns: u64,
}

impl Default for CallTerms {
    fn default() -> Self {
        Self { collar_ppm: 0, extension_ns: 0, extensions_max: 0, call_ns: 30_000_000_000 }
    }
}

impl CallTerms {
    /// The longest time that terms and schedules may name.
    pub const TIME_MAX_NS: u64 = 1 << 62;

    /// Whether the numbers are in their ranges and fit together.
    pub const fn is_valid(&self) -> bool {
        let Self { collar_ppm, extension_ns, extensions_max, call_ns } = *self;
        collar_ppm <= 1_000_000
            && extension_ns <= Self::TIME_MAX_NS
            && call_ns <= Self::TIME_MAX_NS
            && (extensions_max == 0 || collar_ppm > 0 && extension_ns > 0)
    }
}

/// When a circuit breaker trips, and how long trading pauses then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BreakerTerms {
    /// The settlement price of the dynamic breaker; zero without one.
    pub settlement: Price,
    /// How far a price may move within an hour, in parts per million of the settlement. 0: as far as it likes.
    pub share_ppm: u32,
    /// How far a price may move at once, in ticks. 0: as far as it likes.
    pub velocity_ticks: u64,
    /// "At once" is so many slots ...
    pub velocity_slots: u16,
    /// ... of this length.
    pub velocity_slot_ns: u64,
    /// How long trading pauses.
    pub pause_ns: u64,
    /// How long before the close the short pause holds.
    pub closing_ns: u64,
    /// The short pause.
    pub closing_pause_ns: u64,
}

impl BreakerTerms {
    const SLOTS_MAX: u16 = 1_000;
    const TICKS_MAX: u64 = 1 << 62;

    /// Whether the numbers are in their ranges and fit together.
    pub const fn is_valid(&self) -> bool {
        let Self { settlement, share_ppm, velocity_ticks, velocity_slots, velocity_slot_ns, .. } = *self;
        let Self { pause_ns, closing_ns, closing_pause_ns, .. } = *self;
        let has_dynamic = share_ppm > 0;
        let has_velocity = velocity_ticks > 0;
        let has_any = has_dynamic || has_velocity;
        share_ppm <= 1_000_000
            && settlement.ticks() >= 0
            && settlement.ticks() as u64 <= Self::TICKS_MAX
            && (settlement.ticks() > 0) == has_dynamic
            && velocity_ticks <= Self::TICKS_MAX
            && (velocity_slots > 0) == has_velocity
            && velocity_slots <= Self::SLOTS_MAX
            && (velocity_slot_ns > 0) == has_velocity
            && velocity_slot_ns <= CallTerms::TIME_MAX_NS
            && (pause_ns > 0) == has_any
            && pause_ns <= CallTerms::TIME_MAX_NS
            && (closing_ns == 0 || has_any)
            && closing_ns <= CallTerms::TIME_MAX_NS
            && (closing_pause_ns > 0) == (closing_ns > 0)
            && closing_pause_ns <= CallTerms::TIME_MAX_NS
    }
}

/// Follows a breaker's command: its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct BreakerRecord {
    /// [`CommandKind::Breaker`].
    pub kind: u8,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u8,
    /// See [`BreakerTerms::velocity_slots`].
    pub velocity_slots: u16,
    /// See [`BreakerTerms::share_ppm`].
    pub share_ppm: u32,
    /// See [`BreakerTerms::settlement`].
    pub settlement_ticks: i64,
    /// See [`BreakerTerms::velocity_ticks`].
    pub velocity_ticks: u64,
    /// See [`BreakerTerms::velocity_slot_ns`].
    pub velocity_slot_ns: u64,
    /// See [`BreakerTerms::pause_ns`].
    pub pause_ns: u64,
    /// See [`BreakerTerms::closing_ns`].
    pub closing_ns: u64,
    /// See [`BreakerTerms::closing_pause_ns`].
    pub closing_pause_ns: u64,
    /// Zero.
    pub reserved: u64,
}

const _: () = assert!(size_of::<BreakerRecord>() == 64);

impl BreakerRecord {
    /// The record of these terms.
    pub const fn new(terms: &BreakerTerms) -> Self {
        Self {
            kind: CommandKind::Breaker as u8,
            schema_version: SCHEMA_VERSION,
            velocity_slots: terms.velocity_slots,
            share_ppm: terms.share_ppm,
            settlement_ticks: terms.settlement.ticks(),
            velocity_ticks: terms.velocity_ticks,
            velocity_slot_ns: terms.velocity_slot_ns,
            pause_ns: terms.pause_ns,
            closing_ns: terms.closing_ns,
            closing_pause_ns: terms.closing_pause_ns,
            reserved: 0,
        }
    }

    /// The terms, when they are in their ranges.
    pub const fn terms(&self) -> Option<BreakerTerms> {
        let terms = BreakerTerms {
            settlement: Price::from_ticks(self.settlement_ticks),
            share_ppm: self.share_ppm,
            velocity_ticks: self.velocity_ticks,
            velocity_slots: self.velocity_slots,
            velocity_slot_ns: self.velocity_slot_ns,
            pause_ns: self.pause_ns,
            closing_ns: self.closing_ns,
            closing_pause_ns: self.closing_pause_ns,
        };
        if self.reserved == 0 && terms.is_valid() { Some(terms) } else { None }
    }
}
