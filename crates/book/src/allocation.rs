//! How an incoming quantity is shared among the orders of one price. Owns the arithmetic and nothing else: it is told who
//! rests there, in time order, and answers with a share each; it knows no queue, no account and no event.
//!
//! The formulas, with examples by hand, stand in `docs/internals/allocation.md`.

use tradewright_types::Quantity;

use crate::wide::Wide;

/// How an instrument shares what comes in. Whatever rule: all shares together are what came in, or all that rests; none is
/// above what its order has open; and what rounding leaves goes to the orders in time order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Allocation {
    /// First come, first served.
    #[default]
    PriceTime,
    /// In proportion to what is open.
    ProRata(ProRata),
    /// In the steps of the matrix that CME publishes.
    Steps(Steps),
    /// In proportion to what is open, those who came first more so.
    TimeProRata(TimeWeight),
}

/// Shares in proportion to what is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProRata {
    /// A share below this is none. Zero and one lot are the same.
    pub minimum: Quantity,
}

/// How much more the first lots of the queue count than the last: the exponent `w` of US patent 8,069,110.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimeWeight {
    /// Not at all: pro-rata.
    #[default]
    Zero,
    /// A lot's weight falls in a straight line to zero at the end of the queue.
    One,
    /// It falls with the third power.
    Three,
}

/// Parts per million of the whole.
const WHOLE_PPM: u32 = 1_000_000;

/// TOP, lead market makers, split into FIFO and pro-rata, leveling, FIFO: in this order, each on what the steps before it
/// left. A step that is not wanted has nothing to give; so this is every row of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Steps {
    /// What the order that bettered the market gets before all others.
    pub top: Option<Top>,
    /// What each lead market maker gets of the quantity that TOP left, by its number.
    pub leads_ppm: [u32; Self::LEADS_MAX],
    /// The part of what is left then that goes in time order. The other part is shared pro rata.
    pub fifo_ppm: u32,
    /// A pro-rata share below this is none.
    pub pro_rata: ProRata,
    /// Whether orders that have got nothing until then get a lot each, in time order.
    pub leveling: bool,
}

/// The privilege of the order that bettered the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Top {
    /// The smallest order that wins it. See [`Top::admits`].
    pub minimum: Quantity,
    /// The most that it gets of one incoming order. It takes part in pro-rata and FIFO with the rest.
    pub maximum: Quantity,
}

/// An order that takes part, as the rule sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Resting {
    /// What it displays.
    pub open: Quantity,
    /// Whether it is the TOP order of its side. At most one is.
    pub is_top: bool,
    /// The number of the lead market maker that owns it: an index into [`Steps::leads_ppm`].
    pub lead: Option<u8>,
}

/// Why a rule makes no sense. In the order in which it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AllocationFault {
    /// TOP gets nothing at most: leave the step out.
    TopMaximumIsZero,
    /// TOP's minimum is above its maximum, or one of them is above the largest quantity of an order.
    TopOutOfRange,
    /// All lead market makers together are promised more than there is.
    LeadsAboveWhole,
    /// The FIFO part of the split is above the whole.
    SplitAboveWhole,
    /// The pro-rata minimum is above the largest quantity of an order: nobody could ever reach it.
    MinimumOutOfRange,
}

