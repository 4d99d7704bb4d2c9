//! The three ways in at Garmin's sign-in for e-mail address and password: what each is called, who it claims to be, and in
//! which order they are tried. Plain facts; the sign-in modules act on them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Domain;

/// A way to sign in with e-mail address and password. Each is throttled in its own bucket, so a refusal of one does not
/// condemn the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// JSON, as the phone app signs in. Seen to accept ordinary programs most often.
    Mobile,
    /// JSON, as the web page signs in.
    Portal,
    /// HTML forms, as the widget signs in that other sites embed. The data service refuses its tokens for some accounts
    /// (since about June 2026), so they have to be tried before they are believed.
    Widget,
}

impl Flow {
    /// All flows, in the order to try. The mobile one is reported not to serve accounts of garmin.cn.
    pub fn order(domain: Domain) -> [Flow; 3] {
        match domain {
            Domain::Com => [Flow::Mobile, Flow::Portal, Flow::Widget],
            Domain::Cn => [Flow::Widget, Flow::Portal, Flow::Mobile],
        }
    }

    /// `mobile`, `portal` or `widget`; the paths of the JSON flows begin with it.
    pub fn as_str(self) -> &'static str {
        match self {
            Flow::Mobile => "mobile",
            Flow::Portal => "portal",
            Flow::Widget => "widget",
        }
    }

    /// The flow that knows the same session and has another bucket: JSON flows have each other.
    pub(crate) fn twin(self) -> Option<Flow> {
        match self {
            Flow::Mobile => Some(Flow::Portal),
            Flow::Portal => Some(Flow::Mobile),
            Flow::Widget => None,
        }
    }

    pub(crate) fn client_id(self) -> &'static str {
        match self {
            Flow::Mobile => "GCM_ANDROID_DARK",
            Flow::Portal => "GarminConnect",
            // It has none: its `id` is this.
            Flow::Widget => "gauth-widget",
        }
    }

    /// The service URL a ticket of this flow is bound to. Nothing is ever requested from the mobile one.
    pub(crate) fn service_url(self, domain: Domain) -> String {
        match self {
            Flow::Mobile => format!("https://mobile.integration.{domain}/gcm/android"),
            Flow::Portal => format!("https://connect.{domain}/app"),
            Flow::Widget => format!("https://sso.{domain}/sso/embed"),
        }
    }

    /// The page a person would open first; how Garmin spells the locale differs.
    pub(crate) fn page(self) -> &'static str {
        match self {
            Flow::Mobile => "/mobile/sso/en_US/sign-in",
            Flow::Portal => "/portal/sso/en-US/sign-in",
            Flow::Widget => "/sso/embed",
        }
    }

    pub(crate) fn user_agent(self) -> &'static str {
        match self {
            Flow::Mobile => {
                "Mozilla/5.0 (Linux; Android 13; sdk_gphone64_arm64 Build/TE1A.220922.025; wv) AppleWebKit/537.36 \
                 (KHTML, like Gecko) Version/4.0 Chrome/132.0.0.0 Mobile Safari/537.36"
            }
            Flow::Portal | Flow::Widget => {
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 \
                 Safari/537.36"
            }
        }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
