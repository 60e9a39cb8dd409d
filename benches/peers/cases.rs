//! What is measured: the cases, and who takes part in which.

use pws_benchmarks::folder::{HUNDRED_KB, ONE_KB, ONE_MB, TEN_KB};
use pws_benchmarks::servers::Server;
use pws_benchmarks::wrk::Ask;

/// Connections beyond which a thread for each is no measurement any more.
const THREADS_MAX: usize = 64;

pub struct Case {
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    pub ask: Ask,
    pub connections: usize,
    /// Who takes part.
    field: Field,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    /// pws, its peers and the floor.
    All,
    /// Not the floor: it knows one answer only.
    Servers,
    /// pws with and without its access log.
    Logs,
}

pub static CASES: [Case; 13] = [
    case("1k", "1 KB", Ask::File(ONE_KB), 64, Field::All),
    case("10k", "10 KB", Ask::File(TEN_KB), 64, Field::All),
    case("100k", "100 KB", Ask::File(HUNDRED_KB), 64, Field::All),
    case("1m", "1 MB", Ask::File(ONE_MB), 16, Field::All),
    case("many", "1,000 files of 2–3 KB", Ask::Many, 64, Field::Servers),
    case("404", "404 Not Found", Ask::Missing, 64, Field::Servers),
    case("304", "304 Not Modified", Ask::NotModified(ONE_KB), 64, Field::Servers),
    case("new", "1 KB, each on a new connection", Ask::NewConnection(ONE_KB), 64, Field::All),
    case("pipeline", "1 KB, pipelines of 16", Ask::Pipeline(ONE_KB, 16), 64, Field::All),
    case("conns-1", "1 KB", Ask::File(ONE_KB), 1, Field::All),
    case("conns-1000", "1 KB", Ask::File(ONE_KB), 1_000, Field::All),
    case("conns-10000", "1 KB", Ask::File(ONE_KB), 10_000, Field::All),
    case("log", "1 KB, access log", Ask::File(ONE_KB), 64, Field::Logs),
];

const fn case(name: &'static str, title: &'static str, ask: Ask, connections: usize, field: Field) -> Case {
    Case { name, title, ask, connections, field }
}

pub fn parse(name: &str) -> Result<&'static Case, String> {
    let found = CASES.iter().find(|case| case.name == name);
    found.ok_or_else(|| format!("try one of {}", CASES.each_ref().map(|case| case.name).join(", ")))
}

impl Case {
    pub fn is_for(&self, server: Server) -> bool {
        if server.has_a_thread_per_connection() && self.connections > THREADS_MAX {
            return false;
        }
        match self.field {
            Field::All => server.is_peer() || matches!(server, Server::Pws | Server::Floor),
            Field::Servers => server.is_peer() || server == Server::Pws,
            Field::Logs => matches!(server, Server::Pws | Server::PwsLogNull | Server::PwsLogFile),
        }
    }

    /// About the access log alone, so that its figures stand apart.
    pub fn is_about_logs(&self) -> bool {
        self.field == Field::Logs
    }

    /// One of those that differ in the number of connections only.
    pub fn is_by_connections(&self) -> bool {
        self.ask == Ask::File(ONE_KB) && !self.is_about_logs()
    }

    /// For people, with the number of connections.
    pub fn full_title(&self) -> String {
        let connections = pws_benchmarks::numbers::show_count(self.connections as f64);
        let noun = if self.connections == 1 { "connection" } else { "connections" };
        format!("{}, {connections} {noun}", self.title)
    }
}
