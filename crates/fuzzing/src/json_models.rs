//! Whatever Brex or Business Central answers, a call ends with a value or with an error, after a number of requests that is
//! bounded by the pages it was given, and an error that an answer describes never quotes what was signed in with.

use std::error::Error as _;

use crate::answer::Answers;
use crate::calls::{CALLS, IDS};
use crate::parts::Parts;
use crate::peer::{Peer, SECRETS};

/// The first byte chooses a call, the rest is what is answered to it (`Answers::read`).
pub fn json_models(data: &[u8]) {
    let mut parts = Parts::new(data);
    let (name, call) = CALLS[usize::from(parts.byte()) % CALLS.len()];
    let answers = Answers::read(&mut parts);
    Peer::with(|peer| {
        let (result, asked) = peer.ask(&answers, call(peer));
        // Behind the last answer nothing is there. What was asked for at once may still have been under way then.
        let most = answers.len() + 2 * IDS.len() + 2;
        assert!(asked.len() <= most, "{name} sent {} requests for {} answers", asked.len(), answers.len());
        if let Err(error) = result {
            let mut told = format!("{error} {error:?}");
            let mut source = error.source();
            while let Some(cause) = source {
                told = format!("{told} {cause}");
                source = cause.source();
            }
            // A system cannot say back what only the other one was sent.
            let sent = if name.starts_with("brex ") { &SECRETS[..1] } else { &SECRETS[1..] };
            let is_told = sent.iter().find(|secret| told.contains(**secret));
            assert!(answers.is_success() || is_told.is_none(), "{name} tells a secret: {told}");
        }
    });
}
