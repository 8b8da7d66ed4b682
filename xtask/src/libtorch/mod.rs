//! libtorch for builds with the feature `transformer`, made of pinned wheels: their headers, the libraries that the CPU needs, and no
//! Python. The wheels for CUDA are taken, as those for the CPU alone lie on a host of PyTorch's that not every machine may reach, whereas
//! pip's index mostly has a mirror.

mod pip;
mod put;
mod wheels;

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::shell::{self, root, say};
use wheels::WHEELS;

/// Where cargo looks for it: `.cargo/config.toml` says so, wherever else cargo builds.
const PLACE: &str = "target/libtorch";

/// Where the wheels come from.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Take the wheels from this directory in place of downloading them: for machines without a network. Their hashes are checked all the
    /// same.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
}

impl Options {
    /// What CI does.
    pub(crate) const PLAIN: Self = Self { from: None };
}

/// Puts libtorch where cargo looks for it, unless it is there and whole.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(
        cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")),
        "the pinned libtorch is for Linux on x86_64 with glibc: unpack libtorch {} for this machine yourself and set LIBTORCH to its \
         directory, and LIBTORCH_CXX11_ABI as docs/transformer.md says",
        wheels::VERSION
    );
    let target = root().join("target");
    fs::create_dir_all(&target).with_context(|| format!("cannot make {}", target.display()))?;
    // Two that write at once would spoil each other's; the second finds it whole.
    let path = target.join("libtorch.lock");
    let lock = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
    lock.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    make(&root().join(PLACE), options)?;
    tell_of_another();
    Ok(())
}

fn make(place: &Path, options: &Options) -> Result<()> {
    if put::is_whole(place) {
        say(&format!("libtorch {} is in {}", wheels::VERSION, place.display()));
        return Ok(());
    }
    shell::need("gcc", "gcc")?;
    let partial = put::Partial::begin(place)?;
    let downloaded = partial.path().join("wheels");
    let from = match &options.from {
        Some(directory) => directory,
        None => {
            pip::download(&WHEELS, &downloaded)?;
            &downloaded
        }
    };
    let tree = partial.path().join("tree");
    for wheel in &WHEELS {
        say(&format!("unpacking {}", wheel.file));
        wheel.unpack(from, &tree)?;
    }
    put::link(&tree)?;
    put::stamp(&tree)?;
    partial.finish(&tree)?;
    say(&format!(
        "libtorch {} is in {}; now: cargo build --release --features transformer",
        wheels::VERSION,
        place.display()
    ));
    Ok(())
}

/// Builds take the libtorch that the environment names, so that this one may not be meant.
fn tell_of_another() {
    let Some(named) = env::var_os("LIBTORCH") else { return };
    let same =
        |one: &Path, other: &Path| matches!((one.canonicalize(), other.canonicalize()), (Ok(a), Ok(b)) if a == b);
    // Cargo hands on its config's, which is this.
    if !same(Path::new(&named), &root().join(PLACE)) {
        say(&format!("builds here take another: LIBTORCH is set to {}", named.display()));
    }
}
