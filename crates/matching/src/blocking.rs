//! Finding the few vendors worth a closer look: three-letter pieces, rare words, glued beginnings, initials.
//!
//! Weights depend on how many names carry a piece, never on how many vendors there are: a vendor that shares nothing with a
//! descriptor cannot change what is found for it.

use std::cell::RefCell;

use crate::hash::QuickMap;

/// Best names per view by three-letter pieces.
const BEST_BY_PIECES: usize = 15;
/// A name that scores less than this part of the best one is not looked at.
const LEAST_OF_BEST: f32 = 0.4;
/// A list of names that is longer than this says too little to be followed.
const LONGEST_WORD_LIST: usize = 60;

/// Posting lists over the names of an index. Names are numbered by the index.
#[derive(Debug, Default, Clone)]
pub(crate) struct Blocking {
    pieces: QuickMap<[u8; 3], Vec<u32>>,
    words: QuickMap<Box<str>, Vec<u32>>,
    starts: QuickMap<[u8; 5], Vec<u32>>,
    initials: QuickMap<Box<str>, Vec<u32>>,
    /// Number of pieces of each name.
    sizes: Vec<u16>,
}

/// What a name is filed under.
pub(crate) struct Keys<'a> {
    pub(crate) glued: &'a str,
    pub(crate) words: Vec<&'a str>,
    pub(crate) initials: &'a str,
}

thread_local! {
    /// Scores by name, all zero between calls: a scratch pad, never an input.
    static SCORES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// The distinct three-byte pieces of a glued name with a mark in front.
pub(crate) fn pieces(glued: &str) -> Vec<[u8; 3]> {
    let bytes = glued.as_bytes();
    let mut out = Vec::with_capacity(bytes.len() + 1);
    if bytes.len() >= 2 {
        out.push([b'^', bytes[0], bytes[1]]);
    } else if let Some(only) = bytes.first() {
        out.push([b'^', *only, b'$']);
    }
    out.extend(bytes.windows(3).map(|window| [window[0], window[1], window[2]]));
    out.sort_unstable();
    out.dedup();
    out
}

fn start(glued: &str) -> Option<[u8; 5]> {
    glued.as_bytes().get(..5)?.try_into().ok()
}

impl Blocking {
    pub(crate) fn insert(&mut self, number: u32, keys: &Keys<'_>) {
        let pieces = pieces(keys.glued);
        let at = number as usize;
        if self.sizes.len() <= at {
            self.sizes.resize(at + 1, 0);
        }
        self.sizes[at] = u16::try_from(pieces.len()).unwrap_or(u16::MAX);
        for piece in pieces {
            self.pieces.entry(piece).or_default().push(number);
        }
        for word in distinct(&keys.words) {
            self.words.entry(word.into()).or_default().push(number);
        }
        if let Some(start) = start(keys.glued) {
            self.starts.entry(start).or_default().push(number);
        }
        if keys.initials.len() >= 3 {
            self.initials.entry(keys.initials.into()).or_default().push(number);
        }
    }

    pub(crate) fn remove(&mut self, number: u32, keys: &Keys<'_>) {
        let drop = |list: &mut Vec<u32>| {
            if let Some(at) = list.iter().position(|known| *known == number) {
                list.swap_remove(at);
            }
        };
        for piece in pieces(keys.glued) {
            self.pieces.entry(piece).and_modify(drop);
        }
        for word in distinct(&keys.words) {
            self.words.entry(word.into()).and_modify(drop);
        }
        if let Some(start) = start(keys.glued) {
            self.starts.entry(start).and_modify(drop);
        }
        if keys.initials.len() >= 3 {
            self.initials.entry(keys.initials.into()).and_modify(drop);
        }
    }

    /// Number of names with the word.
    pub(crate) fn count(&self, word: &str) -> usize {
        self.words.get(word).map_or(0, Vec::len)
    }

    /// Names that share a word rare enough to be followed.
    pub(crate) fn by_word(&self, word: &str) -> &[u32] {
        self.words.get(word).filter(|list| list.len() <= LONGEST_WORD_LIST).map_or(&[], Vec::as_slice)
    }

    /// Names that begin with the same five letters.
    pub(crate) fn by_start(&self, glued: &str) -> &[u32] {
        let list = start(glued).and_then(|start| self.starts.get(&start));
        list.filter(|list| list.len() <= LONGEST_WORD_LIST).map_or(&[], Vec::as_slice)
    }

    /// Names with these initials.
    pub(crate) fn by_initials(&self, word: &str) -> &[u32] {
        self.initials.get(word).filter(|list| list.len() <= LONGEST_WORD_LIST).map_or(&[], Vec::as_slice)
    }

    /// Names that share most three-letter pieces with the text, ties included.
    pub(crate) fn by_pieces(&self, glued: &str) -> Vec<u32> {
        SCORES.with_borrow_mut(|scores| {
            if scores.len() < self.sizes.len() {
                scores.resize(self.sizes.len(), 0.0);
            }
            let mut touched: Vec<u32> = Vec::new();
            for piece in pieces(glued) {
                let Some(list) = self.pieces.get(&piece) else { continue };
                #[expect(clippy::cast_precision_loss, reason = "a count of names, far below 2^24")]
                let weight = 13.8 - (list.len() as f32 + 1.0).ln();
                for number in list {
                    let score = &mut scores[*number as usize];
                    if *score == 0.0 {
                        touched.push(*number);
                    }
                    *score += weight.max(0.5);
                }
            }
            let mut best: Vec<(f32, u32)> = touched
                .iter()
                .map(|number| {
                    let score = std::mem::take(&mut scores[*number as usize]);
                    (score / f32::from(self.sizes[*number as usize].max(1)).sqrt(), *number)
                })
                .collect();
            let most = best.iter().map(|(score, _)| *score).fold(0.0, f32::max);
            best.retain(|(score, _)| *score >= LEAST_OF_BEST * most);
            if best.len() > BEST_BY_PIECES {
                let (_, pivot, _) = best.select_nth_unstable_by(BEST_BY_PIECES - 1, |a, b| b.0.total_cmp(&a.0));
                let least = pivot.0;
                best.retain(|(score, _)| *score >= least);
                if best.len() > 3 * BEST_BY_PIECES {
                    best.retain(|(score, _)| *score > least);
                }
            }
            best.into_iter().map(|(_, number)| number).collect()
        })
    }
}

fn distinct<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut out = words.to_vec();
    out.sort_unstable();
    out.dedup();
    out
}
