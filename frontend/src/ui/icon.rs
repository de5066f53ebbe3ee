//! One set of outline icons, 24 × 24, drawn with one stroke width.

use yew::prelude::*;

/// Which icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Shape {
    Play,
    Pause,
    Sound,
    Quiet,
    Muted,
    Gear,
    Chart,
    Window,
    Theatre,
    Enlarge,
    Shrink,
    Keyboard,
    Share,
    Copy,
    Eye,
    EyeOff,
    Check,
    Alert,
    Camera,
    Screen,
    Both,
    Live,
    Person,
    People,
    Close,
    Sun,
    Moon,
    Clock,
    Circle,
    Retry,
    Download,
    Chat,
    Reply,
    Smile,
    Send,
    More,
    Shield,
    Star,
    Hide,
    Gem,
    Pin,
    Search,
    Heart,
    Bell,
    Lock,
}

impl Shape {
    fn path(self) -> &'static str {
        match self {
            Self::Play => "M7 4.5v15l12-7.5z",
            Self::Pause => "M8 5v14M16 5v14",
            Self::Sound => "M4 9.5v5h4l5 4v-13l-5 4zM16 9a4 4 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11",
            Self::Quiet => "M4 9.5v5h4l5 4v-13l-5 4zM16 9a4 4 0 0 1 0 6",
            Self::Muted => "M4 9.5v5h4l5 4v-13l-5 4zM16.5 9.5l5 5M21.5 9.5l-5 5",
            Self::Gear => {
                "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4zM9 14.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4z"
            }
            Self::Chart => "M4 4v16h16M8 15l3.5-4 3 2.5L19 8",
            Self::Window => "M20 11V6a1 1 0 0 0-1-1H4a1 1 0 0 0-1 1v11a1 1 0 0 0 1 1h6M13 14h8v6h-8z",
            Self::Theatre => "M3 6h18v12H3zM6.5 9.5v5M17.5 9.5v5",
            Self::Enlarge => "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
            Self::Shrink => "M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5",
            Self::Keyboard => "M3 6.5h18v11H3zM7 10h.01M11 10h.01M15 10h.01M18 10h.01M8 14h8",
            Self::Share => "M12 15V4M8 7.5 12 4l4 3.5M5 12v7a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1v-7",
            Self::Copy => "M9 9h11v11H9zM15 9V4H4v11h5",
            Self::Eye => {
                "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6z"
            }
            Self::EyeOff => {
                "M4 4l16 16M9.5 5.8A9 9 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a16 16 0 0 1-2.7 3.4M6 7.8A15 15 0 0 0 2.5 12S6 18.5 12 18.5a9 9 0 0 0 4.2-1"
            }
            Self::Check => "M5 12.5l4.5 4.5L19 7.5",
            Self::Alert => "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17h.01",
            Self::Camera => "M3 7h12v10H3zM15 11l6-3.5v9L15 13z",
            Self::Screen => "M3 5h18v11H3zM9 20h6M12 16v4",
            Self::Both => "M3 5h18v14H3zM12.5 12H18v4h-5.5z",
            Self::Live => {
                "M12 10a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM8 8a5.7 5.7 0 0 0 0 8M16 8a5.7 5.7 0 0 1 0 8M5.2 5.2a9.6 9.6 0 0 0 0 13.6M18.8 5.2a9.6 9.6 0 0 1 0 13.6"
            }
            Self::Person => "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4.5 20a7.5 7.5 0 0 1 15 0",
            Self::People => {
                "M9 5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zM2.5 19a6.5 6.5 0 0 1 13 0M15.5 5.3a3.5 3.5 0 0 1 0 6.4M18 13.7a6.5 6.5 0 0 1 3.5 5.3"
            }
            Self::Close => "M6 6l12 12M18 6 6 18",
            Self::Sun => {
                "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4"
            }
            Self::Moon => "M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z",
            Self::Clock => "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM12 7.5V12l3 2",
            Self::Circle => "M12 5a7 7 0 1 1 0 14 7 7 0 0 1 0-14z",
            Self::Download => "M12 4v11M8 11.5l4 3.5 4-3.5M5 19.5h14",
            Self::Chat => "M4 5h16v11h-9l-4.5 4v-4H4z",
            Self::Reply => "M10 5.5 4 11l6 5.5M4 11h10a6 6 0 0 1 6 6v2",
            Self::Smile => {
                "M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM8.5 14a4 4 0 0 0 7 0M9 9.5h.01M15 9.5h.01"
            }
            Self::Send => "M4 12 20 4l-4.5 16-4-6.5zM11.5 13.5 20 4",
            Self::More => "M6 12h.01M12 12h.01M18 12h.01",
            Self::Shield => "M12 3.5 5 6v5.5c0 4.5 3 7.5 7 9 4-1.5 7-4.5 7-9V6z",
            Self::Star => "M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.8-5.2 2.8 1-5.9-4.3-4.1 5.9-.8z",
            Self::Search => "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM15.2 15.2 20 20",
            Self::Heart => "M12 19.5 4.8 12a4.4 4.4 0 0 1 6.2-6.2l1 1 1-1A4.4 4.4 0 0 1 19.2 12z",
            Self::Bell => "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4",
            Self::Lock => "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
            Self::Hide => "M9 5.5l6.5 6.5L9 18.5M19 5v14",
            Self::Gem => "M7 4.5h10l4 5.5-9 10-9-10zM3 10h18",
            Self::Pin => "M9 4h6l-1 6 3.5 3.5h-11L10 10zM12 13.5V20",
            Self::Retry => "M19.5 12a7.5 7.5 0 1 1-2.2-5.3M19.5 3.5v4h-4",
        }
    }
}

/// An icon that is decoration beside a text. Icons and monograms are functions: as components they would cost every page.
pub fn icon(shape: Shape) -> Html {
    html! { <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d={shape.path()} /></svg> }
}

/// An icon that stands alone, with the name that a screen reader says.
pub fn named_icon(shape: Shape, name: &'static str) -> Html {
    html! { <svg class="icon" viewBox="0 0 24 24" role="img" aria-label={name}><path d={shape.path()} /></svg> }
}

/// The word mark: three level strokes, the middle one falling.
pub fn word_mark() -> Html {
    html! {
        <svg class="word-mark" viewBox="0 0 32 24" aria-hidden="true">
            <path d="M3 5h26M3 10.5h9.5c4 0 3 5 7 5H29M3 21h26" />
        </svg>
    }
}
