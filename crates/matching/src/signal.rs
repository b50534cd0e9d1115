//! The pieces of evidence by name: their place in the array, their direction.

/// Names and direction of the evidence: `+` may only speak for a vendor, `-` only against, ` ` either.
pub const EVIDENCE: [(&str, char); COUNT] = [
    ("vendor_share", '+'),
    ("query_share", '+'),
    ("query_share_to_last", '+'),
    ("first_query_word", '+'),
    ("first_vendor_word", '+'),
    ("vendor_misses_name", '-'),
    ("vendor_misses_trade", '-'),
    ("vendor_misses_generic", '-'),
    ("query_misses_before", '-'),
    ("query_misses_after", '-'),
    ("query_misses_trade", '-'),
    ("query_misses_generic", '-'),
    ("weight", '+'),
    ("best_word", '+'),
    ("glued_start", '+'),
    ("glued_equal", '+'),
    ("glued_cut", '+'),
    ("pieces", '+'),
    ("number_missing", '-'),
    ("number_conflicts", '-'),
    ("number_agrees", '+'),
    ("city_agrees", '+'),
    ("city_contradicts", '-'),
    ("place_missing", '-'),
    ("place_matched", '+'),
    ("trade_agrees", '+'),
    ("trade_conflicts", '-'),
    ("site_equal", '+'),
    ("view_sub_merchant", ' '),
    ("view_domain", ' '),
    ("view_clean_name", ' '),
    ("view_alias", ' '),
    ("view_whole", ' '),
    ("other_view", '+'),
    ("clean_name_disagrees", '-'),
    ("initials", '+'),
    ("in_order", '+'),
    ("weakest_pair", '+'),
    ("processor", ' '),
    ("words_matched", ' '),
    ("name_is_part", '-'),
    ("country_conflicts", '-'),
    ("last_word_cut", ' '),
    ("letters_matched", '+'),
    ("query_length", ' '),
    ("vendor_words_missed", '-'),
    ("query_words_missed", '-'),
    ("vendor_words", ' '),
    ("both_miss", '-'),
];

/// Number of pieces of evidence.
pub const COUNT: usize = 49;

/// The evidence for one vendor.
pub type Evidence = [f32; COUNT];

pub(crate) const VENDOR_SHARE: usize = 0;
pub(crate) const QUERY_SHARE: usize = 1;
pub(crate) const QUERY_SHARE_TO_LAST: usize = 2;
pub(crate) const FIRST_QUERY_WORD: usize = 3;
pub(crate) const FIRST_VENDOR_WORD: usize = 4;
pub(crate) const VENDOR_MISSES_NAME: usize = 5;
pub(crate) const VENDOR_MISSES_TRADE: usize = 6;
pub(crate) const VENDOR_MISSES_GENERIC: usize = 7;
pub(crate) const QUERY_MISSES_BEFORE: usize = 8;
pub(crate) const QUERY_MISSES_AFTER: usize = 9;
pub(crate) const QUERY_MISSES_TRADE: usize = 10;
pub(crate) const QUERY_MISSES_GENERIC: usize = 11;
pub(crate) const WEIGHT: usize = 12;
pub(crate) const BEST_WORD: usize = 13;
pub(crate) const GLUED_START: usize = 14;
pub(crate) const GLUED_EQUAL: usize = 15;
pub(crate) const GLUED_CUT: usize = 16;
pub(crate) const PIECES: usize = 17;
pub(crate) const NUMBER_MISSING: usize = 18;
pub(crate) const NUMBER_CONFLICTS: usize = 19;
pub(crate) const NUMBER_AGREES: usize = 20;
pub(crate) const CITY_AGREES: usize = 21;
pub(crate) const CITY_CONTRADICTS: usize = 22;
pub(crate) const PLACE_MISSING: usize = 23;
pub(crate) const PLACE_MATCHED: usize = 24;
pub(crate) const TRADE_AGREES: usize = 25;
pub(crate) const TRADE_CONFLICTS: usize = 26;
pub(crate) const SITE_EQUAL: usize = 27;
pub(crate) const VIEW_SUB_MERCHANT: usize = 28;
pub(crate) const VIEW_DOMAIN: usize = 29;
pub(crate) const VIEW_CLEAN_NAME: usize = 30;
pub(crate) const VIEW_ALIAS: usize = 31;
pub(crate) const VIEW_WHOLE: usize = 32;
pub(crate) const OTHER_VIEW: usize = 33;
pub(crate) const CLEAN_NAME_DISAGREES: usize = 34;
pub(crate) const INITIALS: usize = 35;
pub(crate) const IN_ORDER: usize = 36;
pub(crate) const WEAKEST_PAIR: usize = 37;
pub(crate) const PROCESSOR: usize = 38;
pub(crate) const WORDS_MATCHED: usize = 39;
pub(crate) const NAME_IS_PART: usize = 40;
pub(crate) const COUNTRY_CONFLICTS: usize = 41;
pub(crate) const LAST_WORD_CUT: usize = 42;
pub(crate) const LETTERS_MATCHED: usize = 43;
pub(crate) const QUERY_LENGTH: usize = 44;
pub(crate) const VENDOR_WORDS_MISSED: usize = 45;
pub(crate) const QUERY_WORDS_MISSED: usize = 46;
pub(crate) const VENDOR_WORDS: usize = 47;
pub(crate) const BOTH_MISS: usize = 48;

