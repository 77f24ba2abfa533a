//! Allocations by hand, at the edges, for every small case, and in what is true of all.

use tradewright_book::{Allocation, AllocationFault, ProRata, Resting, Steps, TimeWeight, Top};
use tradewright_types::Quantity;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((u128::from(self.0.wrapping_mul(2_685_821_657_736_338_717)) * u128::from(bound)) >> 64) as u64
    }
}

fn lots(lots: u64) -> Quantity {
    Quantity::from_lots(lots)
}

fn at_least(minimum: u64) -> ProRata {
    ProRata { minimum: lots(minimum) }
}

fn top_of(maximum: u64) -> Top {
    Top { minimum: lots(0), maximum: lots(maximum) }
}

/// Percentages of the first lead market makers.
fn leads<const N: usize>(percent: [u32; N]) -> [u32; Steps::LEADS_MAX] {
    let mut leads_ppm = Steps::NO_LEADS;
    leads_ppm[..N].copy_from_slice(&percent.map(|percent| percent * 10_000));
    leads_ppm
}

fn percent(percent: u32) -> u32 {
    percent * 10_000
}

/// A queue as it is written on paper: `10 top, 5, 20 lead0`.
fn queue(text: &str) -> Vec<Resting> {
    let order = |order: &str| {
        let mut words = order.split_whitespace();
        let open = lots(words.next().expect("an order has a quantity").parse().expect("a quantity is a number"));
        let mut resting = Resting { open, ..Resting::default() };
        for word in words {
            match word.strip_prefix("lead") {
                Some(number) => resting.lead = Some(number.parse().expect("a lead has a number")),
                None => resting.is_top = word == "top",
            }
        }
        resting
    };
    text.split(',').filter(|order| !order.trim().is_empty()).map(order).collect()
}

fn allocate(rule: Allocation, quantity: u64, resting: &[Resting]) -> Vec<u64> {
    // What was there before must not show.
    let mut shares = vec![lots(7); 3];
    rule.allocate(lots(quantity), resting, &mut shares);
    shares.into_iter().map(Quantity::lots).collect()
}

#[track_caller]
fn check(rule: Allocation, quantity: u64, resting: &str, expected: &[u64]) {
    assert_eq!(rule.check(), Ok(()));
    assert_eq!(allocate(rule, quantity, &queue(resting)), expected, "{quantity} over {resting} by {rule:?}");
}

fn steps(steps: Steps) -> Allocation {
    Allocation::Steps(steps)
}

fn pro_rata(minimum: u64) -> Allocation {
    Allocation::ProRata(at_least(minimum))
}

fn time_pro_rata(weight: TimeWeight) -> Allocation {
    Allocation::TimeProRata(weight)
}

#[test]
fn the_advisory_of_2005() {
    check(steps(Steps::cme_a()), 60, "10 top, 5, 20, 50, 75", &[10, 3, 6, 16, 25]);
}

#[test]
fn the_complex_match() {
    let rule = steps(Steps::cme_a());
    check(rule, 501, "100 top, 900, 200, 300, 400, 100", &[100, 189 + 2, 42, 63, 84, 21]);
    // TOP as a part of one order of 1,000: the aggressed book has 291 in all.
    let rule = steps(Steps::cme_o(top_of(100), at_least(2)));
    check(rule, 501, "1000 top, 200, 300, 400, 100", &[100 + 189 + 2, 42, 63, 84, 21]);
}

#[test]
fn the_patent() {
    let resting = "100, 200, 300, 400";
    check(time_pro_rata(TimeWeight::Zero), 200, resting, &[20, 40, 60, 80]);
    check(time_pro_rata(TimeWeight::One), 200, resting, &[38, 64, 66, 32]);
    // The floors are 68, 83, 42, 5.
    check(time_pro_rata(TimeWeight::Three), 200, resting, &[70, 83, 42, 5]);
}

#[test]
fn price_time_is_first_come_first_served() {
    for rule in [Allocation::PriceTime, steps(Steps::cme_f()), Allocation::default()] {
        check(rule, 12, "5, 5, 5, 5", &[5, 5, 2, 0]);
        check(rule, 5, "5, 5", &[5, 0]);
        check(rule, 12, "5, 5 top, 5 lead0", &[5, 5, 2]);
    }
}

