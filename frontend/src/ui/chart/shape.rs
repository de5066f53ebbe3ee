//! SVG elements, each made by one function call: written as markup, every one of them would be compiled out in full.

use super::draw_state::px;
use yew::{
    AttrValue, Html,
    virtual_dom::{VNode, VTag, VText},
};

/// An element with a class and numbers for attributes.
pub fn shape(tag: &'static str, class: &'static str, numbers: &[(&'static str, f64)]) -> VTag {
    let mut element = VTag::new(tag);
    element.add_attribute("class", class);
    for (name, value) in numbers {
        element.add_attribute(name, px(*value));
    }
    element
}

/// A line between two points.
pub fn line(class: &'static str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> Html {
    shape("line", class, &[("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)]).into()
}

/// A circle.
pub fn circle(class: &'static str, (x, y): (f64, f64), radius: f64) -> Html {
    shape("circle", class, &[("cx", x), ("cy", y), ("r", radius)]).into()
}

/// A rectangle from its upper left.
pub fn rect(class: &'static str, (x, y): (f64, f64), (width, height): (f64, f64)) -> Html {
    shape("rect", class, &[("x", x), ("y", y), ("width", width), ("height", height), ("rx", 4.0)]).into()
}

/// Words.
pub fn text(class: &'static str, (x, y): (f64, f64), words: impl Into<AttrValue>) -> VTag {
    let mut element = shape("text", class, &[("x", x), ("y", y)]);
    element.add_child(VText::new(words.into()).into());
    element
}

/// A path.
pub fn path(class: &'static str, path: String) -> VTag {
    let mut element = shape("path", class, &[]);
    element.add_attribute("d", path);
    element
}

/// Elements moved together.
pub fn group(class: &'static str, (x, y): (f64, f64), children: Vec<VNode>) -> VTag {
    let mut element = shape("g", class, &[]);
    element.add_attribute("transform", format!("translate({} {})", px(x), px(y)));
    element.add_children(children);
    element
}
