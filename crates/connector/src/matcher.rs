//! A connection's matcher: the index of its vendors in step with the mirror, and the memory of what people answered. Both
//! are made anew from what is stored after a restart.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::directory::{Blocked, Directory};
use matching::{Index, Memory, scrubbed_key};

/// What the matcher knows of a connection.
#[derive(Default)]
pub struct Known {
    /// The vendors by name.
    pub index: Index,
    /// What people answered, as the matcher reads it.
    pub memory: Memory,
    /// What stands for each merchant key, and where it came from.
    pub origins: BTreeMap<(String, String), String>,
    /// Keys of the names under which people answered about another descriptor.
    pub apart: BTreeSet<String>,
    /// Keys of answers that were typed in: whether they are about names or descriptors is not known.
    pub typed: BTreeSet<String>,
    /// Merchant key and vendor: people said that it is not this vendor.
    pub rejected: BTreeSet<(String, String)>,
    /// How many verdicts the memory was made from; none before the first time.
    pub verdicts: Option<i64>,
    directory: Option<Arc<Directory>>,
}

/// The matcher of one connection.
#[derive(Default)]
pub struct Matcher {
    known: Mutex<Known>,
    closed_until_ms: AtomicI64,
}

impl Matcher {
    /// What is known. Held only between two awaits.
    pub fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether Brex lets us read expenses, as far as is known.
    pub fn may_read_expenses(&self, now_ms: i64) -> bool {
        self.closed_until_ms.load(Ordering::Relaxed) <= now_ms
    }

    /// Brex refused the permission: it is not asked again before then.
    pub fn close_expenses(&self, until_ms: i64) {
        self.closed_until_ms.store(until_ms, Ordering::Relaxed);
    }
}

impl Known {
    /// Whether a person said that this merchant is not this vendor.
    pub fn is_rejected(&self, merchant: &str, vendor: &str) -> bool {
        !self.rejected.is_empty() && self.rejected.contains(&(scrubbed_key(merchant), vendor.to_owned()))
    }

    /// Whether people may have answered about a descriptor that comes under this name: it is asked for before the name
    /// decides.
    pub fn is_descriptor_first(&self, name: &str) -> bool {
        let key = scrubbed_key(name);
        self.apart.contains(&key) || self.typed.iter().any(|typed| *typed != key)
    }

    /// Brings the index in step with the mirror: only vendors that differ are touched.
    pub fn follow(&mut self, directory: &Arc<Directory>) {
        if self.directory.as_ref().is_some_and(|known| Arc::ptr_eq(known, directory)) {
            return;
        }
        let mut gone: HashSet<String> =
            self.directory.iter().flat_map(|d| d.vendors()).map(|v| v.id.to_string()).collect();
        for vendor in directory.vendors() {
            let vendor = matching::Vendor {
                id: vendor.id.to_string(),
                name: vendor.name.clone(),
                city: vendor.city.clone(),
                country: vendor.country.clone(),
                website: vendor.website.clone(),
                blocked: vendor.blocked == Blocked::All,
            };
            gone.remove(&vendor.id);
            if self.index.find_vendor(&vendor.id) != Some(&vendor) {
                self.index.add(vendor);
            }
        }
        for id in gone {
            self.index.remove(&id);
        }
        self.directory = Some(Arc::clone(directory));
    }
}

#[cfg(test)]
mod tests {
    use domain::directory::{CompanySetup, Vendor};
    use matching::{Merchant, Outcome};
    use uuid::Uuid;

    use super::*;

    fn directory(names: &[(u128, &str, Blocked)]) -> Arc<Directory> {
        let vendor = |(id, name, blocked): &(u128, &str, Blocked)| Vendor {
            id: Uuid::from_u128(*id),
            number: format!("V{id}"),
            name: (*name).to_owned(),
            email: String::new(),
            blocked: *blocked,
            city: String::new(),
            country: String::new(),
            website: String::new(),
        };
        Arc::new(Directory::new(names.iter().map(vendor).collect(), vec![], vec![], CompanySetup::default()))
    }

    #[test]
    fn the_index_follows_the_mirror_through_new_renamed_blocked_and_deleted_vendors() {
        let mut known = Known::default();
        let ask = |known: &Known, name: &str| {
            let merchant = Merchant { descriptor: name.to_owned(), ..Merchant::default() };
            known.index.decide(&merchant, &known.memory).outcome
        };
        known.follow(&directory(&[(1, "Zelkova Coffee", Blocked::No), (2, "Quartz Plumbing", Blocked::No)]));
        assert_eq!(ask(&known, "ZELKOVA COFFEE"), Outcome::Auto);
        known.follow(&directory(&[(1, "Zelkova Coffee", Blocked::All), (2, "Harbor Freight", Blocked::Payment)]));
        assert_eq!(ask(&known, "ZELKOVA COFFEE"), Outcome::Review);
        assert_eq!((ask(&known, "HARBOR FREIGHT"), ask(&known, "QUARTZ PLUMBING")), (Outcome::Auto, Outcome::None));
        known.follow(&directory(&[(3, "Quartz Plumbing", Blocked::No)]));
        assert_eq!((known.index.len(), ask(&known, "QUARTZ PLUMBING")), (1, Outcome::Auto));
    }
}