impl Allocation {
    /// Shares `quantity` among the orders of one price, which are given in time order; together they have less than 2^64
    /// lots open. `shares` is emptied and gets a share for each order. It grows only when it has never been as long before.
    ///
    /// # Panics
    /// When an order belongs to a lead market maker whose number is not below [`Steps::LEADS_MAX`]. A rule that
    /// [`Allocation::check`] refuses may panic too.
    pub fn allocate(&self, quantity: Quantity, resting: &[Resting], shares: &mut Vec<Quantity>) {
        shares.clear();
        let open = resting.iter().fold(Quantity::ZERO, |sum, order| sum + order.open);
        // The exception of all rules: who takes everything gives everybody everything.
        if quantity >= open {
            shares.extend(resting.iter().map(|order| order.open));
            return;
        }
        shares.resize(resting.len(), Quantity::ZERO);
        let mut sharing = Sharing { resting, shares, left: quantity, unfilled: open };
        match self {
            Self::PriceTime => {}
            Self::ProRata(pro_rata) => sharing.pro_rata(quantity, *pro_rata),
            Self::Steps(steps) => sharing.steps(steps),
            Self::TimeProRata(weight) => sharing.time_pro_rata(*weight),
        }
        sharing.fifo(sharing.left);
        debug_assert!(sharing.left.is_zero(), "Invariant: as long as something is open, nothing is left over");
    }

    /// Whether the rule makes sense.
    ///
    /// # Errors
    /// The first [`AllocationFault`] that it has.
    pub fn check(&self) -> Result<(), AllocationFault> {
        match self {
            Self::PriceTime | Self::TimeProRata(_) => Ok(()),
            Self::ProRata(pro_rata) => pro_rata.check(),
            Self::Steps(steps) => steps.check(),
        }
    }
}

impl ProRata {
    fn check(self) -> Result<(), AllocationFault> {
        if self.minimum > Quantity::MAX { Err(AllocationFault::MinimumOutOfRange) } else { Ok(()) }
    }
}

impl Top {
    /// All that it has, whatever its size.
    pub const WHOLE: Self = Self { minimum: Quantity::ZERO, maximum: Quantity::MAX };

    /// Whether an order that betters the market with `quantity` becomes TOP. Asked once, when it does: an order that was
    /// filled in part since then stays what it is, so [`Allocation::allocate`] believes [`Resting::is_top`].
    pub fn admits(&self, quantity: Quantity) -> bool {
        quantity >= self.minimum
    }
}

impl Steps {
    /// How many lead market makers an instrument can have.
    pub const LEADS_MAX: usize = 8;

    /// No lead market makers.
    pub const NO_LEADS: [u32; Self::LEADS_MAX] = [0; Self::LEADS_MAX];

    /// Algorithm F: FIFO.
    pub const fn cme_f() -> Self {
        Self {
            top: None,
            leads_ppm: Self::NO_LEADS,
            fifo_ppm: WHOLE_PPM,
            pro_rata: ProRata { minimum: Quantity::ZERO },
            leveling: false,
        }
    }

    /// Algorithm A: TOP with all it has, pro-rata with at least two lots, FIFO.
    pub const fn cme_a() -> Self {
        Self::cme_o(Top::WHOLE, ProRata { minimum: Quantity::from_lots(2) })
    }

    /// Algorithm C: pro-rata, FIFO.
    pub const fn cme_c(pro_rata: ProRata) -> Self {
        Self { fifo_ppm: 0, pro_rata, ..Self::cme_f() }
    }

    /// Algorithm K: TOP, lead market makers, split into FIFO and pro-rata, leveling if wanted, FIFO.
    pub const fn cme_k(
        top: Option<Top>,
        leads_ppm: [u32; Self::LEADS_MAX],
        fifo_ppm: u32,
        pro_rata: ProRata,
        leveling: bool,
    ) -> Self {
        Self { top, leads_ppm, fifo_ppm, pro_rata, leveling }
    }

    /// Algorithm O: TOP, pro-rata, FIFO, with minimums.
    pub const fn cme_o(top: Top, pro_rata: ProRata) -> Self {
        Self { top: Some(top), ..Self::cme_c(pro_rata) }
    }

    /// Algorithm Q: TOP, lead market makers, pro-rata, FIFO.
    pub const fn cme_q(top: Top, leads_ppm: [u32; Self::LEADS_MAX], pro_rata: ProRata) -> Self {
        Self { leads_ppm, ..Self::cme_o(top, pro_rata) }
    }

