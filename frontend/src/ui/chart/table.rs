//! The numbers behind a chart.

use super::{
    draw_state,
    panel::{Panel, Values},
    scale_state::Clock,
    view::ChartProps,
};
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
        let cell = |(panel, _, values): &(&Panel, AttrValue, &Values)| {
            let (from, to) = (at.min(values.len()), (at + size).min(values.len()));
            let value = panel.look.merge(&values[from..to]);
            html! { <td>{ value.map_or_else(|| "–".to_owned(), |value| panel.unit.short(value)) }</td> }
        };
        html! {
            <tr key={at}>
                <th scope="row">{ props.clock.words(at as f64 * props.step) }</th>
                { for columns.iter().map(cell) }
            </tr>
        }
    };
    html! {
        <>
                if size > 1 {
                    <p class="field-note">{ format!("In rows of {}, with the highest, the mean or the sum of each. Exports have every step.",
                        Clock::Since.words(size as f64 * props.step)) }</p>
                }
                <div class="table-box" tabindex="0" role="group" aria-label={props.label.clone()}>
                    <table class="table" data-testid={format!("{}-table", props.id)}>
                        <thead><tr>
                            <th scope="col">{ props.time_name }</th>
                            { for columns.iter().map(|(_, name, _)| html! { <th scope="col">{ name.clone() }</th> }) }
                        </tr></thead>
                        <tbody>{ for (0..count).step_by(size).map(row) }</tbody>
                    </table>
                </div>
        </>
    }
}
