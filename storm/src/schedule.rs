//! What happens in a storm, and when, by its seed.

use std::fmt;
use std::time::Duration;

use clap::ValueEnum;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use crate::cluster::{BROKERS, id_of};

/// Where the daemons keep their state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Store {
    /// In a directory, for one daemon.
    Directory,
    /// In Kafka, for up to three.
    Kafka,
}

impl fmt::Display for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Directory => "directory",
            Self::Kafka => "kafka",
        })
    }
}

/// Most daemons of a group.
const MOST_DAEMONS: usize = 3;
/// Longer than the session timeout that the daemons have.
const FREEZE_MILLIS: std::ops::Range<u64> = 7_500..9_500;

/// What befalls the cluster or a daemon. Daemons and brokers count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// SIGKILL; its supervisor starts it again after a while.
    Kill {
        /// Which one.
        daemon: usize,
        /// How long it is away.
        away: Duration,
    },
    /// SIGTERM; it drains, and is started again after a while.
    Terminate {
        /// Which one.
        daemon: usize,
        /// How long it is away.
        away: Duration,
    },
    /// SIGSTOP for longer than the session timeout, then SIGCONT.
    Freeze {
        /// Which one.
        daemon: usize,
        /// For how long.
        span: Duration,
    },
    /// A second daemon on the same directory, which must be refused.
    Rival,
    /// One more daemon joins the group.
    Join {
        /// Its number.
        daemon: usize,
    },
    /// A daemon leaves the group by SIGTERM and does not come back.
    Leave {
        /// Its number.
        daemon: usize,
    },
    /// A broker is killed and started again later.
    LoseBroker(Outage),
    /// The broker that takes the dead letters is killed and started again later.
    LoseLetters(Outage),
    /// The broker that coordinates the group is killed and started again later.
    LoseCoordinator(Outage),
}

/// How a broker is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outage {
    /// Which broker, where that is not found out then.
    pub(crate) broker: usize,
    /// A daemon is killed (SIGKILL) so long after the broker, while its partitions have no leader; started again at once.
    pub(crate) kill: Option<(usize, Duration)>,
    /// How long the broker stays away once the others have taken over.
    pub(crate) away: Duration,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill { daemon, away } => write!(formatter, "SIGKILL daemon {daemon}, away for {}", short(*away)),
            Self::Terminate { daemon, away } => write!(formatter, "SIGTERM daemon {daemon}, away for {}", short(*away)),
            Self::Freeze { daemon, span } => write!(formatter, "SIGSTOP daemon {daemon} for {}", short(*span)),
            Self::Rival => write!(formatter, "a second daemon on the same directory"),
            Self::Join { daemon } => write!(formatter, "daemon {daemon} joins"),
            Self::Leave { daemon } => write!(formatter, "SIGTERM daemon {daemon}, which stays away"),
            Self::LoseBroker(outage) => write!(formatter, "SIGKILL broker {}{outage}", id_of(outage.broker)),
            Self::LoseLetters(outage) => write!(formatter, "SIGKILL the dead letters' leader{outage}"),
            Self::LoseCoordinator(outage) => write!(formatter, "SIGKILL the group's coordinator{outage}"),
        }
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((daemon, after)) = self.kill {
            write!(formatter, ", {} later SIGKILL daemon {daemon}", short(after))?;
        }
        write!(formatter, ", back {} after it was missed", short(self.away))
    }
}

fn short(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

/// A fault and the quiet before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// How long nothing happens before it.
    pub(crate) after: Duration,
    /// What happens then.
    pub(crate) fault: Fault,
}

/// A storm: what its seed decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// How many daemons there are at first.
    pub(crate) daemons: usize,
    /// Whether daemons that share a group have names of their own in it, and so a restart is no rebalance.
    pub(crate) named: bool,
    /// Records a second.
    pub(crate) rate: u32,
    /// Records that are there before the daemons.
    pub(crate) backlog: usize,
    /// What happens, in order.
    pub(crate) steps: Vec<Step>,
}

impl Plan {
    /// The storm of a seed: each kind of fault once in each minute, in any order.
    pub(crate) fn new(seed: u64, store: Store, minutes: u32) -> Self {
        // Another stream than the messages'.
        let mut random = Pcg64Mcg::seed_from_u64(seed ^ 0x5_70_72_6d);
        let daemons = match store {
            Store::Directory => 1,
            Store::Kafka => random.random_range(1..=MOST_DAEMONS),
        };
        let named = random.random_bool(0.5);
        let rate = random.random_range(300..=700);
        let backlog = random.random_range(1_000..4_000);
        let mut draft = Draft { random, running: (0..daemons).collect(), away: (daemons..MOST_DAEMONS).collect() };
        let mut steps = Vec::new();
        for _ in 0..minutes.max(1) {
            let mut kinds = Kind::ALL;
            kinds.shuffle(&mut draft.random);
            steps.extend(kinds.into_iter().map(|kind| draft.step(kind, store)));
        }
        Self { daemons, named, rate, backlog, steps }
    }
}