    /// Algorithm S: TOP, lead market makers, FIFO.
    pub const fn cme_s(top: Top, leads_ppm: [u32; Self::LEADS_MAX]) -> Self {
        Self { top: Some(top), ..Self::cme_t(leads_ppm) }
    }

    /// Algorithm T: lead market makers, FIFO.
    pub const fn cme_t(leads_ppm: [u32; Self::LEADS_MAX]) -> Self {
        Self { leads_ppm, ..Self::cme_f() }
    }

    fn check(&self) -> Result<(), AllocationFault> {
        let Self { top, leads_ppm, fifo_ppm, pro_rata, leveling: _ } = self;
        if let Some(Top { minimum, maximum }) = top {
            if maximum.is_zero() {
                return Err(AllocationFault::TopMaximumIsZero);
            }
            if minimum > maximum || *maximum > Quantity::MAX {
                return Err(AllocationFault::TopOutOfRange);
            }
        }
        if leads_ppm.iter().map(|ppm| u64::from(*ppm)).sum::<u64>() > u64::from(WHOLE_PPM) {
            return Err(AllocationFault::LeadsAboveWhole);
        }
        if *fifo_ppm > WHOLE_PPM {
            return Err(AllocationFault::SplitAboveWhole);
        }
        pro_rata.check()
    }
}

/// An allocation under way. Less is left than is unfilled, from the first step to the last: both fall by what is given.
struct Sharing<'a> {
    resting: &'a [Resting],
    shares: &'a mut [Quantity],
    /// What came in and is not given yet.
    left: Quantity,
    /// What all orders together have open beyond their shares.
    unfilled: Quantity,
}

