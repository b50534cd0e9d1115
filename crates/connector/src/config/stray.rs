//! Secrets that stand where they do not belong: found by their looks before any complaint could quote one, and what the parser
//! says about a value, without the value.

use toml::{Table, Value};

use super::ConfigError;

/// What the secrets that we deal with start with: Brex's token and webhook secret, the vault's key.
const STARTS: [&str; 3] = ["bxt_", "whsec_", "mlk1_"];
/// A certificate or its key.
const PEM: &str = "-----BEGIN ";
/// Entra ID has these letters in each client secret, three or four letters from the start.
const ENTRA_MARK: &str = "Q~";
/// Letters of a secret after what it starts with; names are shorter.
const SHORTEST: usize = 20;
/// Holds a password where the database needs one, and is never shown.
const DATABASE: &str = "database";

/// Refuses a text with a secret in it. What cannot be parsed is not looked through: nobody quotes from it.
pub(super) fn refuse(text: &str) -> Result<(), ConfigError> {
    let Ok(table) = text.parse::<Table>() else { return Ok(()) };
    let found = table.iter().filter(|(name, _)| *name != DATABASE).find_map(|(name, value)| in_entry(name, value));
    let Some(key) = found else { return Ok(()) };
    let text = "holds a secret, and the configuration is no place for one: put it into a file with chmod 600 and name that file, or \
                run ml-connector connect (docs/secrets.md)";
    Err(ConfigError::value(key, text))
}

/// The key of the first secret, as far as the key is none itself.
fn in_entry(name: &str, value: &Value) -> Option<String> {
    if is_secret(name) {
        return Some("a key".to_owned());
    }
    let below = match value {
        Value::String(text) => is_secret(text).then(String::new),
        Value::Array(values) => values.iter().find_map(|value| in_entry("", value)),
        Value::Table(table) => table.iter().find_map(|(name, value)| in_entry(name, value)),
        _ => None,
    };
    below
        .map(|rest| if rest.is_empty() || name.is_empty() { format!("{name}{rest}") } else { format!("{name}.{rest}") })
}

/// Whether a text looks like a secret, wherever it stands in it: what only begins like one may stand in front.
pub(super) fn is_secret(text: &str) -> bool {
    let goes_on = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        rest.chars().take_while(|c| !c.is_whitespace()).count() >= SHORTEST
    };
    let begins_with = |start: &&str| text.match_indices(*start).any(|(at, _)| goes_on(at + start.len()));
    text.contains(PEM)
        || STARTS.iter().any(begins_with)
        || text.match_indices(ENTRA_MARK).any(|(at, mark)| at >= 3 && goes_on(at + mark.len()))
}

/// What the parser says about a text, with names of ours and without anything of the text.
pub(crate) fn complaint(text: &str, error: &toml::de::Error) -> (usize, String) {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count().saturating_add(1);
    (line, without_values(error.message(), text.parse::<Table>().is_ok()))
}

fn without_values(message: &str, is_toml: bool) -> String {
    let quoted = || message.split('`').nth(1).unwrap_or_default();
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    // Behind the last of these words stands what would be right, which is ours.
    let right = message.rsplit_once(", expected ").map(|(_, right)| format!(", expected {right}")).unwrap_or_default();
    let what = message.split(['`', ':', ',']).next().unwrap_or_default().trim();
    match what {
        "missing field" => message.to_owned(),
        "unknown field" if is_name(quoted()) => message.to_owned(),
        "unknown field" | "unknown variant" | "invalid type" | "invalid value" => format!("{what}{right}"),
        "" => "this cannot be read as TOML".to_owned(),
        // The words of the parser of TOML itself; all others may quote what they could not read.
        _ if !is_toml => what.to_owned(),
        _ => "a value is not written as it has to be".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_looks_and_a_name_is_none() {
        for secret in [
            "bxt_0123456789abcdefghij",
            "Bearer bxt_0123456789abcdefghij",
            "whsec_MDEyMzQ1Njc4OWFiY2RlZg==",
            "mlk1_0123456789012345678901234567890123456789012",
            "-----BEGIN PRIVATE KEY-----\nMII",
            "abC8Q~0123456789.abcdefg_hij-klmno~pqr",
            "https://bxt_0123456789abcdefghij/",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        for name in ["bxt_token", "whsec_", "Q~ Inc.", "ml-connector.key", "FAQ~s of the company and its long name"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_secret_is_known_behind_what_only_begins_like_one() {
        for secret in [
            "bxt_ bxt_0123456789abcdefghij",
            "FAQ~s abC8Q~0123456789.abcdefg_hij-klmno~pqr",
            "Q~aQ~0123456789abcdefghij",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
    }

    #[test]
    fn the_key_is_named_and_the_password_of_the_database_is_let_be() {
        let said = |text: &str| refuse(text).err().map(|error| error.to_string()).unwrap_or_default();
        let secret = "bxt_0123456789abcdefghij";
        assert!(said(&format!("[[connection]]\nbrex.token = \"{secret}\"")).starts_with("connection.brex.token holds"));
        assert!(said(&format!("{secret} = 1")).starts_with("a key holds a secret"));
        assert_eq!(said(&format!("database = \"postgres://kim:{secret}@host/db\"")), "");
        assert_eq!(said(&format!("[[connection]\ntoken = \"{secret}\"")), "");
    }

    #[test]
    fn what_the_parser_says_keeps_our_names_and_drops_values() {
        for (message, kept) in [
            (
                "unknown field `start_dat`, expected one of `a`, `b`",
                "unknown field `start_dat`, expected one of `a`, `b`",
            ),
            ("unknown field `S3cret`, expected `a`", "unknown field, expected `a`"),
            ("unknown variant `S3cret`, expected `a` or `b`", "unknown variant, expected `a` or `b`"),
            ("invalid type: string \"S3cret, expected x\", expected u32", "invalid type, expected u32"),
            ("missing field `bc`", "missing field `bc`"),
            ("failed to parse \"S3cret\" as a date", "a value is not written as it has to be"),
        ] {
            assert_eq!(without_values(message, true), kept);
        }
    }
}
