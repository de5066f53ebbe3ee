//! Chat's part of the REST interface. Messages come and go over the event socket.

use super::{
    Failure,
    chat_state::Read,
    rest::{Answer, json, send},
};
use serde_json::Value;
use shared::{
    appeal::{Appeal, DecideAppeal},
    chat::{ChatRoom, CreateGuest, EditChat, NewGuest},
    id::{AppealId, ChannelName, MessageId, PersonId, PollId},
    moderation::{
        Ban, ChatAction, CommandDone, Decide, Decided, Filters, GiveCommand, HeldMessage, Moderator, NewBan,
        NewPin, NewSilence, PersonCard, Silence,
    },
    page::LIMIT_MOST,
    poll::{Vote, Voted},
    text::{AccountName, DisplayName},
};

/// The room's address, and what comes behind it.
fn of(channel: &ChannelName, rest: &str) -> String {
    format!("channels/{channel}/{rest}")
}

/// As a guest, if `guest` is the token of one. One function for all, so that what it waits for is compiled once.
async fn ask(
    guest: Option<String>,
    method: &str,
    path: String,
    body: Option<String>,
) -> Answer<(u16, Value)> {
    let (status, text) = send(guest.as_deref(), method, &path, body).await?;
    Ok((status, serde_json::from_str(&text).unwrap_or_default()))
}

fn read<T: Read>(answer: Answer<(u16, Value)>) -> Answer<T> {
    let (status, value) = answer?;
    T::read(&value).ok_or(Failure::Unexpected(status))
}

/// The room, and what the one who asks may do; `guest` is a guest's token.
pub async fn room(channel: &ChannelName, guest: Option<String>) -> Answer<ChatRoom> {
    read(ask(guest, "GET", of(channel, "chat"), None).await)
}

/// A name to write under without an account.
pub async fn create_guest(name: DisplayName) -> Answer<NewGuest> {
    read(ask(None, "POST", "chat/guests".to_owned(), json(&CreateGuest { name })).await)
}

/// Changes the rules.
pub async fn set_rules(channel: &ChannelName, edit: &EditChat) -> Answer<()> {
    read(ask(None, "PATCH", of(channel, "chat"), json(edit)).await)
}

/// Gives a command; what to say of it. `guest` is a guest's token.
pub async fn command(
    channel: &ChannelName,
    guest: Option<String>,
    given: &GiveCommand,
) -> Answer<CommandDone> {
    read(ask(guest, "POST", of(channel, "chat/commands"), json(given)).await)
}

/// Bans somebody.
pub async fn ban(channel: &ChannelName, person: PersonId) -> Answer<()> {
    let body = json(&NewBan { person, reason: String::new() });
    read(ask(None, "POST", of(channel, "chat/bans"), body).await)
}

/// Who is banned; as many as are on one page.
pub async fn bans(channel: &ChannelName) -> Answer<Vec<Ban>> {
    read(ask(None, "GET", of(channel, "chat/bans"), None).await)
}

/// Lifts a ban.
pub async fn unban(channel: &ChannelName, person: &PersonId) -> Answer<()> {
    read(ask(None, "DELETE", of(channel, &format!("chat/bans/{person}")), None).await)
}

/// Shows a message above all others, or none.
pub async fn pin(channel: &ChannelName, message: Option<MessageId>) -> Answer<()> {
    let (method, body) = match message {
        Some(message) => ("PUT", json(&NewPin { message })),
        None => ("DELETE", None),
    };
    read(ask(None, method, of(channel, "chat/pin"), body).await)
}

/// What waits for a moderator; as many as are on one page.
pub async fn held(channel: &ChannelName) -> Answer<Vec<HeldMessage>> {
    read(ask(None, "GET", of(channel, "chat/held"), None).await)
}

/// Lets a held message through, or refuses it.
pub async fn decide(channel: &ChannelName, message: &MessageId, approve: bool) -> Answer<Decided> {
    read(ask(None, "POST", of(channel, &format!("chat/held/{message}")), json(&Decide { approve })).await)
}

/// Appeals that wait for a moderator, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WaitingAppeals {
    /// As many as are on the longest page.
    pub appeals: Vec<Appeal>,
    /// There are more than these.
    pub has_more: bool,
}

/// Appeals that wait for a moderator.
pub async fn appeals(channel: &ChannelName) -> Answer<WaitingAppeals> {
    read(ask(None, "GET", of(channel, &format!("chat/appeals?limit={LIMIT_MOST}")), None).await)
}

/// Accepts an appeal, or declines it.
pub async fn decide_appeal(channel: &ChannelName, appeal: &AppealId, decide: &DecideAppeal) -> Answer<()> {
    read(ask(None, "POST", of(channel, &format!("chat/appeals/{appeal}")), json(decide)).await)
}

/// What moderators did; as many as are on one page.
pub async fn actions(channel: &ChannelName) -> Answer<Vec<ChatAction>> {
    read(ask(None, "GET", of(channel, "chat/actions"), None).await)
}

/// What is held.
pub async fn filters(channel: &ChannelName) -> Answer<Filters> {
    read(ask(None, "GET", of(channel, "chat/filters"), None).await)
}

/// Sets what is held.
pub async fn set_filters(channel: &ChannelName, filters: &Filters) -> Answer<()> {
    read(ask(None, "PUT", of(channel, "chat/filters"), json(filters)).await)
}

/// What is known of somebody.
pub async fn card(channel: &ChannelName, person: &PersonId) -> Answer<PersonCard> {
    read(ask(None, "GET", of(channel, &format!("chat/people/{person}")), None).await)
}

/// Votes; the vote that stands. `guest` is a guest's token.
pub async fn vote(channel: &ChannelName, guest: Option<String>, poll: &PollId, option: u32) -> Answer<Voted> {
    read(ask(guest, "POST", of(channel, &format!("chat/polls/{poll}/votes")), json(&Vote { option })).await)
}

/// Takes a message away from everybody.
pub async fn delete_message(channel: &ChannelName, message: &MessageId) -> Answer<()> {
    read(ask(None, "DELETE", of(channel, &format!("chat/messages/{message}")), None).await)
}

/// Times somebody out.
pub async fn silence(channel: &ChannelName, person: PersonId, seconds: u32) -> Answer<()> {
    let body = json(&NewSilence { person, seconds, reason: String::new() });
    read(ask(None, "POST", of(channel, "chat/silences"), body).await)
}

/// Who is timed out; as many as are on one page.
pub async fn silences(channel: &ChannelName) -> Answer<Vec<Silence>> {
    read(ask(None, "GET", of(channel, "chat/silences"), None).await)
}

/// Lets somebody write again.
pub async fn lift(channel: &ChannelName, person: &PersonId) -> Answer<()> {
    read(ask(None, "DELETE", of(channel, &format!("chat/silences/{person}")), None).await)
}

/// Whom the owner trusts; as many as are on one page.
pub async fn moderators(channel: &ChannelName) -> Answer<Vec<Moderator>> {
    read(ask(None, "GET", of(channel, "moderators"), None).await)
}

/// Trusts an account, or no longer.
pub async fn set_moderator(channel: &ChannelName, account: &AccountName, is: bool) -> Answer<()> {
    let method = if is { "PUT" } else { "DELETE" };
    read(ask(None, method, of(channel, &format!("moderators/{account}")), None).await)
}
