//! One call for many keys, where the other side may refuse the whole because of one of them: then halves are asked for,
//! until what is refused stands alone. One bad key costs a few calls and never stops the others.

use clients::{Effect, Error, Kind};

/// What came back, and the keys that were refused by themselves.
pub(crate) struct Asked<K, A> {
    pub(crate) answers: Vec<A>,
    pub(crate) refused: Vec<(K, Error)>,
}

/// Asks for all keys at once, and for parts where that is refused. Any other error ends it.
pub(crate) async fn ask<K: Clone, A, F>(keys: Vec<K>, call: impl Fn(Vec<K>) -> F) -> Result<Asked<K, A>, Error>
where
    F: Future<Output = Result<Vec<A>, Error>>,
{
    let mut asked = Asked { answers: Vec::new(), refused: Vec::new() };
    let mut parts = vec![keys];
    while let Some(mut part) = parts.pop() {
        if part.is_empty() {
            continue;
        }
        match call(part.clone()).await {
            Ok(answers) => asked.answers.extend(answers),
            Err(error) if is_about_the_keys(&error) => {
                let rest = part.split_off(part.len().div_ceil(2));
                match (part.pop(), part.is_empty() && rest.is_empty()) {
                    (Some(only), true) => asked.refused.push((only, error)),
                    (last, _) => {
                        part.extend(last);
                        parts.extend([rest, part]);
                    }
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(asked)
}

/// A refused read, unless it is refused for who asks.
fn is_about_the_keys(error: &Error) -> bool {
    let of_request = matches!(error.kind(), Kind::Refused | Kind::NotFound);
    of_request && error.effect() == Effect::None && crate::problem::of_error(error).is_none()
}
