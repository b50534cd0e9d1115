//! Receipts as files on a document: what kind of file it is, and what it is called there.

/// How many bytes of a file [`file_type`] looks at.
pub const HEAD_BYTES: usize = 16;

/// The usual extension of a file, by its first bytes. None if it is nothing that a receipt usually is.
pub fn file_type(head: &[u8]) -> Option<&'static str> {
    let at = |offset: usize, text: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(text));
    if at(0, b"%PDF-") {
        Some("pdf")
    } else if at(0, b"\xFF\xD8\xFF") {
        Some("jpg")
    } else if at(0, b"\x89PNG\r\n\x1A\n") {
        Some("png")
    } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
        Some("gif")
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some("webp")
    } else if at(0, b"II*\0") || at(0, b"MM\0*") {
        Some("tif")
    } else if at(4, b"ftyp") && [b"heic", b"heix", b"mif1", b"heif", b"avif"].iter().any(|brand| at(8, *brand)) {
        Some("heic")
    } else {
        None
    }
}

/// The name of a receipt's file: always the same, so that it is recognised on the document.
pub fn file_name(receipt_id: &str, extension: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    let id: String = receipt_id.chars().map(plain).take(120).collect();
    format!("brex-{id}.{extension}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn usual_files_are_recognised_by_their_first_bytes() {
        for (head, extension) in [
            (b"%PDF-1.7\n".as_slice(), Some("pdf")),
            (b"\xFF\xD8\xFF\xE0\0\x10JFIF", Some("jpg")),
            (b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR", Some("png")),
            (b"GIF89a", Some("gif")),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some("webp")),
            (b"RIFF\x24\0\0\0WAVEfmt ", None),
            (b"\0\0\0\x18ftypheic", Some("heic")),
            (b"\0\0\0\x18ftypisom", None),
            (b"<html>", None),
            (b"MZ\x90\0", None),
            (b"", None),
        ] {
            assert_eq!(file_type(head), extension, "{head:?}");
        }
    }

    proptest! {
        #[test]
        fn any_id_gives_a_name_that_business_central_takes(id in "\\PC{0,300}") {
            let name = file_name(&id, "pdf");
            prop_assert!(name.len() <= 250);
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
        }

        #[test]
        fn any_bytes_are_looked_at_without_panic(head in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = file_type(&head);
        }
    }
}
