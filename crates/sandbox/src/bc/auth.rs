//! Who may come in: the bearer token, then the environment and tenant of the path.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::ENVIRONMENT;
use super::error::Refusal;
use super::group::{self, Group};
use crate::entra::Bearer;
use crate::world::World;

/// The parts of a path of an API.
#[derive(Debug)]
pub(super) struct Route<'a> {
    /// `/v2.0/{tenant}/{environment}/api/v2.0`, as sent.
    pub(super) service: &'a str,
    tenant: Option<&'a str>,
    environment: &'a str,
    /// None if nobody has published that route.
    pub(super) group: Option<&'static Group>,
    /// `companies(...)/vendors`
    pub(super) rest: &'a str,
}

/// Splits a path; none if it is not one of an API.
pub(super) fn route(path: &str) -> Option<Route<'_>> {
    const API: &str = "/api";
    let middle = path.strip_prefix("/v2.0/")?;
    let end = middle.match_indices(API).map(|(at, _)| at).find(|at| {
        let after = &middle[at + API.len()..];
        after.is_empty() || after.starts_with('/')
    })?;
    let (place, after) = middle.split_at(end);
    let after = after[API.len()..].strip_prefix('/').unwrap_or_default();
    let (tenant, environment) = match place.split_once('/') {
        Some((tenant, environment)) => (Some(tenant), environment),
        None => (None, place),
    };
    if environment.is_empty() || environment.contains('/') {
        return None;
    }
    let (group, rest) = group::split(after).map_or((None, after), |(group, rest)| (Some(group), rest));
    let service = path[..path.len() - rest.len()].trim_end_matches('/');
    Some(Route { service, tenant, environment, group, rest })
}

/// Whom a request's token lets in, or why nobody.
pub(super) fn bearer(world: &World, headers: &HeaderMap) -> Result<Bearer, Refusal> {
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
        .map(|(_, token)| token.trim());
    token.and_then(|token| world.entra.bearer(token, world.clock.now())).ok_or_else(Refusal::not_logged_in)
}

/// Lets a request in, or says why not.
pub(super) fn admit(world: &World, headers: &HeaderMap, route: &Route<'_>) -> Result<(), Refusal> {
    let bearer = bearer(world, headers)?;
    // Without a tenant in the path, it is the token's.
    if route.tenant.is_some_and(|tenant| !world.entra.is_tenant_of(bearer, tenant)) {
        return Err(Refusal::not_logged_in());
    }
    if bearer != Bearer::OfTenant || !route.environment.eq_ignore_ascii_case(ENVIRONMENT) {
        return Err(Refusal::no_environment());
    }
    // The card of the app stands in the environment's database.
    if world.bc.settings().app_state.is_enabled() { Ok(()) } else { Err(Refusal::not_logged_in()) }
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
        assert!(route("/v2.0/a/b/c/api/v2.0/companies").is_none());
    }

    #[test]
    fn a_service_ends_with_its_group() {
        let service = |path| route(path).map(|route| (route.service, route.group.map(|group| group.path)));
        assert_eq!(
            service("/v2.0/P/api/microsoft/runtime/beta/companies"),
            Some(("/v2.0/P/api/microsoft/runtime/beta", Some("microsoft/runtime/beta")))
        );
        assert_eq!(service("/v2.0/P/api/contoso/app/v1.0/companies").map(|(_, group)| group), Some(None));
        assert_eq!(service("/v2.0/P/api/v2.0/"), Some(("/v2.0/P/api/v2.0", Some("v2.0"))));
    }
}