/// The kinds of faults of each minute.
#[derive(Clone, Copy)]
enum Kind {
    Kill,
    Terminate,
    Freeze,
    Another,
    Broker,
    Coordinator,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Kill, Self::Terminate, Self::Freeze, Self::Another, Self::Broker, Self::Coordinator];
}

/// A plan in the making.
struct Draft {
    random: Pcg64Mcg,
    running: Vec<usize>,
    away: Vec<usize>,
}

impl Draft {
    fn step(&mut self, kind: Kind, store: Store) -> Step {
        let after = self.millis(800..2_500);
        let fault = match kind {
            Kind::Kill => Fault::Kill { daemon: self.daemon(), away: self.millis(0..1_500) },
            Kind::Terminate => Fault::Terminate { daemon: self.daemon(), away: self.millis(0..1_500) },
            Kind::Freeze => Fault::Freeze { daemon: self.daemon(), span: self.millis(FREEZE_MILLIS) },
            Kind::Another if store == Store::Directory => Fault::Rival,
            Kind::Another => self.join_or_leave(),
            Kind::Broker if self.random.random_bool(0.5) => Fault::LoseLetters(self.outage(1.0)),
            Kind::Broker => Fault::LoseBroker(self.outage(0.5)),
            Kind::Coordinator => Fault::LoseCoordinator(self.outage(0.5)),
        };
        Step { after, fault }
    }

    /// One more joins while there is room; else one leaves.
    fn join_or_leave(&mut self) -> Fault {
        if let Some(daemon) = self.away.pop() {
            self.running.push(daemon);
            return Fault::Join { daemon };
        }
        let place = self.random.random_range(0..self.running.len());
        let daemon = self.running.swap_remove(place);
        self.away.push(daemon);
        Fault::Leave { daemon }
    }

    fn outage(&mut self, kills: f64) -> Outage {
        let broker = self.random.random_range(0..BROKERS);
        let kill = self.random.random_bool(kills).then(|| (self.daemon(), self.millis(1_300..2_600)));
        Outage { broker, kill, away: self.millis(500..2_500) }
    }

    fn daemon(&mut self) -> usize {
        self.running[self.random.random_range(0..self.running.len())]
    }

    fn millis(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.random_range(range))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const STORES: [Store; 2] = [Store::Directory, Store::Kafka];

    #[test]
    fn a_seed_gives_the_same_storm_again_and_another_seed_another() {
        for store in STORES {
            assert_eq!(Plan::new(7, store, 2), Plan::new(7, store, 2));
            assert_ne!(Plan::new(7, store, 2), Plan::new(8, store, 2));
        }
    }

    #[test]
    fn a_longer_storm_begins_like_a_shorter_one() {
        for store in STORES {
            let (short, long) = (Plan::new(3, store, 1), Plan::new(3, store, 3));
            assert_eq!(short.steps, long.steps[..short.steps.len()]);
        }
    }

    #[test]
    fn every_kind_of_fault_comes_in_every_storm() {
        for (seed, store) in (0..100).flat_map(|seed| STORES.map(|store| (seed, store))) {
            let plan = Plan::new(seed, store, 1);
            let kinds: BTreeSet<String> = plan
                .steps
                .iter()
                .map(|step| match step.fault {
                    Fault::Rival | Fault::Join { .. } | Fault::Leave { .. } => "another".to_owned(),
                    Fault::LoseBroker(_) | Fault::LoseLetters(_) => "broker".to_owned(),
                    fault => format!("{fault:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
                })
                .collect();
            assert_eq!(kinds.len(), 6, "{kinds:?}");
        }
    }

    #[test]
    fn a_daemon_is_frozen_for_longer_than_its_session_lasts() {
        for seed in 0..100 {
            for step in Plan::new(seed, Store::Directory, 1).steps {
                let Fault::Freeze { span, .. } = step.fault else { continue };
                assert!(span > crate::daemon::SESSION, "{span:?}");
            }
        }
    }

    #[test]
    fn only_daemons_that_run_are_hit_and_one_always_runs() {
        for seed in 0..200 {
            let plan = Plan::new(seed, Store::Kafka, 5);
            let mut running: BTreeSet<usize> = (0..plan.daemons).collect();
            for step in plan.steps {
                match step.fault {
                    Fault::Join { daemon } => assert!(running.insert(daemon)),
                    Fault::Leave { daemon } => assert!(running.remove(&daemon)),
                    Fault::Kill { daemon, .. } | Fault::Terminate { daemon, .. } | Fault::Freeze { daemon, .. } => {
                        assert!(running.contains(&daemon));
                    }
                    Fault::LoseBroker(outage) | Fault::LoseLetters(outage) | Fault::LoseCoordinator(outage) => {
                        assert!(outage.kill.is_none_or(|(daemon, _)| running.contains(&daemon)));
                    }
                    Fault::Rival => panic!("a group has no rivals"),
                }
                assert!(!running.is_empty() && running.len() <= MOST_DAEMONS);
            }
        }
    }
}
