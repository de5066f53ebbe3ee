//! Why something was not done in a room, as a problem document: what happened and what to do next.

use super::{
    emote::picture::PictureError, error::ChatError, filter::FilterError, mode::Barred, name::NameError,
    room::Refused,
};
use crate::http::problem::ProblemResponse;
use axum::http::StatusCode;
use shared::emote::{EMOTES_MOST, INSTANCE_EMOTES_MOST};
use std::time::Duration;

fn invalid(field: &str, detail: &str) -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid",
        "Something in the request can't be taken",
        detail,
    )
    .field(field)
}

fn seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).max(1) as u64
}

impl From<ChatError> for ProblemResponse {
    fn from(error: ChatError) -> Self {
        let forbidden = |kind, title, detail| Self::new(StatusCode::FORBIDDEN, kind, title, detail);
        let unknown = |kind, title, detail| Self::new(StatusCode::NOT_FOUND, kind, title, detail);
        match error {
            ChatError::Suspended => Self::channel_suspended(),
            ChatError::UnknownChannel => unknown(
                "unknown-channel",
                "No such channel",
                "There is no channel with this name. Check how it is written.",
            ),
            ChatError::Embed(error) => error.into(),
            ChatError::Nobody => Self::new(
                StatusCode::UNAUTHORIZED,
                "signed-out",
                "Nobody writes",
                "Sign in or choose a name first, then write.",
            ),
            ChatError::UnknownGuest => Self::new(
                StatusCode::UNAUTHORIZED,
                "unknown-guest",
                "This name is over",
                "Your guest name is no longer known here. Choose a name again, then write.",
            ),
            ChatError::Text(error) => invalid("text", &sentence(&error.to_string())),
            ChatError::Refused(refused) => of_refused(refused),
            ChatError::Name(error) => {
                let (status, kind, title) = match error {
                    NameError::LookAlike => (StatusCode::CONFLICT, "name-taken", "This name is taken"),
                    _ => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "This name can't be had"),
                };
                Self::new(status, kind, title, sentence(&error.to_string())).field("name")
            }
            ChatError::TooManyGuests { wait } => {
                let seconds = seconds(wait);
                let detail = format!("Many names were chosen from your network. Wait {seconds} s, then try again.");
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-guests", "Too many names", detail)
                    .retry_after(seconds)
            }
            ChatError::UnknownMessage => {
                unknown("unknown-message", "No such message", "This message is not there, or was deleted.")
            }
            ChatError::UnknownPerson => {
                unknown("unknown-person", "Nobody by that id", "Nobody by that id wrote here.")
            }
            ChatError::UnknownAccount => unknown(
                "unknown-account",
                "No such account",
                "There is no such account, or it is no moderator here. Check how the name is written.",
            ),
            ChatError::NotSilenced => {
                unknown("not-timed-out", "Not timed out", "This person is not timed out, or not any more.")
            }
            ChatError::PollOpen => Self::new(
                StatusCode::CONFLICT,
                "poll-open",
                "A poll is open",
                "Another poll is open here. End it first: /poll end.",
            ),
            ChatError::NoPoll => unknown("no-poll", "No poll is open", "No such poll is open here, or not any more."),
            ChatError::RaidNotLive(detail) => {
                Self::new(StatusCode::CONFLICT, "raid-not-live", "Not live", detail)
            }
            ChatError::RaidRefused => forbidden(
                "raid-refused",
                "No raids there",
                "That channel takes no raids, or none of yours. Choose another one.",
            ),
            ChatError::RaidTooSoon { wait } => {
                let seconds = seconds(wait);
                Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "raid-too-soon",
                    "A raid was a moment ago",
                    format!("Wait {seconds} s before the next raid."),
                )
                .retry_after(seconds)
            }
            ChatError::Picture(error) => invalid(
                "image",
                match error {
                    PictureError::TooLarge => "A picture has at most 1 MiB, and one that moves has to be simpler than this. Make it smaller.",
                    PictureError::Kind => "A picture is a PNG, JPEG, WebP or GIF. This is something else.",
                    PictureError::TooManyPixels => "A picture has at most 2,048 pixels a side, and 32 million in all that it shows. Make it smaller.",
                    PictureError::TooManyFrames => "A picture that moves has at most 60 pictures. Leave some out.",
                    PictureError::Broken => "This picture is broken and can't be read. Try another.",
                },
            ),
            ChatError::EmoteTaken => Self::new(
                StatusCode::CONFLICT,
                "emote-taken",
                "The name is taken",
                "Every channel has an emote of this name. Choose another one.",
            ),
            ChatError::TooManyEmotes => Self::new(
                StatusCode::CONFLICT,
                "too-many-emotes",
                "Too many emotes",
                format!("A channel has at most {EMOTES_MOST} emotes of its own. Remove one first."),
            ),
            ChatError::TooManyEverywhere => Self::new(
                StatusCode::CONFLICT,
                "too-many-emotes",
                "Too many emotes",
                format!("There are at most {INSTANCE_EMOTES_MOST} emotes for all channels. Remove one first."),
            ),
            ChatError::UnknownEmote => {
                unknown("unknown-emote", "No such emote", "No emote of this name was added here.")
            }
            ChatError::NoBadge => unknown(
                "no-badge-picture",
                "No such picture",
                "The channel has no picture of its own for this badge.",
            ),
            ChatError::TooManyColours { wait } => {
                let seconds = seconds(wait);
                let detail = format!("You chose many colours at once. Wait {seconds} s, then choose again.");
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too-fast", "Too fast", detail).retry_after(seconds)
            }
            ChatError::TooManyUploads { wait } => {
                let seconds = seconds(wait);
                Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too-fast",
                    "Too fast",
                    format!("That were many pictures at once. Wait {seconds} s, then go on."),
                )
                .retry_after(seconds)
            }
            ChatError::NoRaid => unknown("no-raid", "No raid", "No raid is about to leave, or not any more."),
            ChatError::LinksRefused => forbidden(
                "links-refused",
                "No links here",
                "Links are not allowed in this chat. Take the link out, then send.",
            ),
            ChatError::QueueFull => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "queue-full",
                "Moderators have a lot to do",
                "A moderator would have to look at this message first, and too many wait already. Try again in a minute.",
            )
            .retry_after(60),
            ChatError::UnknownHeld => {
                unknown("unknown-message", "No such message", "No message with this id waits here, or ever did.")
            }
            ChatError::NothingToAppeal => unknown(
                "nothing-to-appeal",
                "Nothing to appeal against",
                "You are neither banned here nor timed out for more than ten minutes, or not any more.",
            ),
            ChatError::Appealed => Self::new(
                StatusCode::CONFLICT,
                "appealed",
                "You appealed already",
                "One appeal stands for a ban or a time-out. Yours is with the moderators, or was answered.",
            ),
            ChatError::TooManyAppeals { wait } => {
                let seconds = seconds(wait);
                let detail = format!("Those were many appeals at once. Wait {} min, then try again.", seconds.div_ceil(60));
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-appeals", "Too many appeals", detail)
                    .retry_after(seconds)
            }
            ChatError::UnknownAppeal => {
                unknown("unknown-appeal", "No such appeal", "No appeal with this id was made here.")
            }
            ChatError::AppealDecided(before) => {
                let deed = if before.accepted { "accepted" } else { "declined" };
                // Isolated: a name from right to left must not turn the sentence around.
                let detail = format!("\u{2068}{}\u{2069} {deed} this appeal already.", before.by_name);
                Self::new(StatusCode::CONFLICT, "appeal-decided", "Decided already", detail)
            }
            ChatError::AppealOver => Self::new(
                StatusCode::CONFLICT,
                "appeal-over",
                "Over by itself",
                "What this appeal was against holds no more, so that there is nothing left to decide.",
            ),
            ChatError::Filter(error) => {
                let field = if error == FilterError::Words { "words" } else { "hosts" };
                invalid(field, &sentence(&error.to_string()))
            }
            ChatError::NotBanned => unknown(
                "not-banned",
                "Neither banned nor timed out",
                "This person is neither banned nor timed out, or not any more.",
            ),
            ChatError::NotPinned => {
                unknown("not-pinned", "No message is pinned", "No message is pinned, or not any more.")
            }
            ChatError::IsCommand(name) => invalid(
                "text",
                &format!(
                    "/{name} is a command, and no message: give it to …/chat/commands. As a message, begin with another sign."
                ),
            ),
            ChatError::Command(error) => {
                let detail = sentence(&error.to_string());
                let (title, kind) = ("This command can't be carried out", "command");
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, kind, title, detail).field("text")
            }
            ChatError::NoCommand => {
                invalid("text", "A command begins with a stroke and a word, like /help.")
            }
            ChatError::NotModerator => forbidden(
                "not-moderator",
                "Not a moderator here",
                "Only the channel's owner and its moderators may do this. Your own messages you can delete yourself.",
            ),
            ChatError::NotOwner => forbidden(
                "not-yours",
                "Somebody else's channel",
                "Only the channel's owner may do this, or somebody whom they let. Sign in as the owner.",
            ),
            ChatError::NotAdmin => forbidden(
                "not-admin",
                "For those who run the instance",
                "Only those who run this instance may do this. Ask its owner, if you should be one of them.",
            ),
            ChatError::NoAccount => forbidden(
                "no-account",
                "For people with an account",
                "A guest's name has the colour that it has. Sign in to choose one.",
            ),
            ChatError::Untouchable => forbidden(
                "untouchable",
                "Not to be timed out",
                "The owner, moderators and you yourself can't be timed out or banned. The owner can take the moderator's role away first.",
            ),
            ChatError::IsOwner => invalid("account", "The owner may do all that moderators may already."),
            ChatError::IsEditor => Self::new(
                StatusCode::CONFLICT,
                "is-editor",
                "An editor already",
                "An editor may all that VIPs may. To make them a VIP instead, change their role in the channel's settings.",
            ),
            ChatError::TooManyRoles => Self::new(
                StatusCode::CONFLICT,
                "too-many-roles",
                "Too many editors and VIPs",
                "The channel has as many editors and VIPs as it may. Take the role from one first.",
            ),
            ChatError::TooManyModerators => Self::new(
                StatusCode::CONFLICT,
                "too-many-moderators",
                "Too many moderators",
                "A channel has at most 100 moderators. Take the role from one first.",
            ),
            ChatError::Invalid { field, detail } => invalid(field, detail),
            ChatError::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "chat-busy",
                "Chat is busy",
                "More is written at this moment than the server can save. Your message was not sent. Try again in a moment.",
            )
            .retry_after(2),
            ChatError::Store(error) => error.as_ref().into(),
        }
    }
}

