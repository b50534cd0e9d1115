//! What is hashed and signed stands for one content only: the signed bytes of a checkpoint can be read back, and an entry whose texts are
//! cut elsewhere, or that has any other field, has another hash.

use domain::audit::{Checkpoint, Entry, Seal, Verifier, genesis};

use crate::parts::Parts;

const PREFIX: &[u8] = b"ml-connector/checkpoint/1";

/// Two numbers of eight bytes, a byte that says which texts are there, then a text a line: connection, actor, action, subject, before,
/// after, detail, and the salt of its seal if it has one.
pub fn audit_canonical(data: &[u8]) {
    let mut parts = Parts::new(data);
    let (seq, at_ms, flags) = (parts.number(), parts.number(), parts.byte());
    let connection = parts.text();
    let mut entry = Entry {
        seq,
        at_ms,
        actor: parts.text(),
        action: parts.text(),
        subject: parts.text(),
        before: Some(parts.text()).filter(|_| flags & 1 == 1),
        after: Some(parts.text()).filter(|_| flags & 2 == 2),
        detail: parts.text(),
        seal: None,
        previous: genesis(),
        hash: String::new(),
    };
    if flags & 4 == 4 {
        entry.seal = Some(Seal::over(&entry.detail, parts.text()));
    }
    entry.hash = entry.expected_hash(&connection);
    let verify = |entry: &Entry, connection: &str| {
        Verifier::after(connection, entry.seq.saturating_sub(1), &entry.previous).check(entry).is_ok()
    };
    assert_eq!(verify(&entry, &connection), seq > i64::MIN, "an untouched entry");
    for other in others(&entry) {
        assert!(other == entry || !verify(&other, &connection), "{other:?} passes for {entry:?}");
    }
    assert!(entry.expected_hash(&format!("{connection}x")) != entry.hash);
    let checkpoint = Checkpoint { connection, seq, hash: entry.hash, at_ms };
    assert_eq!(decoded(&checkpoint.to_signed_bytes()), Some(checkpoint));
}

/// The same letters in other fields, and single fields that are others.
fn others(entry: &Entry) -> Vec<Entry> {
    let changed = |change: fn(&mut Entry)| {
        let mut other = entry.clone();
        change(&mut other);
        other
    };
    vec![
        changed(|e| e.action.insert_str(0, &std::mem::take(&mut e.actor))),
        changed(|e| e.subject.insert_str(0, &std::mem::take(&mut e.action))),
        changed(|e| {
            if let Some(last) = e.actor.pop() {
                e.action.insert(0, last);
            }
        }),
        changed(|e| {
            let moved = e.before.take().unwrap_or_default();
            e.subject.push_str(&moved);
        }),
        changed(|e| e.before = Some(e.before.take().unwrap_or_default())),
        changed(|e| std::mem::swap(&mut e.before, &mut e.after)),
        changed(|e| e.after = None),
        changed(|e| {
            let moved = e.after.take().unwrap_or_default();
            e.detail.insert_str(0, &moved);
        }),
        changed(|e| std::mem::swap(&mut e.seq, &mut e.at_ms)),
        changed(|e| e.seq = e.seq.wrapping_add(1)),
        changed(|e| e.detail.push(' ')),
        changed(|e| e.previous = std::mem::take(&mut e.detail)),
    ]
}

/// Reads what is signed: the prefix, then four fields with their lengths.
fn decoded(bytes: &[u8]) -> Option<Checkpoint> {
    let mut rest = bytes.strip_prefix(PREFIX)?;
    let mut field = || {
        let (length, after) = rest.split_first_chunk::<8>()?;
        let (field, after) = after.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
        rest = after;
        Some(field)
    };
    let text = |field: &[u8]| String::from_utf8(field.to_vec()).ok();
    let number = |field: &[u8]| Some(i64::from_be_bytes(field.try_into().ok()?));
    let (connection, seq, hash, at_ms) = (text(field()?)?, number(field()?)?, text(field()?)?, number(field()?)?);
    rest.is_empty().then_some(Checkpoint { connection, seq, hash, at_ms })
}