#[test]
fn pro_rata_rounds_down_and_gives_the_rest_in_time_order() {
    check(pro_rata(0), 10, "1, 1, 1, 9, 9, 9", &[1, 0, 0, 3, 3, 3]);
    // 10/3 each, and the lot that is left.
    check(pro_rata(0), 10, "5, 5, 5", &[4, 3, 3]);
    check(pro_rata(1), 10, "5, 5, 5", &[4, 3, 3]);
    // Shares of exactly the minimum count.
    check(pro_rata(3), 10, "5, 5, 5", &[4, 3, 3]);
    check(pro_rata(4), 10, "5, 5, 5", &[5, 5, 0]);
    check(steps(Steps::cme_c(at_least(4))), 10, "5, 5, 5", &[5, 5, 0]);
}

#[test]
fn a_minimum_above_all_shares_leaves_fifo() {
    check(pro_rata(1 << 40), 12, "5, 5, 5, 5", &[5, 5, 2, 0]);
    check(steps(Steps::cme_o(Top::WHOLE, at_least(100))), 12, "5, 5, 5 top, 5", &[5, 2, 5, 0]);
}

#[test]
fn top_is_first_wherever_it_stands_and_up_to_its_maximum() {
    check(steps(Steps::cme_a()), 4, "50, 10 top", &[0, 4]);
    check(steps(Steps::cme_a()), 30, "50, 10 top", &[20, 10]);
    // 10 of 60 for TOP; then 20 over the 50 it has left and the 50 of the other.
    check(steps(Steps::cme_o(top_of(10), at_least(0))), 30, "50, 60 top", &[10, 20]);
    check(steps(Steps::cme_a()), 30, "50, 10", &[25, 5]);
}

#[test]
fn top_is_won_by_size() {
    let top = Top { minimum: lots(10), maximum: lots(100) };
    assert_eq!([9, 10, 11, 1000].map(|quantity| top.admits(lots(quantity))), [false, true, true, true]);
    assert!(Top::WHOLE.admits(lots(1)));
    // What was filled in part since then is still TOP.
    check(steps(Steps::cme_o(top, at_least(0))), 3, "50, 7 top", &[0, 3]);
}

#[test]
fn lead_market_makers_get_their_part_of_what_top_left() {
    let t = |percents| steps(Steps::cme_t(percents));
    // 40 % of 11 is 4.4.
    check(t(leads([40])), 11, "100, 100 lead0", &[7, 4]);
    check(t(leads([40])), 11, "100, 3 lead0", &[8, 3]);
    // All orders of one lead share its part in time order; the rest is FIFO, leads included.
    check(t(leads([40, 10])), 100, "50, 30 lead0, 30 lead0, 30 lead1, 30 lead0", &[50, 30, 10, 10, 0]);
    check(t(leads([40, 10])), 100, "20, 30 lead0, 30 lead0, 30 lead1, 30 lead0", &[20, 30, 30, 20, 0]);
    let s = |percents| steps(Steps::cme_s(Top::WHOLE, percents));
    check(s(leads([40])), 30, "100, 10 top, 100 lead0", &[12, 10, 8]);
    // A lead that was TOP has had its privilege with that order, not with its others.
    let capped = steps(Steps::cme_s(top_of(10), leads([50])));
    check(capped, 30, "100, 100 top lead0", &[20, 10]);
    check(capped, 30, "100, 100 top lead0, 100 lead0", &[10, 10, 10]);
    // Without a TOP step a TOP order is one like any other.
    check(t(leads([50])), 30, "100, 100 top lead0", &[15, 15]);
    let q = steps(Steps::cme_q(Top::WHOLE, leads([20]), at_least(0)));
    // 10 for TOP, 20 % of 50 = 10 for the lead, 40 over 100 and 90.
    check(q, 60, "100, 10 top, 100 lead0", &[22, 10, 10 + 18]);
}

#[test]
fn lead_market_makers_share_what_is_there() {
    check(steps(Steps::cme_t(leads([100]))), 10, "50, 5 lead0, 50 lead0", &[0, 5, 5]);
    check(steps(Steps::cme_t(leads([50, 50]))), 11, "50, 50 lead1, 50 lead0", &[1, 5, 5]);
    // A number without a percentage has no privilege.
    check(steps(Steps::cme_t(leads([50]))), 10, "50, 50 lead7", &[10, 0]);
    // More than there is, which `check` refuses, goes to those who came first.
    let promised = steps(Steps::cme_t(leads([80, 80])));
    assert_eq!(promised.check(), Err(AllocationFault::LeadsAboveWhole));
    assert_eq!(allocate(promised, 10, &queue("50, 50 lead1, 50 lead0")), [0, 8, 2]);
}

