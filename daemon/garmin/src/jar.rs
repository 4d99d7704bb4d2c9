//! The cookies of one sign-in, as plain data that survives a restart. The sign-in module fills a jar from answers and
//! sends it back; nothing else sees it. It knows the two ways in which Garmin's cookies arrive damaged: folded into
//! one header, and relayed by a gateway with attributes of hosts that are not the gateway's. A sign-in is short, and this machine's
//! clock may be wrong: cookies are kept until Garmin deletes them or the sign-in ends, whatever their own end says.

use std::fmt;

use chrono::{DateTime, Utc};
use cookie_store::{Cookie, CookieExpiration, CookieStore, RawCookie};
use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::Url;

use crate::{
    client::{date, sensitive},
    settings::Domain,
};

/// 2000-01-01: no answer of Garmin's is older, so a cookie that ends before then is being deleted.
const LONG_AGO: i64 = 946_684_800;

/// Cookies with all their attributes, sent back by the rules of RFC 6265. `Debug` shows how many there are.
#[derive(Clone, Default)]
pub(crate) struct Jar(CookieStore);

impl Jar {
    /// Keeps the cookies of an answer that came from `url`.
    pub fn keep(&mut self, headers: &HeaderMap, url: &Url) {
        let garmins_own = url.host_str().is_some_and(|host| Domain::of_host(host).is_some());
        let now = date(headers);
        for value in headers.get_all(SET_COOKIE) {
            let Ok(value) = std::str::from_utf8(value.as_bytes()) else { continue };
            for cookie in unfold(value) {
                let Ok(mut cookie) = RawCookie::parse(cookie) else { continue };
                if !garmins_own {
                    // A gateway may relay Garmin's Domain, Path and Secure, which would keep the cookie from ever going back
                    // to the gateway. Here it belongs to the whole gateway and to nobody else.
                    cookie.unset_domain();
                    cookie.set_path("/");
                    cookie.set_secure(false);
                }
                if is_deletion(&cookie, now) {
                    cookie.make_removal();
                } else {
                    cookie.set_max_age(None);
                    cookie.unset_expires();
                }
                // Refused are deletions of what is not there, and cookies meant for a foreign host: rightly so.
                let _ = self.0.insert_raw(&cookie, url);
            }
        }
    }

    /// The `Cookie` header for a request to `url`, if there is anything to send.
    pub fn header(&self, url: &Url) -> Option<HeaderValue> {
        let mut pairs: Vec<String> =
            self.0.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect();
        pairs.sort(); // the store has no order of its own
        if pairs.is_empty() { None } else { sensitive(&pairs.join("; ")) }
    }
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jar({} cookies)", self.0.iter_unexpired().count())
    }
}

impl Serialize for Jar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter_unexpired())
    }
}

impl<'de> Deserialize<'de> for Jar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The inner error would quote the cookie.
        let unreadable = || de::Error::custom("the cookies cannot be read");
        let cookies = Vec::<Cookie<'static>>::deserialize(deserializer).map_err(|_| unreadable())?;
        // Earlier releases wrote down when each ends.
        let lasting = cookies.into_iter().map(|mut cookie| {
            cookie.expires = CookieExpiration::SessionEnd;
            Ok::<_, D::Error>(cookie)
        });
        let store = CookieStore::from_cookies(lasting, true)?;
        Ok(Jar(store))
    }
}

/// Whether Garmin deletes a cookie with this, by the moment of its answer, or else by common sense: never by this machine's clock.
fn is_deletion(cookie: &RawCookie<'_>, now: Option<DateTime<Utc>>) -> bool {
    if let Some(age) = cookie.max_age() {
        return age.whole_seconds() <= 0;
    }
    let ends = cookie.expires_datetime().map(|ends| ends.unix_timestamp());
    ends.is_some_and(|ends| ends <= now.map_or(LONG_AGO, |now| now.timestamp()))
}

/// Splits cookies that were folded into one `Set-Cookie` value. Expiry dates contain commas too, so a new cookie starts
/// only after a comma that is followed by `name=`.
fn unfold(value: &str) -> Vec<&str> {
    let mut cookies = Vec::new();
    let mut start = 0;
    for (comma, _) in value.match_indices(',') {
        let rest = value[comma + 1..].trim_start();
        let name = rest.find(|c: char| !is_token(c)).unwrap_or(rest.len());
        if name > 0 && rest[name..].starts_with('=') {
            cookies.push(value[start..comma].trim());
            start = comma + 1;
        }
    }
    cookies.push(value[start..].trim());
    cookies
}

