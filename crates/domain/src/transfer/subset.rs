//! Which of some amounts add up to a sum: bounded by members and steps, and it says when it gave up.

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No selection adds up.
    None,
    /// Exactly one does.
    One(Vec<usize>),
    /// Several do; the first of them.
    Several(Vec<usize>),
    /// The steps were used up before that was known.
    GaveUp,
}

struct Search<'a> {
    items: &'a [(i64, usize)],
    /// What the items from each place on can add at most, and at least.
    rest: Vec<(i64, i64)>,
    members_most: usize,
    steps: usize,
    chosen: Vec<usize>,
    first: Option<Vec<usize>>,
    is_several: bool,
}

/// The selections of 1 to `members_most` amounts with the sum `goal`. Negative amounts are allowed.
pub(super) fn find(amounts: &[i64], goal: i64, members_most: usize, steps_most: usize) -> Found {
    let mut items: Vec<(i64, usize)> = amounts.iter().copied().zip(0..).collect();
    // Large ones first: what is left then gets small quickly.
    items.sort_by_key(|(amount, place)| (std::cmp::Reverse(amount.saturating_abs()), *place));
    let mut rest = vec![(0_i64, 0_i64)];
    for (amount, _) in items.iter().rev() {
        let (most, least) = rest.last().copied().unwrap_or_default();
        rest.push((most.saturating_add(*amount.max(&0)), least.saturating_add(*amount.min(&0))));
    }
    rest.reverse();
    let mut search = Search {
        items: &items,
        rest,
        members_most,
        steps: steps_most,
        chosen: Vec::new(),
        first: None,
        is_several: false,
    };
    let is_complete = search.walk(0, goal);
    match (search.first, search.is_several) {
        (Some(first), true) => Found::Several(first),
        (_, false) if !is_complete => Found::GaveUp,
        (Some(first), false) => Found::One(first),
        (None, _) => Found::None,
    }
}

impl Search<'_> {
    /// Whether everything was tried, or enough is known.
    fn walk(&mut self, from: usize, goal: i64) -> bool {
        if goal == 0 && !self.chosen.is_empty() {
            let mut found = self.chosen.clone();
            found.sort_unstable();
            if self.first.is_none() {
                self.first = Some(found);
            } else {
                self.is_several = true;
                return true;
            }
        }
        for place in from..self.items.len() {
            let Some(steps) = self.steps.checked_sub(1) else { return false };
            self.steps = steps;
            let (most, least) = self.rest.get(place).copied().unwrap_or_default();
            if goal > most || goal < least || self.chosen.len() >= self.members_most {
                return true;
            }
            let Some((amount, index)) = self.items.get(place).copied() else { return true };
            self.chosen.push(index);
            let is_complete = self.walk(place.saturating_add(1), goal.saturating_sub(amount));
            self.chosen.pop();
            if !is_complete || self.is_several {
                return is_complete;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_several_none_and_too_many_are_told_apart() {
        assert_eq!(find(&[100, 250, 300], 350, 6, 1_000), Found::One(vec![0, 1]));
        assert_eq!(find(&[1_000, -200, 77], 800, 6, 1_000), Found::One(vec![0, 1]));
        assert!(matches!(find(&[100, 100, 5], 105, 6, 1_000), Found::Several(_)));
        assert_eq!(find(&[100, 250], 120, 6, 1_000), Found::None);
        assert_eq!(find(&[1, 2, 3, 4], 10, 3, 1_000), Found::None);
        let many: Vec<i64> = (0..40).map(|n| 1_000 + 2 * n).collect();
        assert_eq!(find(&many, 6_001, 6, 20_000), Found::GaveUp);
    }

    proptest! {
        #[test]
        fn it_agrees_with_trying_everything(amounts in prop::collection::vec(-9_i64..40, 0..10), goal in 1_i64..80) {
            let all = 1_usize..1 << amounts.len();
            let sum = |set: usize| amounts.iter().enumerate().filter(|(n, _)| set >> n & 1 == 1).map(|(_, a)| a).sum::<i64>();
            let count = all.filter(|set| sum(*set) == goal).count();
            match find(&amounts, goal, 10, 1_000_000) {
                Found::None => prop_assert_eq!(count, 0),
                Found::One(_) => prop_assert_eq!(count, 1),
                Found::Several(_) => prop_assert!(count > 1),
                Found::GaveUp => prop_assert!(false),
            }
        }
    }
}
