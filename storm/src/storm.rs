//! One seed: its records, its faults, and whether every record came out once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};

use crate::cluster::Cluster;
use crate::daemon::{Daemon, Ground};
use crate::guarded::{Ending, Signal};
use crate::letters;
use crate::oracle;
use crate::producer::{self, Delivered, Producer};
use crate::schedule::{Fault, Outage, Plan, Store};
use crate::stream::{self, Mood, PARTITIONS, Stream};
use crate::wait::{Progress, seconds, wait_for};

/// Partitions of the dead-letter topic: with one, either no letter is stuck where a broker is gone, or all are.
const LETTER_PARTITIONS: i32 = 1;
/// How long the storm waits until records are in flight and panes not empty.
const FLIGHT_LIMIT: Duration = seconds(30);
/// How long a frozen daemon may take to be given partitions again.
const REJOIN_LIMIT: Duration = seconds(30);
const CATCH_UP_LIMIT: Duration = seconds(60);
/// How long the daemons go on after the last fault, with records coming.
const CALM: Duration = seconds(2);

/// How a seed came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every record came out once.
    Passed,
    /// Every record came out once, but some fault missed: nothing was in flight.
    DoesNotCount(Vec<String>),
    /// Some record did not come out once, or a daemon did what it should not.
    Failed(Vec<String>),
}

/// What a seed's storm is made on.
pub(crate) struct Setting<'a> {
    /// Its seed.
    pub(crate) seed: u64,
    /// What its seed decides.
    pub(crate) plan: Plan,
    /// What the daemon's scorer says of the texts.
    pub(crate) moods: &'a [Mood],
    /// The daemons' ground.
    pub(crate) ground: Ground,
}

/// Runs a seed.
///
/// # Errors
/// If the storm itself cannot go on: a broker that does not start, a record that cannot be sent.
pub(crate) fn run(setting: Setting<'_>, cluster: &mut Cluster) -> Result<Verdict> {
    let Setting { seed, plan, moods, ground } = setting;
    cluster.create_topics(&[(&ground.topic, PARTITIONS), (&ground.dead_letters, LETTER_PARTITIONS)])?;
    let backlog_millis = i64::try_from(plan.backlog)? * 1_000 / i64::from(plan.rate);
    let starts = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())? - backlog_millis;
    let records = Stream::new(seed, moods, starts, plan.rate);
    let producer = Producer::start(&cluster.bootstrap(), &ground.topic, records, plan.backlog, plan.rate)?;
    let mut storm = Storm::new(ground, cluster, producer)?;
    storm.note(&format!(
        "seed {seed}, {} store: {} daemons, {} records, then {} a second; event time from {starts}",
        storm.ground.store, plan.daemons, plan.backlog, plan.rate
    ));
    for daemon in 0..plan.daemons {
        storm.start_daemon(daemon)?;
    }
    for step in plan.steps {
        thread::sleep(step.after);
        storm.strike(step.fault)?;
        storm.restart_what_ended()?;
    }
    thread::sleep(CALM);
    storm.judge()
}

/// What was on its way when a fault hit.
#[derive(Clone, Copy, Debug)]
struct Flight {
    /// Confirmed by the brokers.
    delivered: u64,
    /// Covered by a checkpoint.
    saved: u64,
    /// Panes with messages.
    panes: usize,
}

impl Flight {
    fn counts(self) -> bool {
        self.delivered > self.saved && self.panes > 0
    }

    fn shown(self) -> String {
        let Self { delivered, saved, panes } = self;
        let behind = i128::from(delivered) - i128::from(saved);
        format!("{behind} records in flight of {delivered}, {panes} panes saved")
    }
}

/// A storm that rages.
struct Storm<'a> {
    ground: Ground,
    cluster: &'a mut Cluster,
    producer: Producer,
    daemons: BTreeMap<usize, Daemon>,
    lives: usize,
    /// Where the one daemon began to read, by partition.
    began: Vec<i64>,
    started: Instant,
    schedule: fs::File,
    missed: Vec<String>,
    wrong: Vec<String>,
}

