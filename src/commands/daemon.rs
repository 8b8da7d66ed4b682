//! A running daemon, asked over its HTTP side.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::Value;

use super::ConfigArgs;
use crate::config::HttpConfig;
use crate::publish::http::Token;

/// How long the daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which daemon is meant; for the commands that ask one.
#[derive(Debug, Args)]
pub(super) struct DaemonArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Where the daemon listens, such as http://127.0.0.1:9464; without it, http.listen of the config.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// A daemon's address, and what it asks to be shown.
pub(super) struct Daemon {
    agent: ureq::Agent,
    url: String,
    token: Option<Token>,
}

impl DaemonArgs {
    /// The daemon that is meant. Its token comes from the config's `http.token_file`, wherever the daemon is.
    pub(super) fn daemon(&self) -> anyhow::Result<Daemon> {
        let config = self.config.load()?.config;
        let url = match &self.url {
            Some(url) => checked(url)?,
            None => format!("http://{}", reachable(&config.http)?),
        };
        let agent = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        Ok(Daemon { agent: agent.build().into(), url, token: Token::of(&config.http)? })
    }
}

impl Daemon {
    /// What a path answers to a query, of which parts may be left out; what the daemon says is wrong as an error.
    pub(super) fn get<'a>(
        &self,
        path: &str,
        query: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    ) -> anyhow::Result<Value> {
        let parts = query.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut request = self.agent.get(format!("{}{path}", self.url)).query_pairs(parts);
        if let Some(token) = &self.token {
            request = request.header("authorization", token.authorization());
        }
        self.answer(request.call())
    }

    /// What a path answers to JSON that is sent to it.
    pub(super) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let mut request = self.agent.post(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", token.authorization());
        }
        self.answer(request.send_json(body))
    }

    fn answer(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> anyhow::Result<Value> {
        let nobody = || format!("no daemon answers at {}; start it, or name its address with --url", self.url);
        let mut answer = answer.with_context(nobody)?;
        let text = answer.body_mut().read_to_string().context("the daemon's answer cannot be read")?;
        let json: Option<Value> = serde_json::from_str(&text).ok();
        if answer.status() == ureq::http::StatusCode::UNAUTHORIZED {
            let which =
                if self.token.is_some() { "another token than http.token_file of the config holds" } else { "a token" };
            bail!("the daemon at {} asks for {which}: name the daemon's own config with --config", self.url);
        }
        if answer.status().is_success() {
            return json.with_context(|| format!("what answers at {} is no latido: it sends no JSON", self.url));
        }
        match json.as_ref().and_then(|problem| problem["detail"].as_str()) {
            Some(detail) => bail!("{detail}"),
            None => bail!("what answers at {} is no latido: it says {}", self.url, answer.status()),
        }
    }
}

/// An address as people write it, without what follows the port.
fn checked(url: &str) -> anyhow::Result<String> {
    let url = url.trim_end_matches('/');
    if url.starts_with("https://") {
        bail!("--url {url}: the daemon speaks no TLS; write http://HOST:PORT, through a tunnel if need be");
    }
    match url.strip_prefix("http://") {
        Some(rest) if !rest.is_empty() && !rest.contains(['/', '?', '#', ' ']) => Ok(url.to_owned()),
        _ => bail!("--url {url}: not the address of a daemon; write http://HOST:PORT"),
    }
}

/// Where the daemon of a config can be reached from its own machine.
pub(super) fn reachable(http: &HttpConfig) -> anyhow::Result<SocketAddr> {
    let mut address = http.listen;
    if address.port() == 0 {
        bail!("http.listen has port 0, any free one: write the port that the daemon listens on");
    }
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Ok(address)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn listening_on(address: &str) -> HttpConfig {
        HttpConfig { listen: address.parse().unwrap(), ..HttpConfig::default() }
    }

    #[test]
    fn a_daemon_that_listens_everywhere_is_found_on_loopback() {
        assert_eq!(reachable(&listening_on("0.0.0.0:9464")).unwrap().to_string(), "127.0.0.1:9464");
        assert_eq!(reachable(&listening_on("[::]:9464")).unwrap().to_string(), "[::1]:9464");
        assert_eq!(reachable(&listening_on("10.1.2.3:80")).unwrap().to_string(), "10.1.2.3:80");
    }

    #[test]
    fn a_port_that_is_not_known_is_an_error_that_names_the_key() {
        let error = reachable(&listening_on("127.0.0.1:0")).unwrap_err().to_string();
        assert!(error.starts_with("http.listen has port 0"), "{error}");
    }

    #[test]
    fn an_address_that_is_none_is_answered_with_how_to_write_one() {
        assert_eq!(checked("http://latido:9464/").unwrap(), "http://latido:9464");
        for url in ["latido:9464", "http://", "http://latido/api", "https://latido", "ftp://latido"] {
            let error = checked(url).unwrap_err().to_string();
            assert!(error.contains(url) && error.contains("http://HOST:PORT"), "{error}");
        }
    }
}
