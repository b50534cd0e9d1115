//! The end of a descriptor: town, state, legal form, channel, and whether the name field was cut off.

use crate::descriptor::{Cut, Word};
use crate::lexicon::{Kind, lexicon};
use crate::token::{Shape, Token};

/// Lengths at which card networks cut the name field.
const FIELD_LENGTHS: [usize; 3] = [22, 25, 18];
/// Length at which card networks cut the town.
const TOWN_LENGTH: usize = 13;

/// A folded descriptor in which a town glued to the name field was parted from it.
pub(crate) struct Parted {
    pub(crate) text: String,
    /// Where the name field ended, if it was glued.
    pub(crate) parted: Option<usize>,
}

/// Town and state at the end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) city: Option<String>,
    pub(crate) state: Option<String>,
}

/// Parts `JOHNS PLUMBING AND HEATIDENVER CO` where the town starts at a fixed column.
pub(crate) fn part_glued_city(text: &str) -> Parted {
    let bytes = text.as_bytes();
    for at in FIELD_LENGTHS {
        let inside = at < bytes.len() && text.is_char_boundary(at) && bytes[at - 1] != b' ' && bytes[at] != b' ';
        if inside && is_town_and_state(&text[at..]) {
            return Parted { text: format!("{} {}", &text[..at], &text[at..]), parted: Some(at) };
        }
    }
    Parted { text: text.to_owned(), parted: None }
}

fn is_town_and_state(rest: &str) -> bool {
    let rest = rest.trim_end();
    let Some(cut) = rest.len().checked_sub(2).filter(|cut| rest.is_char_boundary(*cut)) else { return false };
    let (town, state) = rest.split_at(cut);
    let town = town.trim_end();
    if lexicon().state(state).is_none() {
        return false;
    }
    lexicon().is_place(town) || town.len() == TOWN_LENGTH && lexicon().begins_place(&town.replace(' ', ""), 6)
}

/// Two-letter words that are states only when something says so.
fn is_everyday(word: &str) -> bool {
    matches!(
        word,
        "IN" | "OR" | "ME" | "OK" | "HI" | "CO" | "LA" | "DE" | "PA" | "MA" | "AL" | "ID" | "ON" | "AB" | "PE" | "ACT"
    )
}

/// Takes town and state off the end. The town's words stay as words at the end; the state is removed.
pub(crate) fn split(mut tokens: Vec<Token>) -> (Vec<Token>, Place) {
    let mut place = Place::default();
    let Some(last) = tokens.last().cloned().filter(|token| token.shape == Shape::Word && tokens.len() >= 2) else {
        return (tokens, place);
    };
    if lexicon().state(&last.text).is_some() {
        let before = &tokens[..tokens.len() - 1];
        let town = town_at_end(before);
        let glued = before.last().and_then(|token| glued_town(&token.text));
        let noise = before.last().is_some_and(|token| token.shape != Shape::Word);
        if town.is_some() || glued.is_some() || noise || !is_everyday(&last.text) {
            place.state = Some(last.text.clone());
            tokens.pop();
            place.city = town.or_else(|| glued.map(|at| part_town(&mut tokens, at)));
        }
    } else if let Some((town, state)) = glued_state(&tokens) {
        shorten(&mut tokens, 2);
        place = Place { city: Some(town), state: Some(state) };
    } else if let Some((at, state)) = glued_town_and_state(&last.text) {
        shorten(&mut tokens, 2);
        place = Place { city: Some(part_town(&mut tokens, at)), state: Some(state) };
    } else {
        place.city = town_at_end(&tokens);
    }
    (tokens, place)
}

/// Where a known town starts inside a word (`SPAOMAHA`): the longest one with at least two letters before it.
fn glued_town(word: &str) -> Option<usize> {
    let longest = word.len().checked_sub(5)?;
    (2..=longest).find(|at| word.is_char_boundary(*at) && lexicon().is_place(&word[*at..]))
}

/// `TREEDENVERCO`.
fn glued_town_and_state(word: &str) -> Option<(usize, String)> {
    let cut = word.len().checked_sub(2).filter(|cut| word.is_char_boundary(*cut))?;
    lexicon().state(&word[cut..])?;
    Some((glued_town(&word[..cut])?, word[cut..].to_owned()))
}

fn shorten(tokens: &mut [Token], letters: usize) {
    if let Some(token) = tokens.last_mut() {
        token.text.truncate(token.text.len() - letters);
        token.end -= letters;
    }
}

/// Makes the town inside the last word a word of its own and returns it.
fn part_town(tokens: &mut Vec<Token>, at: usize) -> String {
    let Some(mut token) = tokens.pop() else { return String::new() };
    let mut town = token.clone();
    town.text = token.text.split_off(at);
    token.end = token.end.saturating_sub(town.text.len());
    let name = town.text.clone();
    tokens.extend([token, town]);
    name
}

/// `BOSTONMA`, `KANSAS CITYMO`.
fn glued_state(tokens: &[Token]) -> Option<(String, String)> {
    let last = &tokens.last()?.text;
    let cut = last.len().checked_sub(2).filter(|cut| last.is_char_boundary(*cut) && *cut >= 2)?;
    let (end, state) = last.split_at(cut);
    lexicon().state(state)?;
    (1..=3.min(tokens.len() - 1)).rev().find_map(|count| {
        let from = tokens.len() - count;
        let mut words: Vec<&str> = tokens[from..tokens.len() - 1].iter().map(|token| token.text.as_str()).collect();
        words.push(end);
        let town = words.join(" ");
        lexicon().is_place(&town).then(|| (town, state.to_owned()))
    })
}