impl<'a> Storm<'a> {
    fn new(ground: Ground, cluster: &'a mut Cluster, producer: Producer) -> Result<Self> {
        let schedule = fs::File::create(ground.directory.join("schedule.log"))?;
        Ok(Self {
            ground,
            cluster,
            producer,
            daemons: BTreeMap::new(),
            lives: 0,
            began: Vec::new(),
            started: Instant::now(),
            schedule,
            missed: Vec::new(),
            wrong: Vec::new(),
        })
    }

    /// Tells what happens, with its time since the storm began.
    fn note(&mut self, what: &str) {
        let line = format!("{:7.1} s  {what}", self.started.elapsed().as_secs_f64());
        crate::say(&line);
        // The log is a copy of what is on the screen.
        writeln!(self.schedule, "{line}").unwrap_or_default();
    }

    fn note_wrong(&mut self, what: String) {
        self.note(&format!("WRONG: {what}"));
        self.wrong.push(what);
    }

    fn start_daemon(&mut self, daemon: usize) -> Result<()> {
        self.lives += 1;
        if self.daemons.is_empty() && self.ground.store == Store::Directory {
            let checkpoint = self.ground.checkpoint()?;
            self.began = checkpoint.map_or_else(Vec::new, |saved| saved.next_offsets(&self.ground.topic, PARTITIONS));
        }
        let started = Daemon::start(&self.ground, daemon, self.lives)?;
        self.daemons.insert(daemon, started);
        Ok(())
    }

    fn take(&mut self, daemon: usize) -> Result<Daemon> {
        self.daemons.remove(&daemon).with_context(|| format!("daemon {daemon} does not run"))
    }

    /// A daemon that ends by itself is wrong; its supervisor starts it again.
    fn restart_what_ended(&mut self) -> Result<()> {
        let numbers: Vec<usize> = self.daemons.keys().copied().collect();
        for daemon in numbers {
            let Some(running) = self.daemons.get_mut(&daemon) else { continue };
            let Some(ending) = running.ended()? else { continue };
            let tail = running.tail();
            self.daemons.remove(&daemon);
            self.note_wrong(format!("daemon {daemon} ended by itself with {ending:?}\n{tail}"));
            self.start_daemon(daemon)?;
        }
        Ok(())
    }

    /// What is on its way now. What was delivered is asked last: the program takes half a second to start where it loads libtorch, reads
    /// the checkpoint thereafter, and ends at once. A checkpoint saved in these last milliseconds makes it look more.
    fn flight(&self) -> Result<Flight> {
        let checkpoint = self.ground.checkpoint()?;
        let delivered = self.producer.delivered();
        let Some(checkpoint) = checkpoint else { return Ok(Flight { delivered, saved: 0, panes: 0 }) };
        let saved: i64 = checkpoint.next_offsets(&self.ground.topic, PARTITIONS).iter().sum();
        Ok(Flight { delivered, saved: u64::try_from(saved)?, panes: checkpoint.panes(false)?.len() })
    }

    /// Waits until records are in flight and panes not empty; otherwise the fault misses.
    fn aim(&mut self, what: &str) -> Result<()> {
        let aimed = wait_for("records are in flight and panes not empty", FLIGHT_LIMIT, || {
            let shown = match self.flight() {
                Ok(flight) if flight.counts() => return Ok(Progress::Done(flight.shown())),
                Ok(flight) => flight.shown(),
                // A store in Kafka may not answer while a broker is gone.
                Err(error) => format!("{error:#}"),
            };
            Ok(Progress::NotYet(shown))
        });
        match aimed {
            Ok(shown) => self.note(&format!("{what}  [{shown}]")),
            Err(error) => {
                self.note(&format!("{what}  MISSES"));
                self.missed.push(format!("{what}: {error}"));
            }
        }
        // What is about to be hit must be there.
        self.restart_what_ended()
    }

