//! Simulated departments under the detector: how often it is wrong, what it finds, and how soon. `cargo xtask simulate` runs it;
//! `docs/alert-quality.md` tells what came out.
#![expect(clippy::print_stdout, reason = "a program that prints tables")]
#![expect(clippy::cast_precision_loss, reason = "counts of simulations")]

mod changes;
mod company;
mod models;
mod parallel;
mod quiet;
mod rivals;
mod shifts;
mod silence;
mod watched;
mod world;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use latido::detect::AlertKind;

use changes::Change;
use rivals::Rule;
use shifts::{Found, Incident};
use world::{Effect, Life, World};

/// Simulates departments with and without incidents.
#[derive(Parser)]
#[command(name = "cargo xtask simulate", bin_name = "cargo xtask simulate")]
struct Arguments {
    /// Which tables; all where none is named.
    #[arg(value_enum)]
    tables: Vec<Table>,
    /// Months of a department, and departments of a kind, that false alarms are counted in.
    #[arg(long, default_value_t = 10)]
    months: u32,
    /// Departments of each kind.
    #[arg(long, default_value_t = 20)]
    departments: u64,
    /// Budgets of false alarms a month.
    #[arg(long, value_delimiter = ',', default_values_t = [0.25, 1.0, 4.0])]
    budgets: Vec<f64>,
    /// Messages in 5 minutes.
    #[arg(long, value_delimiter = ',', default_values_t = [0.2, 1.0, 5.0, 30.0, 150.0])]
    volumes: Vec<f64>,
    /// Which lasting changes; all where none is named.
    #[arg(long, value_enum, value_delimiter = ',')]
    changes: Vec<Change>,
    /// Minutes of a row, for false alarms and what is found: 1, 5, 15 or 60.
    #[arg(long, default_value_t = 1)]
    step: u32,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Table {
    /// How often it is wrong.
    FalseAlarms,
    /// Which shifts it finds, and when.
    Shifts,
    /// Which incidents of other kinds and lengths it finds, and when.
    Incidents,
    /// The same shifts by what else people alert on.
    Rivals,
    /// Which silences it notices, and when.
    Silences,
    /// What lasting changes do.
    Changes,
    /// How often it is wrong in departments unlike the others.
    Others,
    /// How often it is wrong in the first weeks.
    FirstWeeks,
    /// Departments that turn unhappy together.
    Companies,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let wants = |table| arguments.tables.is_empty() || arguments.tables.contains(&table);
    if wants(Table::FalseAlarms) {
        false_alarms(&arguments)?;
    }
    if wants(Table::Shifts) {
        shifts(&arguments)?;
    }
    if wants(Table::Incidents) {
        incidents(&arguments)?;
    }
    if wants(Table::Rivals) {
        rivals(&arguments)?;
    }
    if wants(Table::Silences) {
        silences(&arguments)?;
    }
    if wants(Table::Changes) {
        changes(&arguments)?;
    }
    if wants(Table::Others) {
        others(&arguments)?;
    }
    if wants(Table::FirstWeeks) {
        first_weeks(&arguments)?;
    }
    if wants(Table::Companies) {
        companies(&arguments)?;
    }
    Ok(())
}

fn worlds(volume: f64) -> [(&'static str, World); 6] {
    let rhythmic = World::rhythmic(volume);
    let lively = World { life: Life { campaigns: 1.0, holidays: 1.0, ..Life::default() }, ..rhythmic };
    let out = World { life: Life { outages: 2.0, ..Life::default() }, ..rhythmic };
    let drifting = World { life: Life { drift: 0.3, ..Life::default() }, ..rhythmic };
    let later = World { life: Life { rhythm: (1.5, 0.3), ..Life::default() }, ..rhythmic };
    [
        ("steady", World::steady(volume)),
        ("rhythmic", rhythmic),
        ("campaigns and holidays", lively),
        ("outages", out),
        ("ratio drifts", drifting),
        ("rhythm drifts", later),
    ]
}

fn false_alarms(arguments: &Arguments) -> Result<()> {
    println!(
        "| world | messages in 5 min | months | {} |",
        join(&arguments.budgets, |budget| format!("budget {budget}"))
    );
    println!("|---|---|---|{}", "---|".repeat(arguments.budgets.len()));
    let mut sums = vec![(0, 0); arguments.budgets.len()];
    let mut kinds = [0; AlertKind::ALL.len()];
    for volume in arguments.volumes.iter().copied() {
        for (name, world) in worlds(volume) {
            let mut cells = Vec::new();
            let seeds = arguments.seed..arguments.seed + arguments.departments;
            for (budget, sum) in arguments.budgets.iter().zip(&mut sums) {
                let alarms = quiet::false_alarms(world, (*budget, arguments.step), seeds.clone(), arguments.months)?;
                *sum = (sum.0 + alarms.incidents, sum.1 + alarms.months);
                cells.push(format!("{:.2}", alarms.a_month()));
                kinds.iter_mut().zip(alarms.kinds).for_each(|(sum, more)| *sum += more);
            }
            let months = arguments.departments * u64::from(arguments.months);
            println!("| {name} | {volume} | {months} | {} |", cells.join(" | "));
        }
    }
    println!(
        "| all | | {} | {} |",
        sums[0].1,
        join(&sums, |sum| format!("{:.2}", f64::from(sum.0) / f64::from(sum.1)))
    );
    let told = AlertKind::ALL.iter().zip(kinds).map(|(kind, alerts)| format!("{alerts} {}", kind.as_str()));
    println!("\nAlerts of all kinds: {}.", told.collect::<Vec<_>>().join(", "));
    Ok(())
}

/// A kind of world by its name.
type Named = (&'static str, fn(f64) -> World);

fn shifts(arguments: &Arguments) -> Result<()> {
    println!("| world | messages in 5 min | to | {} |", join(&arguments.budgets, |budget| format!("budget {budget}")));
    println!("|---|---|---|{}", "---|".repeat(arguments.budgets.len()));
    let worlds: [Named; 2] = [("steady", World::steady), ("rhythmic", World::rhythmic)];
    for (name, world) in worlds {
        for volume in arguments.volumes.iter().copied() {
            for to in [0.3, 0.4, 0.6] {
                let incident = Incident { effect: Effect { negative: Some(to), ..Effect::NONE }, minutes: 180 };
                let mut cells = Vec::new();
                for budget in &arguments.budgets {
                    let seeds = arguments.seed..arguments.seed + arguments.departments;
                    let found = shifts::found(world(volume), incident, (*budget, arguments.step), seeds, 20)?;
                    cells.push(told(&found));
                }
                println!("| {name} | {volume} | {:.0} % | {} |", 100.0 * to, cells.join(" | "));
            }
        }
    }
    Ok(())
}

/// Incidents by their name, effect and minutes.
fn other_incidents() -> [(&'static str, Incident); 7] {
    let incident = |effect, minutes| Incident { effect, minutes };
    let negative = Effect { negative: Some(SHIFT), ..Effect::NONE };
    let frustrated = Effect { frustrated: Some(0.35), ..Effect::NONE };
    let volume = |volume| Effect { volume, ..Effect::NONE };
    [
        ("40 % negative for 30 min", incident(negative, 30)),
        ("40 % negative for 1 h", incident(negative, 60)),
        ("40 % negative for 12 h", incident(negative, 12 * 60)),
        ("35 % frustrated in place of 15 %, as negative as ever, for 3 h", incident(frustrated, 180)),
        ("four times the messages for 1 h", incident(volume(4.0), 60)),
        ("a fifth of the messages for 3 h", incident(volume(0.2), 180)),
        ("twice the messages, 40 % negative, for 3 h", incident(Effect { volume: 2.0, ..negative }, 180)),
    ]
}

fn incidents(arguments: &Arguments) -> Result<()> {
    println!("| incident | {} |", join(&arguments.volumes, |volume| format!("{volume} in 5 min")));
    println!("|---|{}", "---|".repeat(arguments.volumes.len()));
    for (name, incident) in other_incidents() {
        let mut cells = Vec::new();
        for volume in arguments.volumes.iter().copied() {
            let seeds = arguments.seed..arguments.seed + arguments.departments;
            let found = shifts::found(World::rhythmic(volume), incident, (1.0, arguments.step), seeds, 10)?;
            cells.push(told(&found));
        }
        println!("| {name} | {} |", cells.join(" | "));
    }
    Ok(())
}

/// The shift that is measured of all rules.
const SHIFT: f64 = 0.4;

fn rivals(arguments: &Arguments) -> Result<()> {
    println!("| rule | {} |", join(&arguments.volumes, |volume| format!("{volume} in 5 min")));
    println!("|---|{}", "---|".repeat(arguments.volumes.len()));
    let incident = Incident { effect: Effect { negative: Some(SHIFT), ..Effect::NONE }, minutes: 180 };
    let seeds = || arguments.seed..arguments.seed + arguments.departments;
    for rule in Rule::ALL {
        let mut cells = Vec::new();
        for volume in &arguments.volumes {
            let world = World::steady(*volume);
            let threshold = rivals::threshold(rule, world, 1.0, seeds(), i64::from(arguments.months))?;
            let found = rivals::found(rule, world, incident, threshold, seeds(), 20)?;
            cells.push(format!("{} (> {threshold:.2})", told(&found)));
        }
        println!("| {} | {} |", rule.name(), cells.join(" | "));
    }
    Ok(())
}

fn silences(arguments: &Arguments) -> Result<()> {
    println!("| messages in 5 min | longest gap, minutes | noticed in 4 times that / median minutes |");
    println!("|---|---|---|");
    for volume in arguments.volumes.iter().copied() {
        let seeds = arguments.seed..arguments.seed + arguments.departments;
        let (found, longest) = silence::noticed(World::rhythmic(volume), 1.0, seeds, 10)?;
        println!("| {volume} | {longest} | {} |", told(&found));
    }
    Ok(())
}

/// The first, second to fourth, and fifth to eighth week after a change.
fn changes(arguments: &Arguments) -> Result<()> {
    println!("| from some day on | messages in 5 min | week 1 | weeks 2 to 4 | weeks 5 to 8 | days open |");
    println!("|---|---|---|---|---|---|");
    let wanted = |change: &&Change| arguments.changes.is_empty() || arguments.changes.contains(change);
    for change in Change::value_variants().iter().filter(wanted) {
        for volume in arguments.volumes.iter().copied() {
            let seeds = arguments.seed..arguments.seed + arguments.departments;
            let aftermath = changes::aftermath(*change, World::steady(volume), seeds)?;
            let [first, then, later] = aftermath.incidents;
            println!(
                "| {} | {volume} | {first:.1} | {then:.1} | {later:.1} | {:.1} |",
                change.name(),
                aftermath.days_open
            );
        }
    }
    Ok(())
}

/// False alarms at a budget of 1 in departments that differ from those the scale was fitted to.
fn others(arguments: &Arguments) -> Result<()> {
    println!("| department | {} |", join(&arguments.volumes, |volume| format!("{volume} in 5 min")));
    println!("|---|{}", "---|".repeat(arguments.volumes.len()));
    for (name, altered) in others_worlds() {
        let mut cells = Vec::new();
        for volume in arguments.volumes.iter().copied() {
            let seeds = arguments.seed..arguments.seed + arguments.departments;
            let alarms =
                quiet::false_alarms(altered(World::rhythmic(volume)), (1.0, arguments.step), seeds, arguments.months)?;
            cells.push(format!("{:.2}", alarms.a_month()));
        }
        println!("| {name} | {} |", cells.join(" | "));
    }
    Ok(())
}

/// Incidents of each of the first weeks, of departments of which nothing was known.
fn first_weeks(arguments: &Arguments) -> Result<()> {
    println!("| world | messages in 5 min | week 1 | week 2 | week 3 | week 4 |");
    println!("|---|---|---|---|---|---|");
    for volume in arguments.volumes.iter().copied() {
        for (name, world) in worlds(volume).into_iter().take(3) {
            let seeds = arguments.seed..arguments.seed + 4 * arguments.departments;
            let weeks = quiet::first_weeks(world, seeds)?;
            println!("| {name} | {volume} | {} |", join(&weeks, |incidents| format!("{incidents:.2}")));
        }
    }
    Ok(())
}

fn companies(arguments: &Arguments) -> Result<()> {
    println!(
        "| departments | messages in 5 min of each | false alarms of the company a month | all turn to 40 % | departments that alerted before | a sixth of them |"
    );
    println!("|---|---|---|---|---|---|");
    let incident = Incident { effect: Effect { negative: Some(SHIFT), ..Effect::NONE }, minutes: 180 };
    // The larger, the fewer: each takes as long.
    for (size, fewer) in [(2, 1), (12, 2), (40, 4), (200, 10)] {
        for volume in arguments.volumes.iter().copied() {
            let seeds = arguments.seed..arguments.seed + arguments.departments.div_ceil(fewer);
            let told = company::told((World::steady(volume), size), incident, seeds, arguments.months.min(4))?;
            println!(
                "| {size} | {volume} | {:.2} | {} | {:.1} | {} |",
                f64::from(told.false_alarms) / f64::from(told.months),
                crate::told(&told.of_all),
                told.alerted_before as f64 / told.of_all.delays.len().max(1) as f64,
                crate::told(&told.of_few)
            );
        }
    }
    Ok(())
}

/// What a world is called, and how it differs from the ordinary one.
type Altered = (&'static str, fn(World) -> World);

fn others_worlds() -> [Altered; 6] {
    [
        ("2 % negative", |world| World { negative: 0.02, ..world }),
        ("50 % negative", |world| World { negative: 0.5, ..world }),
        ("90 % negative", |world| World { negative: 0.9, ..world }),
        ("messages in threads of 3", |world| World { thread: 3.0, ..world }),
        ("correlation of 0.05", |world| World { correlation: 0.05, ..world }),
        ("moods three times as strong", |world| World { mood: (0.3, 6.0), ..world }),
    ]
}

fn told(found: &Found) -> String {
    let median = found.median().map_or_else(|| "-".to_owned(), |minutes| minutes.to_string());
    format!("{:.1} % / {median}", 100.0 * found.share())
}

fn join<T>(values: &[T], cell: impl Fn(&T) -> String) -> String {
    values.iter().map(cell).collect::<Vec<_>>().join(" | ")
}
