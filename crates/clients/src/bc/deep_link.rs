//! Links that open a document in Business Central's web client.
//! <https://learn.microsoft.com/dynamics365/business-central/dev-itpro/developer/devenv-web-client-urls>

use url::Url;

use super::new_document::DocumentKind;
use crate::call::endpoint;
use crate::error::Error;
use crate::kind::Access;

/// Which page shows the document: posting moves it to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentPage {
    /// The page of drafts.
    Draft,
    /// The page of posted documents.
    Posted,
}

const fn page_number(kind: DocumentKind, page: DocumentPage) -> u16 {
    match (kind, page) {
        (DocumentKind::Invoice, DocumentPage::Draft) => 51,
        (DocumentKind::CreditMemo, DocumentPage::Draft) => 52,
        (DocumentKind::Invoice, DocumentPage::Posted) => 138,
        (DocumentKind::CreditMemo, DocumentPage::Posted) => 140,
    }
}

/// The address that opens document `number`; `web_client` is `https://businesscentral.dynamics.com`, `company_name` the
/// short name of the company.
pub fn deep_link(
    web_client: &Url,
    tenant: &str,
    environment: &str,
    company_name: &str,
    kind: DocumentKind,
    page: DocumentPage,
    number: &str,
) -> Result<Url, Error> {
    let asked = super::asked("deep_link", Access::Read);
    let mut url = endpoint(asked, web_client, [tenant, environment])?;
    let page = page_number(kind, page).to_string();
    let filter = format!("'No.' IS '{}'", number.replace('\'', "''"));
    url.query_pairs_mut()
        .append_pair("company", company_name)
        .append_pair("page", &page)
        .append_pair("filter", &filter);
    // Spaces as %20: the web client does not read a plus sign as one. A literal plus is %2B already.
    let query = url.query().map(|query| query.replace('+', "%20"));
    url.set_query(query.as_deref());
    Ok(url)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_link_opens_the_page_of_the_document() {
        let web_client = Url::parse("https://businesscentral.dynamics.com").unwrap();
        let link = |kind, page| {
            deep_link(&web_client, "contoso.com", "Production", "CRONUS USA, Inc.", kind, page, "108001").unwrap()
        };
        assert_eq!(
            link(DocumentKind::Invoice, DocumentPage::Draft).as_str(),
            "https://businesscentral.dynamics.com/contoso.com/Production?company=CRONUS%20USA%2C%20Inc.&page=51\
             &filter=%27No.%27%20IS%20%27108001%27"
        );
        assert!(link(DocumentKind::CreditMemo, DocumentPage::Posted).as_str().contains("&page=140&"));
    }

    #[test]
    fn a_name_with_special_characters_stays_one_value() {
        let web_client = Url::parse("https://businesscentral.dynamics.com/").unwrap();
        let name = "Müller & Söhne + #1";
        let link = deep_link(&web_client, "t", "E 1", name, DocumentKind::Invoice, DocumentPage::Draft, "A'B").unwrap();
        let values: Vec<_> = link.query_pairs().map(|(_, value)| value.into_owned()).collect();
        assert_eq!(values, [name, "51", "'No.' IS 'A''B'"]);
        assert_eq!(link.path(), "/t/E%201");
    }
}