    fn strike(&mut self, fault: Fault) -> Result<()> {
        self.aim(&fault.to_string())?;
        match fault {
            Fault::Kill { daemon, away } => {
                self.take(daemon)?.kill()?;
                thread::sleep(away);
                self.start_daemon(daemon)
            }
            Fault::Terminate { daemon, away } => {
                self.terminate(daemon)?;
                thread::sleep(away);
                self.start_daemon(daemon)
            }
            Fault::Freeze { daemon, span } => self.freeze(daemon, span),
            Fault::Rival => self.rival(),
            Fault::Join { daemon } => self.start_daemon(daemon),
            Fault::Leave { daemon } => self.terminate(daemon),
            Fault::LoseBroker(outage) => self.lose(outage.broker, outage),
            Fault::LoseLetters(outage) => {
                let broker = self.cluster.leader(&self.ground.dead_letters, 0)?;
                self.lose(broker, outage)
            }
            Fault::LoseCoordinator(outage) => {
                let broker = self.cluster.coordinator(&self.ground.group)?;
                self.lose(broker, outage)
            }
        }
    }

    fn terminate(&mut self, daemon: usize) -> Result<()> {
        let running = self.take(daemon)?;
        let ending = running.terminate()?;
        if ending != Ending::Code(0) {
            self.note_wrong(format!("daemon {daemon} ended with {ending:?} after SIGTERM, not with code 0"));
        }
        Ok(())
    }

    /// Freezes a daemon until its session is over. It hits if the group has given its partitions out anew since.
    fn freeze(&mut self, daemon: usize, span: Duration) -> Result<()> {
        let running = self.daemons.get(&daemon).with_context(|| format!("daemon {daemon} does not run"))?;
        let assigned = |running: &Daemon| -> Result<u64> {
            Ok(running.metrics()?.count("latido_rebalances_total", &[("event", "assigned")]))
        };
        let before = assigned(running)?;
        running.signal(Signal::Stop)?;
        thread::sleep(span);
        running.signal(Signal::Continue)?;
        let rejoined = wait_for("it is assigned partitions again", REJOIN_LIMIT, || {
            let now = assigned(running)?;
            Ok(if now > before { Progress::Done(()) } else { Progress::NotYet(format!("{now} assignments")) })
        });
        match rejoined {
            Ok(()) => self.note(&format!("SIGCONT daemon {daemon}; it has partitions again")),
            Err(error) => {
                self.note(&format!("SIGCONT daemon {daemon}; {error}"));
                self.missed.push(format!("SIGSTOP daemon {daemon}: {error}"));
            }
        }
        Ok(())
    }

    fn rival(&mut self) -> Result<()> {
        let (ending, said_why) = self.ground.start_rival(0, self.lives)?;
        if ending != Ending::Code(1) || !said_why {
            self.note_wrong(format!(
                "a second daemon on the same directory ended with {ending:?}, and {} that it is in use",
                if said_why { "said" } else { "did not say" }
            ));
        }
        Ok(())
    }

    fn lose(&mut self, broker: usize, outage: Outage) -> Result<()> {
        let begun = Instant::now();
        self.cluster.kill_broker(broker)?;
        if let Some((daemon, after)) = outage.kill {
            thread::sleep(after.saturating_sub(begun.elapsed()));
            self.aim(&format!("SIGKILL daemon {daemon}"))?;
            self.take(daemon)?.kill()?;
            self.start_daemon(daemon)?;
        }
        self.cluster.wait_noticed(broker)?;
        let id = crate::cluster::id_of(broker);
        self.note(&format!("broker {id} is missed after {:.1} s", begun.elapsed().as_secs_f64()));
        thread::sleep(outage.away);
        self.cluster.start_broker(broker)?;
        self.cluster.wait_whole()?;
        self.note(&format!("broker {id} is back and in sync"));
        Ok(())
    }

