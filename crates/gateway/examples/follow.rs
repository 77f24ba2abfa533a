//! Follows market data and prints the best prices as they change: `follow RING SERVICE`, both as `node.json` names them.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a program of its own has a clock and a screen")]

use std::time::{Duration, Instant};

use tradewright_gateway::feed::{FeedSubscriber, SubscriberConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let ring = arguments.next().ok_or("which ring?")?;
    let service = arguments.next().map(|address| address.parse()).transpose()?;
    let config = SubscriberConfig { service, ..SubscriberConfig::default() };
    let mut feed = FeedSubscriber::over_ring(ring.as_ref(), &config)?;
    let (begun, mut tops) = (Instant::now(), Vec::new());
    loop {
        let now_ns = begun.elapsed().as_nanos() as u64;
        if feed.poll(now_ns, &mut |_sequence, _message| {})? == 0 {
            std::thread::sleep(Duration::from_micros(50));
        }
        feed.take_tops(&mut tops);
        for top in tops.drain(..) {
            println!("{}: {:?} / {:?}, last {:?}", top.instrument, top.bid, top.ask, top.last_price_ticks);
        }
    }
}
