//! What changed about a document after its record was exported, and whether a person is told.

use crate::hold::Hold;

/// What is done about an exported record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Nothing is new.
    Nothing,
    /// This is told.
    Report(Hold),
    /// What was told is no longer so.
    Clear,
}

/// `seen` is what is wrong with the document now, `held` what the record is held for, `told` the last sentence that was told
/// about its document: what a person has set aside is not told again until it changes.
pub fn decide_watch(seen: Option<Hold>, held: Option<&Hold>, told: Option<&str>) -> Watch {
    match (seen, held) {
        (Some(seen), Some(held)) if seen == *held => Watch::Nothing,
        (Some(seen), None) if told == Some(seen.sentence.as_str()) => Watch::Nothing,
        (Some(seen), _) => Watch::Report(seen),
        (None, Some(_)) => Watch::Clear,
        (None, None) => Watch::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hold::HoldCode;

    #[test]
    fn a_change_is_told_once_and_again_only_when_it_is_another() {
        let hold = |sentence: &str| Hold::new(HoldCode::DocumentDiffers, sentence);
        let first = hold("amount: planned 1, found 2");
        assert_eq!(decide_watch(Some(first.clone()), None, None), Watch::Report(first.clone()));
        assert_eq!(decide_watch(Some(first.clone()), Some(&first), Some(&first.sentence)), Watch::Nothing);
        assert_eq!(decide_watch(Some(first.clone()), None, Some(&first.sentence)), Watch::Nothing, "it was set aside");
        let other = hold("amount: planned 1, found 3");
        assert_eq!(
            decide_watch(Some(other.clone()), Some(&first), Some(&first.sentence)),
            Watch::Report(other.clone())
        );
        assert_eq!(decide_watch(Some(other.clone()), None, Some(&first.sentence)), Watch::Report(other));
        assert_eq!(decide_watch(None, Some(&first), Some(&first.sentence)), Watch::Clear);
        assert_eq!(decide_watch(None, None, Some(&first.sentence)), Watch::Nothing);
    }
}
