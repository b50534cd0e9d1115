//! Enum members as Business Central writes them: XML names, where `_x0020_` stands for a space, and back.

use serde::{Deserialize, Deserializer};

/// The readable form of a member name; the blank member reads as an empty text.
pub(crate) fn decode(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(start) = rest.find("_x") {
        let (before, escape) = rest.split_at(start);
        text.push_str(before);
        if let Some(character) = escaped_character(escape) {
            text.push(character);
            rest = &escape["_x0020_".len()..];
        } else {
            text.push_str("_x");
            rest = &escape["_x".len()..];
        }
    }
    text.push_str(rest);
    text.trim().to_owned()
}

/// The character of an escape such as `_x0020_` at the start of `text`.
fn escaped_character(text: &str) -> Option<char> {
    let digits = text.get(2..6)?;
    if text.as_bytes().get(6) != Some(&b'_') || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

/// For `#[serde(default, deserialize_with)]` on a member of an open enum.
pub(crate) fn member<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: From<String>,
{
    let name = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    Ok(T::from(decode(&name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_read_as_their_characters() {
        for (name, text) in [
            ("_x0020_", ""),
            (" ", ""),
            ("Payment", "Payment"),
            ("In_x0020_Review", "In Review"),
            ("In Review", "In Review"),
            ("G_x002F_L_x0020_Account", "G/L Account"),
            ("Begin_x002D_Total", "Begin-Total"),
            ("Average_x0020_Rate_x0020__x0028_Manual_x0029_", "Average Rate (Manual)"),
            ("_x00", "_x00"),
            ("_xZZZZ_", "_xZZZZ_"),
            ("_xD800_", "_xD800_"),
            ("a_xé020_b", "a_xé020_b"),
        ] {
            assert_eq!(decode(name), text, "{name}");
        }
    }
}