/// The longest known town at the end, with at least one word before it.
fn town_at_end(tokens: &[Token]) -> Option<String> {
    let words: Vec<&str> =
        tokens.iter().map(|token| if token.shape == Shape::Word { token.text.as_str() } else { "" }).collect();
    (1..=3.min(words.len().saturating_sub(1))).rev().find_map(|count| {
        let town = words[words.len() - count..].join(" ");
        let cut = town.len() >= 8 && town.len() >= TOWN_LENGTH - 1 && lexicon().begins_place(&town.replace(' ', ""), 8);
        (lexicon().is_place(&town) || cut).then_some(town)
    })
}

/// Whether the name field these tokens stand in was cut off, judged by where its last word ends.
pub(crate) fn cut_of(tokens: &[Token], length: usize, parted: Option<usize>) -> Cut {
    if parted.is_some() {
        return Cut::Yes;
    }
    // The name field ends before phone, web address or town.
    let town = town_at_end(tokens).map_or(0, |town| town.split(' ').count());
    let named = &tokens[..tokens.len() - town];
    let end = named.iter().rposition(|token| token.shape == Shape::Word).map_or(0, |at| named[at].end);
    let alone = end == length;
    match end {
        18 | 22 | 25 => Cut::Yes,
        17 | 21 | 24 if alone => Cut::Maybe,
        _ if alone && end > 25 => Cut::Maybe,
        _ if town_at_end(tokens).is_some() && (length == 25 || length == 22) => Cut::Maybe,
        _ => Cut::No,
    }
}

/// Gives the words at the end their kind: numbers, channel, legal form, town; and marks the last name word as cut.
pub(crate) fn judge(mut words: Vec<Word>, cut: Cut) -> Vec<Word> {
    let Some(first) = words.iter().position(|word| !matches!(word.kind, Kind::Number | Kind::Reference)) else {
        return words;
    };
    let mut at = words.len();
    let mut cut_open = cut;
    while at > first + 1 {
        let count = (1..=3.min(at - first - 1)).rev().find(|count| is_place(&words[at - count..at], cut_open));
        let word = &words[at - 1];
        if matches!(word.kind, Kind::Number | Kind::Reference) {
            at -= 1;
        } else if let Some(count) = count {
            for place in &mut words[at - count..at] {
                place.kind = Kind::Place;
            }
            at -= count;
            cut_open = Cut::No;
        } else if lexicon().is_legal(&word.text)
            || cut_open != Cut::No && matches!(word.text.as_str(), "L" | "LT" | "LIMITE" | "LIMIT" | "LIM" | "IN")
        {
            words[at - 1].kind = Kind::Legal;
            at -= 1;
        } else if lexicon().is_channel(&word.text) || is_compass(&word.text) && at > first + 2 {
            words[at - 1].kind = Kind::Channel;
            at -= 1;
        } else if is_street(&word.text) && at > first + 2 {
            words[at - 1].kind = Kind::Channel;
            words[at - 2].kind = Kind::Channel;
            at -= 2;
        } else {
            break;
        }
    }
    if let Some(last) = words[..at].last_mut()
        && (at > first + 1 && last.kind != Kind::Number || last.text.len() >= 6)
    {
        last.cut = cut;
    }
    let lead = &mut words[first];
    if matches!(lead.kind, Kind::Country | Kind::Legal) {
        lead.kind = Kind::Name;
    }
    words
}

/// Words that end the name of a street or site.
fn is_street(word: &str) -> bool {
    matches!(
        word,
        "ROAD"
            | "RD"
            | "STREET"
            | "LANE"
            | "AVENUE"
            | "AVE"
            | "PLAZA"
            | "PLZ"
            | "MALL"
            | "AIRPORT"
            | "WAY"
            | "HWY"
            | "BLVD"
            | "PARADE"
            | "PRECINCT"
            | "ISLAND"
            | "ISL"
    )
}

fn is_compass(word: &str) -> bool {
    matches!(word, "NORTH" | "SOUTH" | "EAST" | "WEST" | "CENTRAL")
}

/// Whether a word that is in no list ends like the name of an English town.
pub(crate) fn looks_like_place(word: &str) -> bool {
    const ENDS: [&str; 24] = [
        "BURY", "TON", "HAM", "FORD", "BOROUGH", "BURGH", "WICH", "WORTH", "LEY", "STEAD", "MOUTH", "CASTER",
        "CHESTER", "BRIDGE", "DALE", "POOL", "HURST", "MERE", "THORPE", "MINSTER", "COMBE", "SHAW", "HOLME", "STOKE",
    ];
    word.len() >= 6 && !lexicon().is_known(word) && ENDS.iter().any(|end| word.ends_with(end))
}

fn is_place(words: &[Word], cut: Cut) -> bool {
    let name = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    if lexicon().is_place(&name) {
        return true;
    }
    let unknown = words.len() == 1 && !lexicon().is_known(&name) && !lexicon().is_abbreviation(&name);
    unknown && cut != Cut::No && name.len() <= 8 && lexicon().begins_place(&name, 4)
}

/// How many words stand before the run of place, number, channel and legal words at the end; at least one.
pub(crate) fn core(words: &[Word]) -> usize {
    let noise = |word: &Word| {
        matches!(word.kind, Kind::Place | Kind::State | Kind::Number | Kind::Reference | Kind::Channel | Kind::Legal)
    };
    let mut at = words.len();
    while at > 1 && noise(&words[at - 1]) {
        at -= 1;
    }
    at
}

/// The town at the end of judged words.
pub(crate) fn trailing_place(words: &[Word]) -> Option<String> {
    let end = words.iter().rposition(|word| word.kind == Kind::Place)?;
    let start = words[..end].iter().rposition(|word| word.kind != Kind::Place).map_or(0, |at| at + 1);
    Some(words[start..=end].iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" "))
}