fn of_refused(refused: Refused) -> ProblemResponse {
    let too_many = |kind, title, detail: String, seconds| {
        ProblemResponse::new(StatusCode::TOO_MANY_REQUESTS, kind, title, detail).retry_after(seconds)
    };
    match refused {
        Refused::GuestsOff => ProblemResponse::new(
            StatusCode::FORBIDDEN,
            "guests-off",
            "Guests can't write here",
            "In this room only people with an account write. Sign in, then write.",
        ),
        Refused::Banned => ProblemResponse::new(
            StatusCode::FORBIDDEN,
            "banned",
            "You are banned here",
            "A moderator banned you from this chat, until they lift it. You can go on watching.",
        ),
        Refused::Barred(barred) => of_barred(barred),
        Refused::Silenced { until } => {
            let seconds = seconds(until.since(crate::fresh::now()));
            ProblemResponse::new(
                StatusCode::FORBIDDEN,
                "timed-out",
                "You are timed out",
                format!("A moderator timed you out. You can write again in {seconds} s."),
            )
            .retry_after(seconds)
        }
        Refused::Slow { wait } => {
            let seconds = seconds(wait);
            too_many(
                "slow-mode",
                "Slow mode",
                format!("This room is in slow mode. Write again in {seconds} s."),
                seconds,
            )
        }
        Refused::TooFast { wait } => {
            let seconds = seconds(wait);
            too_many(
                "too-fast",
                "Too fast",
                format!("You wrote a lot at once. Write again in {seconds} s."),
                seconds,
            )
        }
        Refused::RoomBusy { wait } => {
            let seconds = seconds(wait);
            too_many(
                "room-busy",
                "The room is full of voices",
                format!(
                    "So many people write here at this moment that nobody could read it. Try again in {seconds} s."
                ),
                seconds,
            )
        }
    }
}

