//! Who may come in: the bearer token, then the environment and tenant of the path.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::ENVIRONMENT;
use super::error::Refusal;
use crate::world::World;

/// The part of a path before and after `/api/v2.0/`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route<'a> {
    /// `/v2.0/{tenant}/{environment}/api/v2.0`, as sent.
    pub(super) service: &'a str,
    tenant: Option<&'a str>,
    environment: &'a str,
    /// `companies(...)/vendors`
    pub(super) rest: &'a str,
}

/// Splits a path; none if it is not one of API v2.0.
pub(super) fn route(path: &str) -> Option<Route<'_>> {
    const API: &str = "/api/v2.0";
    let end = path.find(API)? + API.len();
    let (service, rest) = path.split_at(end);
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix('/')? };
    let middle = service.strip_prefix("/v2.0/")?.strip_suffix(API)?;
    let (tenant, environment) = match middle.split_once('/') {
        Some((tenant, environment)) => (Some(tenant), environment),
        None => (None, middle),
    };
    (!environment.is_empty() && !environment.contains('/')).then_some(Route { service, tenant, environment, rest })
}

/// Lets a request in, or says why not.
pub(super) fn admit(world: &World, headers: &HeaderMap, route: &Route<'_>) -> Result<(), Refusal> {
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("bearer ")))
        .ok_or_else(Refusal::not_logged_in)?;
    if !world.entra.accepts(token, world.clock.now()) {
        return Err(Refusal::not_logged_in());
    }
    if route.tenant.is_some_and(|tenant| !world.entra.is_tenant(tenant)) {
        return Err(Refusal::not_logged_in());
    }
    if !route.environment.eq_ignore_ascii_case(ENVIRONMENT) {
        return Err(Refusal::no_environment());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::route;

    #[test]
    fn the_tenant_may_be_left_out_of_the_path() {
        let with = route("/v2.0/contoso.com/Production/api/v2.0/companies").map(|route| (route.tenant, route.rest));
        assert_eq!(with, Some((Some("contoso.com"), "companies")));
        let without = route("/v2.0/Production/api/v2.0").map(|route| (route.tenant, route.environment));
        assert_eq!(without, Some((None, "Production")));
        assert_eq!(route("/v2.0/a/b/c/api/v2.0/companies"), None);
    }
}
