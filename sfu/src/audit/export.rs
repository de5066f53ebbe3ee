//! The record as a table for spreadsheets. Pure.

use crate::csv::{line, time};
use shared::audit::{AuditEntry, AuditParty};

/// A row for each entry, in their order.
pub fn csv(entries: &[AuditEntry]) -> String {
    let head = ["time", "action", "actor", "actorId", "channel", "target", "targetId", "detail", "address"];
    let mut table = line(&head);
    for AuditEntry { id: _, at, action, actor, channel, target, detail, address } in entries {
        table += &line(&[
            &time(*at),
            action.name(),
            name(actor),
            id(actor),
            name(channel),
            name(target),
            id(target),
            detail,
            address.as_deref().unwrap_or_default(),
        ]);
    }
    table
}

fn name(party: &Option<AuditParty>) -> &str {
    party.as_ref().and_then(|party| party.name.as_deref()).unwrap_or_default()
}

fn id(party: &Option<AuditParty>) -> &str {
    party.as_ref().map_or("", |party| &party.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{audit::AuditAction, unit::Timestamp};

    #[test]
    fn what_people_wrote_is_no_formula() {
        let party = |name: &str| Some(AuditParty { id: "x".to_owned(), name: Some(name.to_owned()) });
        let entry = AuditEntry {
            id: "e".parse().unwrap(),
            at: Timestamp::from_millis(0),
            action: AuditAction::TimedOut,
            actor: party("ada"),
            channel: party("stage"),
            target: party("=HYPERLINK(\"http://x\")"),
            detail: "until then: +1,\r\n@SUM".to_owned(),
            address: None,
        };
        let table = csv(&[entry.clone(), AuditEntry { detail: "@SUM".to_owned(), ..entry }]);
        let rows: Vec<&str> = table.split_terminator("\r\n").collect();
        assert!(rows[0].starts_with("time,action,actor,"));
        assert!(table.contains("\"'=HYPERLINK(\"\"http://x\"\")\""), "{table}");
        assert!(table.contains("\"'@SUM\""), "{table}");
        assert!(rows[1].starts_with("1970-01-01T00:00:00Z,chat.timedOut,ada,x,stage,"), "{table}");
    }
}
