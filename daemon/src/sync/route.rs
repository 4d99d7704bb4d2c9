//! How one tier serves a dataset: the paths, their limits, and where in an answer the rows are. A dataset's `dataset.toml` fills it; the
//! plan goes by the limits, the runner by the paths, the archive by the pointers. It must not know any metric by name.

use std::collections::BTreeMap;

use chrono::{Datelike, Months, NaiveDate};
use serde::{Deserialize, Deserializer};

/// How one tier serves a dataset.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Path and query. `{from}`, `{to}`: first and last day; `{date}`: the one day; `{start}`, `{limit}`: offset and size of a page;
    /// `{id}`: an activity, a gear item; `{dn}`: the display name; `{profile}`: the person's number; `{year}`, `{month0}`: those of the one day, months counted from 0. A query parameter whose value is
    /// open is left out.
    #[serde(default)]
    pub path: String,
    /// Instead of one path several, by name: what they answer is kept as one, an object with an array of rows under each name.
    #[serde(default)]
    pub parts: BTreeMap<String, String>,
    /// The dataset in whose answers this one lies: it comes with them and costs no request of its own.
    #[serde(default)]
    pub within: String,
    /// The longest range in days, inclusive, that the tier answers.
    #[serde(default = "no_cap")]
    pub cap_days: u32,
    /// One day stands for many: only these are asked for.
    #[serde(default)]
    pub points: Points,
    /// Page sizes, in the order to try: the next one when a page was too big.
    #[serde(default)]
    pub pages: Vec<u32>,
    /// A path that tells how many rows the whole list has, with the legs of multisport activities, which it leaves out.
    #[serde(default)]
    pub count: String,
    /// The offset of the first row; Garmin counts some lists from 1.
    #[serde(default)]
    pub first: u32,
    /// JSON pointer to the array of rows; empty: the answer is the array. A `*` stands for every member.
    #[serde(default)]
    pub rows: String,
    /// The rows are the members of an object, under their days.
    #[serde(default)]
    pub keyed: bool,
    /// JSON pointer to an inner HTTP status: anything but 200 is trouble, whatever the outer one says.
    #[serde(default)]
    pub status: String,
    /// JSON pointer, inside a row, to what identifies it; empty: its day.
    #[serde(default)]
    pub item: String,
    /// JSON pointers, inside a row, to its day or local time; the first that leads to one counts.
    #[serde(default, deserialize_with = "one_or_many")]
    pub day: Vec<String>,
    /// A day has any number of rows; they are kept together, as an array.
    #[serde(default)]
    pub several: bool,
    /// JSON pointer, inside a row: only that of each row is kept. Empty: all of it.
    #[serde(default)]
    pub keep: String,
    /// JSON pointers inside a row (or inside the whole answer, where it is one). If all lead to nothing (null, false, 0, or containers of
    /// nothing), it only says that there are no data. Empty: every row has data.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// JSON pointer to what an answer has even where it has no evidence, such as the name of its day; else that is an unknown shape.
    #[serde(default)]
    pub envelope: String,
    /// JSON pointers, inside the whole answer, to the first and the last day that it speaks of (or to its one day): a day in between that it
    /// does not list has nothing more. Where one day stands for its month: to the year, and to the month, counted from 0.
    #[serde(default)]
    pub covers: Vec<String>,
    /// A file comes, not JSON.
    #[serde(default)]
    pub file: bool,
}

/// Which days are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Points {
    /// Every day.
    #[default]
    Days,
    /// The last day of each month; of this month the last of the 7th, 14th, 21st and 28th that has begun.
    Months,
}

impl Points {
    /// The days that an answer about these speaks of.
    pub fn span(self, from: NaiveDate, to: NaiveDate) -> (NaiveDate, NaiveDate) {
        let first = to.with_day(1).filter(|_| self == Self::Months);
        let last = first.and_then(|first| first.checked_add_months(Months::new(1))?.pred_opt());
        first.zip(last).unwrap_or((from, to))
    }
}

