//! Asking for one answer, which may take several requests: the parts and pages that a route names, put together. The run calls it for
//! everything but the activity list and files. It does not know what becomes of the answer.

use std::fs::File;

use garminsync_garmin::{Accept, Answer, Tier};

use super::ask::Trouble;
use super::{Login, Run, Stop};
use crate::sync::archive::{self, Part};
use crate::sync::datasets::Dataset;
use crate::sync::route::{Route, Values, render};

/// More pages than any list has.
const MOST_PAGES: usize = 1000;

/// What came: texts, part by part, or a file.
pub(super) struct Whole {
    parts: Vec<(String, Vec<Vec<u8>>)>,
    /// A file, if one came.
    pub file: Option<File>,
}

impl Whole {
    /// As the archive takes it; `None` if it is no text.
    pub fn parts(&self) -> Option<Vec<Part<'_>>> {
        self.parts
            .iter()
            .map(|(name, pages)| {
                let pages = pages.iter().map(|page| std::str::from_utf8(page).ok()).collect::<Option<Vec<_>>>()?;
                Some(Part { name, pages })
            })
            .collect()
    }
}

/// Why an answer is not whole.
pub(super) enum Lacking {
    /// A path needs what is not known of the account, such as its display name.
    NoPath,
    /// What the asking met.
    Trouble(Trouble),
}

impl<S: Login> Run<S> {
    /// Asks for all parts and pages. A part that is absent counts as empty beside others. `patient`: trouble is tried again.
    pub(super) async fn whole(
        &mut self,
        dataset: &'static Dataset,
        tier: Tier,
        route: &Route,
        values: Values<'_>,
        patient: bool,
    ) -> Result<Result<Whole, Lacking>, Stop> {
        let whole = self.all_parts(dataset, tier, route, values, patient).await?;
        self.was_served(dataset, tier, whole.is_ok());
        Ok(whole)
    }

    async fn all_parts(
        &mut self,
        dataset: &'static Dataset,
        tier: Tier,
        route: &Route,
        values: Values<'_>,
        patient: bool,
    ) -> Result<Result<Whole, Lacking>, Stop> {
        if route.file {
            let Some(path) = render(&route.path, &values) else { return Ok(Err(Lacking::NoPath)) };
            let file = self.ask_file(tier, path, patient).await?;
            return Ok(file.map(|file| Whole { parts: Vec::new(), file }).map_err(Lacking::Trouble));
        }
        let mut whole = Vec::new();
        let mut absent = 0;
        for (name, path) in route.paths() {
            let mut pages = Vec::new();
            match self.pages(dataset, tier, route, path, values, patient, &mut pages).await? {
                Ok(()) => {}
                Err(Lacking::Trouble(Trouble::Absent)) => absent += 1,
                Err(lacking) => return Ok(Err(lacking)),
            }
            whole.push((name.to_owned(), pages));
        }
        if absent == whole.len() {
            return Ok(Err(Lacking::Trouble(Trouble::Absent)));
        }
        Ok(Ok(Whole { parts: whole, file: None }))
    }

    #[expect(clippy::too_many_arguments, reason = "one loop, called from one place")]
    async fn pages(
        &mut self,
        dataset: &'static Dataset,
        tier: Tier,
        route: &Route,
        path: &str,
        values: Values<'_>,
        patient: bool,
        pages: &mut Vec<Vec<u8>>,
    ) -> Result<Result<(), Lacking>, Stop> {
        let mut start = route.first;
        loop {
            let size = self.page_size(dataset, tier);
            let limit = route.pages.get(size).or(route.pages.last()).copied();
            let smaller = size + 1 < route.pages.len();
            let values = Values { page: limit.map(|limit| (start, limit)), ..values };
            let Some(rendered) = render(path, &values) else { return Ok(Err(Lacking::NoPath)) };
            let body = match self.ask(tier, rendered, Accept::Json, smaller, patient).await? {
                Ok(Answer::Body(body)) => Vec::from(body),
                Ok(Answer::NoData) => return Ok(Ok(())),
                Err(Trouble::Refused(_)) if smaller => {
                    self.shrink_pages(dataset, tier, size + 1).await?;
                    continue;
                }
                Err(trouble) => return Ok(Err(Lacking::Trouble(trouble))),
            };
            let Some(limit) = limit else {
                pages.push(body);
                return Ok(Ok(()));
            };
            let counted = std::str::from_utf8(&body).map_err(|_| "not UTF-8".to_owned());
            let counted = counted.and_then(|text| archive::count(route, text).map_err(|shape| shape.to_string()));
            let (rows, oldest) = match counted {
                Ok(counted) => counted,
                Err(why) => return Ok(Err(Lacking::Trouble(Trouble::Odd(why)))),
            };
            let repeats = rows > 0 && pages.last() == Some(&body);
            pages.push(body);
            let enough = values.from.is_some_and(|from| oldest.is_some_and(|oldest| oldest < from));
            if rows < limit as usize || enough {
                return Ok(Ok(()));
            }
            if repeats || pages.len() >= MOST_PAGES {
                return Ok(Err(Lacking::Trouble(Trouble::Odd("the list has no end".into()))));
            }
            start = start.saturating_add(rows as u32);
        }
    }
}
