//! The shape of JSON: which field is an object, which an array. No value is copied on the way.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What a JSON value is, as far as its fields are concerned.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Object(BTreeMap<String, Shape>),
    Array,
    Other,
}

impl Shape {
    /// The shape of the field at a dotted path.
    pub(super) fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |shape, name| match shape {
            Self::Object(fields) => fields.get(name),
            _ => None,
        })
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((name, shape)) = map.next_entry()? {
            fields.insert(name, shape);
        }
        Ok(Shape::Object(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Shape::Array)
    }

    fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Other)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look)
    }
}

#[cfg(test)]
mod tests {
    use super::Shape;

    #[test]
    fn shapes_are_told_apart_at_any_depth() {
        let json = r#"{"a": {"b": [1, {"c": 2}], "d": "x", "e": null, "f": 1.5, "g": -1, "h": true, "i": {}}}"#;
        let shape: Shape = serde_json::from_str(json).unwrap();
        assert_eq!(shape.at("a.b"), Some(&Shape::Array));
        for other in ["a.d", "a.e", "a.f", "a.g", "a.h"] {
            assert_eq!(shape.at(other), Some(&Shape::Other), "{other}");
        }
        assert!(matches!(shape.at("a.i"), Some(Shape::Object(_))));
        assert_eq!(shape.at("a.b.c"), None);
        assert_eq!(shape.at("z"), None);
    }
}
