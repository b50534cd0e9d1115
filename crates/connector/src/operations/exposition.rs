//! The text that Prometheus reads: <https://prometheus.io/docs/instrumenting/exposition_formats/>. Written here, since nearly every
//! number is read from the database when it is asked for: a library for counters would only be told them to say them again.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The version of the format.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How a number moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Up and down.
    Gauge,
    /// Up only, from nothing at each start.
    Counter,
}

/// One name with what it means.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
    pub(super) labels: &'static [&'static str],
}

/// The numbers, by name.
#[derive(Default)]
pub(super) struct Page(BTreeMap<&'static str, String>);

impl Page {
    /// Adds a number under the values of the metric's labels, in their order.
    pub(super) fn add(&mut self, metric: &Metric, values: &[&str], number: impl Into<i128>) {
        self.add_line(metric, values, &number.into().to_string());
    }

    /// The same for a time.
    pub(super) fn add_time(&mut self, metric: &Metric, values: &[&str], ms: i64) {
        self.add_line(metric, values, &format!("{}.{:03}", ms.div_euclid(1_000), ms.rem_euclid(1_000)));
    }

    fn add_line(&mut self, metric: &Metric, values: &[&str], number: &str) {
        let text = self.0.entry(metric.name).or_default();
        text.push_str(metric.name);
        for (index, (label, value)) in metric.labels.iter().zip(values).enumerate() {
            text.push(if index == 0 { '{' } else { ',' });
            text.push_str(label);
            text.push_str("=\"");
            text.push_str(&escaped(value));
            text.push('"');
        }
        text.push_str(if metric.labels.is_empty() { " " } else { "} " });
        text.push_str(number);
        text.push('\n');
    }

    /// The page: every metric is named, whether there are numbers or not.
    pub(super) fn print(&self, metrics: &[&Metric]) -> String {
        let mut text = String::new();
        for Metric { name, kind, help, .. } in metrics {
            let kind = match kind {
                Kind::Gauge => "gauge",
                Kind::Counter => "counter",
            };
            // Writing to a text cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            text.push_str(self.0.get(name).map_or("", String::as_str));
        }
        text
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITING: Metric = Metric { name: "waiting", kind: Kind::Gauge, help: "What waits.", labels: &["of", "by"] };
    const SENT: Metric = Metric { name: "sent_total", kind: Kind::Counter, help: "What was sent.", labels: &[] };

    #[test]
    fn a_value_of_a_label_forges_no_line_and_every_metric_is_named() {
        let mut page = Page::default();
        page.add(&WAITING, &["a\"} 9\nforged 1", "b\\"], 3);
        page.add_time(&WAITING, &["a", "b"], -1);
        let expected = "# HELP waiting What waits.\n# TYPE waiting gauge\n\
                        waiting{of=\"a\\\"} 9\\nforged 1\",by=\"b\\\\\"} 3\nwaiting{of=\"a\",by=\"b\"} -1.999\n\
                        # HELP sent_total What was sent.\n# TYPE sent_total counter\n";
        assert_eq!(page.print(&[&WAITING, &SENT]), expected);
        page.add(&SENT, &[], 7);
        assert!(page.print(&[&SENT]).ends_with("counter\nsent_total 7\n"));
    }
}
