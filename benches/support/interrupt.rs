//! Ctrl-C and SIGTERM: the program ends at the next step instead of at once, so that no server stays behind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};

use super::Result;

static IS_ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on the two signals are noted only.
pub fn watch() -> Result<()> {
    let flag = IS_ASKED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(flag))?;
    }
    Ok(())
}

/// An error if one has come.
pub fn check() -> Result<()> {
    match IS_ASKED.get().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
        true => Err("interrupted".into()),
        false => Ok(()),
    }
}
