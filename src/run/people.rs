//! Commands on accounts and tokens: by the daemon, or on the database of a stopped one.

use serde_json::{Value, json};

use super::words::utc;
use crate::control::{Command, Person, Reply};
use crate::people::{Account, By, NewAccount, NewToken, People, PeopleError, TokenView};

/// Does `command` if it is one on people; gives it back otherwise.
pub(super) fn command(people: &People, command: Command) -> Result<Reply, Command> {
    let done = match command {
        Command::UserAdd { person, password } => add(people, person, &password),
        Command::UserList => list(people),
        Command::UserDisable { name } => disable(people, &name),
        Command::TokenCreate { name, scopes, days, network, label, password } => {
            let wished = scopes.join(",").parse().map(|scopes| NewToken {
                label,
                scopes,
                network,
                days: Some(i64::from(days)),
            });
            wished.and_then(|new| create_token(people, &name, &new, &password))
        }
        Command::TokenList { name } => list_tokens(people, name.as_deref()),
        Command::TokenRevoke { id } => revoke_token(people, &id),
        other => return Err(other),
    };
    Ok(done.unwrap_or_else(|error| Reply::failed(error.to_string())))
}

/// `gapura user add`
fn add(people: &People, person: Person, password: &str) -> Result<Reply, PeopleError> {
    let role = person.role.parse().map_err(|_| PeopleError::BadRole)?;
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
fn list(people: &People) -> Result<Reply, PeopleError> {
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
fn disable(people: &People, name: &str) -> Result<Reply, PeopleError> {
    let account = people.disable(&By::Console, name)?;
    let text = format!("disabled {}: sessions and tokens have ended", account.name);
    Ok(Reply::done(text, account_json(&account)))
}

/// `gapura token create`: the token alone as text, so that a script can keep it.
fn create_token(
    people: &People,
    name: &str,
    new: &NewToken,
    password: &str,
) -> Result<Reply, PeopleError> {
    let issued = people.create_token(name, password, new)?;
    let json = json!({ "id": issued.id, "token": issued.token, "ends": utc(issued.ends_ms) });
    Ok(Reply::done(issued.token, json))
}

/// `gapura token list`
fn list_tokens(people: &People, name: Option<&str>) -> Result<Reply, PeopleError> {
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
fn revoke_token(people: &People, id: &str) -> Result<Reply, PeopleError> {
    people.revoke_token(&By::Console, id)?;
    Ok(Reply::done(format!("revoked {id}"), json!({ "id": id })))
}

/// What may be told of an account.
fn account_json(account: &Account) -> Value {
    json!({
        "id": account.id, "name": account.name, "role": account.role.as_str(),
        "email": account.email, "enabled": account.enabled,
    })
}
