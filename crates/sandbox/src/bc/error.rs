//! Business Central's error answers: codes, statuses and texts in one place.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::language;
use super::permissions::Right;

const SERVER_ERROR: &str = "Internal_ServerError";

/// A request that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Router-level errors come without the correlation id.
    correlated: bool,
    /// A well-formed key without a row: the code of that is not known for sure.
    pub(crate) missing_row: bool,
    /// Neither is the status of a missing permission.
    pub(crate) missing_permission: bool,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), correlated: true, missing_row: false, missing_permission: false }
    }

    fn bare(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { correlated: false, ..Self::new(status, code, message) }
    }

    /// The JSON body: two spaces, the word, two spaces, the id, a full stop.
    pub(crate) fn body(&self, correlation: Uuid) -> Value {
        let message = if self.correlated {
            format!("{}  CorrelationId:  {correlation}.", self.message)
        } else {
            self.message.clone()
        };
        json!({"error": {"code": self.code, "message": message}})
    }

    /// In another language than English. Router-level errors know none.
    pub(crate) fn translate(&mut self) {
        if self.correlated {
            self.message = language::foreign(&self.message);
        }
    }

    /// AL `Error(text)`: nearly all business rules.
    pub(crate) fn dialog(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Application_DialogException", message)
    }

    /// The same text as a dialog: posting reports every error that way.
    pub(crate) fn at_posting(self) -> Self {
        Self::dialog(self.message)
    }

    /// AL `TestField`.
    pub(crate) fn field(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Application_FieldValidationException", message)
    }

    pub(crate) fn too_long(value: &str, maximum: usize) -> Self {
        let length = value.encode_utf16().count();
        Self::new(
            StatusCode::BAD_REQUEST,
            "Application_StringExceededLength",
            format!(
                "The length of the string is {length}, but it must be less than or equal to {maximum} characters. Value: {value}"
            ),
        )
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(crate) fn unknown_property(name: &str, entity: &str) -> Self {
        Self::bad_request(format!(
            "The property '{name}' does not exist on type 'Microsoft.NAV.{entity}'. Make sure to only use property names that are defined by the type."
        ))
    }

    /// The same in a query option.
    pub(crate) fn unknown_in_query(name: &str, entity: &str) -> Self {
        Self::bad_request(format!("Could not find a property named '{name}' on type 'Microsoft.NAV.{entity}'."))
    }

    pub(crate) fn not_convertible(text: &str, edm: &str) -> Self {
        Self::bad_request(format!("Cannot convert the literal '{text}' to the expected type '{edm}'."))
    }

    /// The text of a field that is a GUID, if it is none.
    pub(crate) fn invalid_guid() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "Application_InvalidGUID",
            "Invalid format of GUID string. The correct format of the GUID string is: CDEF7890-ABCD-0123-1234-567890ABCDEF where 0-9, A-F symbolizes hexadecimal digits.",
        )
    }

    /// A value in a filter that the field cannot hold; `filter` as AL writes it, `='X'`.
    pub(crate) fn filter_too_long(filter: &str, field: &str, table: &str, value: &str, maximum: usize) -> Self {
        let why = Self::too_long(value, maximum).message;
        Self::new(
            StatusCode::BAD_REQUEST,
            "Application_FilterErrorException",
            format!("The filter \"{filter}\" is not valid for the {field} field on the {table} table. {why}"),
        )
    }

    /// A query option whose argument is none.
    pub(crate) fn invalid_argument(name: &str, value: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "BadRequest_InvalidRequestUrl",
            format!("Invalid value '{value}' for {name} query option found."),
        )
    }

    pub(crate) fn not_an_option(text: &str, members: &[&str]) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "Unknown",
            format!("'{text}' is not an option. The existing options are: {}", members.join(",")),
        )
    }

    pub(crate) fn read_only(name: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest_InvalidOperation", format!("Control '{name}' is read-only."))
    }

    pub(crate) fn required(name: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "BadRequest_RequiredParamNotProvided",
            format!("Field '{name}' must not be blank or empty."),
        )
    }

    pub(crate) fn syntax() -> Self {
        Self::bare(StatusCode::NOT_FOUND, "BadRequest_NotFound", "Bad Request - Error in query syntax")
    }

    pub(crate) fn number_of_keys(entity: &str) -> Self {
        Self::bare(
            StatusCode::NOT_FOUND,
            "BadRequest_NotFound",
            format!(
                "The number of keys specified in the URI does not match number of key properties for the resource 'Microsoft.NAV.{entity}'."
            ),
        )
    }

    pub(crate) fn no_route(uri: &str) -> Self {
        Self::bare(
            StatusCode::NOT_FOUND,
            "BadRequest_NotFound",
            format!("No HTTP resource was found that matches the request URI '{uri}'."),
        )
    }

    pub(crate) fn no_segment(segment: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "BadRequest_ResourceNotFound",
            format!("Resource not found for the segment '{segment}'."),
        )
    }

    /// A well-formed key without a row.
    pub(crate) fn no_row(set: &str) -> Self {
        Self { missing_row: true, ..Self::no_segment(set) }
    }

    pub(crate) fn no_company() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Internal_CompanyNotFound",
            "Can't process the request because the default company can't be found. Try to specify the company in the request.",
        )
    }

    pub(crate) fn no_environment() -> Self {
        Self::bare(StatusCode::NOT_FOUND, "NoEnvironment", "Environment does not exist.")
    }

    pub(crate) fn not_logged_in() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "Authentication_InvalidCredentials",
            "The server has rejected the client credentials.",
        )
    }

    pub(crate) fn no_page(page: &str) -> Self {
        let text = format!(
            "You do not have the following permissions on Page APIV2 - {page}: Execute. To view details about your permissions, see the Effective Permissions page."
        );
        Self { missing_permission: true, ..Self::new(StatusCode::BAD_REQUEST, SERVER_ERROR, text) }
    }

    pub(crate) fn no_right(number: u32, table: &str, right: Right) -> Self {
        let text = format!(
            "Sorry, the current permissions prevented the action. (TableData {number} {table} {right:?}: Base Application)"
        );
        Self { missing_permission: true, ..Self::new(StatusCode::BAD_REQUEST, SERVER_ERROR, text) }
    }

    /// A row that somebody else is writing. BC says it in either of two ways.
    pub(crate) fn contention(message: impl Into<String>, status: StatusCode) -> Self {
        let code = if status == StatusCode::CONFLICT { SERVER_ERROR } else { "Application_DialogException" };
        Self::new(status, code, message)
    }

    pub(crate) fn verb(verb: &str, set: &str, edm: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "BadRequest_MethodNotAllowed",
            format!(
                "'{verb}' requests for '{set}' of EdmType '{edm}' are not allowed within Microsoft Dynamics 365 Business Central OData web services."
            ),
        )
    }

    pub(crate) fn not_implemented(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "BadRequest_MethodNotImplemented", message)
    }

    pub(crate) fn or_on_distinct_fields() -> Self {
        Self::not_implemented("The 'OR' operator is not supported on distinct fields on an OData filter.")
    }

    pub(crate) fn no_if_match() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "BadRequest_InvalidToken",
            "Could not validate the client concurrency token required by the service. Please provide a valid token in the client request.",
        )
    }

    pub(crate) fn stale() -> Self {
        Self::new(StatusCode::CONFLICT, "Request_EntityChanged", "Another user has already changed the record.")
    }

    /// Code and text of a skip token whose row is gone are not known for sure.
    pub(crate) fn stale_skip_token() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "SkipTokenIsNoLongerValid", "The skip token is no longer valid.")
    }

    pub(crate) fn same_key(table: &str, field: &str, value: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "Internal_EntityWithSameKeyExists",
            format!("The {table} already exists. Identification fields and values: {field}='{value}'"),
        )
    }

    pub(crate) fn not_evaluated(text: &str, kind: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "Application_EvaluateException",
            format!("The value \"{text}\" cannot be evaluated into type {kind}."),
        )
    }

    /// An amount that BC's Decimal does not hold.
    pub(crate) fn out_of_range(value: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "Unknown",
            format!(
                "The number is outside of the permitted range. The current value is: {value}. The permitted range is: from -999,999,999,999,999.99 to 999,999,999,999,999.99."
            ),
        )
    }

    /// A calculation that the platform cannot finish.
    pub(crate) fn overflow() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Unknown", "Value was either too large or too small for a Decimal.")
    }

    pub(crate) fn nothing_within(table: &str, filters: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Internal_DataNotFoundFilter",
            format!("There is no {table} within the filter. Filters: {filters}"),
        )
    }

    pub(crate) fn relation(field: &str, table: &str, value: &str, related: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "Internal_InvalidTableRelation",
            format!(
                "The field {field} of table {table} contains a value ({value}) that cannot be found in the related table ({related})."
            ),
        )
    }

    pub(crate) fn too_many(actual: usize, maximum: usize) -> Self {
        Self::bare(
            StatusCode::TOO_MANY_REQUESTS,
            "Application_TooManyRequests",
            format!("Too many requests reached. Actual ({actual}). Maximum ({maximum})."),
        )
    }

    /// The body of the answers of the platform's front is not known.
    pub(crate) fn operation_timed_out() -> Self {
        Self::bare(
            StatusCode::REQUEST_TIMEOUT,
            "RequestTimeout",
            "The operation was cancelled because it took too long.",
        )
    }

    pub(crate) fn gateway_timed_out() -> Self {
        Self::bare(StatusCode::GATEWAY_TIMEOUT, "GatewayTimeout", "The gateway did not receive an answer in time.")
    }

    pub(crate) fn url_too_long() -> Self {
        Self::bare(StatusCode::URI_TOO_LONG, "RequestUriTooLong", "The request URL is too long.")
    }

    /// No slot became free in time, or the environment is being upgraded.
    pub(crate) fn unavailable() -> Self {
        Self::bare(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "The service is temporarily unavailable.")
    }

    pub(crate) fn batch_too_large(maximum: usize) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Unknown",
            format!(
                "The current batch message contains too many parts. A maximum number of '{maximum}' query operations and change sets are allowed in a batch message."
            ),
        )
    }

    pub(crate) fn change_set() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Unknown",
            "Multiple requests within the same change set are not supported by Microsoft Dynamics 365 Business Central OData web services.",
        )
    }

    /// No answer of BC: the sandbox keeps no large contents, and says so instead of inventing some.
    pub(crate) fn content_not_kept() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal_ServerError",
            "The sandbox keeps size and hash of this content, but not its bytes.",
        )
    }

    pub(crate) fn body_too_large() -> Self {
        Self::bare(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "The request body is too large.")
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::Refusal;

    #[test]
    fn the_correlation_id_follows_after_two_spaces() {
        let body = Refusal::dialog("Account does not exist.").body(Uuid::nil());
        assert_eq!(
            body["error"]["message"],
            "Account does not exist.  CorrelationId:  00000000-0000-0000-0000-000000000000."
        );
    }

    #[test]
    fn router_errors_have_no_correlation_id() {
        assert_eq!(Refusal::no_environment().body(Uuid::nil())["error"]["message"], "Environment does not exist.");
    }
}