/// Characters of a cookie's name (RFC 6265: a token).
fn is_token(c: char) -> bool {
    c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?={}".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(url: &str, cookies: &[&str]) -> Jar {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(SET_COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        let mut jar = Jar::default();
        jar.keep(&headers, &url.parse().unwrap());
        jar
    }

    fn sent(jar: &Jar, url: &str) -> String {
        jar.header(&url.parse().unwrap()).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn folded_cookies_are_split_and_dates_are_not() {
        assert_eq!(
            unfold("a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Path=/, b=2; Secure,c=3"),
            ["a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT; Path=/", "b=2; Secure", "c=3"]
        );
        assert_eq!(
            unfold("a=1; Expires=Wed, 21-Oct-2099 07:28:00 GMT"),
            ["a=1; Expires=Wed, 21-Oct-2099 07:28:00 GMT"]
        );
        assert_eq!(unfold("a=x,y"), ["a=x,y"]);
        assert_eq!(unfold(""), [""]);
        let jar = jar(
            "https://sso.garmin.com/x",
            &["SESSION=s; Path=/; Expires=Wed, 21 Oct 2099 07:28:00 GMT, __cf_bm=c; Path=/"],
        );
        assert_eq!(sent(&jar, "https://sso.garmin.com/mobile/api/login"), "SESSION=s; __cf_bm=c");
    }

    #[test]
    fn cookies_go_only_where_garmin_said() {
        let jar = jar(
            "https://sso.garmin.com/mobile/sso/en_US/sign-in",
            &[
                "host=1; Path=/",
                "wide=2; Domain=garmin.com; Path=/; Secure",
                "deep=3; Path=/portal",
                "foreign=4; Domain=example.org; Path=/",
                "gone=5; Path=/; Max-Age=0",
            ],
        );
        assert_eq!(sent(&jar, "https://sso.garmin.com/mobile/api/login"), "host=1; wide=2");
        assert_eq!(sent(&jar, "https://connect.garmin.com/"), "wide=2");
        assert_eq!(sent(&jar, "http://sso.garmin.com/"), "host=1");
        assert_eq!(sent(&jar, "https://example.org/"), "");
    }

    #[test]
    fn behind_a_gateway_all_cookies_belong_to_the_gateway() {
        let jar = jar(
            "http://127.0.0.1:8899/sso/mobile/sso/en_US/sign-in",
            &[
                "a=1; Domain=garmin.com; Path=/mobile; Secure; HttpOnly",
                "b=2; Domain=.sso.garmin.com; Path=/; Secure; SameSite=None",
            ],
        );
        assert_eq!(sent(&jar, "http://127.0.0.1:8899/sso/portal/api/login"), "a=1; b=2");
        assert_eq!(sent(&jar, "https://sso.garmin.com/mobile/api/login"), "");
    }

    #[test]
    fn a_jar_survives_as_text_with_all_attributes() {
        let before = jar(
            "https://sso.garmin.com/mobile/sso/en_US/sign-in",
            &[
                "host=1; Path=/",
                "wide=\"2=2\"; Domain=garmin.com; Path=/; Secure; HttpOnly; Max-Age=1800",
                "deep=3; Path=/portal; Expires=Wed, 21 Oct 2099 07:28:00 GMT",
            ],
        );
        let text = serde_json::to_string(&before).unwrap();
        let after: Jar = serde_json::from_str(&text).unwrap();
        for url in [
            "https://sso.garmin.com/portal/x",
            "https://sso.garmin.com/",
            "http://sso.garmin.com/",
            "https://x.garmin.com/",
        ] {
            assert_eq!(sent(&after, url), sent(&before, url), "{url}");
        }
        assert_eq!(sent(&after, "https://x.garmin.com/"), "wide=\"2=2\"");
        assert_eq!(format!("{after:?}"), "Jar(3 cookies)");
    }

    #[test]
    fn cookies_end_by_garmins_clock_and_not_by_this_machines() {
        let page = "https://sso.garmin.com/".parse().unwrap();
        let answer = |date: Option<&'static str>, cookies: &[&'static str]| {
            let mut headers = HeaderMap::new();
            if let Some(date) = date {
                headers.insert(reqwest::header::DATE, HeaderValue::from_static(date));
            }
            for cookie in cookies {
                headers.append(SET_COOKIE, HeaderValue::from_static(cookie));
            }
            headers
        };
        // For Garmin it is 2019; here it is years later.
        let then = Some("Sat, 21 Sep 2019 07:28:00 GMT");
        let soon = "a=1; Path=/; Expires=Sat, 21 Sep 2019 07:58:00 GMT";
        for date in [then, None] {
            let mut jar = Jar::default();
            jar.keep(&answer(date, &[soon, "b=2; Path=/; Max-Age=1800"]), &page);
            assert_eq!(sent(&jar, page.as_str()), "a=1; b=2", "{date:?}");
            let text = serde_json::to_string(&jar).unwrap();
            assert_eq!(sent(&serde_json::from_str(&text).unwrap(), page.as_str()), "a=1; b=2");
            jar.keep(&answer(date, &["a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:10 GMT"]), &page);
            assert_eq!(sent(&jar, page.as_str()), "b=2", "deleted");
        }
        let mut jar = Jar::default();
        jar.keep(&answer(then, &[soon, "b=2; Path=/"]), &page);
        jar.keep(
            &answer(then, &["a=x; Path=/; Expires=Sat, 21 Sep 2019 07:27:59 GMT", "b=; Path=/; Max-Age=-1"]),
            &page,
        );
        assert_eq!(sent(&jar, page.as_str()), "", "deleted by Garmin's clock");
    }

    #[test]
    fn a_jar_of_an_earlier_release_keeps_what_has_ended_meanwhile() {
        let text = r#"[{"raw_cookie":"SESSION=s; Path=/; Expires=Sat, 21 Sep 2019 07:58:00 GMT","path":["/",true],
            "domain":{"HostOnly":"sso.garmin.com"},"expires":{"AtUtc":"2019-09-21T07:58:00Z"}}]"#;
        let jar: Jar = serde_json::from_str(text).unwrap();
        assert_eq!(sent(&jar, "https://sso.garmin.com/mobile/api/mfa/verifyCode"), "SESSION=s");
    }

    #[test]
    fn an_unreadable_jar_does_not_quote_its_cookies() {
        let text = r#"[{"raw_cookie":"=s3cret","path":["/",true],"domain":"Empty","expires":"SessionEnd"}]"#;
        let error = serde_json::from_str::<Jar>(text).unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }
}