#[test]
fn the_split_and_its_ends() {
    let k = |fifo, leveling| steps(Steps::cme_k(None, Steps::NO_LEADS, percent(fifo), at_least(2), leveling));
    // 40 of 100 in time order: 30 and 10. Then 60 over the 20, 50 and 100 that are left: 7, 17, 35 and one by FIFO.
    check(k(40, false), 100, "30, 30, 50, 100", &[30, 10 + 7 + 1, 17, 35]);
    check(k(0, false), 100, "30, 30, 50, 100", &[14 + 2, 14, 23, 47]);
    check(k(100, false), 100, "30, 30, 50, 100", &[30, 30, 40, 0]);
    // 40 % of two lots is none, 99 % of one neither.
    check(k(40, false), 2, "1, 1, 50", &[1, 1, 0]);
    check(k(99, false), 1, "1, 1, 50", &[1, 0, 0]);
}

#[test]
fn leveling_comes_before_the_remainder() {
    let k = |minimum, leveling| steps(Steps::cme_k(None, Steps::NO_LEADS, 0, at_least(minimum), leveling));
    // 10 over 46: 0.87 each for the fours, 7.39 for the 34. Three are left.
    check(k(2, false), 10, "4, 4, 4, 34", &[3, 0, 0, 7]);
    check(k(2, true), 10, "4, 4, 4, 34", &[1, 1, 1, 7]);
    // Not enough for all: in time order.
    check(k(2, true), 6, "4, 4, 4, 34", &[1, 1, 0, 4]);
    // One lot each, then the rest by FIFO.
    check(k(100, true), 10, "4, 4, 4, 34", &[4, 4, 1, 1]);
    let all = steps(Steps::cme_k(Some(top_of(2)), leads([50]), percent(50), at_least(2), true));
    // TOP 2; lead 19 of 38; 9 of 19 FIFO: 1 and 8. Then 10 over 20, 4 and 100: 1.6 is below two, 0.3, 8.06. A lot for the
    // one that has nothing, and one is left.
    check(all, 40, "1, 30 top, 4, 119 lead0", &[1, 2 + 8 + 1, 1, 19 + 8]);
}

#[test]
fn time_pro_rata_redistributes_what_the_first_cannot_take() {
    // 100 over 10 and 190 with weight one: 9.75 is below 10. With 110: 10.7, so 10 and the rest.
    check(time_pro_rata(TimeWeight::One), 100, "10, 190", &[10, 90]);
    check(time_pro_rata(TimeWeight::One), 110, "10, 190", &[10, 100]);
    // Weight three, 500 over 1,000: the first would get 172, the second 213; then 200 over 700: 163 of 300, 36 of 400.
    check(time_pro_rata(TimeWeight::Three), 500, "100, 200, 300, 400", &[100, 200, 179, 21]);
    check(time_pro_rata(TimeWeight::One), 999, "100, 200, 300, 400", &[100, 200, 300, 399]);
    check(time_pro_rata(TimeWeight::Three), 1, "100, 200, 300, 400", &[1, 0, 0, 0]);
}