    /// Ends the storm and holds what came out against what went in.
    fn judge(mut self) -> Result<Verdict> {
        let (topic, group) = (self.ground.topic.clone(), self.ground.group.clone());
        let delivered = self.producer.finish()?;
        let ends = producer::ends(&delivered);
        let summary = stream::summary(delivered.iter().map(|delivered| &delivered.record.fate));
        self.note(&format!("all {} records are delivered: {summary}", delivered.len()));
        self.catch_up(&ends)?;
        if self.ground.store == Store::Directory {
            self.hold_counters(&delivered)?;
            self.look_who_scored()?;
        }
        let numbers: Vec<usize> = self.daemons.keys().copied().collect();
        for daemon in numbers {
            self.terminate(daemon)?;
        }
        let checkpoint = self.ground.checkpoint()?.context("no checkpoint is left")?;
        let has_moods = self.ground.scorer.has_known_moods();
        let saved = checkpoint.next_offsets(&topic, PARTITIONS);
        let committed = self.cluster.committed(&group, &topic, PARTITIONS)?;
        if committed.iter().zip(&saved).any(|(committed, saved)| committed > saved) {
            self.note_wrong(format!("the group committed {committed:?}, and the checkpoint covers {saved:?}"));
        }
        for difference in oracle::differing_panes(&oracle::panes(&delivered, has_moods), &checkpoint.panes(has_moods)?)
        {
            self.note_wrong(difference);
        }
        let letters = letters::read(&self.cluster.bootstrap(), &self.ground.dead_letters, LETTER_PARTITIONS)?;
        for difference in oracle::differing_letters(&delivered, &letters) {
            self.note_wrong(difference);
        }
        Ok(self.verdict(letters.len()))
    }

    fn verdict(mut self, letters: usize) -> Verdict {
        let mut line = format!("{letters} dead letters; ");
        let verdict = if !self.wrong.is_empty() {
            write!(line, "FAILED").unwrap_or_default();
            Verdict::Failed(std::mem::take(&mut self.wrong))
        } else if !self.missed.is_empty() {
            write!(line, "does not count: a fault missed").unwrap_or_default();
            Verdict::DoesNotCount(std::mem::take(&mut self.missed))
        } else {
            write!(line, "every record came out once").unwrap_or_default();
            Verdict::Passed
        };
        self.note(&line);
        verdict
    }

    /// Waits until a checkpoint covers every record.
    fn catch_up(&mut self, ends: &[i64]) -> Result<()> {
        let waited = wait_for("the checkpoint covers the topic", CATCH_UP_LIMIT, || {
            let saved = match self.ground.checkpoint() {
                Ok(saved) => saved.map(|saved| saved.next_offsets(&self.ground.topic, PARTITIONS)),
                Err(error) => return Ok(Progress::NotYet(format!("{error:#}"))),
            };
            let is_covered = saved.as_deref() == Some(ends);
            Ok(if is_covered { Progress::Done(()) } else { Progress::NotYet(format!("{saved:?} of {ends:?}")) })
        });
        match waited {
            Ok(()) => self.note("the group has caught up"),
            Err(error) => self.note_wrong(error.to_string()),
        }
        self.restart_what_ended()
    }

    /// A storm in which the transformer scored nothing proves nothing of it.
    fn look_who_scored(&mut self) -> Result<()> {
        if self.ground.scorer.has_known_moods() {
            return Ok(());
        }
        let Some(samples) = self.daemons.values().next().map(|daemon| daemon.metrics()).transpose()? else {
            return Ok(());
        };
        let [slow, fast] = ["transformer", "embedded"]
            .map(|scorer| samples.count("latido_scored_messages_total", &[("scorer", scorer)]));
        self.note(&format!(
            "in the daemon's last life the transformer scored {slow} messages, the embedded scorer {fast}"
        ));
        if slow == 0 {
            self.missed.push("the transformer scored nothing".to_owned());
        }
        Ok(())
    }

    /// Holds the counters of the one daemon to what it read since it began.
    fn hold_counters(&mut self, delivered: &[Delivered]) -> Result<()> {
        let expected = oracle::counters(delivered, &self.began, self.ground.scorer.has_known_moods());
        let Some(daemon) = self.daemons.values().next() else { return Ok(()) };
        let mut differences = Vec::new();
        // Views are published every tenth of a second, so a scrape may be a little behind the checkpoint.
        let held = wait_for("the counters are those of the records", seconds(10), || {
            differences = oracle::differing_counters(&expected, &daemon.metrics()?);
            Ok(if differences.is_empty() { Progress::Done(()) } else { Progress::NotYet(String::new()) })
        });
        if held.is_err() {
            for difference in differences {
                self.note_wrong(difference);
            }
        }
        Ok(())
    }
}

/// Makes the directory of a seed anew.
pub(crate) fn fresh_directory(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", path.display()));
        }
        _ => {}
    }
    fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))
}
