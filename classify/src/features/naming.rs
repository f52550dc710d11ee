//! What a feature is called, where a person asks why.

/// Returns the name of a feature, by its name space and what it is there.
pub(super) fn name(space: &str, all: &str) -> String {
    match space {
        "w" | "ww" | "b" | "bb" => format!("\"{all}\""),
        "w_w" => format!("\"{}\"", all.replace(' ', " … ")),
        "first" | "second" => format!("begins with \"{all}\""),
        "last" => format!("ends with \"{all}\""),
        "c" => format!("letters \"{all}\""),
        "why" | "path" | "risk" => format!("rubric: {all}"),
        "tier" | "tier+sure" | "leaf" => format!("the flowchart's {all}"),
        "has" => format!("has {all}"),
        "field" | "field+depth" => format!("field {all}"),
        _ => format!("{space} {all}").trim_end().to_owned(),
    }
}