#[test]
fn time_pro_rata_is_exact_up_to_64_bits_at_a_price() {
    // Equal orders: the one with n behind it gets ((n+1)^4 - n^4) / N^4, whatever they have open. The powers take 256 bits.
    for (count, open) in [(3_u64, u64::MAX / 3), (15, 1 << 60), (4_095, (1 << 52) - 1), (16_000, 1 << 40)] {
        let resting = vec![Resting { open: lots(open), ..Resting::default() }; count as usize];
        for quantity in [1 << 40, (1 << 40) - 1, 1_000_000_007, 1] {
            let shares = allocate(time_pro_rata(TimeWeight::Three), quantity, &resting);
            let fourth = |n: u64| u128::from(n).pow(4);
            let exact = |n: u64| u128::from(quantity) * (fourth(n + 1) - fourth(n)) / fourth(count);
            let floors: Vec<_> = (0..count).rev().map(|n| exact(n) as u64).collect();
            let remainder = quantity - floors.iter().sum::<u64>();
            assert_eq!(shares[0], floors[0] + remainder, "{quantity} over {count} of {open}");
            assert_eq!(shares[1..], floors[1..], "{quantity} over {count} of {open}");
        }
    }
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    use AllocationFault::*;
    let top = |minimum, maximum| Some(Top { minimum: lots(minimum), maximum: lots(maximum) });
    let k = |top, leads_ppm, fifo_ppm, minimum| {
        steps(Steps::cme_k(top, leads_ppm, fifo_ppm, at_least(minimum), true)).check()
    };
    let none = Steps::NO_LEADS;
    assert_eq!(k(top(0, 0), leads([101]), 1_000_001, u64::MAX), Err(TopMaximumIsZero));
    assert_eq!(k(top(2, 1), leads([101]), 1_000_001, u64::MAX), Err(TopOutOfRange));
    assert_eq!(k(top(0, (1 << 40) + 1), none, 0, 0), Err(TopOutOfRange));
    assert_eq!(k(top(1, 1), leads([101]), 1_000_001, u64::MAX), Err(LeadsAboveWhole));
    assert_eq!(k(None, [u32::MAX; 8], 0, 0), Err(LeadsAboveWhole));
    assert_eq!(k(None, leads([60, 40]), 1_000_001, u64::MAX), Err(SplitAboveWhole));
    assert_eq!(k(None, none, 1_000_000, (1 << 40) + 1), Err(MinimumOutOfRange));
    assert_eq!(k(top(1 << 40, 1 << 40), leads([100]), 1_000_000, 1 << 40), Ok(()));
    assert_eq!(pro_rata((1 << 40) + 1).check(), Err(MinimumOutOfRange));
    assert_eq!(pro_rata(1 << 40).check(), Ok(()));
    for rule in [Steps::cme_f(), Steps::cme_a(), Steps::cme_c(at_least(1)), Steps::cme_t(leads([50]))] {
        assert_eq!(steps(rule).check(), Ok(()));
    }
    assert_eq!(time_pro_rata(TimeWeight::Three).check(), Ok(()));
    assert_eq!(Allocation::PriceTime.check(), Ok(()));
}

#[test]
#[should_panic(expected = "index out of bounds")]
fn a_lead_that_cannot_exist_is_a_bug() {
    allocate(steps(Steps::cme_t(leads([50]))), 1, &queue("5 lead8"));
}

/// One rule of each kind, and some of each letter.
fn rules() -> Vec<Allocation> {
    let mut rules = vec![Allocation::PriceTime];
    rules.extend([TimeWeight::Zero, TimeWeight::One, TimeWeight::Three].map(Allocation::TimeProRata));
    for minimum in [0, 1, 2, 3, 100] {
        rules.push(pro_rata(minimum));
        rules.push(steps(Steps::cme_c(at_least(minimum))));
        for maximum in [1, 2, 1 << 40] {
            let top = top_of(maximum);
            rules.push(steps(Steps::cme_o(top, at_least(minimum))));
            rules.push(steps(Steps::cme_q(top, leads([30, 20]), at_least(minimum))));
            for (fifo, leveling) in [(0, true), (40, false), (40, true), (100, true)] {
                rules.push(steps(Steps::cme_k(Some(top), leads([30, 70]), percent(fifo), at_least(minimum), leveling)));
                rules.push(steps(Steps::cme_k(None, leads([30]), percent(fifo), at_least(minimum), leveling)));
            }
        }
    }
    rules.extend([Steps::cme_a(), Steps::cme_f(), Steps::cme_s(top_of(2), leads([30]))].map(Allocation::Steps));
    rules.extend([[0, 0], [50, 0], [50, 50], [100, 0]].map(|percents| steps(Steps::cme_t(leads(percents)))));
    rules
}

/// What is true of every allocation.
fn check_laws(rule: Allocation, quantity: u64, resting: &[Resting], shares: &[u64], context: &dyn core::fmt::Debug) {
    let open: u64 = resting.iter().map(|order| order.open.lots()).sum();
    assert_eq!(shares.len(), resting.len(), "{context:?}");
    assert_eq!(shares.iter().sum::<u64>(), quantity.min(open), "sum of {shares:?}: {context:?}");
    for (share, order) in shares.iter().zip(resting) {
        assert!(*share <= order.open.lots(), "{shares:?}: {context:?}");
    }
    // The remainder of rounding goes in time order: beyond the floors, whoever got more stands behind full orders only.
    if let Allocation::ProRata(ProRata { minimum }) = rule
        && quantity < open
    {
        let floors = resting.iter().map(|order| {
            let floor = (u128::from(quantity) * u128::from(order.open.lots()) / u128::from(open)) as u64;
            if floor < minimum.lots() { 0 } else { floor }
        });
        let mut all_full = true;
        for ((share, floor), order) in shares.iter().zip(floors).zip(resting) {
            assert!(*share == floor || (*share > floor && all_full), "{shares:?}: {context:?}");
            all_full &= *share == order.open.lots();
        }
    }
}