#[cfg(test)]
mod tests {
    #[test]
    fn every_constant_is_the_place_of_its_name() {
        for (at, name) in [
            (super::VENDOR_SHARE, "vendor_share"),
            (super::QUERY_SHARE, "query_share"),
            (super::QUERY_SHARE_TO_LAST, "query_share_to_last"),
            (super::FIRST_QUERY_WORD, "first_query_word"),
            (super::FIRST_VENDOR_WORD, "first_vendor_word"),
            (super::VENDOR_MISSES_NAME, "vendor_misses_name"),
            (super::VENDOR_MISSES_TRADE, "vendor_misses_trade"),
            (super::VENDOR_MISSES_GENERIC, "vendor_misses_generic"),
            (super::QUERY_MISSES_BEFORE, "query_misses_before"),
            (super::QUERY_MISSES_AFTER, "query_misses_after"),
            (super::QUERY_MISSES_TRADE, "query_misses_trade"),
            (super::QUERY_MISSES_GENERIC, "query_misses_generic"),
            (super::WEIGHT, "weight"),
            (super::BEST_WORD, "best_word"),
            (super::GLUED_START, "glued_start"),
            (super::GLUED_EQUAL, "glued_equal"),
            (super::GLUED_CUT, "glued_cut"),
            (super::PIECES, "pieces"),
            (super::NUMBER_MISSING, "number_missing"),
            (super::NUMBER_CONFLICTS, "number_conflicts"),
            (super::NUMBER_AGREES, "number_agrees"),
            (super::CITY_AGREES, "city_agrees"),
            (super::CITY_CONTRADICTS, "city_contradicts"),
            (super::PLACE_MISSING, "place_missing"),
            (super::PLACE_MATCHED, "place_matched"),
            (super::TRADE_AGREES, "trade_agrees"),
            (super::TRADE_CONFLICTS, "trade_conflicts"),
            (super::SITE_EQUAL, "site_equal"),
            (super::VIEW_SUB_MERCHANT, "view_sub_merchant"),
            (super::VIEW_DOMAIN, "view_domain"),
            (super::VIEW_CLEAN_NAME, "view_clean_name"),
            (super::VIEW_ALIAS, "view_alias"),
            (super::VIEW_WHOLE, "view_whole"),
            (super::OTHER_VIEW, "other_view"),
            (super::CLEAN_NAME_DISAGREES, "clean_name_disagrees"),
            (super::INITIALS, "initials"),
            (super::IN_ORDER, "in_order"),
            (super::WEAKEST_PAIR, "weakest_pair"),
            (super::PROCESSOR, "processor"),
            (super::WORDS_MATCHED, "words_matched"),
            (super::NAME_IS_PART, "name_is_part"),
            (super::COUNTRY_CONFLICTS, "country_conflicts"),
            (super::LAST_WORD_CUT, "last_word_cut"),
            (super::LETTERS_MATCHED, "letters_matched"),
            (super::QUERY_LENGTH, "query_length"),
            (super::VENDOR_WORDS_MISSED, "vendor_words_missed"),
            (super::QUERY_WORDS_MISSED, "query_words_missed"),
            (super::VENDOR_WORDS, "vendor_words"),
            (super::BOTH_MISS, "both_miss"),
        ] {
            assert_eq!(super::EVIDENCE[at].0, name);
        }
    }
}
