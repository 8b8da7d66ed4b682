//! `/metrics`: every family from one consistent view.

mod families;
mod family;
mod second;
mod shares;
mod stream;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Registry, TextEncoder};

use self::families as known;
use self::family::{Family, Label, Samples, Written};
use super::view::{DepartmentView, FeedbackCounts, View};
use super::{Board, Health, SecondStatus, Timings};
use crate::config::{Roster, Span};
use crate::detect::{AlertKind, COMPANY, DepartmentOutlook, Severity, Verdict};
use crate::message::{Audience, Author, EventTime, Sentiment, Signal};
use crate::window::Tally;

/// What the metrics are read from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// What the fold publishes.
    pub board: Arc<Board>,
    /// Lengths of the windows, in the order of [`DepartmentView::windows`].
    pub windows: Vec<Span>,
    /// What threads observe themselves.
    pub timings: Arc<Timings>,
    /// Whether the daemon is ready.
    pub health: Arc<Health>,
    /// How the slow model goes; none where there is none.
    pub second: Option<Arc<SecondStatus>>,
}

/// A registry that renders one consistent view at each scrape, and the usual `process_*` families (on Linux).
///
/// # Errors
/// If the metrics library refuses a family's name or finds it twice.
pub fn registry(sources: Sources) -> Result<Registry, prometheus::Error> {
    let registry = Registry::new();
    registry.register(Box::new(BoardCollector::new(sources)?))?;
    #[cfg(target_os = "linux")]
    registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    Ok(registry)
}

/// One scrape of a registry in Prometheus's text format, whose content type is [`prometheus::TEXT_FORMAT`].
///
/// # Errors
/// If the metrics library refuses a family.
pub fn render(registry: &Registry) -> Result<String, prometheus::Error> {
    let families = registry.gather();
    let samples: usize = families.iter().map(|family| family.get_metric().len()).sum();
    let mut text = String::with_capacity(samples * BYTES_OF_A_SAMPLE);
    TextEncoder::new().encode_utf8(&families, &mut text)?;
    Ok(text)
}

/// About how long a line is, so that the text seldom has to move while it grows.
const BYTES_OF_A_SAMPLE: usize = 112;

/// Renders the board. It keeps no numbers of its own: what the view no longer holds is gone from the next scrape.
#[derive(Debug)]
struct BoardCollector {
    sources: Sources,
    /// Places and names of the windows, in the order of their names.
    windows: Vec<(usize, Written)>,
    /// In the order of their names.
    signals: Vec<Signal>,
    /// In the order of their names.
    alert_kinds: Vec<AlertKind>,
    descriptions: Vec<Desc>,
}

impl BoardCollector {
    fn new(sources: Sources) -> Result<Self, prometheus::Error> {
        let mut descriptions = known::describe_all()?;
        descriptions.extend(sources.timings.scoring.desc().into_iter().cloned());
        descriptions.extend(sources.timings.consumption_to_fold.desc().into_iter().cloned());
        descriptions.extend(sources.timings.event_to_metric.desc().into_iter().cloned());
        let names = sources.windows.iter().map(|length| Written::window(*length));
        let mut windows: Vec<_> = names.enumerate().collect();
        windows.sort_unstable_by(|(_, one), (_, other)| one.cmp(other));
        let signals = by_name(Signal::ALL, |signal| signal.as_str());
        let mut alert_kinds = by_name(AlertKind::ALL, |kind| kind.as_str());
        alert_kinds.retain(|kind| kind.is_of_department());
        Ok(Self { sources, windows, signals, alert_kinds, descriptions })
    }

