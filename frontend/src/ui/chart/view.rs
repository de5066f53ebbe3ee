//! The chart on the page.

use super::{draw_state::px, panel::Panel, picture::Picture, scale_state::Clock, table};
use crate::{
    browser::{listen, page},
    ui::element::{el, words},
};
use std::rc::Rc;
use yew::prelude::*;

/// Something that happened at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Seconds from the axis' zero.
    pub at: f64,
    /// Until when it lasted, if it did.
    pub until: Option<f64>,
    /// What, in words.
    pub text: AttrValue,
}

/// Properties of [`Chart`].
#[derive(Properties, Clone, PartialEq)]
pub struct ChartProps {
    /// Stable, unique on the page.
    pub id: &'static str,
    /// What it shows, for who doesn't see it.
    pub label: AttrValue,
    /// From top to bottom.
    pub panels: Vec<Panel>,
    /// Seconds a step.
    pub step: f64,
    /// See [`super::axis_state::Axis::lead`].
    pub lead: f64,
    /// What the axis counts.
    pub clock: Clock,
    /// What the first column of the table is called.
    pub time_name: &'static str,
    /// What happened, in order.
    #[prop_or_default]
    pub marks: Vec<Mark>,
}

/// What a person did with the chart, and the picture that was made last with what it was made of.
#[derive(Default)]
struct Seen {
    width: f64,
    cursor: Option<usize>,
    said: AttrValue,
    table: bool,
    picture: Option<(ChartProps, f64, Rc<Picture>)>,
}

impl Seen {
    /// Drawn anew only if something changed: moving the cursor doesn't.
    fn picture(&mut self, props: &ChartProps) -> Rc<Picture> {
        let kept = self.picture.as_ref().filter(|(of, width, _)| *width == self.width && of == props);
        if let Some((.., picture)) = kept {
            return picture.clone();
        }
        let picture = Rc::new(Picture::of(props, self.width));
        self.picture = Some((props.clone(), self.width, picture.clone()));
        picture
    }
}

/// A chart that reads itself out.
#[component]
pub fn Chart(props: &ChartProps) -> Html {
    let node = use_node_ref();
    let seen = use_mut_ref(Seen::default);
    let update = use_force_update();
    {
        let (node, seen, update) = (node.clone(), seen.clone(), update.clone());
        use_effect_with((), move |()| {
            let measured = node.clone();
            let measure = move || {
                seen.borrow_mut().width = page::width(&measured);
                update.force_update();
            };
            measure();
            let observer = listen::resized(&node, measure);
            move || drop(observer)
        });
    }
    let picture = seen.borrow_mut().picture(props);
    let at = seen.borrow().cursor.filter(|at| *at < picture.axis.count);
    let point = {
        let (seen, update) = (seen.clone(), update.clone());
        Callback::from(move |cursor: Option<usize>| {
            if std::mem::replace(&mut seen.borrow_mut().cursor, cursor) != cursor {
                update.force_update();
            }
        })
    };
    let onkeydown = {
        let (seen, point, picture, props) = (seen.clone(), point.clone(), picture.clone(), props.clone());
        move |event: KeyboardEvent| {
            if event.alt_key() || event.ctrl_key() || event.meta_key() {
                return;
            }
            let cursor = seen.borrow().cursor;
            if event.key() == "Escape" && cursor.is_some() {
                event.stop_propagation();
                point.emit(None);
            } else if let Some(next) = picture.axis.moved(cursor, &event.key(), event.shift_key()) {
                event.prevent_default();
                seen.borrow_mut().said = picture.reading(&props, next).into();
                point.emit(Some(next));
            }
        }
    };
    let onpointer = {
        let (point, picture) = (point.clone(), picture.clone());
        Callback::from(move |event: PointerEvent| {
            // A finger that is lifted leaves what it pointed at.
            match event.type_() == "pointerleave" {
                false => point.emit(picture.at(f64::from(event.offset_x()))),
                true if event.pointer_type() == "mouse" => point.emit(None),
                true => {}
            }
        })
    };
    let onblur = move |_: FocusEvent| point.emit(None);
    let ontoggle = {
        let (seen, update) = (seen.clone(), update);
        move |event: Event| {
            seen.borrow_mut().table = page::is_open(&event);
            update.force_update();
        }
    };
    let seen = seen.borrow();
    let size = format!("0 0 {} {}", px(seen.width), px(picture.height));
    let mark = |mark: &Mark| words("li", "", format!("{} {}", props.clock.words(mark.at), mark.text));
    html! {
        <div class="chart" data-testid={props.id}>
            <div class="chart-box" ref={node} style={format!("block-size:{}px", px(picture.height))}>
                if seen.width > 0.0 {
                    <svg class={classes!("chart-picture", at.map(|_| "chart-read"))} viewBox={size} aria-hidden="true">
                        { picture.html.clone() }
                        { at.map(|at| picture.cursor(props, at)) }
                        { picture.heads(props, at) }
                    </svg>
                }
                <div class="chart-pad" role="application" tabindex="0" aria-roledescription="chart" aria-label={props.label.clone()}
                    onkeydown={onkeydown} onpointerdown={onpointer.clone()} onpointermove={onpointer.clone()}
                    onpointerleave={onpointer} onblur={onblur} data-testid={format!("{}-pad", props.id)}></div>
            </div>
            <p class="unseen" role="status" data-testid={format!("{}-said", props.id)}>{ seen.said.clone() }</p>
            if !props.marks.is_empty() { { el("ol", "chart-marks", props.marks.iter().map(mark).collect()) } }
            <details class="chart-behind" ontoggle={ontoggle}>
                <summary data-testid={format!("{}-behind", props.id)}>{ "Show as a table" }</summary>
                if seen.table { { table::behind(props) } }
            </details>
        </div>
    }
}
