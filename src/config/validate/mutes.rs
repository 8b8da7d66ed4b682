//! Mutes: each must mute something, at some time.

use jiff::tz::TimeZone;

use super::Check;
use super::departments::time_zone_remedy;
use crate::config::mutes::EVERY_DEPARTMENT;
use crate::config::names::guess;
use crate::config::{ClockTime, DepartmentConfig, MuteConfig, OTHER};
use crate::detect::AlertKind;

const MOST_MUTES: usize = 1_000;
const MOST_REASON_BYTES: usize = 500;

pub(super) fn all(mutes: &[MuteConfig], departments: &[DepartmentConfig], check: &mut Check<'_>) {
    if mutes.len() > MOST_MUTES {
        let what = format!("{} mutes are too many", mutes.len());
        check.refuse(&["mutes"], what, "write at most 1000; remove those that are over");
        return;
    }
    for (place, mute) in mutes.iter().enumerate() {
        let place = place.to_string();
        whose(&place, mute, departments, check);
        kinds(&place, mute, check);
        when(&place, mute, check);
        let path = ["mutes", &*place, "reason"];
        check.need(!mute.reason.contains(char::is_control), &path, "holds control characters", "write it on one line");
        check.need(mute.reason.len() <= MOST_REASON_BYTES, &path, "too long", "write at most 500 bytes");
    }
}

fn whose(place: &str, mute: &MuteConfig, departments: &[DepartmentConfig], check: &mut Check<'_>) {
    let path = ["mutes", place, "departments"];
    if mute.departments.is_empty() {
        check.refuse(&path, "no department", "name departments by their ids, or write [\"*\"] for all");
        return;
    }
    let names_all = mute.departments.iter().any(|name| name == EVERY_DEPARTMENT);
    if names_all && mute.departments.len() > 1 {
        check.refuse(&path, "`*` stands for all of them already", "write [\"*\"], or leave `*` out");
    }
    let ids = || departments.iter().map(|department| department.id.as_str()).chain([OTHER]);
    let unknown = |name: &&String| *name != EVERY_DEPARTMENT && !ids().any(|id| id == *name);
    for (nth, name) in mute.departments.iter().enumerate().filter(|(_, name)| unknown(name)) {
        let remedy = guess(name, ids()).map_or_else(
            || "write the id of a department of `departments`, or [\"*\"] for all".to_owned(),
            |id| format!("did you mean \"{id}\"?"),
        );
        check.refuse_item(&path, nth, name, "no such department", &remedy);
    }
}

fn kinds(place: &str, mute: &MuteConfig, check: &mut Check<'_>) {
    let path = ["mutes", place, "kinds"];
    let names = || AlertKind::ALL.iter().map(|kind| kind.as_str());
    for (nth, name) in mute.kinds.iter().enumerate() {
        let Some(kind) = AlertKind::ALL.iter().find(|kind| kind.as_str() == name) else {
            let remedy = guess(name, names()).map_or_else(
                || format!("write one of {}", names().collect::<Vec<_>>().join(", ")),
                |kind| format!("did you mean \"{kind}\"?"),
            );
            check.refuse_item(&path, nth, name, "no such kind of alert", &remedy);
            continue;
        };
        if mute.kinds[..nth].contains(name) {
            check.refuse_item(&path, nth, name, "listed twice", "list each kind once");
        }
        if !kind.is_of_department() && !mute.departments.iter().any(|name| name == EVERY_DEPARTMENT) {
            let remedy = "write `departments = [\"*\"]` for it, in a mute of its own";
            check.refuse_item(&path, nth, name, "an alert of the company, and of no department", remedy);
        }
    }
}

fn when(place: &str, mute: &MuteConfig, check: &mut Check<'_>) {
    let path = |key| ["mutes", place, key];
    if let Some((from, until)) = mute.from.zip(mute.until).filter(|(from, until)| until <= from) {
        let what = if from == until { "empty: it ends when it begins" } else { "it ends before it begins" };
        let what = format!("{what} ({})", check.named(&path("from")));
        check.refuse(&path("until"), what, "write a later time, or leave it out");
    }
    let (start, end) = mute.clock_times();
    if start == ClockTime::DAYS_END {
        check.refuse(&path("start_time"), "the end of a day begins nothing", "write \"00:00\"");
    } else if start == end || (mute.end_time == Some(ClockTime::MIDNIGHT) && start == ClockTime::MIDNIGHT) {
        let remedy = "write another time; for the whole day leave both times out";
        check.refuse(&path("end_time"), "empty: it ends when it begins", remedy);
    }
    for (nth, day) in mute.days.iter().enumerate() {
        if mute.days[..nth].contains(day) {
            check.refuse_item(&path("days"), nth, day.as_str(), "listed twice", "list each day once");
        }
    }
    let Some(zone) = &mute.time_zone else { return };
    if TimeZone::get(zone).is_err() {
        check.refuse(&path("time_zone"), "no such time zone", time_zone_remedy(zone));
    } else if !mute.is_recurring() {
        let remedy = "leave it out, or say with `days`, `start_time` and `end_time` what it is for";
        check.refuse(&path("time_zone"), "there is no day or time of day to read in it", remedy);
    }
}
