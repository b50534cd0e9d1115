//! Audit entries in words: one sentence each, from what the entry itself holds.

use domain::audit::{ERASURE, Entry};
use domain::why::{LineReasons, Reasons};
use serde::Deserialize;
use serde_json::Value;

mod transfer;

/// The entry as a sentence for a bookkeeper.
pub fn sentence(entry: &Entry) -> String {
    if entry.is_erased() {
        return format!("{}: what it said was erased", entry.action);
    }
    let detail: Value = serde_json::from_str(&entry.detail).unwrap_or_default();
    let text = |key: &str| shown(&detail[key]);
    match entry.action.as_str() {
        ERASURE => format!("personal data erased by {}: {}", entry.actor, text("reason")),
        "received" => format!(
            "received by {}: version {}, {}, {}, {} in Brex",
            text("by"),
            text("version"),
            text("type"),
            text("amount"),
            text("review_status")
        ),
        "version_taken" | "version_seen" => format!(
            "version {} seen by {}: {}, {} in Brex",
            text("version"),
            text("by"),
            text("amount"),
            text("review_status")
        ),
        "not_spend" => format!("not spend: {}", text("why")),
        "elsewhere" => format!("not booked here: {}", text("why")),
        "vendor_resolved" if detail["match"].is_null() => {
            format!("vendor {} {}: {}", text("number"), text("name"), text("why"))
        }
        "vendor_resolved" => {
            let (number, name, why) = (text("number"), text("name"), text("why"));
            format!("vendor {number} {name}: {why}; {}", judged(&detail["match"]))
        }
        "vendor_judged" => judged(&detail),
        "linked_vendor_renamed"
        | "linked_vendor_blocked"
        | "linked_vendor_unblocked"
        | "linked_vendor_deleted"
        | "linked_vendor_back" => {
            let what = entry.action.trim_start_matches("linked_vendor_");
            format!("vendor {} {}, to which merchants are linked: {what}", text("number"), text("name"))
        }
        "mapped" => mapped(&detail),
        "intent_committed" => {
            format!("intent {} for number {} committed before anything is sent", text("attempt"), text("number"))
        }
        "document_created" => {
            format!("draft {} created in Business Central (attempt {})", text("number"), text("attempt"))
        }
        "document_adopted" => format!(
            "document {} found in Business Central with our marker and adopted ({})",
            text("number"),
            text("status")
        ),
        "outcome_unknown" => {
            format!("no clear answer ({}); from now on only looking, never sending again", text("error"))
        }
        "probed" => "looked for the document: not there (yet)".to_owned(),
        "settled_as_absent" => {
            format!("not there at the end of the settle window: attempt {} was not executed", text("attempt"))
        }
        "default_dimension_met" => format!(
            "vendor or account sets a coded dimension by default ({}); the draft is made without dimensions and gets them after",
            text("said")
        ),
        "dimensions_set" => dimensions_set(&detail),
        "document_drifted" => format!("changed after the export: {}", text("sentence")),
        "document_posted" => {
            format!(
                "posted in Business Central as {}, before it was {} ({})",
                text("number"),
                text("was"),
                text("status")
            )
        }
        "refused" => format!("Business Central refused: {}", text("said")),
        "verified" => format!(
            "read back and compared: document {} equals the plan, lines: {}, total {}",
            text("number"),
            text("lines"),
            text("total")
        ),
        "receipts_attached" => format!("receipts attached: {}", receipts(&detail["receipts"])),
        "exported" => format!("exported to Brex with reference {} ({})", text("reference"), text("how")),
        "held" => format!("held for the {}, {}: {}", who(&text("who")), text("code"), text("sentence")),
        "released" => format!("released: the cause of {} is gone", text("was")),
        "postponed" => format!("tried again later: {}", why(&detail["why"])),
        "retry_requested" => format!("{} asked to try again: {}", entry.actor, text("reason")),
        "replayed" => match detail["from"].as_str() {
            Some(stage) => format!("taken up again from {stage} for {}: {}", entry.actor, text("reason")),
            None => format!("planned anew for {}: {}", entry.actor, text("reason")),
        },
        "skipped" => format!("set aside by {}: {}", entry.actor, text("reason")),
        "request_refused" => format!("{} asked for {} and was refused: {}", entry.actor, text("verb"), text("why")),
        "api_used" if detail["user"].is_null() => format!("{} asked over the API: {}", entry.actor, text("operation")),
        "api_used" => format!("{} of {} asked over the API: {}", entry.actor, text("user"), text("operation")),
        _ => of_others(entry, &detail),
    }
}