fn no_cap() -> u32 {
    u32::MAX
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

/// What goes into the placeholders of a path.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'a> {
    /// `{from}`; `None`: from the beginning.
    pub from: Option<NaiveDate>,
    /// `{to}` and `{date}`; `None`: up to now.
    pub to: Option<NaiveDate>,
    /// `{start}` and `{limit}`.
    pub page: Option<(u32, u32)>,
    /// `{id}`.
    pub id: Option<&'a str>,
    /// `{dn}`.
    pub display_name: Option<&'a str>,
    /// `{profile}`.
    pub profile: Option<i64>,
}

impl Values<'_> {
    fn of(&self, name: &str) -> Option<String> {
        match name {
            "from" => self.from.map(|day| day.to_string()),
            "to" | "date" => self.to.map(|day| day.to_string()),
            "year" => self.to.map(|day| day.year().to_string()),
            "month0" => self.to.map(|day| day.month0().to_string()),
            "start" => self.page.map(|(start, _)| start.to_string()),
            "limit" => self.page.map(|(_, limit)| limit.to_string()),
            "id" => self.id.map(percent_encoded),
            "dn" => self.display_name.map(percent_encoded),
            "profile" => self.profile.map(|profile| profile.to_string()),
            _ => None,
        }
    }
}

/// A display name can be anything a person may type; in a path only the unreserved characters stand for themselves.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

impl Route {
    /// The paths with their names; one without a name where there are no parts.
    pub fn paths(&self) -> impl Iterator<Item = (&str, &str)> {
        let single = Some(("", self.path.as_str())).filter(|_| self.parts.is_empty());
        single.into_iter().chain(self.parts.iter().map(|(name, path)| (name.as_str(), path.as_str())))
    }

    /// Whether an answer as a whole is about the one day that was asked for.
    pub fn is_single_day(&self) -> bool {
        self.cap_days == 1 && self.day.is_empty()
    }

    /// Requests that one range (or day, or item) costs, if it is one page.
    pub fn requests(&self) -> u32 {
        if self.within.is_empty() { self.paths().count() as u32 } else { 0 }
    }
}

/// A path with `values` in it; `None` when the path itself, not its query, needs one that is missing.
pub fn render(path: &str, values: &Values<'_>) -> Option<String> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut rendered = fill(path, values)?;
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    for (separator, parameter) in
        std::iter::once('?').chain(std::iter::repeat('&')).zip(parameters.filter_map(|p| fill(p, values)))
    {
        rendered.push(separator);
        rendered.push_str(&parameter);
    }
    Some(rendered)
}

/// Replaces each `{name}`; `None` if one has no value.
fn fill(template: &str, values: &Values<'_>) -> Option<String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        filled.push_str(before);
        filled.push_str(&values.of(name)?);
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leaves_open_parameters_out() {
        let list = "/list?start={start}&limit={limit}&startDate={from}&endDate={to}";
        let mut values = Values { page: Some((20, 10)), ..Values::default() };
        assert_eq!(render(list, &values).unwrap(), "/list?start=20&limit=10");
        values.to = "2026-10-21".parse().ok();
        assert_eq!(render(list, &values).unwrap(), "/list?start=20&limit=10&endDate=2026-10-21");
        assert_eq!(render(list, &Values { page: None, to: None, ..values }).unwrap(), "/list");
        assert_eq!(render("/{year}/{month0}", &Values { to: "2026-01-31".parse().ok(), ..values }).unwrap(), "/2026/0");
        let named = "/of/{dn}/{date}";
        assert_eq!(render(named, &values), None);
        values.display_name = Some("a/b ö?");
        assert_eq!(render(named, &values).unwrap(), "/of/a%2Fb%20%C3%B6%3F/2026-10-21");
        let (id, profile) = (Some("0a-1/.."), Some(7));
        assert_eq!(render("/gear/{id}?p={profile}", &Values { id, profile, ..values }).unwrap(), "/gear/0a-1%2F..?p=7");
    }
}
