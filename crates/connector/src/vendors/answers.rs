//! What stands after all verdicts: the history is only ever added to, and read in its order.
//!
//! A link set by hand is changed by hand only. Two different answers contradict each other until a person who saw that
//! answers again. A vendor that was rejected is not suggested again for that merchant.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::directory::{Directory, normal_name};
use matching::{Confirmation, Memory, scrubbed_key};
use store::{VendorLink, Verdict};

use crate::app::{App, Connection};
use crate::matcher::Known;

/// Origins of verdicts that no person gave in the connector start with this.
pub const CODED: &str = "coded in Brex on ";

/// Origins of links to a vendor that was made for the merchant start with this.
pub const PROPOSED: &str = "created from proposal ";

/// What stands for one merchant key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The answers that count: one vendor, none of ours, or several that contradict each other.
    pub answers: Vec<VendorLink>,
    /// Vendors that it is not.
    pub rejected: Vec<VendorLink>,
}

impl Standing {
    /// Whether a person set the link by hand.
    pub fn is_set_by_hand(&self) -> bool {
        self.answers.iter().any(|answer| answer.verdict == Verdict::SetByHand)
    }

    /// Whether the answers contradict each other.
    pub fn is_contradictory(&self) -> bool {
        self.answers.windows(2).any(|pair| pair[0].bc_vendor_id != pair[1].bc_vendor_id)
    }

    fn take(&mut self, link: &VendorLink) {
        match link.verdict {
            Verdict::Confirmed | Verdict::NoneOfOurs => self.confirm(link),
            Verdict::Rejected if !self.is_set_by_hand() => {
                self.answers.retain(|answer| answer.bc_vendor_id != link.bc_vendor_id);
                self.rejected.push(link.clone());
            }
            Verdict::Rejected => {}
            Verdict::SetByHand => {
                self.answers = vec![link.clone()];
                self.rejected.retain(|other| other.bc_vendor_id != link.bc_vendor_id);
            }
            Verdict::Unlinked => self.answers.clear(),
            Verdict::Forgotten => *self = Self::default(),
        }
    }

    fn confirm(&mut self, link: &VendorLink) {
        if let Some(hand) = self.answers.iter_mut().find(|answer| answer.verdict == Verdict::SetByHand) {
            // Confirmed again after the vendor was renamed: the link stays, the new name is known.
            if hand.bc_vendor_id == link.bc_vendor_id {
                hand.vendor_name.clone_from(&link.vendor_name);
            }
            return;
        }
        if self.is_contradictory() && !link.origin.starts_with(CODED) {
            self.answers.clear();
        }
        self.rejected.retain(|other| other.bc_vendor_id != link.bc_vendor_id);
        self.answers.push(link.clone());
    }
}

/// What stands for each [`scrubbed_key`] after these verdicts, which are in their order. A verdict of the first version,
/// which kept only the plain name, is older than all others and joins those about a merchant of that name.
pub fn standings(links: &[VendorLink]) -> BTreeMap<String, Standing> {
    let (old, new): (Vec<&VendorLink>, Vec<&VendorLink>) = links.iter().partition(|link| link.descriptor.is_empty());
    let mut by_name: BTreeMap<&str, Vec<&VendorLink>> = BTreeMap::new();
    for link in old {
        by_name.entry(&link.merchant_key).or_default().push(link);
    }
    let mut standings: BTreeMap<String, Standing> = BTreeMap::new();
    for link in new {
        let standing = standings.entry(scrubbed_key(&link.descriptor)).or_default();
        for older in by_name.remove(normal_name(&link.descriptor).as_str()).into_iter().flatten() {
            standing.take(&VendorLink { descriptor: link.descriptor.clone(), ..older.clone() });
        }
        standing.take(link);
    }
    for link in by_name.into_values().flatten() {
        standings.entry(scrubbed_key(&link.merchant_key)).or_default().take(link);
    }
    standings
}

/// The keys under which verdicts about a descriptor are stored: today's, and the plain name of the first version.
pub fn stored_keys(descriptor: &str) -> [String; 2] {
    [scrubbed_key(descriptor), normal_name(descriptor)]
}

/// The matcher's memory of what stands.
pub fn memory_of<'a>(standings: impl IntoIterator<Item = &'a Standing>) -> Memory {
    let mut memory = Memory::new();
    for standing in standings {
        for answer in &standing.answers {
            memory.confirm(&Confirmation {
                descriptor: descriptor_of(answer).to_owned(),
                clean_name: answer.clean_name.clone(),
                vendor_id: answer.bc_vendor_id.map(|id| id.to_string()).unwrap_or_default(),
                vendor_name: answer.vendor_name.clone(),
                by_hand: answer.verdict == Verdict::SetByHand,
            });
        }
        for rejected in &standing.rejected {
            let vendor = rejected.bc_vendor_id.map(|id| id.to_string()).unwrap_or_default();
            memory.reject(descriptor_of(rejected), &vendor);
        }
    }
    memory
}

/// Verdicts of the first version kept the key only, which was the name in small letters.
fn descriptor_of(link: &VendorLink) -> &str {
    if link.descriptor.is_empty() { &link.merchant_key } else { &link.descriptor }
}

/// Brings matcher and memory in step with the mirror and with what people answered meanwhile, here or in another process.
pub async fn refresh(app: &App, connection: &Connection, directory: &Arc<Directory>) -> Result<(), store::Error> {
    let links = app.store.vendor_links();
    let verdicts = links.count(&connection.id).await?;
    let is_new = connection.matcher.known().verdicts != Some(verdicts);
    let stored = if is_new { Some(links.list(&connection.id).await?) } else { None };
    let mut known = connection.matcher.known();
    known.follow(directory);
    if let Some(stored) = stored {
        let standings = standings(&stored);
        known.memory = memory_of(standings.values());
        learn_keys(&mut known, &standings);
        known.verdicts = Some(i64::try_from(stored.len()).unwrap_or(i64::MAX));
    }
    Ok(())
}