fn sentence(message: &str) -> String {
    let mut text = message.to_owned();
    if let Some(first) = text.chars().next() {
        text.replace_range(..first.len_utf8(), &first.to_uppercase().to_string());
    }
    text.push('.');
    text
}

fn of_barred(barred: Barred) -> ProblemResponse {
    let forbidden =
        |kind, title, detail: String| ProblemResponse::new(StatusCode::FORBIDDEN, kind, title, detail);
    match barred {
        Barred::Followers { wait: Some(wait), minutes } => {
            let seconds = seconds(wait);
            let detail = format!(
                "Only who has followed this channel for {minutes} min can write. You can in {} min.",
                seconds.div_ceil(60)
            );
            forbidden("followers-only", "Followers only", detail).retry_after(seconds)
        }
        Barred::Followers { wait: None, minutes: 0 } => forbidden(
            "followers-only",
            "Followers only",
            "Only who follows this channel can write. Follow it, then write.".to_owned(),
        ),
        Barred::Followers { wait: None, minutes } => forbidden(
            "followers-only",
            "Followers only",
            format!(
                "Only who has followed this channel for {minutes} min can write. Follow it, and write then."
            ),
        ),
        Barred::Subscribers => forbidden(
            "subscribers-only",
            "Subscribers only",
            "Only who subscribes to this channel can write now.".to_owned(),
        ),
        Barred::Emotes => forbidden(
            "emotes-only",
            "Emotes only",
            "Only emotes can be sent now: pick some, and leave the words out.".to_owned(),
        ),
        Barred::Repeated => forbidden(
            "said-lately",
            "Said already",
            "Somebody said that lately. Say it in other words.".to_owned(),
        ),
    }
}
