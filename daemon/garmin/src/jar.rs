//! The cookies of one sign-in, as plain data that survives a restart. The sign-in module fills a jar from answers and
//! sends it back; nothing else sees it. It knows the two ways in which Garmin's cookies arrive damaged: folded into
//! one header, and relayed by a gateway with attributes of hosts that are not the gateway's.

use std::fmt;

use cookie_store::{Cookie, CookieStore, RawCookie};
use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::Url;

use crate::{client::sensitive, settings::Domain};

/// Cookies with all their attributes, sent back by the rules of RFC 6265. `Debug` shows how many there are.
#[derive(Clone, Default)]
pub(crate) struct Jar(CookieStore);

impl Jar {
    /// Keeps the cookies of an answer that came from `url`.
    pub fn keep(&mut self, headers: &HeaderMap, url: &Url) {
        let garmins_own = url.host_str().is_some_and(|host| Domain::of_host(host).is_some());
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
                // Refused are cookies that are already expired or meant for a foreign host: rightly so.
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
        let store = CookieStore::from_cookies(cookies.into_iter().map(Ok::<_, D::Error>), false)?;
        Ok(Jar(store))
    }
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
    fn an_unreadable_jar_does_not_quote_its_cookies() {
        let text = r#"[{"raw_cookie":"=s3cret","path":["/",true],"domain":"Empty","expires":"SessionEnd"}]"#;
        let error = serde_json::from_str::<Jar>(text).unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }
}
