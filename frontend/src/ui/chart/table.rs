//! The numbers behind a chart.

use super::{
    draw_state,
    panel::{Panel, Values},
    scale_state::Clock,
    view::ChartProps,
};
use crate::ui::element::{el, el_with, text_of, words};
use yew::prelude::*;

/// The most rows of a table.
const ROWS: usize = 200;

/// The table. Made only while somebody has it open.
pub fn behind(props: &ChartProps) -> Html {
    let columns: Vec<(&Panel, AttrValue, &Values)> = props
        .panels
        .iter()
        .flat_map(|panel| {
            let ghost = panel
                .ghost
                .as_ref()
                .map(|(name, values)| (panel, AttrValue::from(format!("{} ({name})", panel.name)), values));
            std::iter::once((panel, AttrValue::from(panel.name), &panel.values)).chain(ghost)
        })
        .collect();
    let count = columns.iter().map(|(_, _, values)| values.len()).max().unwrap_or_default();
    let size = draw_state::row_size(count, props.step, ROWS);
    let row = |at: usize| {
        let mut cells = vec![scoped("row", props.clock.words(at as f64 * props.step))];
        cells.extend(columns.iter().map(|(panel, _, values)| {
            let (from, to) = (at.min(values.len()), (at + size).min(values.len()));
            let value = panel.look.merge(&values[from..to]);
            words("td", "", value.map_or_else(|| "–".to_owned(), |value| panel.unit.short(value)))
        }));
        el("tr", "", cells)
    };
    let mut head = vec![scoped("col", props.time_name)];
    head.extend(columns.iter().map(|(_, name, _)| scoped("col", name.clone())));
    let table = vec![
        el("thead", "", vec![el("tr", "", head)]),
        el("tbody", "", (0..count).step_by(size).map(row).collect()),
    ];
    let table = el_with("table", "table", &[("data-testid", &format!("{}-table", props.id))], table);
    let mut parts = Vec::new();
    if size > 1 {
        let rows = Clock::Since.words(size as f64 * props.step);
        let note = format!(
            "In rows of {rows}, with the highest, the mean or the sum of each. Exports have every step."
        );
        parts.push(words("p", "field-note", note));
    }
    // It scrolls, and so must be reached by keys.
    let attributes = [("tabindex", "0"), ("role", "group"), ("aria-label", &*props.label)];
    parts.push(el_with("div", "table-box", &attributes, vec![table]));
    parts.into_iter().collect()
}

fn scoped(scope: &'static str, text: impl Into<AttrValue>) -> Html {
    el_with("th", "", &[("scope", scope)], vec![text_of(text.into())])
}