/// What is told elsewhere, and else the entry as it is.
fn of_others(entry: &Entry, detail: &Value) -> String {
    let action = entry.action.as_str();
    let told =
        transfer::sentence(entry, detail).or_else(|| of_meaning(entry, detail)).or_else(|| of_failure(action, detail));
    told.unwrap_or_else(|| format!("{action}: {detail}"))
}

/// What a person said about a coded value.
fn of_meaning(entry: &Entry, detail: &Value) -> Option<String> {
    let text = |key: &str| shown(&detail[key]);
    let (value, field, reason) = (text("value"), text("field"), text("reason"));
    Some(match entry.action.as_str() {
        "value_meaning_said" => {
            format!("{value} of {field} means {}: {reason}", entry.after.as_deref().unwrap_or_default())
        }
        "value_meaning_taken_back" => format!("what was said about {value} of {field} is taken back: {reason}"),
        _ => return None,
    })
}

/// What Brex was told about a hold.
fn of_failure(action: &str, detail: &Value) -> Option<String> {
    let text = |key: &str| shown(&detail[key]);
    Some(match action {
        "failure_begun" => format!("about to tell Brex why it failed: {}", text("message")),
        "failure_reported" => format!("Brex was told why it failed ({}); a person exports it there again", text("how")),
        "failure_not_taken" => format!("Brex was not told why it failed: {}", text("why")),
        "failure_refused" => format!("Brex did not take why it failed: {}", text("said")),
        "waits_for_export" => {
            format!(
                "{} in Brex since its failure was reported: it waits to be exported there again",
                text("review_status")
            )
        }
        _ => return None,
    })
}

/// The dimensions that a draft got after it was made.
fn dimensions_set(detail: &Value) -> String {
    let one = |set: &Value| {
        let instead = match &set["instead_of"] {
            Value::Null => String::new(),
            was => format!(" instead of {}", shown(was)),
        };
        let place = if set["line"].is_null() { "header " } else { "" };
        format!("{place}{}={}{instead}", shown(&set["dimension"]), shown(&set["value"]))
    };
    let all: Vec<String> = detail["set"].as_array().into_iter().flatten().map(one).collect();
    format!(
        "dimensions of the draft set: {}",
        if all.is_empty() { "none was missing".to_owned() } else { all.join(", ") }
    )
}

/// What the matcher was asked and said: candidates, words, score, threshold and version of the weights.
fn judged(detail: &Value) -> String {
    let said = &detail["said"];
    let candidate = |candidate: &Value| {
        let matched = candidate["explanation"]["matched"].as_array().into_iter().flatten();
        let pairs: Vec<String> =
            matched.map(|pair| format!("{}={}", shown(&pair["word"]), shown(&pair["vendor_word"]))).collect();
        let [number, name, score, confidence] =
            ["number", "name", "score", "confidence"].map(|key| shown(&candidate[key]));
        let reason = shown(&candidate["reason"]);
        format!("{number} {name} score {score} ({confidence}), {reason}, words [{}]", pairs.join(", "))
    };
    let candidates: Vec<String> = said["candidates"].as_array().into_iter().flatten().map(candidate).collect();
    format!(
        "matcher on {:?}: {} at score {} (books by itself from {}, weights {}); candidates: {}",
        shown(&detail["asked"]["descriptor"]),
        shown(&said["outcome"]),
        shown(&said["score"]),
        shown(&said["auto_from"]),
        shown(&said["weights"]),
        if candidates.is_empty() { "none".to_owned() } else { candidates.join("; ") }
    )
}

/// Each file with its size and the start of its hash.
fn receipts(list: &Value) -> String {
    let one = |file: &Value| {
        let text = |key: &str| file[key].as_str().unwrap_or_default();
        let hash = text("sha256").get(..12).unwrap_or_default();
        format!("{} ({} bytes, SHA-256 {hash}…)", text("file"), file["bytes"])
    };
    list.as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join(", ")
}

fn who(fixer: &str) -> String {
    match fixer {
        "bc_admin" => "BC admin".to_owned(),
        "brex_admin" => "Brex admin".to_owned(),
        other => other.to_owned(),
    }
}

