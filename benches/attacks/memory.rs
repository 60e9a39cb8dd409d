//! pws in a control group that has just as much memory as it was told: what it takes of that, and whether it lives.

use std::time::Duration;

use pws_benchmarks::Result;
use pws_benchmarks::configs::Conditions;
use pws_benchmarks::running::Running;
use pws_benchmarks::servers::Server;
use pws_testing::attacks::loads::Load;
use pws_testing::attacks::sites::PAGE;
use pws_testing::cgroup::{Cgroup, Used};
use pws_testing::folder::Folder;

use super::watched;

/// What came of one load.
pub struct Borne {
    pub load: Load,
    pub is_alive: bool,
    /// The most that it had at one time.
    pub most: Used,
    /// The most of each, at whichever time, pages of files included.
    pub peak: Used,
    /// How its clients fared, in words.
    pub fared: String,
}

pub fn bear(load: &Load, folder: &Folder, secs: f64) -> Result<Borne> {
    let group =
        Cgroup::of(load.bytes()).map_err(|error| format!("no control group: {error} (try as root)"))?;
    let options = load.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let conditions =
        Conditions { pws_options: &options, preparation: Some(group.preparation()), ..Conditions::default() };
    let (most, (fared, is_alive)) = group.most_used_during(|| {
        let mut running = match Running::start_under(&conditions, Server::Pws, folder, PAGE) {
            Ok(running) => running,
            Err(error) => return (Err(error), false),
        };
        let lasting = Duration::from_secs_f64(secs);
        let fared = watched(&running).and_then(|server| Ok(load.run(&server, folder, lasting)?.to_string()));
        (fared, running.check_alive().is_ok())
    });
    let fared = fared.unwrap_or_else(|error| format!("failed: {error}"));
    Ok(Borne { load: *load, is_alive: is_alive && group.killed() == 0, most, peak: group.peak(), fared })
}
