//! The engine as a Python class.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use numpy::PyArray1;
use pyo3::exceptions::{PyAssertionError, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tradewright_engine::{Engine as Core, EngineConfig, EventBuffer, Key};
use tradewright_journal::{SnapshotFileError, decode, encode, read, write};
use tradewright_types::{
    ANY, AccountId, AssetId, CommandKind, CommandRecord, EventRecord, InstrumentId, Label, ListId, OrderId, Price,
    ProtectionScope, SCHEMA_VERSION, Side,
};

use crate::event_log::EventLog;
use crate::outcome::Outcome;
use crate::records::{CommandsIn, EventRow, array_of, rows};
use crate::views::{AccountView, InstrumentView, ListView, OrderView};

/// Batches of fewer commands keep the interpreter's lock, and are read where they lie; a fifth of a millisecond at most.
const DETACHED_FROM: usize = 4_096;
/// Commands of large batches are copied out of Python's memory in pieces that stay in the cache.
const PIECE: usize = 128;
/// The events of smaller batches are copied, those of larger ones are shown where they were written.
const SHARED_FROM: usize = 128;
/// How many buffers of batches are kept for the next ones, and how large one may be.
const POOL: usize = 4;
const POOLED_MAX: usize = 1 << 16;
/// The side code that stands for both in a cancel-all.
const BOTH_SIDES: u8 = 255;

/// A matching engine with accounts and balances, driven by command records. Integers only: ticks, lots, quanta, dense ids.
///
/// One thread at a time: a second one that calls it while a batch runs gets a `RuntimeError`.
#[pyclass(module = "tradewright._core")]
#[derive(Debug)]
pub(crate) struct Engine {
    core: Core,
    /// The events of the command that is applied.
    scratch: EventBuffer,
    log: EventLog,
    keeps_events: bool,
    /// The other buffer while a batch has `scratch`.
    single_scratch: EventBuffer,
    /// Buffers of earlier batches, of which some are still shown by arrays.
    pool: Vec<Arc<Vec<EventRecord>>>,
}

impl Engine {
    fn of(core: Core, keeps_events: bool, events_max: Option<u64>) -> Self {
        let scratch = EventBuffer::with_capacity(PIECE * 4);
        let log = EventLog::new(events_max);
        Self { core, scratch, log, keeps_events, single_scratch: EventBuffer::default(), pool: Vec::new() }
    }

    /// Applies a command of one or two records and reads its events.
    #[inline]
    fn run(&mut self, records: &[CommandRecord]) -> Outcome {
        self.scratch.clear();
        self.core.apply(records, &mut self.scratch);
        let outcome = Outcome::of(self.scratch.as_slice(), self.core.sequence(), self.log.end());
        if self.keeps_events {
            self.log.extend(self.scratch.as_slice());
        }
        outcome
    }

    /// An order command of this kind at `time_ns`, by default the engine's time.
    #[inline]
    fn record(&self, kind: CommandKind, account: u32, order_ref: u64, time_ns: Option<u64>) -> CommandRecord {
        let mut record = CommandRecord::new(kind);
        record.header.time_ns = time_ns.unwrap_or_else(|| self.core.time_ns());
        (record.account, record.order_ref) = (account, order_ref);
        record
    }

    /// Applies every command of `commands` and leaves their events in `scratch`. What a batch gives is the same as what its
    /// commands give one by one.
    fn run_batch(&mut self, commands: CommandsIn<'_>, is_locked: bool) {
        match commands.in_place().filter(|_| is_locked) {
            Some(records) => self.core.apply_all(records, &mut self.scratch),
            None => self.run_copies(commands),
        }
    }

    /// The same, over copies of the commands.
    fn run_copies(&mut self, commands: CommandsIn<'_>) {
        let mut piece = [CommandRecord::new(CommandKind::AdvanceTime); PIECE];
        let mut begin = 0;
        while begin < commands.len() {
            let copied = commands.copy(begin, &mut piece);
            let records = &piece[..copied];
            let is_last = begin + records.len() == commands.len();
            match whole_commands(records, is_last) {
                // One command is longer than the piece.
                0 => begin += self.run_long(commands, begin),
                whole => {
                    self.core.apply_all(&records[..whole], &mut self.scratch);
                    begin += whole;
                }
            }
        }
    }

    /// Puts a buffer that nobody looks at any more in the place of `scratch`: a steady flow of batches writes its events
    /// straight into memory that is warm, and numpy shows them there.
    fn change_scratch(&mut self, commands: usize) {
        let is_free = |events: &Arc<Vec<EventRecord>>| Arc::strong_count(events) == 1;
        let free = self.pool.iter().position(is_free).map(|place| self.pool.swap_remove(place));
        let buffer = match free.map(Arc::try_unwrap) {
            Some(Ok(records)) => EventBuffer::reuse(records),
            Some(Err(_)) | None => EventBuffer::with_capacity(commands * 2),
        };
        self.single_scratch = core::mem::replace(&mut self.scratch, buffer);
    }

    /// Takes the events of a batch out of `scratch`.
    fn take_scratch(&mut self) -> (Arc<Vec<EventRecord>>, usize) {
        let single = core::mem::take(&mut self.single_scratch);
        let (records, length) = core::mem::replace(&mut self.scratch, single).into_records();
        (Arc::new(records), length)
    }

    #[cold]
    fn run_long(&mut self, commands: CommandsIn<'_>, begin: usize) -> usize {
        let mut records = vec![CommandRecord::new(CommandKind::AdvanceTime); commands.len() - begin];
        commands.copy(begin, &mut records);
        let (first, _) = CommandRecord::split_command(&records);
        self.core.apply(first, &mut self.scratch);
        first.len()
    }

    fn known(&self, instrument: u32) -> PyResult<InstrumentId> {
        known("instrument", instrument, self.core.registry().instruments().len()).map(InstrumentId)
    }

    fn known_account(&self, account: u32) -> PyResult<AccountId> {
        known("account", account, self.core.registry().accounts().len()).map(AccountId)
    }

    fn known_asset(&self, asset: u32) -> PyResult<AssetId> {
        known("asset", asset, self.core.registry().assets().len()).map(AssetId)
    }
}

/// How many of the records at the front of a stream are whole commands. The last piece of a stream is taken as it is: the
/// engine refuses what is cut short.
#[inline]
fn whole_commands(piece: &[CommandRecord], is_last: bool) -> usize {
    let mut whole = 0;
    while let Some(first) = piece.get(whole) {
        let count = usize::from(first.header.record_count).max(1);
        if count > piece.len() - whole && !is_last {
            break;
        }
        whole = (whole + count).min(piece.len());
    }
    whole
}

fn known(argument: &str, id: u32, count: usize) -> PyResult<u32> {
    if (id as usize) < count {
        Ok(id)
    } else {
        Err(PyValueError::new_err(format!("{argument}={id} must be below {count}, the number there are")))
    }
}

fn side(code: u8) -> PyResult<Side> {
    Side::from_code(code).ok_or_else(|| PyValueError::new_err(format!("side={code} must be 0 (buy) or 1 (sell)")))
}

/// The price and the quantity of a level.
type Best = (i64, u64);

fn snapshot_error(error: SnapshotFileError) -> PyErr {
    if let SnapshotFileError::System(_, system) = &error {
        return PyOSError::new_err((system.raw_os_error().unwrap_or_default(), error.to_string()));
    }
    PyValueError::new_err(error.to_string())
}

#[pymethods]
impl Engine {
    /// Make an empty exchange with the venue's own two accounts.
    ///
    /// `events_max` bounds the log of kept events: at least that many of the last ones stay.
    #[new]
    #[pyo3(signature = (*, shard=0, epoch=1, open_orders_expected=8192, keep_events=true, events_max=None))]
    fn new(shard: u8, epoch: u32, open_orders_expected: usize, keep_events: bool, events_max: Option<u64>) -> Self {
        Self::of(Core::new(EngineConfig { shard, epoch, open_orders_expected }), keep_events, events_max)
    }

    /// Apply a stream of command records and return their events.
    ///
    /// `records` is a C-contiguous numpy array whose rows have 64 bytes. The events are also kept, and then the array is
    /// read-only. Large batches run without the interpreter's lock; nothing may write to `records` meanwhile.
    #[pyo3(signature = (records: "numpy.typing.NDArray[numpy.void]", /) -> "numpy.typing.NDArray[numpy.void]")]
    fn apply<'py>(&mut self, py: Python<'py>, records: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray1<EventRow>>> {
        let commands = CommandsIn::array("records", records)?;
        if commands.len() < SHARED_FROM {
            self.scratch.clear();
            self.run_batch(commands, true);
            if self.keeps_events {
                self.log.extend(self.scratch.as_slice());
            }
            return Ok(array_of(py, rows(self.scratch.as_slice()).to_vec()));
        }
        self.change_scratch(commands.len());
        if commands.len() < DETACHED_FROM {
            self.run_batch(commands, true);
        } else {
            py.detach(|| self.run_batch(commands, false));
        }
        let (events, length) = self.take_scratch();
        if self.keeps_events {
            self.log.push(Arc::clone(&events), length);
        } else if self.pool.len() < POOL && events.len() <= POOLED_MAX {
            self.pool.push(Arc::clone(&events));
        }
        crate::records::shared_array(py, events, length, !self.keeps_events)
    }

    /// Place an order. Flags, type and time in force are codes of the command record.
    #[pyo3(signature = (account, instrument, side, price_ticks, quantity_lots, time_in_force=1, order_type=1,
                        self_trade_prevention=1, flags=0, client_order_id=0, time_ns=None))]
    #[expect(clippy::too_many_arguments, reason = "the fields of an order, one argument each")]
    fn place(
        &mut self,
        account: u32,
        instrument: u32,
        side: u8,
        price_ticks: i64,
        quantity_lots: u64,
        time_in_force: u8,
        order_type: u8,
        self_trade_prevention: u8,
        flags: u16,
        client_order_id: u64,
        time_ns: Option<u64>,
    ) -> Outcome {
        let record = self.record(CommandKind::PlaceOrder, account, client_order_id, time_ns);
        self.run(&[CommandRecord {
            instrument,
            side,
            order_type,
            time_in_force,
            self_trade_prevention,
            flags,
            price_ticks,
            quantity_lots,
            ..record
        }])
    }

    /// Cancel an order. With the flag BY_CLIENT_ORDER_ID `order_id` is the client's.
    #[pyo3(signature = (account, order_id, flags=0, time_ns=None))]
    fn cancel(&mut self, account: u32, order_id: u64, flags: u16, time_ns: Option<u64>) -> Outcome {
        let record = self.record(CommandKind::CancelOrder, account, order_id, time_ns);
        self.run(&[CommandRecord { flags, ..record }])
    }

    /// Change an order's price and total quantity.
    #[pyo3(signature = (account, order_id, price_ticks, quantity_lots, flags=0, time_ns=None))]
    fn amend(
        &mut self,
        account: u32,
        order_id: u64,
        price_ticks: i64,
        quantity_lots: u64,
        flags: u16,
        time_ns: Option<u64>,
    ) -> Outcome {
        let record = self.record(CommandKind::AmendOrder, account, order_id, time_ns);
        self.run(&[CommandRecord { price_ticks, quantity_lots, flags, ..record }])
    }

    /// Cancel an order and place another in one step; the outcome is the new order's.
    #[pyo3(signature = (account, order_id, instrument, side, price_ticks, quantity_lots, time_in_force=1, order_type=1,
                        self_trade_prevention=1, flags=0, client_order_id=0, time_ns=None))]
    #[expect(clippy::too_many_arguments, reason = "the fields of an order, one argument each")]
    fn replace(
        &mut self,
        account: u32,
        order_id: u64,
        instrument: u32,
        side: u8,
        price_ticks: i64,
        quantity_lots: u64,
        time_in_force: u8,
        order_type: u8,
        self_trade_prevention: u8,
        flags: u16,
        client_order_id: u64,
        time_ns: Option<u64>,
    ) -> Outcome {
        let mut first = self.record(CommandKind::ReplaceOrder, account, order_id, time_ns);
        first.header.record_count = 2;
        let second = self.record(CommandKind::PlaceOrder, account, client_order_id, time_ns);
        let order = CommandRecord {
            instrument,
            side,
            order_type,
            time_in_force,
            self_trade_prevention,
            flags,
            price_ticks,
            quantity_lots,
            ..second
        };
        self.run(&[first, order])
    }

    /// Cancel an account's orders, on all instruments and both sides unless they are named. Return the events.
    #[pyo3(signature = (account, instrument=None, side=None, time_ns=None) -> "numpy.typing.NDArray[numpy.void]")]
    fn cancel_all<'py>(
        &mut self,
        py: Python<'py>,
        account: u32,
        instrument: Option<u32>,
        side: Option<u8>,
        time_ns: Option<u64>,
    ) -> Bound<'py, PyArray1<EventRow>> {
        let record = self.record(CommandKind::CancelAll, account, 0, time_ns);
        let (instrument, side) = (instrument.unwrap_or(ANY), side.unwrap_or(BOTH_SIDES));
        self.run(&[CommandRecord { instrument, side, ..record }]);
        array_of(py, rows(self.scratch.as_slice()).to_vec())
    }

    /// Apply one command of any number of records and return its outcome.
    #[pyo3(signature = (records: "numpy.typing.NDArray[numpy.void]", /))]
    fn execute(&mut self, records: &Bound<'_, PyAny>) -> PyResult<Outcome> {
        let commands = CommandsIn::array("records", records)?;
        let mut copied = vec![CommandRecord::new(CommandKind::AdvanceTime); commands.len()];
        commands.copy(0, &mut copied);
        match copied.first() {
            Some(first) if usize::from(first.header.record_count) == copied.len() => Ok(self.run(&copied)),
            Some(_) | None => Err(PyValueError::new_err("records must hold exactly one command")),
        }
    }

    /// Return the kept events from `position` on as a new array.
    #[pyo3(signature = (position=0) -> "numpy.typing.NDArray[numpy.void]")]
    fn events<'py>(&self, py: Python<'py>, position: u64) -> Bound<'py, PyArray1<EventRow>> {
        array_of(py, self.log.copy_from(position))
    }

    /// Return the kept events and forget them.
    #[pyo3(signature = () -> "numpy.typing.NDArray[numpy.void]")]
    fn drain_events<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyArray1<EventRow>> {
        let events = self.log.copy_from(0);
        self.log.clear();
        array_of(py, events)
    }

    /// Return the kept events about an order from `position` on.
    #[pyo3(signature = (order_id, position=0) -> "numpy.typing.NDArray[numpy.void]")]
    fn order_events<'py>(&self, py: Python<'py>, order_id: u64, position: u64) -> Bound<'py, PyArray1<EventRow>> {
        array_of(py, self.log.of_order(order_id, position))
    }

    /// The position of the first event that is still kept; positions count all events ever kept.
    #[getter]
    fn events_begin(&self) -> u64 {
        self.log.begin()
    }

    /// The position behind the last kept event.
    #[getter]
    fn events_end(&self) -> u64 {
        self.log.end()
    }

    /// How many commands were applied.
    #[getter]
    fn sequence(&self) -> u64 {
        self.core.sequence()
    }

    /// The engine's time in nanoseconds.
    #[getter]
    fn time_ns(&self) -> u64 {
        self.core.time_ns()
    }

    /// The hash of the logical state, in 32 hexadecimal digits.
    #[getter]
    fn state_hash(&self) -> String {
        self.core.state_hash().to_string()
    }

    /// How many orders are open.
    #[getter]
    fn open_order_count(&self) -> usize {
        self.core.open_order_count()
    }

    /// Bytes of all open orders, books and balances.
    #[getter]
    fn memory_bytes(&self) -> usize {
        self.core.memory_bytes()
    }

    /// Recompute the whole state. Raises AssertionError where it does not fit together, which is a bug.
    fn check_invariants(&self) -> PyResult<()> {
        catch_unwind(AssertUnwindSafe(|| self.core.check_invariants())).map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("an invariant is broken");
            PyAssertionError::new_err(text.to_owned())
        })
    }

    /// Return the best bid and the best ask: (price, quantity), None where there is none.
    fn best(&self, instrument: u32) -> PyResult<(Option<Best>, Option<Best>)> {
        let id = self.known(instrument)?;
        let first = |side| self.core.depth(id, side).next().map(|(price, quantity)| (price.ticks(), quantity.lots()));
        Ok((first(Side::Buy), first(Side::Sell)))
    }

    /// Return at most `levels` levels of one side, best first: (price, quantity, orders).
    #[pyo3(signature = (instrument, side, levels=None))]
    fn levels(&self, instrument: u32, side: u8, levels: Option<usize>) -> PyResult<Vec<(i64, u64, u32)>> {
        let views =
            self.core.level_views(self.known(instrument)?, self::side(side)?).take(levels.unwrap_or(usize::MAX));
        Ok(views.map(|level| (level.price.ticks(), level.quantity.lots(), level.orders)).collect())
    }

    /// Return the best levels as little-endian int64: `levels` pairs (price, quantity) of bids, then of asks, zeros where none.
    fn depth_bytes<'py>(&self, py: Python<'py>, instrument: u32, levels: usize) -> PyResult<Bound<'py, PyBytes>> {
        let id = self.known(instrument)?;
        PyBytes::new_with(py, levels * 32, |bytes| {
            for (half, side) in bytes.chunks_exact_mut(levels * 16).zip([Side::Buy, Side::Sell]) {
                for (pair, (price, quantity)) in half.chunks_exact_mut(16).zip(self.core.depth(id, side)) {
                    pair[..8].copy_from_slice(&price.ticks().to_le_bytes());
                    pair[8..].copy_from_slice(&quantity.lots().to_le_bytes());
                }
            }
            Ok(())
        })
    }

    /// Return what is open at one price of one side.
    fn open_at(&self, instrument: u32, side: u8, price_ticks: i64) -> PyResult<u64> {
        let (id, side) = (self.known(instrument)?, self::side(side)?);
        Ok(self.core.open_at(id, side, Price::from_ticks(price_ticks)).lots())
    }

    /// Return the orders of one side in the order in which they would trade.
    fn queue(&self, instrument: u32, side: u8) -> PyResult<Vec<OrderView>> {
        Ok(self.core.queue_views(self.known(instrument)?, self::side(side)?).map(OrderView::from).collect())
    }

    /// Return an open order, None when it is not open.
    fn order(&self, order_id: u64) -> Option<OrderView> {
        self.core.order(OrderId(order_id)).map(OrderView::from)
    }

    /// Return what is open of an order, 0 when it is not open.
    fn open_lots(&self, order_id: u64) -> u64 {
        self.core.order(OrderId(order_id)).map_or(0, |order| order.open.lots())
    }

    /// Return the open orders, of one account or of all, by ascending id.
    #[pyo3(signature = (account=None))]
    fn open_orders(&self, account: Option<u32>) -> PyResult<Vec<OrderView>> {
        let account = account.map(|id| self.known_account(id)).transpose()?;
        Ok(self.core.open_orders(account).into_iter().map(OrderView::from).collect())
    }

    /// Return a list that ties orders together, None when it does not any more.
    fn order_list(&self, list_id: u64) -> Option<ListView> {
        self.core.order_list(ListId(list_id)).map(ListView::from)
    }

    /// Return the lists that tie orders together, of one account or of all, by ascending id.
    #[pyo3(signature = (account=None))]
    fn order_lists(&self, account: Option<u32>) -> PyResult<Vec<ListView>> {
        let account = account.map(|id| self.known_account(id)).transpose()?;
        Ok(self.core.order_lists(account).into_iter().map(ListView::from).collect())
    }

    /// Return the opened sessions by number: (number, account or None for operators, name, last client sequence).
    fn sessions(&self) -> Vec<(u32, Option<u32>, String, u64)> {
        let views = self.core.sessions();
        let owner = |account: Option<AccountId>| account.map(|account| account.0);
        views
            .map(|view| (view.id().0, owner(view.account()), view.name().to_owned(), view.last_client_sequence()))
            .collect()
    }

    /// Return the keys by id: (id, account or None for an operator, a code of `KeyKind`, `KeyPermissions`, bytes).
    #[expect(clippy::type_complexity, reason = "a row of a table, as the other views are")]
    fn registered_keys(&self) -> Vec<(String, Option<u32>, u8, u16, Cow<'static, [u8]>)> {
        let row = |(id, key): (&Label, &Key)| {
            let bytes = Cow::Owned(key.material.as_bytes().to_vec());
            let account = key.account.map(|account| account.0);
            (id.as_str().to_owned(), account, key.kind as u8, key.permissions.0, bytes)
        };
        self.core.keys().map(row).collect()
    }

    /// Return an account's balance of an asset in quanta: (available, held).
    fn balance(&self, account: u32, asset: u32) -> PyResult<(i128, i128)> {
        let balance = self.core.ledger().balance(self.known_account(account)?, self.known_asset(asset)?);
        Ok((balance.available.quanta(), balance.held.quanta()))
    }

    /// Return every balance that is not zero: (asset, account, available, held).
    fn balances(&self) -> Vec<(u32, u32, i128, i128)> {
        let balances = self.core.ledger().balances();
        balances.map(|(asset, account, sum)| (asset.0, account.0, sum.available.quanta(), sum.held.quanta())).collect()
    }

    /// Return the pending withdrawals: (withdrawal, account, asset, amount).
    fn withdrawals(&self) -> Vec<(u64, u32, u32, i128)> {
        let pending = self.core.ledger().withdrawals();
        pending.map(|(id, sum)| (id.0, sum.account.0, sum.asset.0, sum.amount.quanta())).collect()
    }

    /// Return what was sent to other shards and is not confirmed: (shard, number, account, asset, amount).
    fn transfers_in_transit(&self) -> Vec<(u8, u64, u32, u32, i128)> {
        let pending = self.core.ledger().transit().pending();
        pending.map(|(to, number, sum)| (to.0, number.0, sum.account.0, sum.asset.0, sum.amount.quanta())).collect()
    }

    /// Return every asset by id: (name, decimal places of its quantum).
    fn assets(&self) -> Vec<(&str, u8)> {
        self.core.registry().assets().iter().map(|asset| (asset.name.as_str(), asset.scale)).collect()
    }

    /// Return the name of every instrument by id.
    fn instruments(&self) -> Vec<&str> {
        self.core.registry().instruments().iter().map(|name| name.as_str()).collect()
    }

    /// Return the name of every account by id.
    fn accounts(&self) -> Vec<&str> {
        self.core.registry().accounts().iter().map(|name| name.as_str()).collect()
    }

    /// Return an instrument's units, limits and state.
    fn instrument(&self, instrument: u32) -> PyResult<InstrumentView> {
        let id = self.known(instrument)?;
        InstrumentView::of(&self.core, id)
            .ok_or_else(|| PyValueError::new_err(format!("instrument={instrument} is unknown")))
    }

    /// Return what an account is, may do and is limited to.
    fn account(&self, account: u32) -> PyResult<AccountView> {
        let id = self.known_account(account)?;
        AccountView::of(&self.core, id).ok_or_else(|| PyValueError::new_err(format!("account={account} is unknown")))
    }

    /// Return every fee tier that was set: (schedule, tier, taker ppm, maker ppm).
    fn fee_tiers(&self) -> Vec<(u16, u8, i32, i32)> {
        let tiers = self.core.risk().fees.iter();
        tiers.map(|(schedule, tier, rates)| (schedule, tier, rates.taker.ppm(), rates.maker.ppm())).collect()
    }

    /// Return the protection of an account's quotes on an instrument, or on all of them together without one:
    /// (lots, fills, nanoseconds of the window, whether it was triggered).
    #[pyo3(signature = (account, instrument=None))]
    fn quote_protection(&self, account: u32, instrument: Option<u32>) -> Option<(u64, u64, u64, bool)> {
        let scope = ProtectionScope::of(AccountId(account), instrument.unwrap_or(ANY));
        let (terms, is_triggered) = self.core.quote_protection(scope)?;
        Some((terms.lots_max, terms.fills_max, terms.window_ns, is_triggered))
    }

    /// Whether the whole venue is halted.
    #[getter]
    fn is_halted(&self) -> bool {
        self.core.risk().halted
    }

    /// Return the whole state as the bytes of a snapshot file.
    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &encode(&self.core))
    }

    /// Write the whole state to a file, durably: under its name there is always a whole snapshot.
    fn write_snapshot(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let bytes = encode(&self.core);
        py.detach(|| write(&path, &bytes)).map_err(snapshot_error)
    }

    /// Return the engine that `snapshot` was taken from. Raises ValueError naming the section and the rule it breaks.
    #[staticmethod]
    #[pyo3(signature = (snapshot, *, keep_events=true, events_max=None))]
    fn restore(snapshot: &[u8], keep_events: bool, events_max: Option<u64>) -> PyResult<Self> {
        let (_, core) = decode(snapshot, EngineConfig::default()).map_err(snapshot_error)?;
        Ok(Self::of(core, keep_events, events_max))
    }

    /// Return the engine of a snapshot file, verified. Raises OSError or ValueError naming the section and the rule.
    #[staticmethod]
    #[pyo3(signature = (path, *, keep_events=true, events_max=None))]
    fn read_snapshot(path: PathBuf, keep_events: bool, events_max: Option<u64>) -> PyResult<Self> {
        let (_, core) = read(&path, EngineConfig::default()).map_err(snapshot_error)?;
        Ok(Self::of(core, keep_events, events_max))
    }

    /// The layout version of the records.
    #[classattr]
    const SCHEMA_VERSION: u8 = SCHEMA_VERSION;
}