#[test]
fn every_small_case_obeys_the_laws() {
    let rules = rules();
    let volumes = [1, 2, 7];
    let mut cases = 0_u64;
    for count in 0..=4_u32 {
        for shape in 0..3_usize.pow(count) {
            // One order is TOP, or none; another belongs to a lead, or two do.
            for privileged in 0..=count as usize {
                let resting: Vec<_> = (0..count as usize)
                    .map(|index| Resting {
                        open: lots(volumes[shape / 3_usize.pow(index as u32) % 3]),
                        is_top: index + 1 == privileged,
                        lead: [None, Some(0), Some(1)][(index + shape + privileged) % 3],
                    })
                    .collect();
                let open: u64 = resting.iter().map(|order| order.open.lots()).sum();
                for rule in &rules {
                    for quantity in 0..=open + 1 {
                        let shares = allocate(*rule, quantity, &resting);
                        check_laws(*rule, quantity, &resting, &shares, &(rule, quantity, &resting));
                        cases += 1;
                    }
                }
            }
        }
    }
    assert!(cases > 400_000, "{cases}");
}

fn random_queue(random: &mut Random) -> Vec<Resting> {
    // From queues of a few lots to such whose sum takes all 64 bits.
    let bits = 1 + random.below(40);
    let count_max = if random.below(50) == 0 { 2_000 } else { 12 };
    let count = random.below(count_max);
    let top = random.below(2 * count + 1);
    (0..count)
        .map(|index| Resting {
            open: lots(1 + random.below(1 << bits)),
            is_top: index == top,
            lead: (random.below(4) == 0).then(|| random.below(3) as u8),
        })
        .collect()
}

#[test]
fn random_cases_obey_the_laws() {
    let rules = rules();
    for seed in 1..=20_000 {
        let mut random = Random(seed);
        let resting = random_queue(&mut random);
        let open: u64 = resting.iter().map(|order| order.open.lots()).sum();
        let rule = rules[random.below(rules.len() as u64) as usize];
        let quantity = if random.below(4) == 0 { open.saturating_sub(random.below(3)) } else { random.below(open + 1) };
        let shares = allocate(rule, quantity, &resting);
        check_laws(rule, quantity, &resting, &shares, &(seed, rule, quantity));
        // The rules that never take back: one lot more is one lot more for somebody, and for nobody less.
        let monotone = match rule {
            Allocation::PriceTime => true,
            Allocation::Steps(steps) => steps == Steps::cme_f() || steps == Steps::cme_t(leads([50])),
            Allocation::ProRata(_) | Allocation::TimeProRata(_) => false,
        };
        if monotone {
            let more = allocate(rule, quantity + 1, &resting);
            assert!(shares.iter().zip(&more).all(|(share, more)| share <= more), "seed {seed}: {rule:?} {quantity}");
        }
    }
}

#[test]
fn who_came_first_gets_no_less_by_time_pro_rata() {
    // Of equal orders, under a weight, each gets at least what the next one gets.
    for seed in 1..=2_000 {
        let mut random = Random(seed);
        let (count, bits) = (1 + random.below(40), 1 + random.below(40));
        let open = 1 + random.below(1 << bits);
        let resting = vec![Resting { open: lots(open), ..Resting::default() }; count as usize];
        let quantity = random.below(count * open);
        for weight in [TimeWeight::Zero, TimeWeight::One, TimeWeight::Three] {
            let shares = allocate(time_pro_rata(weight), quantity, &resting);
            assert!(shares.is_sorted_by(|one, next| one >= next), "seed {seed}: {weight:?} {quantity} {shares:?}");
        }
    }
}

#[test]
fn nothing_is_allocated_in_steady_state() {
    let resting = queue("100, 200, 300 lead0, 400 top");
    let mut shares = Vec::with_capacity(resting.len());
    let room = shares.as_ptr();
    for rule in rules() {
        for quantity in [0, 1, 500, 999, 1_000, 5_000] {
            rule.allocate(lots(quantity), &resting, &mut shares);
            assert_eq!(shares.as_ptr(), room);
        }
    }
}
