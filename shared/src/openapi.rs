//! How types that parse themselves look in OpenAPI. Compiled for the server alone.

use utoipa::openapi::{
    KnownFormat, ObjectBuilder, RefOr, SchemaFormat,
    schema::{Schema, Type},
};

/// Text of a type's own kind.
pub(crate) fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

/// A time.
pub(crate) fn time() -> RefOr<Schema> {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    text("RFC 3339 in UTC, with milliseconds where they aren't 0").format(Some(format)).build().into()
}

/// Gives a type a schema of its own, by a function's name.
macro_rules! schema {
    ($name:ident, $schema:expr) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                $schema.into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

pub(crate) use schema;

#[cfg(test)]
mod tests {
    use crate::{chat::ChatUpdate, event::Occurrence, publish::RoomUpdate};
    use utoipa::PartialSchema;

    #[test]
    fn fields_are_named_as_they_are_on_the_wire() {
        let text = |schema| serde_json::to_string(&schema).unwrap();
        let occurrence = text(Occurrence::schema());
        assert!(occurrence.contains("\"streamId\"") && !occurrence.contains("stream_id"), "{occurrence}");
        let update = text(ChatUpdate::schema());
        assert!(update.contains("\"unsilenced\"") && update.contains("\"messages\""), "{update}");
        let room = text(RoomUpdate::schema());
        assert!(room.contains("\"roomKey\""), "{room}");
    }
}
