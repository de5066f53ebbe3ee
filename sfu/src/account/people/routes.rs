//! Who is on the instance, over HTTP.

use crate::{
    account::{routes::Account, service::Accounts},
    http::{
        extract::{self, Json, Path, Query},
        login::{ByScope, SignedIn},
        problem::ProblemResponse,
    },
};
use axum::{Json as Answer, extract::State};
use shared::{
    account::{EditPerson, PeopleQuery, Person, Scope},
    page::{Page, PageQuery},
    text::AccountName,
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Everybody, for those who run the instance.
pub fn routes(service: Accounts) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(edit)).with_state(Account::new(service))
}

/// Everybody with an account
///
/// By what they sign in with. For the instance's owner and admins.
#[utoipa::path(
    get,
    path = "/people",
    operation_id = "listPeople",
    tag = "instance",
    params(PeopleQuery),
    responses(
        (status = 200, body = Page<Person>, description = "A page of people"),
        (status = 400, description = "The cursor or the limit can't be taken"),
        (status = 403, description = "Only those who run the instance may, or the token lacks the scope"),
    ),
    security(("login" = []), ("token" = ["instance:read"]))
)]
async fn list(
    State(account): State<Account>,
    ByScope(who): ByScope,
    Query(query): Query<PeopleQuery>,
) -> Result<Answer<Page<Person>>, ProblemResponse> {
    who.may(Scope::InstanceRead)?;
    let PeopleQuery { cursor, limit, search } = query;
    let wanted = extract::wanted(PageQuery { cursor, limit })?;
    let search: String = search.unwrap_or_default().trim().chars().take(40).collect();
    Ok(Answer(account.service.people(&who.actor, &search, &wanted).await?))
}

/// Change what somebody may do here
///
/// Who is suspended can't sign in any more; logins, tokens and broadcasts end, and their stream keys don't work until they
/// are let in again. Roles are for the instance's owner to give.
#[utoipa::path(
    patch,
    path = "/people/{account}",
    operation_id = "editPerson",
    tag = "instance",
    params(("account" = AccountName, Path, description = "What they sign in with")),
    request_body(content = EditPerson, example = json!({"suspended": false})),
    responses(
        (status = 200, body = Person, description = "Them, as they are now"),
        (status = 403, description = "Only those who run the instance may, or only its owner, or the token lacks the scope"),
        (status = 404, description = "Nobody of this name"),
        (status = 409, description = "It is the instance's owner, or oneself"),
    ),
    security(("login" = []), ("token" = ["instance:manage"]))
)]
async fn edit(
    State(account): State<Account>,
    who: SignedIn,
    Path(name): Path<AccountName>,
    Json(request): Json<EditPerson>,
) -> Result<Answer<Person>, ProblemResponse> {
    who.may(Scope::InstanceManage)?;
    // Who helps to run the instance, no program says.
    if request.role.is_some() {
        who.login()?;
    }
    Ok(Answer(account.service.edit_person(&who.actor, &name, request).await?))
}
