//! Histograms as a file that the tools of HdrHistogram read.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

/// A histogram and when it was taken.
pub(crate) struct Interval<'h> {
    pub(crate) tag: &'static str,
    pub(crate) begun: SystemTime,
    pub(crate) elapsed: Duration,
    pub(crate) histogram: &'h Histogram<u64>,
}

/// Writes intervals in the order of their time, in microseconds where the format wants a maximum to be read.
///
/// # Errors
/// The system's.
pub(crate) fn write_hlog(file: &Path, intervals: &[Interval<'_>]) -> io::Result<()> {
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    let mut serializer = V2DeflateSerializer::new();
    let mut order: Vec<&Interval<'_>> = intervals.iter().collect();
    order.sort_by_key(|interval| interval.begun);
    let first = order.first().map_or(SystemTime::UNIX_EPOCH, |interval| interval.begun);
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("values are nanoseconds")
        .with_start_time(first)
        .with_base_time(first)
        .with_max_value_divisor(1_000.0)
        .begin_log_with(&mut out, &mut serializer)?;
    for Interval { tag, begun, elapsed, histogram } in order {
        let since = begun.duration_since(first).unwrap_or_default();
        log.write_histogram(histogram, since, *elapsed, Tag::new(tag))
            .map_err(|error| io::Error::other(format!("{error:?}")))?;
    }
    drop(log);
    out.flush()
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("run.hlog");
        let mut histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("legal bounds");
        (1..=1_000_u64).for_each(|value| histogram.saturating_record(value * 1_000));
        let (begun, elapsed) = (SystemTime::now(), Duration::from_secs(2));
        let interval =
            |tag, later| Interval { tag, begun: begun + Duration::from_secs(later), elapsed, histogram: &histogram };
        write_hlog(&file, &[interval("echo", 3), interval("order", 0)]).expect("a disk");
        let bytes = std::fs::read(&file).expect("a file");
        let tags: Vec<String> = IntervalLogIterator::new(&bytes)
            .filter_map(|entry| match entry.expect("a legal log") {
                LogEntry::Interval(interval) => Some(interval),
                LogEntry::StartTime(_) | LogEntry::BaseTime(_) => None,
            })
            .map(|interval| {
                let encoded = interval.encoded_histogram();
                let bytes =
                    base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded).expect("base64");
                let read: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).expect("a histogram");
                assert_eq!((read.len(), read.value_at_quantile(0.5)), (1_000, histogram.value_at_quantile(0.5)));
                interval.tag().expect("a tag").as_str().to_owned()
            })
            .collect();
        assert_eq!(tags, ["order", "echo"]);
    }
}
