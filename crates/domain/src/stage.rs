//! The stages of a record and the one place that says which stage follows which.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What has to be done next with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Known, but not ready for export in Brex; nothing to do until Brex says so.
    Waiting,
    /// Find the BC vendor.
    ResolveVendor,
    /// Map coding to accounts and dimensions and plan the document.
    Map,
    /// Create the draft in BC (intent first).
    Draft,
    /// Bring the draft of an earlier version in line with a later one.
    Revise,
    /// Read the draft back and compare.
    Verify,
    /// Attach the receipts to the document.
    Attach,
    /// Post the document, where the connection says so.
    Post,
    /// Tell Brex that the record is exported.
    MarkExported,
    /// Done: one document in BC, told to Brex.
    Exported,
    /// Done: money movement and the like; never a document.
    NotSpend,
    /// Done: a legal entity spent that another connection books for.
    Elsewhere,
    /// Done: a person said that this record is not to be exported.
    Skipped,
}

impl Stage {
    /// Every stage, in the order of the flow.
    pub const ALL: [Self; 13] = [
        Self::Waiting,
        Self::ResolveVendor,
        Self::Map,
        Self::Draft,
        Self::Revise,
        Self::Verify,
        Self::Attach,
        Self::Post,
        Self::MarkExported,
        Self::Exported,
        Self::NotSpend,
        Self::Elsewhere,
        Self::Skipped,
    ];

    /// The stages in which there is work to do, in the order of the flow.
    pub const WORKING: [Self; 8] = [
        Self::ResolveVendor,
        Self::Map,
        Self::Draft,
        Self::Revise,
        Self::Verify,
        Self::Attach,
        Self::Post,
        Self::MarkExported,
    ];

    /// The stages that a person may have a record taken up again from.
    pub const REPLAYABLE: [Self; 6] =
        [Self::ResolveVendor, Self::Map, Self::Draft, Self::Verify, Self::Attach, Self::MarkExported];

    /// Stable name, as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::ResolveVendor => "resolve_vendor",
            Self::Map => "map",
            Self::Draft => "draft",
            Self::Revise => "revise",
            Self::Verify => "verify",
            Self::Attach => "attach",
            Self::Post => "post",
            Self::MarkExported => "mark_exported",
            Self::Exported => "exported",
            Self::NotSpend => "not_spend",
            Self::Elsewhere => "elsewhere",
            Self::Skipped => "skipped",
        }
    }

    /// True when the connector has nothing more to do.
    pub fn is_done(self) -> bool {
        match self {
            Self::Exported | Self::NotSpend | Self::Elsewhere | Self::Skipped => true,
            Self::Waiting
            | Self::ResolveVendor
            | Self::Map
            | Self::Draft
            | Self::Revise
            | Self::Verify
            | Self::Attach
            | Self::Post
            | Self::MarkExported => false,
        }
    }

    /// True while no document can exist yet, so that an edit in Brex simply starts the record anew.
    pub fn is_before_document(self) -> bool {
        match self {
            Self::Waiting | Self::ResolveVendor | Self::Map | Self::NotSpend | Self::Elsewhere | Self::Skipped => true,
            Self::Draft
            | Self::Revise
            | Self::Verify
            | Self::Attach
            | Self::Post
            | Self::MarkExported
            | Self::Exported => false,
        }
    }

    /// The stage after `event`, or the refusal of a move that makes no sense.
    pub fn after(self, event: Event) -> Result<Self, IllegalMove> {
        let next = match (self, event) {
            (Self::Waiting | Self::ResolveVendor | Self::Map | Self::NotSpend | Self::Elsewhere, Event::Ready)
            | (
                Self::Draft | Self::Revise | Self::Verify | Self::Attach | Self::Post | Self::MarkExported,
                Event::Replan,
            ) => Self::ResolveVendor,
            (Self::Waiting | Self::ResolveVendor | Self::Map | Self::Elsewhere, Event::NotReady) => Self::Waiting,
            (Self::Waiting | Self::ResolveVendor | Self::Map, Event::NotSpend) => Self::NotSpend,
            (Self::ResolveVendor, Event::Elsewhere) => Self::Elsewhere,
            (Self::ResolveVendor, Event::VendorResolved) => Self::Map,
            (Self::Map, Event::Mapped) => Self::Draft,
            (Self::Draft, Event::DocumentFound)
            | (Self::Revise, Event::Revised)
            | (Self::Attach | Self::Post | Self::MarkExported, Event::LookAgain) => Self::Verify,
            (
                Self::Revise | Self::Verify | Self::Attach | Self::Post | Self::MarkExported | Self::Exported,
                Event::Edited,
            ) => Self::Revise,
            (Self::Verify, Event::Verified) => Self::Attach,
            (Self::Attach, Event::ToPost) => Self::Post,
            (Self::Attach, Event::Attached) | (Self::Post, Event::Posted) => Self::MarkExported,
            (Self::MarkExported, Event::ExportTaken) => Self::Exported,
            (
                Self::Waiting
                | Self::ResolveVendor
                | Self::Map
                | Self::Draft
                | Self::Revise
                | Self::Verify
                | Self::Attach
                | Self::Post
                | Self::MarkExported,
                Event::Skip,
            ) => Self::Skipped,
            (from, Event::AgainFrom(stage)) if from.may_be_replayed_from(stage) => stage,
            (from, _) => return Err(IllegalMove { from, event }),
        };
        Ok(next)
    }

    /// True where a person may have the flow taken up again at an earlier stage, or at the same one. What is exported has its document,
    /// so it is never planned anew; revising and posting follow from other stages.
    fn may_be_replayed_from(self, stage: Self) -> bool {
        let earliest = if self == Self::Exported { Self::Verify } else { Self::ResolveVendor };
        let is_on_the_way = self == Self::Exported || Self::WORKING.contains(&self);
        is_on_the_way && (earliest..=self).contains(&stage) && Self::REPLAYABLE.contains(&stage)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Stage {
    type Err = UnknownStage;

    fn from_str(text: &str) -> Result<Self, UnknownStage> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or_else(|| UnknownStage(text.to_owned()))
    }
}

