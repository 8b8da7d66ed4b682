//! What the fold shows of itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Fold;
use crate::ingest::{Batch, FETCH_AHEAD, OUTSTANDING_LIMIT};
use crate::pipeline::book::MOST_CLOSED;
use crate::pipeline::scoring::wall_clock;
use crate::publish::events::{BYTES_LIMIT, ITEMS_LIMIT};
use crate::publish::{Buffer, PartitionView, StreamView};

impl Fold {
    pub(super) fn publish(&mut self) {
        self.published = Instant::now();
        let now = wall_clock();
        let stream = self.stream_view();
        let changed = self.state.changed_views();
        self.links.board.publish(stream, changed);
        for event_time in self.state.delays.drain(..) {
            let millis = now.as_millis().saturating_sub(event_time.as_millis()).max(0);
            self.links.timings.event_to_metric.observe(Duration::from_millis(millis.unsigned_abs()).as_secs_f64());
        }
    }

    pub(super) fn stream_view(&self) -> StreamView {
        let status = self.links.shared.status();
        let ledger = self.links.shared.ledger();
        let partitions = status.partitions.iter().map(|(partition, known)| {
            let behind =
                known.end.zip(ledger.applied(partition)).map(|(end, next)| (end - next.0).max(0).unsigned_abs());
            let drained =
                known.drained.is_some() && known.handed_over.is_none_or(|next| ledger.applied(partition) >= Some(next));
            PartitionView { partition: partition.clone(), lag: if drained { Some(0) } else { behind } }
        });
        let partitions = partitions.collect();
        drop(ledger);
        StreamView {
            catching_up: self.state.catching_up,
            paging_suspended: self.state.is_suspended()
                || (status.partitions.is_empty() && status.topic_partitions.is_some()),
            breaker_open: self.breaker.is_open(),
            breaker_openings: self.breaker.openings(),
            watermark: self.state.clock.stream_time(),
            window_end: self.state.panes.window_end(),
            scored: self.state.scored,
            rejected: self.state.rejected,
            partitions,
            topic_partitions: status.topic_partitions,
            unreadable_partitions: status.partitions.values().filter(|known| known.unreadable).count(),
            rebalances_assigned: status.assigned,
            rebalances_revoked: status.revoked,
            checkpoint_saved: self.links.writer.saved(),
            checkpoint_failures: self.links.writer.failures(),
            checkpoint_damaged: self.links.writer.damaged(),
            dead_letters: self.links.letters.as_ref().map_or(0, |letters| letters.progress().confirmed()),
            alert_events: self.links.events.as_ref().map_or_else(Default::default, |events| events.confirmed()),
            alert_event_failures: self.links.events.as_ref().map_or(0, |events| events.failures()),
            alert_events_lost: self.state.events.lost(),
            company_paging: self.state.is_company_paging(),
            company_pages: self.state.company_pages,
            company_muted: self.state.is_company_muted(),
            company_feedback: self.state.company_feedback,
            company_incidents_marked: self.state.company_incidents_marked,
            alerts_forgotten: self.state.book.forgotten(),
            alerts: Arc::clone(self.state.book.alerts()),
            buffers: self.buffers(),
        }
    }

    fn buffers(&self) -> Vec<Buffer> {
        let (shared, budget) = (&self.links.shared, &self.limits.budget);
        let closed_alerts = self.state.book.closed();
        let mut buffers = vec![
            Buffer {
                name: "in_flight",
                items: shared.in_flight_records(),
                items_limit: budget.batches / Batch::RECORD_ROOM,
                bytes: shared.in_flight_bytes(),
                bytes_limit: budget.batches,
            },
            Buffer {
                name: "fetched",
                items: shared.fetched_records(),
                items_limit: FETCH_AHEAD,
                bytes: shared.fetched_bytes(),
                bytes_limit: budget.fetched,
            },
            Buffer {
                name: "closed_alerts",
                items: closed_alerts.items,
                items_limit: MOST_CLOSED.items,
                bytes: closed_alerts.bytes,
                bytes_limit: MOST_CLOSED.bytes,
            },
        ];
        buffers.extend(self.links.second.as_ref().map(|second| second.buffer()));
        if let Some(letters) = &self.links.letters {
            buffers.push(Buffer {
                name: "dead_letters",
                items: letters.progress().outstanding(),
                items_limit: 2 * OUTSTANDING_LIMIT,
                bytes: letters.progress().outstanding_bytes(),
                bytes_limit: letters.progress().bytes_limit(),
            });
        }
        if self.links.events.is_some() {
            let outbox = self.state.events.outbox();
            buffers.push(Buffer {
                name: "alert_events",
                items: outbox.waiting().len(),
                items_limit: ITEMS_LIMIT,
                bytes: outbox.bytes(),
                bytes_limit: BYTES_LIMIT,
            });
        }
        buffers
    }
}
