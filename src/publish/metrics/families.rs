//! Every family but the histograms and the process's own. `docs/metrics.md` has a row for each.

use prometheus::core::Desc;

use super::family::Family;

/// Declares the families and the list of their descriptions.
macro_rules! families {
    ($($const:ident: $kind:ident $name:literal [$($label:literal),*] $help:literal;)+) => {
        $(
            #[doc = $help]
            pub(super) static $const: Family<{ how_many(&[$($label),*]) }> =
                Family::$kind(concat!("latido_", $name), $help, [$($label),*]);
        )+

        /// Describes every family to the registry.
        pub(super) fn describe_all() -> Result<Vec<Desc>, prometheus::Error> {
            [$($const.describe()),+].into_iter().collect()
        }
    };
}

/// The length of a list of label names.
const fn how_many(labels: &[&str]) -> usize {
    labels.len()
}

families! {
    MESSAGES: counter "messages_total" ["department", "audience", "sentiment"]
        "Scored messages.";
    FRUSTRATED_MESSAGES: counter "frustrated_messages_total" ["department", "audience"]
        "Scored messages with a frustration of at least 0.5.";
    SIGNALS: counter "signals_total" ["department", "signal"]
        "Scored messages with that signal.";
    CONTEXT_MESSAGES: counter "context_messages_total" ["department", "author"]
        "Messages of agents and bots, which are not scored.";
    LATE_MESSAGES: counter "late_messages_total" ["department"]
        "Messages too old for any window.";
    CUT_TEXTS: counter "cut_texts_total" ["department"]
        "Texts cut to the longest allowed before they were scored.";
    UNSUPPORTED_LANGUAGE: counter "unsupported_language_texts_total" ["department"]
        "Scored messages in no language that the scorer knows, or with too few words to tell.";
    ALERTS: counter "alerts_total" ["department", "alert", "severity"]
        "Alerts that paged: without those muted or replayed from their first to their last moment.";
    ALERT_FEEDBACK: counter "alert_feedback_total" ["department", "alert", "verdict"]
        "Alerts that people marked, by their first verdict.";
    INCIDENTS_MARKED: counter "incidents_marked_total" ["department", "verdict"]
        "Incidents that paged and that people marked, by the first verdict on each: alerts of a department that overlap are one.";
    ALERTS_FORGOTTEN: counter "alerts_forgotten_total" []
        "Closed alerts forgotten before their 7 days, since too many were kept.";
    DEPARTMENT_INFO: gauge "department_info" ["department", "team"]
        "Always 1; says which team is paged for a department.";
    WINDOW_MESSAGES: gauge "window_messages" ["department", "window"]
        "Scored messages in the window; absent while catching up.";
    WINDOW_SENTIMENT_RATIO: gauge "window_sentiment_ratio" ["department", "window", "sentiment"]
        "Part of the window's messages with that sentiment, 0 to 1; absent for an empty window and while catching up.";
    WINDOW_FRUSTRATION_RATIO: gauge "window_frustration_ratio" ["department", "window"]
        "Part of the window's messages that is frustrated, 0 to 1; absent for an empty window and while catching up.";
    WINDOW_ADJUSTED_NEGATIVE: gauge "window_adjusted_negative_ratio" ["department", "window"]
        "Part of the window's messages that is negative once the scorer's errors are allowed for, 0 to 1; absent where it cannot be estimated and while catching up.";
    WINDOW_ADJUSTED_NEGATIVE_LOW: gauge "window_adjusted_negative_ratio_low" ["department", "window"]
        "Lower end of the 95 % interval of latido_window_adjusted_negative_ratio, 0 to 1.";
    WINDOW_ADJUSTED_NEGATIVE_HIGH: gauge "window_adjusted_negative_ratio_high" ["department", "window"]
        "Upper end of the 95 % interval of latido_window_adjusted_negative_ratio, 0 to 1.";
    WINDOW_ADJUSTED_FRUSTRATION: gauge "window_adjusted_frustration_ratio" ["department", "window"]
        "Part of the window's messages that is frustrated once the scorer's errors are allowed for, 0 to 1; absent where it cannot be estimated and while catching up.";
    WINDOW_ADJUSTED_FRUSTRATION_LOW: gauge "window_adjusted_frustration_ratio_low" ["department", "window"]
        "Lower end of the 95 % interval of latido_window_adjusted_frustration_ratio, 0 to 1.";
    WINDOW_ADJUSTED_FRUSTRATION_HIGH: gauge "window_adjusted_frustration_ratio_high" ["department", "window"]
        "Upper end of the 95 % interval of latido_window_adjusted_frustration_ratio, 0 to 1.";
    WINDOW_END: gauge "window_end_timestamp_seconds" []
        "End of the windows shown, in event time; absent before the first pane closed and while catching up.";
    BASELINE_NEGATIVE_RATIO: gauge "baseline_negative_ratio" ["department"]
        "Negative ratio usual of the department at this hour of the week, 0 to 1; absent while unknown and while catching up.";
    BASELINE_NEGATIVE_RATIO_LOW: gauge "baseline_negative_ratio_low" ["department"]
        "Of ordinary hours 95 % lie above this and below latido_baseline_negative_ratio_high.";
    BASELINE_NEGATIVE_RATIO_HIGH: gauge "baseline_negative_ratio_high" ["department"]
        "See latido_baseline_negative_ratio_low.";
    BASELINE_FRUSTRATION_RATIO: gauge "baseline_frustration_ratio" ["department"]
        "Frustrated ratio usual of the department at this hour of the week, 0 to 1; absent while unknown and while catching up.";
    BASELINE_FRUSTRATION_RATIO_LOW: gauge "baseline_frustration_ratio_low" ["department"]
        "Of ordinary hours 95 % lie above this and below latido_baseline_frustration_ratio_high.";
    BASELINE_FRUSTRATION_RATIO_HIGH: gauge "baseline_frustration_ratio_high" ["department"]
        "See latido_baseline_frustration_ratio_low.";
    BASELINE_MESSAGES_PER_HOUR: gauge "baseline_messages_per_hour" ["department"]
        "Messages an hour usual of the department at this hour of the week; absent in the first day and while catching up.";
    BASELINE_MESSAGES_PER_HOUR_LOW: gauge "baseline_messages_per_hour_low" ["department"]
        "Of ordinary hours 95 % lie above this and below latido_baseline_messages_per_hour_high.";
    BASELINE_MESSAGES_PER_HOUR_HIGH: gauge "baseline_messages_per_hour_high" ["department"]
        "See latido_baseline_messages_per_hour_low.";
    ALERT_SCORE: gauge "alert_score" ["department", "alert"]
        "Log10 of the hours after which chance alone brings about as much, 0 where nothing is remarkable; absent while catching up.";
    ALERT_ACTIVE: gauge "alert_active" ["department", "alert", "severity"]
        "1 while that alert is open and not muted, else 0; absent while catching up.";
    ALERT_MUTED: gauge "alert_muted" ["department", "alert"]
        "1 while the config mutes that kind of alert, whether one is open or not, else 0; absent while catching up.";
    REJECTED_RECORDS: counter "rejected_records_total" ["reason"]
        "Records that could not be used.";
    DEAD_LETTERS: counter "dead_letters_total" []
        "Dead letters confirmed by the broker.";
    ALERT_EVENTS: counter "alert_events_total" ["event"]
        "Alert events confirmed by the broker.";
    ALERT_EVENT_FAILURES: counter "alert_event_failures_total" []
        "Tries to send alert events that failed.";
    ALERT_EVENTS_LOST: counter "alert_events_lost_total" []
        "Alert events given up because too many waited to be sent.";
    CONSUMER_LAG: gauge "consumer_lag_records" ["topic", "partition"]
        "Records of an assigned partition not folded yet; absent while unknown.";
    WATERMARK: gauge "watermark_timestamp_seconds" []
        "Stream time: event time is known complete up to here; absent before the first message.";
    CATCHING_UP: gauge "catching_up" []
        "1 while some assigned partition is below the end offset seen at its assignment, else 0.";
    PAGING_SUSPENDED: gauge "paging_suspended" []
        "1 while windows are not tested and nothing pages, since they hold messages of some partitions only, else 0.";
    BREAKER_OPEN: gauge "breaker_open" []
        "1 while reading has stopped because most of a topic cannot be used, else 0.";
    BREAKER_OPENINGS: counter "breaker_openings_total" []
        "Times reading was stopped because most of a topic could not be used, tries that failed included.";
    CHECKPOINT_SAVED: gauge "checkpoint_timestamp_seconds" []
        "When the last checkpoint was saved; absent before the first.";
    CHECKPOINT_FAILURES: counter "checkpoint_failures_total" []
        "Checkpoints that could not be saved.";
    CHECKPOINT_DAMAGED: counter "checkpoint_damaged_total" []
        "Checkpoints found damaged at the start, so that an older one was restored.";
    REBALANCES: counter "rebalances_total" ["event"]
        "Rebalances of the consumer group.";
    ASSIGNED_PARTITIONS: gauge "assigned_partitions" []
        "Partitions assigned to this process.";
    TOPIC_PARTITIONS: gauge "topic_partitions" []
        "Partitions that the topics have; absent while unknown.";
    UNREADABLE_PARTITIONS: gauge "unreadable_partitions" []
        "Assigned partitions whose saved offset is not in the log: nothing of them is read.";
    BUFFER_ITEMS: gauge "buffer_items" ["buffer"]
        "Items in a bounded buffer.";
    BUFFER_ITEMS_LIMIT: gauge "buffer_items_limit" ["buffer"]
        "Most items that a bounded buffer may hold.";
    BUFFER_BYTES: gauge "buffer_bytes" ["buffer"]
        "Bytes in a bounded buffer.";
    BUFFER_BYTES_LIMIT: gauge "buffer_bytes_limit" ["buffer"]
        "Most bytes that a bounded buffer may hold.";
    SCORER_DEGRADED: gauge "scorer_degraded" []
        "1 while more than 5 % of the last minute's messages that the transformer was asked for keep their embedded score, else 0.";
    SCORED_MESSAGES: counter "scored_messages_total" ["scorer"]
        "Scored messages by the scorer whose score counts.";
    SCORER_FALLBACKS: counter "scorer_fallbacks_total" ["reason"]
        "Messages that kept their embedded score though the transformer was asked for another.";
    SCORER_CACHE_LOOKUPS: counter "scorer_cache_lookups_total" ["result"]
        "Texts for the transformer by whether its answer was remembered.";
    SCORER_THRESHOLD: gauge "scorer_threshold" []
        "Worth from which on the transformer scores a message again, 0 (all) to 1 (none); absent where it is not asked.";
    SCORER_CAPACITY: gauge "scorer_capacity_texts_per_second" []
        "Texts a second that the transformer manages, as measured of late; absent before it has run.";
    READY: gauge "ready" []
        "1 while /readyz answers 200, else 0.";
    BUILD_INFO: gauge "build_info" ["version"]
        "Always 1; says which version runs.";
}
