//! What a chart is made of.

use super::draw_state::Look;
use crate::ui::format_state::{count, decimal, exact};
use std::rc::Rc;
use yew::AttrValue;

/// One value of each step.
pub type Values = Rc<Vec<Option<f64>>>;

/// What a panel's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things: what one is called, and several.
    Count(&'static str, &'static str),
    /// Milliseconds, and what follows their words.
    Millis(&'static str),
    /// Hundredths, and what follows their words.
    Percent(&'static str),
}

impl Unit {
    /// As it is read out: `42 viewers`.
    pub fn words(self, value: f64) -> String {
        let (number, name) = (self.short(value), self);
        match name {
            Self::Count(one, _) if number == "1" => format!("1 {one}"),
            Self::Count(_, name) | Self::Millis(name) | Self::Percent(name) => format!("{number} {name}"),
        }
    }

    /// As it stands in a table.
    pub fn short(self, value: f64) -> String {
        match self {
            Self::Count(..) => exact(value as u64),
            Self::Millis(_) => format!("{} s", decimal(value / 1000.0, 2)),
            Self::Percent(_) => format!("{} %", decimal(value, 0)),
        }
    }

    /// As it stands beside a line.
    pub fn tick(self, value: f64) -> String {
        match self {
            Self::Count(..) => count(value as u64),
            Self::Millis(_) if value > 0.0 => format!("{} s", decimal(value / 1000.0, 1)),
            Self::Percent(_) if value > 0.0 => format!("{} %", decimal(value, 0)),
            Self::Millis(_) | Self::Percent(_) => "0".to_owned(),
        }
    }
}

/// One of the charts that share an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// To find it in tests.
    pub id: &'static str,
    /// What it shows.
    pub name: &'static str,
    /// Beside the name while nothing is read out.
    pub note: AttrValue,
    /// How it is drawn.
    pub look: Look,
    /// Which colour, as a class.
    pub tone: &'static str,
    /// What is counted.
    pub unit: Unit,
    /// One a step.
    pub values: Values,
    /// The same of something else, to compare with, and its name.
    pub ghost: Option<(AttrValue, Values)>,
    /// Pixels.
    pub height: f64,
    /// The least that its top stands for.
    pub least: f64,
    /// Its highest value gets a dot.
    pub peak: bool,
    /// What is said where there is no value.
    pub silence: &'static str,
}
