//! Elements by function calls. Written as markup, each one is compiled out in full where it stands; where a page has dozens
//! that only hold words, this weighs half.

use yew::{
    AttrValue, Html,
    virtual_dom::{VTag, VText},
};

/// An element with a class and what is in it.
pub fn el(tag: &'static str, class: &'static str, children: Vec<Html>) -> Html {
    el_with(tag, class, &[], children)
}

/// The same with more attributes.
pub fn el_with(
    tag: &'static str,
    class: &'static str,
    attributes: &[(&'static str, &str)],
    children: Vec<Html>,
) -> Html {
    let mut element = VTag::new(tag);
    if !class.is_empty() {
        element.add_attribute("class", class);
    }
    for (name, value) in attributes {
        element.add_attribute(name, AttrValue::from((*value).to_owned()));
    }
    element.add_children(children);
    element.into()
}

/// An element that holds words.
pub fn words(tag: &'static str, class: &'static str, text: impl Into<AttrValue>) -> Html {
    el(tag, class, vec![text_of(text.into())])
}

/// What is wrong, read out as soon as it is there.
pub fn alert(text: Option<String>) -> Html {
    // A node in either case: one that comes and goes would have those before it made anew, and a field lose its focus.
    text.map_or_else(Html::default, |text| {
        el_with("p", "field-note field-error", &[("role", "alert")], vec![text.into()])
    })
}

/// Words alone.
pub fn text_of(text: AttrValue) -> Html {
    VText::new(text).into()
}
