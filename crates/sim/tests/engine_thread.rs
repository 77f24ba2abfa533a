//! While the ring of commands holds some, the engine's thread allocates nothing and asks nothing of the system.
//!
//! The test runs itself again as a process of its own. There a thread warms a sequencer up, forbids itself every system call (a seccomp
//! filter that ends the process), and works off what waits. Two controls, one that asks for its process and one that allocates,
//! must be caught, or nothing would be proved.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#![allow(clippy::disallowed_methods, reason = "a test of threads and processes")]
#![expect(
    unsafe_code,
    reason = "a global allocator is an unsafe trait, and a filter of system calls has no safe interface"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tradewright_engine::{Engine, EngineConfig};
use tradewright_node::{AccountDesk, COMMAND_RECORDS_MAX, Gate, Outlets, Sequencer, Signals, Stages};
use tradewright_sim::{Workload, commands, venue};
use tradewright_transport::{Bell, Producer, Region, RegionOptions, Shape, Writer, many_queue, queue};
use tradewright_types::{CommandRecord, EventRecord, Price, SelfTradePrevention};

/// Counts what the current thread allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to the system's allocator as it came; the counter is a cell of the thread without a destructor,
// which never allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROLE: &str = "TRADEWRIGHT_ENGINE_THREAD";
const PATIENCE: Duration = Duration::from_secs(120);
/// What waits in the ring when the filter is on.
const WAITING: usize = 50_000;
/// Enough for the engine to have grown to what it needs.
const WARM_UP: usize = 150_000;

#[test]
fn nothing_is_allocated_and_nothing_asked_while_commands_wait() {
    if let Ok(role) = std::env::var(ROLE) {
        return work_off(&role);
    }
    let run = |role: &str| {
        let this = std::env::current_exe().expect("this program");
        let name = "nothing_is_allocated_and_nothing_asked_while_commands_wait";
        let done =
            Command::new(this).args(["--exact", name, "--nocapture"]).env(ROLE, role).output().expect("a process");
        (done.status.signal(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    // SIGSYS ends who calls the system.
    assert_eq!(run("calls").0, Some(libc::SIGSYS), "the control that asks for its process");
    let (signal, told) = run("allocates");
    assert!(signal.is_none() && told.contains("allocations=1 "), "the control that allocates: {signal:?} {told}");
    let (signal, told) = run("works");
    assert_eq!(signal, None, "a system call on the engine's thread: {told}");
    assert!(told.contains(&format!("allocations=0 records={WAITING} ")), "{told}");
}

/// The sequencer, and what keeps its rings alive.
struct Thread {
    sequencer: Sequencer,
    sessions: Producer<CommandRecord>,
    _far_ends: Box<dyn std::any::Any + Send>,
}

/// A sequencer whose log and events have room for everything: nobody has to take anything out.
fn thread() -> Thread {
    let events =
        Region::in_memory(Shape::broadcast::<EventRecord>(1 << 20), &RegionOptions::default()).expect("memory");
    let (sessions, from_sessions) = queue(1 << 18, COMMAND_RECORDS_MAX).expect("memory");
    let (operators_in, operators) = many_queue(1 << 10, COMMAND_RECORDS_MAX).expect("memory");
    let (log, log_out) = queue(1 << 19, 1 << 10).expect("memory");
    let (marks, marks_out) = queue(1 << 16, 3).expect("memory");
    let (news, doors) = std::sync::mpsc::channel();
    let (gate, accounts) = (Gate::Durable(marks), AccountDesk::closed());
    let outlets = Outlets { log, events: Writer::attach(&events).expect("a ring"), gate, news, accounts };
    let sequencer = Sequencer::new(
        Engine::new(EngineConfig::default()),
        operators,
        from_sessions,
        outlets,
        Bell::in_memory().expect("memory"),
        Arc::new(Signals::default()),
        Stages::default(),
    );
    Thread { sequencer, sessions, _far_ends: Box::new((operators_in, log_out, marks_out, doors, events)) }
}

/// What the process of its own does: prints what its thread allocated, and ends.
fn work_off(role: &str) {
    let (allocations, records) = (Arc::new(AtomicU64::new(u64::MAX)), Arc::new(AtomicU64::new(0)));
    let mut thread = thread();
    let tape = Workload::Mix60.generate(WARM_UP + WAITING);
    let accounts = tape.workload.accounts();
    let mut stream = venue::bench_set_up(1, accounts, Price::from_ticks(100_000));
    stream.extend(commands(tape.records(), accounts, SelfTradePrevention::None));
    let (warm_up, waiting) = stream.split_at(stream.len() - WAITING);
    for chunk in warm_up.chunks(1 << 12) {
        assert!(thread.sessions.push_whole(chunk).expect("a ring"));
        while thread.sequencer.is_ready() {
            thread.sequencer.poll().expect("a ring");
        }
    }
    assert!(thread.sessions.push_whole(waiting).expect("a ring"), "all of it waits");
    let (told_allocations, told_records, role) = (Arc::clone(&allocations), Arc::clone(&records), role.to_owned());
    let worker = move || {
        let mut sequencer = thread.sequencer;
        // The allocator gets what it needs for this thread; otherwise the control that allocates would be one that calls.
        drop(std::hint::black_box(Box::new(0_usize)));
        forbid_system_calls();
        let before = ALLOCATIONS.get();
        let mut taken = 0;
        while sequencer.is_ready() {
            taken += sequencer.poll().unwrap_or(0);
        }
        match role.as_str() {
            "calls" => _ = std::hint::black_box(std::os::unix::process::parent_id()),
            "allocates" => drop(std::hint::black_box(Box::new(taken))),
            _ => {}
        }
        told_records.store(taken as u64, Ordering::Release);
        told_allocations.store(ALLOCATIONS.get() - before, Ordering::Release);
        // It may not even end: that is a system call.
        loop {
            std::hint::spin_loop();
        }
    };
    std::thread::spawn(worker);
    let begin = Instant::now();
    while allocations.load(Ordering::Acquire) == u64::MAX && begin.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
    let (allocations, records) = (allocations.load(Ordering::Acquire), records.load(Ordering::Acquire));
    println!("allocations={allocations} records={records} on the thread of an engine");
    std::process::exit(0);
}

/// From now on every system call of this thread but reading the clock ends the process. (Where the clock is read without the system, which
/// is wherever it is fast, that is no call either.)
fn forbid_system_calls() {
    let instruction = |code: u32, jump: (u8, u8), value: u32| libc::sock_filter {
        code: code as u16,
        jt: jump.0,
        jf: jump.1,
        k: value,
    };
    // The number of the call is the first word of what the filter sees.
    let mut filter = [
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, (0, 0), 0),
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, (0, 1), libc::SYS_clock_gettime as u32),
        instruction(libc::BPF_RET | libc::BPF_K, (0, 0), libc::SECCOMP_RET_ALLOW),
        instruction(libc::BPF_RET | libc::BPF_K, (0, 0), libc::SECCOMP_RET_KILL_PROCESS),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: both calls take plain numbers and one pointer to a program that lives until they return; the kernel copies and
    // checks it. The filter belongs to this thread alone.
    let is_set = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) == 0
    };
    assert!(is_set, "the system must grant seccomp: {}", std::io::Error::last_os_error());
}