    /// One family with samples of every department.
    fn each_department<const LABELS: usize>(
        &self,
        view: &View,
        family: &'static Family<LABELS>,
        add: impl Fn(&mut Samples<LABELS>, Label<'_>, &DepartmentView),
    ) -> MetricFamily {
        self.company_and_departments(view, family, |_, _| {}, add)
    }

    /// One family with samples of the company, which comes first by its name, and of every department.
    fn company_and_departments<const LABELS: usize>(
        &self,
        view: &View,
        family: &'static Family<LABELS>,
        of_company: impl FnOnce(&mut Samples<LABELS>, Label<'static>),
        add: impl Fn(&mut Samples<LABELS>, Label<'_>, &DepartmentView),
    ) -> MetricFamily {
        let mut samples = family.samples();
        of_company(&mut samples, Label::closed(COMPANY));
        // The registry sorts samples by their labels: in that order already, they cost it one look each.
        for (place, id) in view.roster.by_name().iter().enumerate() {
            if let Some(shown) = view.departments.get(id.index()) {
                add(&mut samples, Label::department(view.roster.get(*id)), shown);
            }
            if place == 0 {
                samples.reserve_as_many(view.roster.len() - 1);
            }
        }
        samples.finish()
    }

    /// The windows of a department with their names.
    fn windows_of<'a>(&'a self, shown: &'a DepartmentView) -> impl Iterator<Item = (&'a Written, &'a Tally)> {
        self.windows.iter().filter_map(|(place, name)| Some((name, shown.windows.get(*place)?)))
    }

    /// Counts of each department since the start of the process.
    fn department_counters(&self, view: &View) -> Vec<MetricFamily> {
        vec![
            self.each_department(view, &known::MESSAGES, add_messages),
            self.each_department(view, &known::FRUSTRATED_MESSAGES, |samples, department, shown| {
                for (audience, frustrated) in Audience::ALL.iter().zip(shown.frustrated) {
                    samples.push([department, Label::closed(audience.as_str())], count(frustrated));
                }
            }),
            self.each_department(view, &known::SIGNALS, |samples, department, shown| {
                for signal in &self.signals {
                    let found = shown.signals[*signal as usize];
                    samples.push([department, Label::closed(signal.as_str())], count(found));
                }
            }),
            self.each_department(view, &known::CONTEXT_MESSAGES, |samples, department, shown| {
                let authors = Author::ALL.iter().zip(shown.context).filter(|(author, _)| **author != Author::Customer);
                for (author, written) in authors {
                    samples.push([department, Label::closed(author.as_str())], count(written));
                }
            }),
            self.each_department(view, &known::LATE_MESSAGES, |samples, department, shown| {
                samples.push([department], count(shown.late));
            }),
            self.each_department(view, &known::CUT_TEXTS, |samples, department, shown| {
                samples.push([department], count(shown.cut_texts));
            }),
            self.each_department(view, &known::UNSUPPORTED_LANGUAGE, |samples, department, shown| {
                samples.push([department], count(shown.unsupported_language));
            }),
            self.company_and_departments(
                view,
                &known::ALERTS,
                |samples, company| {
                    samples.push(Self::company_wide(company), count(view.stream.company_pages));
                },
                |samples, department, shown| {
                    for kind in &self.alert_kinds {
                        for (severity, alerts) in Severity::ALL.iter().zip(shown.alerts_opened[*kind as usize]) {
                            let labels = [department, Label::closed(kind.as_str()), Label::closed(severity.as_str())];
                            samples.push(labels, count(alerts));
                        }
                    }
                },
            ),
            self.company_and_departments(
                view,
                &known::ALERT_FEEDBACK,
                |samples, company| {
                    push_feedback(samples, company, AlertKind::CompanyWide, view.stream.company_feedback);
                },
                |samples, department, shown| {
                    for kind in &self.alert_kinds {
                        push_feedback(samples, department, *kind, shown.feedback[*kind as usize]);
                    }
                },
            ),
            self.company_and_departments(
                view,
                &known::INCIDENTS_MARKED,
                |samples, company| push_marked(samples, company, view.stream.company_incidents_marked),
                |samples, department, shown| push_marked(samples, department, shown.incidents_marked),
            ),
        ]
    }

    /// Who is paged for each department.
    fn department_info(roster: &Roster) -> MetricFamily {
        let mut samples = known::DEPARTMENT_INFO.samples();
        samples.push([Label::closed(COMPANY), Label::company_team(roster)], 1.0);
        for department in roster.by_name().iter().map(|id| roster.get(*id)) {
            samples.push([Label::department(department), Label::team(department)], 1.0);
        }
        samples.finish()
    }

    /// The windows that end now.
    fn windows(&self, view: &View) -> Vec<MetricFamily> {
        vec![
            self.each_department(view, &known::WINDOW_MESSAGES, |samples, department, shown| {
                for (window, tally) in self.windows_of(shown) {
                    samples.push([department, Label::written(window)], f64::from(tally.messages));
                }
            }),
            self.each_department(view, &known::WINDOW_SENTIMENT_RATIO, |samples, department, shown| {
                for (window, tally) in self.windows_of(shown) {
                    for sentiment in Sentiment::ALL {
                        let labels = [department, Label::written(window), Label::closed(sentiment.as_str())];
                        samples.push_known(labels, tally.sentiment_ratio(*sentiment));
                    }
                }
            }),
            self.each_department(view, &known::WINDOW_FRUSTRATION_RATIO, |samples, department, shown| {
                for (window, tally) in self.windows_of(shown) {
                    samples.push_known([department, Label::written(window)], tally.frustration_ratio());
                }
            }),
            single(&known::WINDOW_END, view.stream.window_end.map(EventTime::as_secs_f64)),
        ]
    }

    /// What the detector says now.
    fn outlook(&self, view: &View) -> Vec<MetricFamily> {
        vec![
            self.usual(view, &known::BASELINE_NEGATIVE_RATIO, |shown| Some(shown.usual_negative?.expected)),
            self.usual(view, &known::BASELINE_NEGATIVE_RATIO_LOW, |shown| Some(shown.usual_negative?.low)),
            self.usual(view, &known::BASELINE_NEGATIVE_RATIO_HIGH, |shown| Some(shown.usual_negative?.high)),
            self.usual(view, &known::BASELINE_FRUSTRATION_RATIO, |shown| Some(shown.usual_frustrated?.expected)),
            self.usual(view, &known::BASELINE_FRUSTRATION_RATIO_LOW, |shown| Some(shown.usual_frustrated?.low)),
            self.usual(view, &known::BASELINE_FRUSTRATION_RATIO_HIGH, |shown| Some(shown.usual_frustrated?.high)),
            self.usual(view, &known::BASELINE_MESSAGES_PER_HOUR, |shown| Some(shown.usual_messages?.expected)),
            self.usual(view, &known::BASELINE_MESSAGES_PER_HOUR_LOW, |shown| Some(shown.usual_messages?.low)),
            self.usual(view, &known::BASELINE_MESSAGES_PER_HOUR_HIGH, |shown| Some(shown.usual_messages?.high)),
            self.each_department(view, &known::ALERT_SCORE, |samples, department, shown| {
                for kind in self.alert_kinds.iter().filter(|kind| kind.is_tested()) {
                    let score = shown.outlook.scores[*kind as usize];
                    samples.push([department, Label::closed(kind.as_str())], score);
                }
            }),
            self.company_and_departments(
                view,
                &known::ALERT_ACTIVE,
                |samples, company| {
                    samples.push(Self::company_wide(company), flag(view.stream.company_paging));
                },
                |samples, department, shown| self.add_active(samples, department, shown, |_| true),
            ),
            self.company_and_departments(
                view,
                &known::ALERT_MUTED,
                |samples, company| {
                    let kind = Label::closed(AlertKind::CompanyWide.as_str());
                    samples.push([company, kind], flag(view.stream.company_muted));
                },
                |samples, department, shown| self.add_muted(samples, department, shown, |_| true),
            ),
        ]
    }

    /// What is told though windows are not tested: each severe message counts by itself.
    fn untested(&self, view: &View) -> Vec<MetricFamily> {
        vec![
            self.each_department(view, &known::ALERT_ACTIVE, |samples, department, shown| {
                self.add_active(samples, department, shown, |kind| !kind.is_tested());
            }),
            self.each_department(view, &known::ALERT_MUTED, |samples, department, shown| {
                self.add_muted(samples, department, shown, |kind| !kind.is_tested());
            }),
        ]
    }

    fn add_muted(
        &self,
        samples: &mut Samples<2>,
        department: Label<'_>,
        shown: &DepartmentView,
        is_shown: impl Fn(AlertKind) -> bool,
    ) {
        for kind in self.alert_kinds.iter().filter(|kind| is_shown(**kind)) {
            samples.push([department, Label::closed(kind.as_str())], flag(shown.muted[*kind as usize]));
        }
    }

    fn add_active(
        &self,
        samples: &mut Samples<3>,
        department: Label<'_>,
        shown: &DepartmentView,
        is_shown: impl Fn(AlertKind) -> bool,
    ) {
        for kind in self.alert_kinds.iter().filter(|kind| is_shown(**kind)) {
            for severity in Severity::ALL {
                let labels = [department, Label::closed(kind.as_str()), Label::closed(severity.as_str())];
                samples.push(labels, flag(shown.outlook.active.contains(&(*kind, *severity))));
            }
        }
    }

    /// Labels of an alert of the company.
    fn company_wide(company: Label<'static>) -> [Label<'static>; 3] {
        [company, Label::closed(AlertKind::CompanyWide.as_str()), Label::closed(Severity::Page.as_str())]
    }

    /// A figure of what is usual in each department at this hour of the week.
    fn usual(
        &self,
        view: &View,
        family: &'static Family<1>,
        figure: impl Fn(&DepartmentOutlook) -> Option<f64>,
    ) -> MetricFamily {
        self.each_department(view, family, |samples, department, shown| {
            samples.push_known([department], figure(&shown.outlook));
        })
    }

    /// The process itself.
    fn process(&self) -> Vec<MetricFamily> {
        let mut build = known::BUILD_INFO.samples();
        build.push([Label::closed(env!("CARGO_PKG_VERSION"))], 1.0);
        let mut families =
            vec![single(&known::READY, Some(flag(self.sources.health.not_ready().is_empty()))), build.finish()];
        families.extend(second::families(self.sources.second.as_deref()));
        families.extend(self.sources.timings.scoring.collect());
        families.extend(self.sources.timings.consumption_to_fold.collect());
        families.extend(self.sources.timings.event_to_metric.collect());
        families
    }
}

impl Collector for BoardCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let view = self.sources.board.read();
        let mut families = self.department_counters(&view);
        families.push(Self::department_info(&view.roster));
        // What a backlog shows on its way is not what is so now: it must neither be drawn nor page (INV-10).
        if !view.stream.catching_up {
            families.extend(self.windows(&view));
            families.extend(self.adjusted(&view));
        }
        if !view.stream.is_without_tests() {
            families.extend(self.outlook(&view));
        } else if !view.stream.catching_up {
            families.extend(self.untested(&view));
        }
        families.extend(stream::standing(&view.stream));
        families.extend(stream::partitions(&view.stream));
        families.extend(stream::buffers(&view.stream));
        families.extend(self.process());
        families
    }
}