/// The keys by which a record is sent to its descriptor, its origin or a refusal.
fn learn_keys(known: &mut Known, standings: &BTreeMap<String, Standing>) {
    (known.origins, known.apart, known.typed, known.rejected) = Default::default();
    for standing in standings.values() {
        for link in standing.answers.iter().chain(&standing.rejected) {
            let key = scrubbed_key(descriptor_of(link));
            let name = scrubbed_key(&link.clean_name);
            if link.clean_name.is_empty() && link.record_id.is_none() {
                known.typed.insert(key);
            } else if !link.clean_name.is_empty() && name != key {
                known.apart.insert(name);
            }
        }
        let vendor = |link: &VendorLink| link.bc_vendor_id.map(|id| id.to_string()).unwrap_or_default();
        for answer in &standing.answers {
            known.origins.insert((scrubbed_key(descriptor_of(answer)), vendor(answer)), answer.origin.clone());
        }
        let refused = standing.rejected.iter().map(|link| (scrubbed_key(descriptor_of(link)), vendor(link)));
        known.rejected.extend(refused);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn link(verdict: Verdict, vendor: u128) -> VendorLink {
        VendorLink {
            merchant_key: "acme".to_owned(),
            descriptor: "ACME 12".to_owned(),
            clean_name: String::new(),
            bc_vendor_id: (vendor > 0).then(|| Uuid::from_u128(vendor)),
            vendor_name: format!("Vendor {vendor}"),
            verdict,
            origin: "confirmed by kim".to_owned(),
            record_id: None,
            decided_by: "kim".to_owned(),
            decided_ms: 0,
        }
    }

    fn after(links: &[VendorLink]) -> (Vec<Option<u128>>, Vec<Option<u128>>) {
        let standing = standings(links).remove(&scrubbed_key("ACME 12")).unwrap_or_default();
        let ids = |links: &[VendorLink]| links.iter().map(|l| l.bc_vendor_id.map(|id| id.as_u128())).collect();
        (ids(&standing.answers), ids(&standing.rejected))
    }

    #[test]
    fn a_link_set_by_hand_is_changed_by_hand_only() {
        let hand = link(Verdict::SetByHand, 1);
        for other in [link(Verdict::Confirmed, 2), link(Verdict::Rejected, 1), link(Verdict::NoneOfOurs, 0)] {
            assert_eq!(after(&[hand.clone(), other]), (vec![Some(1)], vec![]));
        }
        assert_eq!(after(&[hand.clone(), link(Verdict::SetByHand, 2)]), (vec![Some(2)], vec![]));
        assert_eq!(after(&[hand, link(Verdict::Unlinked, 0)]), (vec![], vec![]));
    }

    #[test]
    fn a_contradiction_stands_until_a_person_answers_again() {
        let both = [link(Verdict::Confirmed, 1), link(Verdict::Confirmed, 2)];
        assert!(standings(&both)[&scrubbed_key("ACME 12")].is_contradictory());
        let settled = [both.as_slice(), &[link(Verdict::Confirmed, 2)]].concat();
        assert_eq!(after(&settled), (vec![Some(2)], vec![]));
        let coded = VendorLink { origin: format!("{CODED}accr_1"), ..link(Verdict::Confirmed, 2) };
        assert!(standings(&[both.as_slice(), &[coded]].concat())[&scrubbed_key("ACME 12")].is_contradictory());
    }

    #[test]
    fn a_rejection_takes_the_confirmation_off_and_forgetting_takes_everything() {
        let rejected = [link(Verdict::Confirmed, 1), link(Verdict::Rejected, 1)];
        assert_eq!(after(&rejected), (vec![], vec![Some(1)]));
        let forgotten = [rejected.as_slice(), &[link(Verdict::Forgotten, 0)]].concat();
        assert_eq!(after(&forgotten), (vec![], vec![]));
        let again = [rejected.as_slice(), &[link(Verdict::Confirmed, 1)]].concat();
        assert_eq!(after(&again), (vec![Some(1)], vec![]));
    }
    #[test]
    fn a_verdict_of_the_first_version_meets_a_new_one_about_the_same_name() {
        let old = |verdict, vendor| VendorLink {
            merchant_key: normal_name("ACME, Inc."),
            descriptor: String::new(),
            ..link(verdict, vendor)
        };
        let new = |verdict, vendor| VendorLink {
            merchant_key: scrubbed_key("ACME, Inc."),
            descriptor: "ACME, Inc.".to_owned(),
            ..link(verdict, vendor)
        };
        // As the store lists them: by key, so that the old ones may come last.
        let both = standings(&[new(Verdict::Confirmed, 2), old(Verdict::Confirmed, 1)]);
        assert!(both.len() == 1 && both[&scrubbed_key("ACME, Inc.")].is_contradictory());
        let forgotten = standings(&[new(Verdict::Forgotten, 0), old(Verdict::Confirmed, 1)]);
        assert_eq!(forgotten[&scrubbed_key("ACME, Inc.")], Standing::default());
        let alone = standings(&[old(Verdict::Confirmed, 1)]);
        assert_eq!(alone[&scrubbed_key("acme")].answers.len(), 1);
        assert!(stored_keys("ACME, Inc.").contains(&old(Verdict::Confirmed, 1).merchant_key));
    }
}
