//! Hands the target CPU of this build to the bench report: two figures are comparable only when it is the same.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    // `-C target-cpu=native` arrives as one or as two flags; the last one wins, as it does in rustc.
    let target_cpu = flags
        .split('\u{1f}')
        .filter_map(|flag| flag.strip_prefix("-C").unwrap_or(flag).trim().strip_prefix("target-cpu="))
        .next_back()
        .unwrap_or("generic");
    println!("cargo::rustc-env=TRADEWRIGHT_TARGET_CPU={target_cpu}");
}