/// The members of a closed set in the order of their names.
fn by_name<T: Copy>(all: &[T], name: fn(&T) -> &'static str) -> Vec<T> {
    let mut members = all.to_vec();
    members.sort_unstable_by_key(name);
    members
}

fn push_feedback(samples: &mut Samples<3>, department: Label<'_>, kind: AlertKind, counts: FeedbackCounts) {
    for (verdict, alerts) in Verdict::ALL.iter().zip(counts) {
        let labels = [department, Label::closed(kind.as_str()), Label::closed(verdict.as_str())];
        samples.push(labels, count(alerts));
    }
}

fn push_marked(samples: &mut Samples<2>, department: Label<'_>, counts: FeedbackCounts) {
    for (verdict, incidents) in Verdict::ALL.iter().zip(counts) {
        samples.push([department, Label::closed(verdict.as_str())], count(incidents));
    }
}

fn add_messages(samples: &mut Samples<3>, department: Label<'_>, shown: &DepartmentView) {
    for (audience, counts) in Audience::ALL.iter().zip(shown.messages) {
        for (sentiment, messages) in Sentiment::ALL.iter().zip(counts) {
            let labels = [department, Label::closed(audience.as_str()), Label::closed(sentiment.as_str())];
            samples.push(labels, count(messages));
        }
    }
}

/// A family of one sample without labels, or of none.
fn single(family: &'static Family<0>, value: Option<f64>) -> MetricFamily {
    let mut samples = family.samples();
    samples.push_known([], value);
    samples.finish()
}

/// A yes or no as Prometheus knows it.
fn flag(yes: bool) -> f64 {
    if yes { 1.0 } else { 0.0 }
}

/// A count as Prometheus knows it.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, which no count of one process reaches")]
fn count(events: u64) -> f64 {
    events as f64
}

/// A size as Prometheus knows it.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, more than any machine holds")]
fn size(amount: usize) -> f64 {
    amount as f64
}
