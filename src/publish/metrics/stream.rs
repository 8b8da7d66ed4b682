//! Where the stream stands, which partitions are read, and how full the buffers are.

use prometheus::proto::MetricFamily;

use super::families as known;
use super::family::{Label, Written};
use super::{count, flag, single, size};
use crate::message::{EventTime, RejectReason, ScorerKind};
use crate::publish::events::Happened;
use crate::publish::view::StreamView;

/// Where the stream stands.
pub(super) fn standing(stream: &StreamView) -> Vec<MetricFamily> {
    let mut rejected = known::REJECTED_RECORDS.samples();
    for (reason, records) in RejectReason::ALL.iter().zip(stream.rejected) {
        rejected.push([Label::closed(reason.as_str())], count(records));
    }
    let mut scored = known::SCORED_MESSAGES.samples();
    for (scorer, messages) in ScorerKind::ALL.iter().zip(stream.scored) {
        scored.push([Label::closed(scorer.as_str())], count(messages));
    }
    let mut events = known::ALERT_EVENTS.samples();
    for (happened, told) in Happened::ALL.iter().zip(stream.alert_events) {
        events.push([Label::closed(happened.as_str())], count(told));
    }
    vec![
        scored.finish(),
        rejected.finish(),
        single(&known::DEAD_LETTERS, Some(count(stream.dead_letters))),
        events.finish(),
        single(&known::ALERT_EVENT_FAILURES, Some(count(stream.alert_event_failures))),
        single(&known::ALERT_EVENTS_LOST, Some(count(stream.alert_events_lost))),
        single(&known::ALERTS_FORGOTTEN, Some(count(stream.alerts_forgotten))),
        single(&known::WATERMARK, stream.watermark.map(EventTime::as_secs_f64)),
        single(&known::CATCHING_UP, Some(flag(stream.catching_up))),
        single(&known::PAGING_SUSPENDED, Some(flag(stream.paging_suspended))),
        single(&known::BREAKER_OPEN, Some(flag(stream.breaker_open))),
        single(&known::BREAKER_OPENINGS, Some(count(stream.breaker_openings))),
        single(&known::CHECKPOINT_SAVED, stream.checkpoint_saved.map(EventTime::as_secs_f64)),
        single(&known::CHECKPOINT_FAILURES, Some(count(stream.checkpoint_failures))),
        single(&known::CHECKPOINT_DAMAGED, Some(count(stream.checkpoint_damaged))),
    ]
}

/// Which partitions this process reads and how far.
pub(super) fn partitions(stream: &StreamView) -> Vec<MetricFamily> {
    let mut lag = known::CONSUMER_LAG.samples();
    for shown in &stream.partitions {
        let number = Written::partition(&shown.partition);
        lag.push_known([Label::topic(&shown.partition), Label::written(&number)], shown.lag.map(count));
    }
    let mut rebalances = known::REBALANCES.samples();
    rebalances.push([Label::closed("assigned")], count(stream.rebalances_assigned));
    rebalances.push([Label::closed("revoked")], count(stream.rebalances_revoked));
    vec![
        lag.finish(),
        rebalances.finish(),
        single(&known::ASSIGNED_PARTITIONS, Some(size(stream.partitions.len()))),
        single(&known::TOPIC_PARTITIONS, stream.topic_partitions.map(size)),
        single(&known::UNREADABLE_PARTITIONS, Some(size(stream.unreadable_partitions))),
    ]
}

/// How full the buffers are (INV-6).
pub(super) fn buffers(stream: &StreamView) -> Vec<MetricFamily> {
    let mut items = known::BUFFER_ITEMS.samples();
    let mut items_limit = known::BUFFER_ITEMS_LIMIT.samples();
    let mut bytes = known::BUFFER_BYTES.samples();
    let mut bytes_limit = known::BUFFER_BYTES_LIMIT.samples();
    for buffer in &stream.buffers {
        let name = Label::closed(buffer.name);
        items.push([name], size(buffer.items));
        items_limit.push([name], size(buffer.items_limit));
        bytes.push([name], size(buffer.bytes));
        bytes_limit.push([name], size(buffer.bytes_limit));
    }
    vec![items.finish(), items_limit.finish(), bytes.finish(), bytes_limit.finish()]
}