impl Sharing<'_> {
    fn steps(&mut self, steps: &Steps) {
        let Steps { top, leads_ppm, fifo_ppm, pro_rata, leveling } = steps;
        let top = top.and_then(|top| self.top(top));
        if *leads_ppm != Steps::NO_LEADS {
            self.leads(leads_ppm, top);
        }
        let split = self.left;
        let fifo = part(split, *fifo_ppm);
        self.fifo(fifo);
        self.pro_rata(split - fifo, *pro_rata);
        if *leveling {
            self.level();
        }
    }

    /// Gives the TOP order its share and returns where it stands.
    fn top(&mut self, top: Top) -> Option<usize> {
        let index = self.resting.iter().position(|order| order.is_top)?;
        self.give(index, top.maximum);
        Some(index)
    }

    /// Gives each lead market maker its part of what is left now, over all its orders in time order. An order that was
    /// served as TOP has had its privilege.
    fn leads(&mut self, leads_ppm: &[u32; Steps::LEADS_MAX], top: Option<usize>) {
        let mut entitled = leads_ppm.map(|ppm| part(self.left, ppm));
        for (index, order) in self.resting.iter().enumerate() {
            if let Some(lead) = order.lead
                && top != Some(index)
            {
                let entitled = &mut entitled[usize::from(lead)];
                *entitled -= self.give(index, *entitled);
            }
        }
    }

    /// Gives `quantity` to the orders in time order.
    fn fifo(&mut self, mut quantity: Quantity) {
        for index in 0..self.resting.len() {
            if quantity.is_zero() {
                return;
            }
            quantity -= self.give(index, quantity);
        }
    }

    /// Gives `quantity` in proportion to what is unfilled, rounded down. What rounding and the minimum leave is left.
    fn pro_rata(&mut self, quantity: Quantity, rule: ProRata) {
        if quantity.is_zero() {
            return;
        }
        let unfilled = self.unfilled.lots();
        for index in 0..self.resting.len() {
            let share = product_quotient(quantity.lots(), self.unfilled_of(index).lots(), unfilled);
            if share >= rule.minimum.lots() {
                self.give(index, Quantity::from_lots(share));
            }
        }
    }

    /// Gives a lot to each order that has got nothing yet, in time order.
    fn level(&mut self) {
        for index in 0..self.resting.len() {
            if self.left.is_zero() {
                return;
            }
            if self.shares[index].is_zero() {
                self.give(index, Quantity::from_lots(1));
            }
        }
    }

    fn time_pro_rata(&mut self, weight: TimeWeight) {
        match weight {
            TimeWeight::Zero => self.pro_rata(self.left, ProRata::default()),
            TimeWeight::One => self.weighted(2),
            TimeWeight::Three => self.weighted(4),
        }
    }

    /// Gives what is left by time-pro-rata, rounded down; `power` is the weight plus one.
    ///
    /// An order whose share reaches what it has open is filled, and the same rule shares the rest of the quantity among the
    /// rest of the orders. The earlier a lot stands, the more it gets, so those who are filled are the first of the queue:
    /// each order is looked at once, and a round ends where nobody is filled.
    fn weighted(&mut self, power: u32) {
        let mut next = 0;
        loop {
            let filled = self.fill_front(next, power);
            if filled == next {
                break;
            }
            next = filled;
        }
        let round = Round::new(self, power);
        let mut ahead = round.volume_power;
        let mut behind = self.unfilled;
        for index in next..self.resting.len() {
            behind -= self.resting[index].open;
            let (share, after) = round.share(ahead, behind);
            self.give(index, share);
            ahead = after;
        }
    }

    /// Fills the orders from `next` on whose share in this round reaches what they have open. Returns the first that is not.
    fn fill_front(&mut self, next: usize, power: u32) -> usize {
        let round = Round::new(self, power);
        let mut ahead = round.volume_power;
        for index in next..self.resting.len() {
            let open = self.resting[index].open;
            let (share, after) = round.share(ahead, self.unfilled - open);
            if share < open {
                return index;
            }
            self.give(index, open);
            ahead = after;
        }
        self.resting.len()
    }

    /// Gives an order `quantity`, but not above what it has unfilled or what is left. Returns what it got.
    fn give(&mut self, index: usize, quantity: Quantity) -> Quantity {
        let given = quantity.min(self.unfilled_of(index)).min(self.left);
        self.shares[index] += given;
        self.left -= given;
        self.unfilled -= given;
        given
    }

    fn unfilled_of(&self, index: usize) -> Quantity {
        self.resting[index].open - self.shares[index]
    }
}

/// A round of time-pro-rata: `quantity` over a queue of `volume`.
struct Round {
    quantity: Quantity,
    /// The volume to the power of the weight plus one.
    volume_power: Wide,
    power: u32,
}

impl Round {
    fn new(sharing: &Sharing<'_>, power: u32) -> Self {
        let volume_power = Wide::power(sharing.unfilled.lots(), power);
        Self { quantity: sharing.left, volume_power, power }
    }

    /// The share, rounded down, of the order with `behind` standing behind it; `ahead` is the power of that and its own
    /// volume. Also returns the power of what is behind, which is `ahead` for the next order.
    fn share(&self, ahead: Wide, behind: Quantity) -> (Quantity, Wide) {
        let behind = Wide::power(behind.lots(), self.power);
        let share = ahead.minus(behind).times(self.quantity.lots()).quotient(self.volume_power);
        (Quantity::from_lots(share), behind)
    }
}

/// A part of a quantity, rounded down.
fn part(quantity: Quantity, ppm: u32) -> Quantity {
    Quantity::from_lots(product_quotient(quantity.lots(), u64::from(ppm), u64::from(WHOLE_PPM)))
}

/// `left * right / divisor`, rounded down; the smaller factor is not above the divisor, so that it fits.
fn product_quotient(left: u64, right: u64, divisor: u64) -> u64 {
    // A 128-bit division costs several times one of 64 bits, and is rarely needed.
    match left.checked_mul(right) {
        Some(product) => product / divisor,
        None => (u128::from(left) * u128::from(right) / u128::from(divisor)) as u64,
    }
}
