//! Commands on accounts and tokens.

use serde_json::{Value, json};

use super::time::utc;
use crate::control::{Person, Reply, Token};
use crate::people::{
    Account, By, NewAccount, NewToken, OldProof, Origin, People, PeopleError, Role, TokenView,
};

/// `gapura user add`
pub(super) fn add(people: &People, person: Person, password: &str) -> Result<Reply, PeopleError> {
    let role = Role::of_officer(&person.role).ok_or(PeopleError::BadRole)?;
    let new = NewAccount {
        name: person.name,
        email: person.email,
        nip: person.nip,
        ..NewAccount::default()
    };
    let account = people.add(&By::Console, role, &new, password)?;
    Ok(Reply::done(format!("added {} as {}", account.name, account.role), account_json(&account)))
}

/// `gapura user list`
pub(super) fn list(people: &People) -> Result<Reply, PeopleError> {
    let accounts = people.list()?;
    let text: String = accounts
        .iter()
        .map(|account| {
            let state = if account.enabled { "" } else { "  disabled" };
            format!("{:<20} {:<8} {}{state}\n", account.name, account.role.as_str(), account.email)
        })
        .collect();
    Ok(Reply::done(text, accounts.iter().map(account_json).collect()))
}

/// `gapura user disable`
pub(super) fn disable(people: &People, name: &str) -> Result<Reply, PeopleError> {
    let account = people.disable(&By::Console, name)?;
    let text = format!("disabled {}: sessions and tokens have ended", account.name);
    Ok(Reply::done(text, account_json(&account)))
}

/// `gapura user enable`
pub(super) fn enable(people: &People, name: &str) -> Result<Reply, PeopleError> {
    let account = people.enable(&By::Console, name)?;
    let text = format!("enabled {}: the person must sign in again", account.name);
    Ok(Reply::done(text, account_json(&account)))
}

/// `gapura user role`
pub(super) fn set_role(people: &People, name: &str, role: &str) -> Result<Reply, PeopleError> {
    let role = Role::of_officer(role).ok_or(PeopleError::BadRole)?;
    let account = people.set_role(&By::Console, name, role)?;
    let text = format!("{} is now {}: sessions and tokens have ended", account.name, account.role);
    Ok(Reply::done(text, account_json(&account)))
}

/// `gapura user reset`: the text is only the link, to be given to the person.
pub(super) fn reset(people: &People, name: &str, web_url: &str) -> Result<Reply, PeopleError> {
    let link = people.reset_link(&By::Console, name)?;
    let address = format!("{web_url}{}", link.path());
    let json = json!({ "name": name, "link": address, "ends": utc(link.ends_ms) });
    Ok(Reply::done(address, json))
}

/// `gapura token create`: the text is only the token, so that a script can store it.
pub(super) fn create_token(
    people: &People,
    name: &str,
    token: Token,
    proof: OldProof<'_>,
) -> Result<Reply, PeopleError> {
    let new = NewToken {
        label: token.label,
        scopes: token.scopes.join(",").parse()?,
        network: token.network,
        days: Some(i64::from(token.days)),
    };
    let issued = people.create_token(name, proof, &new, &Origin::Console)?;
    let json = json!({ "id": issued.id, "token": issued.token, "ends": utc(issued.ends_ms) });
    Ok(Reply::done(issued.token, json))
}

/// `gapura token list`
pub(super) fn list_tokens(people: &People, name: Option<&str>) -> Result<Reply, PeopleError> {
    let person = name.map(|name| people.by_name(name)).transpose()?;
    let tokens = people.tokens(person.as_ref().map(|account| account.id.as_str()))?;
    let names = people.list()?;
    let owner = |token: &TokenView| {
        names.iter().find(|a| a.id == token.person).map_or("?", |a| a.name.as_str()).to_owned()
    };
    let row = |token: &TokenView| {
        let state = if token.live { "" } else { "  over" };
        let ends = utc(token.ends_ms);
        let network = token.network.as_ref().map_or_else(String::new, |n| format!("  from {n}"));
        format!(
            "{:<16} {:<20} {:<20} until {ends}{network}{state}  {}\n",
            token.id,
            owner(token),
            token.scopes.to_string(),
            token.label,
        )
    };
    let fact = |token: &TokenView| {
        json!({
            "id": token.id, "name": owner(token), "scopes": token.scopes.to_string(),
            "ends": utc(token.ends_ms), "live": token.live, "network": token.network,
            "label": token.label,
        })
    };
    Ok(Reply::done(tokens.iter().map(row).collect::<String>(), tokens.iter().map(fact).collect()))
}

/// `gapura token revoke`
pub(super) fn revoke_token(people: &People, id: &str) -> Result<Reply, PeopleError> {
    people.revoke_token(&By::Console, id)?;
    Ok(Reply::done(format!("revoked {id}"), json!({ "id": id })))
}

/// An account without its secrets.
fn account_json(account: &Account) -> Value {
    json!({
        "id": account.id, "name": account.name, "role": account.role.as_str(),
        "email": account.email, "enabled": account.enabled,
    })
}
