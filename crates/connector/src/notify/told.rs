//! What people were told of what stands, and what of it is news. Pure.

use std::collections::BTreeMap;

use domain::id::ConnectionId;
use serde::{Deserialize, Serialize};

use super::message::Message;
use super::trouble::Trouble;

/// What is over is kept until somebody is told, up to so many lines.
const OVER_MAX: usize = 50;

/// What is remembered between two looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// What stands, by connection and subject.
    pub connections: BTreeMap<String, BTreeMap<String, Known>>,
    /// What people were told and is over since.
    pub over: Vec<String>,
    /// When people were last told anything.
    pub sent_ms: Option<i64>,
    /// Why the last attempt to tell them failed.
    pub failing: Option<String>,
    /// What a way has not taken yet; it is sent again by that way alone.
    pub owed: BTreeMap<String, Message>,
    /// The time of the last daily message, sent or not.
    pub digest_ms: Option<i64>,
}

/// A trouble that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// As it is now.
    #[serde(flatten)]
    pub trouble: Trouble,
    /// Since when it was seen.
    pub since_ms: i64,
    /// How much of it people were told of, and when.
    #[serde(default)]
    pub told: Option<(i64, i64)>,
}

impl Known {
    /// Whether it has stood long enough to be told.
    pub fn has_stood(&self, after_ms: i64, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.since_ms) >= after_ms
    }

    /// Whether nobody was told of it, or of all of it.
    pub fn is_news(&self) -> bool {
        self.told.is_none_or(|(amount, _)| self.trouble.amount > amount)
    }
}

impl Told {
    /// What stands in a connection now.
    pub fn see(&mut self, connection: &ConnectionId, stands: Vec<Trouble>, now_ms: i64) {
        let mut before = self.connections.remove(connection.as_str()).unwrap_or_default();
        let mut now = BTreeMap::new();
        for trouble in stands {
            let known = before.remove(&trouble.subject);
            let (since_ms, told) = known.map_or((now_ms, None), |known| (known.since_ms, known.told));
            // What became less may grow again.
            let told = told.map(|(amount, at_ms)| (amount.min(trouble.amount), at_ms));
            now.insert(trouble.subject.clone(), Known { trouble, since_ms, told });
        }
        for over in before.into_values().filter(|known| known.told.is_some()) {
            if self.over.len() < OVER_MAX {
                self.over.push(format!("{connection}: {}", over.trouble.what));
            }
        }
        if !now.is_empty() {
            self.connections.insert(connection.to_string(), now);
        }
    }

    /// Forgets connections that are no longer in the configuration: nobody sees any more what stands there.
    pub fn keep_only(&mut self, connections: &[ConnectionId]) {
        self.connections.retain(|name, _| connections.iter().any(|known| known.as_str() == name));
    }

    /// Whether something has stood long enough that nobody was told of, and is not told again too soon.
    pub fn has_news(&self, after_ms: i64, again_ms: i64, now_ms: i64) -> bool {
        self.standing(after_ms, now_ms).any(|(_, known)| {
            known.is_news() && known.told.is_none_or(|(_, at_ms)| now_ms.saturating_sub(at_ms) >= again_ms)
        })
    }

    /// What has stood long enough, with its connection.
    pub fn standing(&self, after_ms: i64, now_ms: i64) -> impl Iterator<Item = (&str, &Known)> {
        let all = self.connections.iter().flat_map(|(name, known)| known.values().map(|known| (name.as_str(), known)));
        all.filter(move |(_, known)| known.has_stood(after_ms, now_ms))
    }

    /// People are told of all that has stood long enough.
    pub fn tell(&mut self, after_ms: i64, now_ms: i64) {
        for known in self.connections.values_mut().flat_map(BTreeMap::values_mut) {
            if known.has_stood(after_ms, now_ms) {
                known.told = Some((known.trouble.amount, now_ms));
            }
        }
        self.over.clear();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use domain::id::ConnectionId;
    use proptest::prelude::*;

    use super::{Told, Trouble};

    const MINUTE: i64 = 60_000;

    fn main() -> ConnectionId {
        ConnectionId::new("main").unwrap()
    }

    fn trouble(subject: &str, amount: i64) -> Trouble {
        let (subject, what, who) = (subject.to_owned(), format!("{amount} wait"), String::new());
        Trouble { subject, amount, what, who, to_do: String::new() }
    }

    #[test]
    fn what_clears_by_itself_is_not_told_and_what_stands_is_told_once_until_it_grows() {
        let mut told = Told::default();
        let mut look = |at: i64, amounts: &[(&str, i64)]| {
            told.see(&main(), amounts.iter().map(|(subject, amount)| trouble(subject, *amount)).collect(), at * MINUTE);
            let is_told = told.has_news(10 * MINUTE, 60 * MINUTE, at * MINUTE);
            let over = told.over.clone();
            if is_told {
                told.tell(10 * MINUTE, at * MINUTE);
            }
            (is_told, over.len())
        };
        assert_eq!(look(0, &[("a", 1)]), (false, 0));
        assert_eq!(look(9, &[]), (false, 0), "gone before anybody was told");
        assert_eq!(look(10, &[("a", 1)]), (false, 0), "it counts from anew");
        assert_eq!(look(20, &[("a", 1)]), (true, 0));
        assert_eq!(look(50, &[("a", 3)]), (false, 0), "it grew too soon");
        assert_eq!(look(80, &[("a", 3)]), (true, 0));
        assert_eq!(look(500, &[("a", 3)]), (false, 0));
        assert_eq!(look(501, &[("a", 1)]), (false, 0));
        assert_eq!(look(502, &[("a", 2)]), (true, 0), "less, and then more again");
        assert_eq!(look(503, &[("b", 1)]), (false, 1));
        assert_eq!(look(513, &[("b", 1)]), (true, 1), "with what is over since");
        assert_eq!(look(514, &[("b", 1)]), (false, 0));
    }

    proptest! {
        #[test]
        fn whatever_happens_nothing_that_stands_long_enough_stays_untold(
            looks in prop::collection::vec((1..30_i64, prop::collection::vec(0..4_i64, 3)), 1..60)
        ) {
            let mut told = Told::default();
            let mut now = 0;
            for (minutes, amounts) in looks {
                now += minutes * MINUTE;
                let stands = ["a", "b", "c"].into_iter().zip(amounts).filter(|(_, amount)| *amount > 0);
                told.see(&main(), stands.map(|(subject, amount)| trouble(subject, amount)).collect(), now);
                if told.has_news(10 * MINUTE, 60 * MINUTE, now) {
                    told.tell(10 * MINUTE, now);
                }
                for (_, known) in told.standing(10 * MINUTE, now) {
                    prop_assert!(known.told.is_some_and(|(_, at)| !known.is_news() || now - at < 60 * MINUTE));
                }
                let text = serde_json::to_string(&told).unwrap();
                prop_assert_eq!(serde_json::from_str::<Told>(&text).unwrap(), told.clone());
            }
        }
    }
}
