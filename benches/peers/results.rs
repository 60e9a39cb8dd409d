//! What was measured, round by round, and its medians.

use pws_benchmarks::numbers::median;
use pws_benchmarks::servers::Server;
use serde_json::{Map, Value, json};

use crate::cases::{CASES, Case};

/// The figures of one measurement, by name.
pub struct Figures(pub Vec<(&'static str, f64)>);

impl Figures {
    /// The one of that name, if it was taken.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(found, _)| *found == name).map(|(_, figure)| *figure)
    }
}

pub struct Round {
    pub case: &'static Case,
    pub server: Server,
    pub round: usize,
    pub outcome: Result<Figures, String>,
}

pub struct Results {
    pub machine: Value,
    /// How long one measurement took.
    pub secs: u64,
    pub rounds: Vec<Round>,
}

impl Results {
    pub fn new(machine: Value, secs: u64) -> Results {
        Results { machine, secs, rounds: Vec::new() }
    }

    /// The cases that were measured, in their order.
    pub fn cases(&self) -> Vec<&'static Case> {
        let is_measured = |case: &&Case| self.rounds.iter().any(|round| round.case.name == case.name);
        CASES.iter().filter(is_measured).collect()
    }

    /// The servers that were measured in any of `cases`, in their order.
    pub fn servers(&self, cases: &[&Case]) -> Vec<Server> {
        let is_measured = |server: &Server| cases.iter().any(|case| self.of(case, *server).next().is_some());
        Server::ALL.into_iter().filter(is_measured).collect()
    }

    /// How many rounds there were, at most.
    pub fn rounds_max(&self) -> usize {
        self.rounds.iter().map(|round| round.round).max().unwrap_or(0)
    }

    fn of(&self, case: &Case, server: Server) -> impl Iterator<Item = &Round> {
        let name = case.name;
        self.rounds.iter().filter(move |round| round.case.name == name && round.server == server)
    }

    fn figures(&self, case: &Case, server: Server, figure: &str) -> impl Iterator<Item = f64> {
        self.of(case, server).filter_map(move |round| round.outcome.as_ref().ok()?.get(figure))
    }

    /// The median over the rounds that worked.
    pub fn median(&self, case: &Case, server: Server, figure: &str) -> Option<f64> {
        median(self.figures(case, server, figure))
    }

    /// The sum over the rounds that worked.
    pub fn sum(&self, case: &Case, server: Server, figure: &str) -> f64 {
        self.figures(case, server, figure).sum()
    }

    /// Whether wrk had something to complain about in the rounds that worked, or one did not.
    pub fn is_doubtful(&self, case: &Case, server: Server) -> bool {
        self.sum(case, server, "errors") > 0.0 || self.failures(case, server).next().is_some()
    }

    /// Why rounds failed.
    pub fn failures(&self, case: &Case, server: Server) -> impl Iterator<Item = &str> {
        self.of(case, server).filter_map(|round| round.outcome.as_ref().err()).map(String::as_str)
    }

    /// All of it, every round.
    pub fn json(&self) -> Value {
        let rounds: Vec<Value> = self.rounds.iter().map(Round::json).collect();
        json!({ "machine": self.machine, "secs_per_round": self.secs, "rounds": rounds })
    }
}

impl Round {
    fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("case".to_owned(), self.case.name.into());
        object.insert("server".to_owned(), self.server.name().into());
        object.insert("round".to_owned(), self.round.into());
        match &self.outcome {
            Ok(figures) => {
                for (name, value) in &figures.0 {
                    object.insert((*name).to_owned(), (*value).into());
                }
            }
            Err(error) => {
                object.insert("failed".to_owned(), error.as_str().into());
            }
        }
        object.into()
    }
}