fn why(value: &Value) -> String {
    match value {
        Value::Object(fields) => shown(fields.get("error").unwrap_or(&Value::Null)),
        other => shown(other),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The plan: kind, number, dates, lines with account and dimensions, and the rules that made it.
fn mapped(detail: &Value) -> String {
    let document = &detail["document"];
    let text = |key: &str| shown(&document[key]);
    // Entries of older versions have no reasons.
    let why = Reasons::deserialize(&detail["why"]).ok();
    let reasons = |place: usize| why.as_ref().and_then(|why| why.lines.get(place)).map(LineReasons::words);
    let lines = document["lines"].as_array().into_iter().flatten().enumerate();
    let lines: Vec<String> = lines.map(|(place, planned)| line(planned, reasons(place))).collect();
    let whole = why.as_ref().map(|why| {
        let parts = [why.dates.as_str(), &why.currency, &why.tax].into_iter().chain(why.refund.as_deref());
        format!("; dates: {}", parts.collect::<Vec<_>>().join("; "))
    });
    let kind = text("kind").replace('_', " ");
    let currency = if document["currency"].is_null() { String::new() } else { format!(" {}", text("currency")) };
    let moved = match &detail["posting_date_moved_from"] {
        Value::Null => String::new(),
        from => format!(" (moved from {})", shown(from)),
    };
    format!(
        "mapped to a purchase {kind} {} on {}{moved}, total {}{currency}: {}{}; rules {}",
        text("number"),
        text("posting_date"),
        text("total"),
        lines.join("; "),
        whole.unwrap_or_default(),
        shown(&detail["rules"])
    )
}

fn line(line: &Value, why: Option<String>) -> String {
    let dimensions: Vec<String> = line["dimensions"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(code, value)| format!("{code}={}", shown(value)))
        .collect();
    let dimensions = if dimensions.is_empty() { String::new() } else { format!(" [{}]", dimensions.join(", ")) };
    let tax = line["tax_code"].as_str().map(|code| format!(" with tax code {code}")).unwrap_or_default();
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{} to {}{dimensions}{tax}{why}", shown(&line["amount"]), shown(&line["account"]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{judged, mapped, receipts};

    #[test]
    fn a_plan_is_told_with_the_source_of_each_part_and_without_where_an_older_version_kept_none() {
        let document = json!({
            "kind": "credit_memo", "number": "BRX-1", "posting_date": "2026-06-20", "total": "40.00", "currency": null,
            "lines": [{ "account": "64100", "amount": "40.00", "tax_code": "SUPPLIES", "dimensions": { "PROJECT": "P1" } }],
        });
        let why = json!({
            "dates": "2026-06-20 in Brex", "currency": "the billed amount", "tax": "a tax code on every line",
            "refund": "not linked to an invoice: Brex names no expense",
            "lines": [{
                "account": { "coded": { "field": "G/L Account", "by": "id" } },
                "dimensions": { "PROJECT": { "rule": { "number": 2 } } },
                "tax": "connection",
            }],
        });
        let line = "40.00 to 64100 [PROJECT=P1] with tax code SUPPLIES";
        assert_eq!(
            mapped(&json!({ "document": document, "rules": "r1", "why": why })),
            format!(
                "mapped to a purchase credit memo BRX-1 on 2026-06-20, total 40.00: {line} (account coded in G/L Account by \
                 id; PROJECT default rule 2; tax default of the connection); dates: 2026-06-20 in Brex; the billed amount; \
                 a tax code on every line; not linked to an invoice: Brex names no expense; rules r1"
            )
        );
        assert_eq!(
            mapped(&json!({ "document": document, "rules": "r1" })),
            format!("mapped to a purchase credit memo BRX-1 on 2026-06-20, total 40.00: {line}; rules r1")
        );
    }

    #[test]
    fn each_candidate_is_told_with_its_reason() {
        let candidate = |number: &str, reason: &str| {
            json!({
                "number": number, "name": "Acme", "score": 0.7, "confidence": "Medium", "reason": reason,
                "explanation": { "matched": [{ "word": "ACME", "vendor_word": "ACME" }] },
            })
        };
        let told = judged(&json!({
            "asked": { "descriptor": "ACME 12" },
            "said": { "outcome": "review", "score": 0.7, "candidates": [
                candidate("V1", "ACME matches, number 12 missing"), candidate("V2", "ACME matches, EAST missing"),
            ] },
        }));
        for words in ["V1 Acme score 0.7 (Medium), ACME matches, number 12 missing, words [ACME=ACME]", "EAST missing"]
        {
            assert!(told.contains(words), "{told}");
        }
    }

    #[test]
    fn receipts_are_told_by_name_size_and_hash() {
        let list = json!([{ "file": "brex-r1.pdf", "bytes": 620, "sha256": "9528d7542e39381732fa" }, {}]);
        assert_eq!(receipts(&list), "brex-r1.pdf (620 bytes, SHA-256 9528d7542e39…),  (null bytes, SHA-256 …)");
    }
}
