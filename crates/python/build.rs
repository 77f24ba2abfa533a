//! Records how the extension is built, so that a figure or a bug report can name its build.
//!
//! Every value has a fallback: a source archive has no git history, and that must not stop a build.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");

    record("TRADEWRIGHT_PROFILE", profile());
    record("TRADEWRIGHT_TARGET", env::var("TARGET").ok());
    record("TRADEWRIGHT_TARGET_CPU", Some(target_cpu()));
    record("TRADEWRIGHT_RUSTC", rustc_version());
    record("TRADEWRIGHT_COMMIT", git_commit());
}

fn record(name: &str, value: Option<String>) {
    println!("cargo::rustc-env={name}={}", value.as_deref().unwrap_or("unknown"));
}

/// The profile's own name. `PROFILE` only tells debug from release, so it is read from
/// `OUT_DIR` = `target/[triple/]<profile>/build/<package>/out`.
fn profile() -> Option<String> {
    let out_dir = PathBuf::from(env::var_os("OUT_DIR")?);
    let profile_dir = out_dir.ancestors().nth(3)?;
    Some(profile_dir.file_name()?.to_str()?.to_owned())
}

/// The value of the last `-C target-cpu`, which is the one rustc obeys.
fn target_cpu() -> String {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    flags
        .split('\u{1f}')
        .filter_map(|flag| flag.split_once("target-cpu=").map(|(_, cpu)| cpu))
        .next_back()
        .unwrap_or("generic")
        .to_owned()
}

fn rustc_version() -> Option<String> {
    let rustc = env::var_os("RUSTC")?;
    output_of(Command::new(rustc).arg("--version"))
}

/// The commit of this repository, and of no other: an unpacked source archive may lie inside a
/// repository that has nothing to do with Tradewright.
fn git_commit() -> Option<String> {
    let root = Path::new(&env::var_os("CARGO_MANIFEST_DIR")?).ancestors().nth(2)?.canonicalize().ok()?;
    let git = |arguments: &[&str]| output_of(Command::new("git").arg("-C").arg(&root).args(arguments));

    let top_level = git(&["rev-parse", "--show-toplevel"])?;
    if Path::new(&top_level).canonicalize().ok()? != root {
        return None;
    }
    // The reflog grows with every commit, checkout and reset. Cargo runs the script again and
    // again for a file that is not there, hence the question.
    let reflog = root.join(git(&["rev-parse", "--git-path", "logs/HEAD"])?);
    if reflog.exists() {
        println!("cargo::rerun-if-changed={}", reflog.display());
    }
    git(&["rev-parse", "HEAD"])
}

fn output_of(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