/// The stored text names no stage of this version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown stage {0:?}")]
pub struct UnknownStage(String);

/// Something happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Brex says that the record is ready for export.
    Ready,
    /// Brex took the readiness back.
    NotReady,
    /// The record moves money and buys nothing.
    NotSpend,
    /// A legal entity spent that another connection books for.
    Elsewhere,
    /// The vendor is known.
    VendorResolved,
    /// The document is planned.
    Mapped,
    /// Nothing was created; plan again with the newest facts.
    Replan,
    /// The document exists in BC: created now, or found and adopted.
    DocumentFound,
    /// The document was read back and equals the plan.
    Verified,
    /// Every receipt is on the document, which stays a draft.
    Attached,
    /// Every receipt is on the document, which is to be posted.
    ToPost,
    /// The document is posted.
    Posted,
    /// A later version asks for another document than the one that was made.
    Edited,
    /// The draft is as the later version asks.
    Revised,
    /// Brex shows the record as exported.
    ExportTaken,
    /// A person said that the record is not to be exported.
    Skip,
    /// Time has passed since the document was compared.
    LookAgain,
    /// A person asked for the flow to be taken up again from this stage.
    AgainFrom(Stage),
}

/// An event that cannot happen in this stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen in stage {from}")]
pub struct IllegalMove {
    /// The stage the record was in.
    pub from: Stage,
    /// What was said to have happened.
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_reads_back_from_its_name() {
        for stage in Stage::ALL {
            assert_eq!(stage.as_str().parse(), Ok(stage));
        }
        assert!("posted".parse::<Stage>().is_err());
    }

    #[test]
    fn the_main_line_leads_from_ready_to_exported() {
        let events = [
            Event::Ready,
            Event::VendorResolved,
            Event::Mapped,
            Event::DocumentFound,
            Event::Verified,
            Event::Attached,
            Event::ExportTaken,
        ];
        let end = events.into_iter().try_fold(Stage::Waiting, Stage::after);
        assert_eq!(end, Ok(Stage::Exported));
    }

    #[test]
    fn posting_and_a_later_version_lead_back_to_the_main_line() {
        let posted = [Event::ToPost, Event::Posted, Event::ExportTaken];
        assert_eq!(posted.into_iter().try_fold(Stage::Attach, Stage::after), Ok(Stage::Exported));
        let revised = [Event::Edited, Event::Revised, Event::Verified, Event::Attached, Event::ExportTaken];
        assert_eq!(revised.into_iter().try_fold(Stage::Exported, Stage::after), Ok(Stage::Exported));
        assert!(Stage::Draft.after(Event::Edited).is_err(), "nobody knows yet whether there is a document");
    }

    #[test]
    fn a_record_is_taken_up_again_from_where_it_has_been_and_never_from_further_on() {
        for from in Stage::ALL {
            for stage in Stage::ALL {
                let moved = from.after(Event::AgainFrom(stage));
                let is_over = from.is_done() && from != Stage::Exported;
                let may = !is_over && stage <= from && Stage::REPLAYABLE.contains(&stage);
                let would_make_a_second = from == Stage::Exported && stage < Stage::Verify;
                assert_eq!(moved.is_ok(), may && !would_make_a_second, "{from} from {stage}");
                assert!(moved.is_err() || moved == Ok(stage));
            }
        }
    }

    #[test]
    fn once_a_document_may_exist_no_event_of_brex_starts_the_record_anew() {
        for stage in [
            Stage::Draft,
            Stage::Revise,
            Stage::Verify,
            Stage::Attach,
            Stage::Post,
            Stage::MarkExported,
            Stage::Exported,
        ] {
            assert!(!stage.is_before_document());
            for event in [Event::Ready, Event::NotReady, Event::NotSpend] {
                assert_eq!(stage.after(event), Err(IllegalMove { from: stage, event }));
            }
        }
    }
}
